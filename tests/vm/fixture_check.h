/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The aggregates of tests/bpf/fixture_table.c through a data path as a whole: what it must deliver,
 * answer and count, and whether it did.
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

/* Sums over what has been sent. */
struct fixture_totals {
	struct qmap_trunk_stats trunk;
	struct qmap_port_stats port[QMAP_MAX_MUX];
};

struct fixture_check {
	enum fixture_path path;
	int taps[QMAP_MAX_MUX]; /* packet socket by mux id; -1: no port */
	struct fixture_totals expected;
};

/* Bytes that stand at @at of the fixture. */
struct fixture_part {
	uint32_t at, len;
};

void fixture_check_init(struct fixture_check *c, enum fixture_path path);
/* Listens to what arrives at @dev. 0 or -1. */
int fixture_tap(struct fixture_check *c, uint8_t mux, const char *dev);
void fixture_check_close(struct fixture_check *c);

/* Adds what @f must have added to the counters. */
void fixture_expect(struct fixture_check *c, const struct fixture *f);
/* Every packet of @f on its port within @ms, in order and byte by byte. 0 or -1 with a message. */
int fixture_packets(const struct fixture_check *c, const struct fixture *f, int ms);
/* Nothing else on any port. */
int fixture_nothing_more(const struct fixture_check *c, const struct fixture *f);

/* Is frame @n a QMAP command that is answered? @reply is then the part that comes back. */
bool fixture_reply(const struct fixture *f, unsigned int n, struct fixture_part *reply);

#endif
