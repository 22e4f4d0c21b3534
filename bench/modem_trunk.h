/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trunk that is measured, by way of the qmapd that has attached it. */
#ifndef BENCH_MODEM_TRUNK_H
#define BENCH_MODEM_TRUNK_H

#include <stdint.h>

#include "daemon/util/error.h"
#include "echo.h"

struct json_object;

struct modem_trunk {
	const char *socket; /* of qmapd; NULL: the usual one */
	const char *dev;
	struct json_object *config; /* as it was found */
	struct json_object *show;   /* as it is now */
};

/* Sums over all ports since they were made, as `qmapctl stats` tells them. */
struct modem_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t aggregates, frames;
	uint64_t dropped;	   /* under whatever reason */
	struct json_object *drops; /* by reason */
};

/* -ENODEV: it is not attached. */
int modem_trunk_open(struct modem_trunk *t, const char *socket, const char *dev, struct error *err);

/*
 * Attached by @datapath from now on, all else as it was; NULL: as it was found. The calls are
 * dialled again unless nothing changes.
 */
int modem_trunk_use(struct modem_trunk *t, const char *datapath, struct error *err);

/* Free with modem_counters_free(). */
int modem_trunk_counters(const struct modem_trunk *t, struct modem_counters *c, struct error *err);
/* @c becomes what has come since @before. */
void modem_counters_since(struct modem_counters *c, const struct modem_counters *before);
void modem_counters_free(struct modem_counters *c);

/*
 * Ports that are connected and in this namespace, and where a packet out of them may go; @mtu the
 * smallest of theirs. -ENOTCONN if there is none.
 */
int modem_trunk_ports(const struct modem_trunk *t, struct echo_options *o, unsigned int *mtu,
		      struct error *err);
/* Address of the first such port. NULL if there is none. */
const char *modem_trunk_address(const struct modem_trunk *t);

void modem_trunk_close(struct modem_trunk *t);

#endif
