/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out a network's NAT64 prefix, without blocking: by router advertisements (RFC 8781), which are
 * preferred, and by DNS (RFC 7050).
 */
#ifndef QMAP_CLAT_LOOKUP_H
#define QMAP_CLAT_LOOKUP_H

#include <net/if.h>
#include <stdbool.h>

#include "util/error.h"
#include "address.h"

struct event_base;
struct clat_lookup;

#define CLAT_SERVERS 4

/* Where to ask: the servers' addresses, and the port, which every packet leaves through. */
struct clat_lookup_place {
	char netns[64]; /* of the port; empty: ours */
	char port[IFNAMSIZ];
	unsigned int n; /* 0: only routers are asked */
	struct in6_addr servers[CLAT_SERVERS];
};

struct clat_lookup_result {
	/* By a router or any server; otherwise @why is the reason, empty without servers. */
	bool answered;
	struct clat_prefix prefix; /* len 0: the network has no NAT64 */
	unsigned int ttl;	   /* seconds that the answer holds */
	char why[128];
};

/* Called once. It may free the lookup. */
typedef void (*clat_lookup_fn)(void *arg, const struct clat_lookup_result *result);

int clat_lookup_start(struct clat_lookup **out, struct event_base *base,
		      const struct clat_lookup_place *place, clat_lookup_fn fn, void *arg,
		      struct error *err);
/* *l may be NULL. Ends a lookup in progress without a call of @fn. */
void clat_lookup_free(struct clat_lookup **l);

#endif
