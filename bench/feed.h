/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A generator with prepared aggregates: UDP over IPv4 with good checksums and the payload of
 * tests/modem/pattern.h, renumbered with each use. It writes only 16 bytes of a packet, so a sender
 * costs little more than its system call.
 */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include <stdint.h>

#include "tests/vm/packets.h"

struct feed_options {
	int version; /* of QMAP */
	uint8_t mux;
	uint32_t saddr, daddr; /* host order */
	uint16_t port;	       /* UDP, both ends */
	unsigned int frames;   /* in an aggregate */
	unsigned int size;     /* bytes of an IP packet, UDP_HEADERS + PATTERN_HEADER at least */
};

struct feed;

/* 0, -EINVAL if such an aggregate cannot be made, or -ENOMEM. */
int feed_new(struct feed **out, const struct feed_options *o);
void feed_free(struct feed **f);

/* Starts stream @stream at number 0. */
void feed_rewind(struct feed *f, uint16_t stream);

/* Valid until as many more have been taken as the ring has; that is more than a pipe's worth. */
struct aggregate *feed_next(struct feed *f);

/* IP packet of frame @i, feed_options.size bytes long. */
uint8_t *feed_packet(const struct feed *f, struct aggregate *a, unsigned int i);

#endif
