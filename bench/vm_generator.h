/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aggregates made once; sequence numbers, ids and flows change with each use. */
#ifndef VM_GENERATOR_H
#define VM_GENERATOR_H

#include "vm_bench.h"
#include "tests/vm/packets.h"

#define GENERATOR_STREAMS 1001
#define GENERATOR_FRAMES  64

struct generator {
	const struct bench_case *c;
	struct aggregate a;
	/* A frame of the aggregate, and its current flow. */
	struct generator_slot {
		uint8_t *packet;
		unsigned int port, flow, payload;
	} slots[GENERATOR_FRAMES];
	unsigned int next_flow;
	uint32_t ack;			 /* of segments without payload, ascending */
	uint32_t seq[GENERATOR_STREAMS]; /* by flow or, if there is only one, by port */
	uint16_t id[GENERATOR_STREAMS];
};

/* The source port of a flow's packets: scattered, as those of many servers are to a hash. */
uint16_t generator_sport(unsigned int flow);
/* @seq, @ack: initial numbers of TCP. */
void generator_init(struct generator *g, const struct bench_case *c, uint32_t seq, uint32_t ack);
/* Turns the last aggregate into the next one. */
void generator_next(struct generator *g);
/* Bytes of payload in an aggregate; packets, if they have none. */
unsigned long long generator_payload(const struct generator *g);
/* Writes @time, 8 bytes, into each packet at case_stamp(). */
void generator_stamp(struct generator *g, uint64_t time);

#endif
