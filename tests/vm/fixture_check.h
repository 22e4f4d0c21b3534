/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends the aggregates of tests/bpf/fixture_table.c through a whole data path and checks its
 * packets, answers and counters.
 */
#ifndef VM_FIXTURE_CHECK_H
#define VM_FIXTURE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "qmap/abi.h"
#include "tests/bpf/fixtures.h"

/* Mux ids of the fixtures' ports, up or down. */
extern const uint8_t fixture_muxes[];
extern const unsigned int fixture_mux_count;

enum fixture_path {
	FIXTURE_XDP,
	FIXTURE_SHIM,
};

/* Sums over all fixtures sent. */
struct fixture_totals {
	struct qmap_trunk_stats trunk;
	struct qmap_port_stats port[QMAP_MAX_MUX];
};

struct fixture_check {
	enum fixture_path path;
	int taps[QMAP_MAX_MUX]; /* packet socket by mux id; -1: no port */
	struct fixture_totals expected;
};

/* A range of bytes in the fixture. */
struct fixture_part {
	uint32_t at, len;
};

void fixture_check_init(struct fixture_check *c, enum fixture_path path);
/* Opens a packet socket for packets that arrive at @dev. 0 or -1. */
int fixture_tap(struct fixture_check *c, uint8_t mux, const char *dev);
void fixture_check_close(struct fixture_check *c);

/* Adds the counts expected for @f. */
void fixture_expect(struct fixture_check *c, const struct fixture *f);
/*
 * Expects every packet of @f on its port within @ms, in order and byte by byte. 0 or -1 with a
 * message.
 */
int fixture_packets(const struct fixture_check *c, const struct fixture *f, int ms);
/* Expects no further packet on any port. */
int fixture_nothing_more(const struct fixture_check *c, const struct fixture *f);

/* Is frame @n a QMAP command with an answer? @reply is then the part that comes back. */
bool fixture_reply(const struct fixture *f, unsigned int n, struct fixture_part *reply);

#endif
