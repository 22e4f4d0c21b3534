/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink for the datagrams of tests/modem/pattern.h: checks for each sequence number that it
 * arrived once and unchanged.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
void sink_judge(struct sink_stream *s, const uint8_t *payload, size_t len);

/* Reads pending datagrams of a UDP socket, many per call, without waiting. Returns their number. */
unsigned int sink_drain(struct sink_stream *s, int fd);

/* Did all datagrams arrive, and no others? */
bool sink_is_good(const struct sink_stream *s);

#endif
