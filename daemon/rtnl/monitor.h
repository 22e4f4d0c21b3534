/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports changes to links and addresses from rtnetlink's notifications.
 *
 * Events are hints, not a journal: the kernel drops them when the reader is slow (ENOBUFS) and
 * reports that once. After RTNL_LOST the owner must read everything again that it relies on.
 */
#ifndef QMAP_RTNL_MONITOR_H
#define QMAP_RTNL_MONITOR_H

#include <stdbool.h>

#include "util/error.h"
#include "rtnl.h"

struct rtnl_monitor;

enum rtnl_kind {
	RTNL_LINK,	/* a link is new or has changed: name (same ifindex: renamed), flags, MTU */
	RTNL_LINK_GONE, /* a link is gone */
	RTNL_LINK_MOVED, /* ... to another namespace */
	/*
	 * An address of the link is gone, or a route through it; the kernel has added one of them
	 * because of a router advertisement; its queueing discipline was added, removed or changed.
	 */
	RTNL_CHANGED,
	RTNL_TC_GONE,	/* a tc filter or qdisc is gone, on any link */
	RTNL_RULE_GONE, /* a routing rule is gone */
	RTNL_LOST,	/* events were lost: everything must be read again */
};

struct rtnl_event {
	enum rtnl_kind kind;
	unsigned int ifindex; /* 0 with the last three kinds */
	const char *name;     /* of the link, with the first three kinds; else "" */
};

/* May not close the monitor. */
typedef void (*rtnl_monitor_fn)(void *arg, const struct rtnl_event *e);

/* Listens in namespace @netns (NULL or "": the current one). */
int rtnl_monitor_open(struct rtnl_monitor **out, const char *netns, rtnl_monitor_fn fn, void *arg,
		      struct error *err);
void rtnl_monitor_close(struct rtnl_monitor **m);

/* Non-blocking; readable when events wait. */
int rtnl_monitor_fd(const struct rtnl_monitor *m);

/*
 * Calls the callback for each pending event. Negative errno if the socket is broken; lost events are
 * no error.
 */
int rtnl_monitor_read(struct rtnl_monitor *m);

#endif
