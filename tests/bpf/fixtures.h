/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aggregates with expected results: one table for the walker on the host, for the programs through
 * BPF_PROG_RUN, and for the benchmark.
 *
 * Expectations are derived from how an aggregate was built, never from parsing it.
 */
#ifndef TESTS_FIXTURES_H
#define TESTS_FIXTURES_H

#include <stdbool.h>
#include <stdint.h>

#include "qmap/abi.h"

/* Ports of the fixtures. Every other mux id is unknown. */
enum fixture_port {
	FIXTURE_PORT_NONE,
	FIXTURE_PORT_DOWN,
	FIXTURE_PORT_UP,
};

enum fixture_port fixture_port(uint8_t mux);

/* One frame, in the order of the walk, which ends behind the last one. */
struct fixture_frame {
	uint32_t at;	  /* of its QMAP header */
	uint32_t payload; /* of its packet or command */
	uint32_t len;	  /* of its packet or command, pad excluded */
	uint32_t next;	  /* first byte behind it; 0: a bad length, the walk ends */
	uint8_t mux;
	uint8_t csum; /* enum qmap_csum */
	bool command;
	uint8_t walk; /* enum qmap_drop judged by the bytes alone; QMAP_DROP_NONE: good */
	uint8_t drop; /* enum qmap_drop with ports and limits considered */
};

struct fixture_packet {
	uint32_t frame; /* index of its frame */
	uint32_t len;
	uint8_t *bytes; /* a copy */
};

/* Effect of a command on the uplink of its PDN. */
enum fixture_flow {
	FIXTURE_FLOW_AS_BEFORE,
	FIXTURE_FLOW_OFF,
	FIXTURE_FLOW_ON,
};

struct fixture {
	const char *name;
	int version; /* enum qmap_version */
	uint8_t *bytes;
	uint32_t size;

	struct fixture_frame *frames;
	unsigned int nframes;
	struct fixture_packet packets[QMAP_MAX_FRAMES]; /* delivered, in order */
	unsigned int npackets;
	struct qmap_event *events; /* time is left zero */
	unsigned int nevents;
	uint8_t flow[QMAP_MAX_MUX]; /* enum fixture_flow */

	struct qmap_trunk_stats trunk;		   /* expected at the end, over all CPUs */
	struct qmap_port_stats port[QMAP_MAX_MUX]; /* the same, with deliveries */
};

unsigned int fixture_rows(void);
const char *fixture_row_name(unsigned int row);

/*
 * The @variant-th fixture of a row: one per QMAP version; rows cut at every byte have one per
 * version and length. NULL behind the last one. Aborts without memory.
 */
struct fixture *fixture_new(unsigned int row, unsigned int variant);
void fixture_free(struct fixture **f);

/* Counts a dropped frame. Mux id 0 stands for none, too, where the header was cut off. */
void fixture_drop(struct qmap_trunk_stats *trunk, struct qmap_port_stats *port, uint8_t mux,
		  uint8_t reason);

/* @n good frames of @len bytes of packet each, built as by fixture_new(). */
struct fixture *fixture_uniform(int version, unsigned int n, unsigned int len);
/* The classic mix, seven of 40, four of 576 and one of 1500 bytes, @n frames. */
struct fixture *fixture_imix(int version, unsigned int n);

#endif
