/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink for the datagrams of tests/modem/pattern.h: checks for each sequence number that it
 * arrived once and unchanged. Fast enough not to limit a measurement; tests use it, too.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compares the whole payload, or its header alone (PATTERN_HEADER bytes) and the length. */
enum sink_check {
	SINK_BYTES,
	SINK_NUMBERS
};

struct sink_stream {
	unsigned int id;
	uint64_t count; /* sequence numbers are 0..count - 1 */
	uint8_t *seen;	/* one per number; allocated by sink_start() */
	uint64_t next;
	uint64_t ok, bytes; /* datagrams, and bytes of their payload */
	uint64_t bad;	    /* not from the generator, or changed */
	uint64_t foreign;   /* of another stream, or beyond @count */
	uint64_t duplicate; /* received before */
	uint64_t late;	    /* part of @ok: received after a higher number */
};

/* Resets the stream. 0 or -ENOMEM. */
int sink_start(struct sink_stream *s, unsigned int id, uint64_t count);
void sink_free(struct sink_stream *s);

/* Checks one payload of @len bytes. */
void sink_judge(struct sink_stream *s, const uint8_t *payload, size_t len, enum sink_check check);

/* Reads pending datagrams of a UDP socket, many per call, without waiting. Returns their number. */
unsigned int sink_drain(struct sink_stream *s, int fd, enum sink_check check);

/* Did all datagrams arrive, and no others? */
bool sink_is_good(const struct sink_stream *s);

#endif
