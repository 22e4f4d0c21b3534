/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports changes to links and addresses from rtnetlink's notifications.
 *
 * Events are hints, not a journal: the kernel drops them when the reader is slow (ENOBUFS) and
 * reports that once. After resync() the owner must read everything again that it relies on.
 */
#ifndef QMAP_RTNL_MONITOR_H
#define QMAP_RTNL_MONITOR_H

#include <stdbool.h>

#include "util/error.h"
#include "rtnl.h"

struct rtnl_monitor;

/* Each callback may be NULL. None of them may close the monitor. */
struct rtnl_monitor_ops {
	/* A link is new or has changed: name (same ifindex: renamed), flags, MTU, address. */
	void (*link)(void *arg, const struct rtnl_link *link);
	/* A link is gone; @moved: to another namespace. */
	void (*link_gone)(void *arg, unsigned int ifindex, const char *name, bool moved);
	/* An address is gone. @family AF_INET or AF_INET6; address in network byte order. */
	void (*addr_gone)(void *arg, unsigned int ifindex, int family, const void *addr,
			  unsigned int prefix);
	/* A route through the link is gone. */
	void (*route_gone)(void *arg, unsigned int ifindex);
	/* The kernel has added an IPv6 address or route there because of a router advertisement. */
	void (*made)(void *arg, unsigned int ifindex);
	/* A tc filter or qdisc is gone, on any link. */
	void (*tc_gone)(void *arg);
	/* A queueing discipline of the link was added, removed or changed. */
	void (*queue)(void *arg, unsigned int ifindex);
	/* Events were lost. */
	void (*resync)(void *arg);
};

/* Listens in namespace @netns (NULL or "": the current one). @ops must stay valid. */
int rtnl_monitor_open(struct rtnl_monitor **out, const char *netns,
		      const struct rtnl_monitor_ops *ops, void *arg, struct error *err);
void rtnl_monitor_close(struct rtnl_monitor **m);

/* Non-blocking; readable when events wait. */
int rtnl_monitor_fd(const struct rtnl_monitor *m);

/*
 * Calls the callbacks for pending events. Negative errno if the socket is broken; lost events are
 * no error.
 */
int rtnl_monitor_read(struct rtnl_monitor *m);

#endif
