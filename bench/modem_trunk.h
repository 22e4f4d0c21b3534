/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trunk being measured, by way of the qmapd that has attached it. */
#ifndef BENCH_MODEM_TRUNK_H
#define BENCH_MODEM_TRUNK_H

#include <stdint.h>

#include "daemon/util/error.h"
#include "echo.h"

struct json_object;

struct modem_trunk {
	const char *socket; /* socket of qmapd; NULL: the default */
	const char *dev;
	struct json_object *config; /* original configuration */
	struct json_object *show;   /* current state */
};

/* Sums over all ports since they were created, from `qmapctl stats`. */
struct modem_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t aggregates, frames;
	uint64_t dropped;	   /* for any reason */
	struct json_object *drops; /* by reason */
};

/* -ENODEV: not attached. */
int modem_trunk_open(struct modem_trunk *t, const char *socket, const char *dev, struct error *err);

/*
 * Attaches with @datapath and otherwise unchanged configuration; NULL: with the original one.
 * Redials the calls unless nothing changes.
 */
int modem_trunk_use(struct modem_trunk *t, const char *datapath, struct error *err);

/* The caller frees @c with modem_counters_free(). */
int modem_trunk_counters(const struct modem_trunk *t, struct modem_counters *c, struct error *err);
/* Replaces @c by the difference to @before. */
void modem_counters_since(struct modem_counters *c, const struct modem_counters *before);
void modem_counters_free(struct modem_counters *c);

/*
 * Fills in the ports that are connected and in this namespace, with a destination for packets out
 * of each; @mtu gets the smallest of their MTUs. -ENOTCONN if there is none.
 */
int modem_trunk_ports(const struct modem_trunk *t, struct echo_options *o, unsigned int *mtu,
		      struct error *err);
/* Address of the first such port. NULL if there is none. */
const char *modem_trunk_address(const struct modem_trunk *t);

void modem_trunk_close(struct modem_trunk *t);

#endif
