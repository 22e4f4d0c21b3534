/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One watcher for each network namespace, shared by all users of that namespace. */
#ifndef QMAP_RTNL_WATCH_H
#define QMAP_RTNL_WATCH_H

#include "monitor.h"

struct event_base;
struct rtnl_watch;

/* @netns: "" for the current namespace. May do anything but free the watch. */
typedef void (*rtnl_watch_fn)(void *arg, const char *netns, const struct rtnl_event *e);

/* Watches the current namespace. Negative errno. */
int rtnl_watch_new(struct rtnl_watch **out, struct event_base *base, rtnl_watch_fn fn, void *arg,
		   struct error *err);
void rtnl_watch_free(struct rtnl_watch **w);

/*
 * Adds @users (negative: removes) to those of namespace @netns, which is watched while it has any. A
 * failure is logged. Does nothing if @w is NULL or @netns is "".
 */
void rtnl_watch_use(struct rtnl_watch *w, const char *netns, int users);
/*
 * Another namespace may have that name now, or none: a watcher that stays would also keep a deleted one
 * alive.
 */
void rtnl_watch_again(struct rtnl_watch *w, const char *netns);

#endif
