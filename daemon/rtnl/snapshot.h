/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The links, addresses, routes and our rules of one network namespace, read with one dump of each. A caller
 * that compares many netdevs with their configuration asks the kernel once, not once for each.
 */
#ifndef QMAP_RTNL_SNAPSHOT_H
#define QMAP_RTNL_SNAPSHOT_H

#include <stdbool.h>

#include "util/error.h"
#include "rtnl.h"
#include "sysctl.h"

struct rtnl_snapshot;

/*
 * Reads the namespace of @nl. @ifindex: of this link alone, whose absence is no error; 0: of all.
 * Counters of links are not read. Negative errno.
 */
int rtnl_snapshot_read(struct rtnl_snapshot **out, struct rtnl *nl, unsigned int ifindex,
		       struct error *err);
/* Links alone, with their counters. */
int rtnl_snapshot_read_links(struct rtnl_snapshot **out, struct rtnl *nl, struct error *err);
void rtnl_snapshot_free(struct rtnl_snapshot **s);

/* NULL if there is none. */
const struct rtnl_link *rtnl_snapshot_link(const struct rtnl_snapshot *s, unsigned int ifindex);
const struct rtnl_link *rtnl_snapshot_find(const struct rtnl_snapshot *s, const char *name);

/* Calls @fn for each link until it returns other than 0, and returns that. */
int rtnl_snapshot_each_link(const struct rtnl_snapshot *s,
			    int (*fn)(const struct rtnl_link *link, void *arg), void *arg);

/* As rtnl_addr_has() and rtnl_route_has_default(). */
bool rtnl_snapshot_has_addr(const struct rtnl_snapshot *s, unsigned int ifindex, int family,
			    const void *addr, unsigned int prefix);
bool rtnl_snapshot_has_default(const struct rtnl_snapshot *s, const struct rtnl_route *wanted);
/* Has the link any address of @family? */
bool rtnl_snapshot_has_family(const struct rtnl_snapshot *s, unsigned int ifindex, int family);
/* Has any netdev an address out of @prefix, whose first @len bits count (a multiple of 8)? */
bool rtnl_snapshot_has_prefix(const struct rtnl_snapshot *s, int family, const void *prefix,
			      unsigned int len);

/* Our rules, each as one that rtnl_rule_add() adds; NULL after the last. */
const struct rtnl_rule *rtnl_snapshot_rule(const struct rtnl_snapshot *s, size_t i);
bool rtnl_snapshot_has_rule(const struct rtnl_snapshot *s, const struct rtnl_rule *wanted);

/* Has the kernel made an IPv6 address or route there from a router advertisement? */
bool rtnl_snapshot_has_made(const struct rtnl_snapshot *s, unsigned int ifindex);

#endif
