/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attached trunk: its netdev, its session with the modem, its data path and its ports. This is
 * where what the modem says becomes netdevs, addresses and routes.
 */
#ifndef QMAP_TRUNK_H
#define QMAP_TRUNK_H

#include <stdbool.h>

#include "config.h"
#include "error.h"

struct event_base;
struct events;
struct json_object;
struct trunk;

/* @err NULL: done; else what failed, and everything has been undone. */
typedef void (*trunk_done)(void *arg, struct trunk *t, const struct error *err);

/* Where things outside the trunk are. */
struct trunk_env {
	struct event_base *base;
	const char *run_dir;   /* for resolv.conf files */
	struct events *events; /* where what happens is told; may be NULL */
};

/*
 * Starts attaching; @done comes later, exactly once, unless this returns an error. The trunk
 * is the caller's to free either way, after @done.
 */
int trunk_attach(struct trunk **out, const struct trunk_env *env, const struct config_trunk *config,
		 trunk_done done, void *arg, struct error *err);

/* Takes over trunk @ifindex from its pins; data calls are not redialled. As trunk_attach(). */
int trunk_adopt(struct trunk **out, const struct trunk_env *env, unsigned int ifindex,
		trunk_done done, void *arg, struct error *err);

/* Ends the calls, gives the clients back, removes ports, data path and pins. -EBUSY while
 * attaching. */
int trunk_detach(struct trunk *t, trunk_done done, void *arg, struct error *err);

/* -EBUSY with @err while @t is attaching or detaching. */
int trunk_check_idle(const struct trunk *t, struct error *err);

/* Leaves kernel and modem as they are. */
void trunk_free(struct trunk **t);

/* Was it adopted from a process that died while attaching or detaching? Then it is to go. */
bool trunk_is_unfinished(const struct trunk *t);

const char *trunk_name(const struct trunk *t);
/* What was asked for, with secrets; without what was found or chosen for it. */
const struct config_trunk *trunk_config(const struct trunk *t);
unsigned int trunk_ifindex(const struct trunk *t);

/* The netdev is gone (unplugged): nothing is left to carry traffic. */
void trunk_dev_gone(struct trunk *t);

struct json_object *trunk_show(const struct trunk *t);
int trunk_stats(struct trunk *t, struct json_object **out, struct error *err);

/* Puts names to what datapath_ops.stats() returned: "dev", "datapath", and "port" per port by the
 * mux ids of @show. */
void trunk_name_stats(struct json_object *stats, struct json_object *show);

#endif
