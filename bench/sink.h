/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink for the datagrams of tests/modem/pattern.h: tells of each sequence number whether it came,
 * once, and unchanged. Fast enough not to be what is measured; tests use it as well.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole payload, or its header alone (PATTERN_HEADER bytes): what came, and how long it is. */
enum sink_check {
	SINK_BYTES,
	SINK_NUMBERS
};

struct sink_stream {
	unsigned int id;
	uint64_t count; /* sequence numbers are 0..count - 1 */
	uint8_t *seen;	/* of them; made by sink_start() */
	uint64_t next;
	uint64_t ok, bytes; /* datagrams, and bytes of their payload */
	uint64_t bad;	    /* none of ours, or changed */
	uint64_t foreign;   /* of another stream, or beyond @count */
	uint64_t duplicate; /* came before */
	uint64_t late;	    /* of @ok, behind a higher number */
};

/* Forgets what came before. 0 or -ENOMEM. */
int sink_start(struct sink_stream *s, unsigned int id, uint64_t count);
void sink_free(struct sink_stream *s);

/* One payload of @len bytes. */
void sink_judge(struct sink_stream *s, const uint8_t *payload, size_t len, enum sink_check check);

/* Takes what a UDP socket has, many datagrams a call, without waiting. How many. */
unsigned int sink_drain(struct sink_stream *s, int fd, enum sink_check check);

/* All of it came, and nothing else. */
bool sink_is_good(const struct sink_stream *s);

#endif
