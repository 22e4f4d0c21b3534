/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attached trunk: its netdev, its session with the modem, its data path and its ports. This is
 * where what the modem says becomes netdevs, addresses and routes.
 */
#ifndef QMAP_TRUNK_H
#define QMAP_TRUNK_H

#include <stdbool.h>

#include "config/config.h"
#include "session/session.h"
#include "util/error.h"

struct datapath_stats;
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
	/* May @t take netdev @name, or is it another trunk's by its device? May be NULL: yes. */
	bool (*is_free)(void *arg, const struct trunk *t, const char *name);
	void *arg;
};

/*
 * Starts attaching; @done comes later, exactly once, unless this returns an error. The trunk
 * is the caller's to free either way, after @done. A netdev or modem that is not there is an error,
 * unless config->persist: then it is waited for, and @done (err NULL) comes when that is clear.
 */
int trunk_attach(struct trunk **out, const struct trunk_env *env, const struct config_trunk *config,
		 trunk_done done, void *arg, struct error *err);

/*
 * Takes over trunk @ifindex from its pins; calls that are up are not dialled again. As
 * trunk_attach(), but a modem that is lost is none: it is waited for.
 */
int trunk_adopt(struct trunk **out, const struct trunk_env *env, unsigned int ifindex,
		trunk_done done, void *arg, struct error *err);

/*
 * Ends the calls, gives the clients back, removes ports, data path and pins, at any time; whoever
 * still waits for the attach is told that it was cancelled. -EBUSY while detaching.
 */
int trunk_detach(struct trunk *t, trunk_done done, void *arg, struct error *err);

/*
 * One more PDN, in any state of the modem: its port is there afterwards if the others' are, its
 * calls are dialled when they can be. -EEXIST, -E2BIG, -EBUSY while detaching; undone then.
 */
int trunk_add_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err);
/* Ends its calls and removes its port; @done comes once, unless this returns an error. One PDN of a
 * trunk at a time: -EBUSY. -ENOENT. */
int trunk_remove_pdn(struct trunk *t, unsigned int number, trunk_done done, void *arg,
		     struct error *err);
/* Changes what neither calls nor traffic notice: metric, default-route. -ENOENT. */
int trunk_set_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err);
/* Changes what its calls are dialled with; they end and are made again, the port stays. As
 * trunk_remove_pdn(). */
int trunk_redial_pdn(struct trunk *t, const struct config_pdn *pdn, trunk_done done, void *arg,
		     struct error *err);
/* Ends what is up of PDN @pdn (0: of all) and dials again now. -ENOENT; -ENODEV while there is no
 * modem; -EBUSY while attaching or detaching. */
int trunk_redial(struct trunk *t, unsigned int pdn, struct error *err);
/*
 * Calls @done from the event loop when the calls of PDN @pdn (0: all) have come to something, at
 * once if there is no modem to dial. @err of @done: a PDN is not connected and will not be unless
 * somebody does something, or the trunk is being detached. -ENOMEM.
 */
int trunk_wait(struct trunk *t, unsigned int pdn, trunk_done done, void *arg, struct error *err);
/* Is PDN @pdn connected, or will be by itself? Else -ECONNREFUSED and why. */
int trunk_verdict(const struct trunk *t, unsigned int pdn, struct error *err);
/* Changes settings of the trunk, not its PDNs; they count from the next opening of the modem on. */
void trunk_set(struct trunk *t, const struct config_trunk *config);

/* -EBUSY with @err while somebody waits for @t to be attached, taken over or detached. */
int trunk_check_idle(const struct trunk *t, struct error *err);
bool trunk_is_detaching(const struct trunk *t);
bool trunk_is_ready(const struct trunk *t);

/* The programs of this process in the place of those that the trunk was adopted with. */
void trunk_renew(struct trunk *t);

/* Leaves kernel and modem as they are. */
void trunk_free(struct trunk **t);

/* Was it adopted from a process that died while attaching it for somebody who waited, or while
 * detaching? Then it is to go. */
bool trunk_is_unfinished(const struct trunk *t);

const char *trunk_name(const struct trunk *t);
/* Is one of its ports called @name now? */
bool trunk_has_port(const struct trunk *t, const char *name);
/* What was asked for, with secrets; without what was found or chosen for it. */
const struct config_trunk *trunk_config(const struct trunk *t);
/* Of its netdev; 0 while there is none. */
unsigned int trunk_ifindex(const struct trunk *t);
/* Name of its netdev, which need not be the trunk's own. */
const char *trunk_netdev(const struct trunk *t);
/* Path in sysfs of the device behind its netdev, also after that has gone; may be "". */
const char *trunk_device(const struct trunk *t);

/* Netdev @name is there: if @t waits for one, this is it. */
void trunk_offer(struct trunk *t, const char *name);
/* Looks for it. */
void trunk_seek(struct trunk *t);
/* Its netdev is gone (unplugged, moved away): nothing is left to carry traffic. */
void trunk_netdev_gone(struct trunk *t, const char *why);
void trunk_netdev_renamed(struct trunk *t, const char *name);
/* Something has happened to netdev @ifindex in namespace @netns (""): if it is its own, one of
 * its ports', or one that they stand on, it is looked at. @name may be "". */
enum trunk_link_event {
	TRUNK_LINK_CHANGED,
	TRUNK_LINK_GONE,
	TRUNK_LINK_MOVED, /* to another namespace */
};
void trunk_netlink(struct trunk *t, const char *netns, unsigned int ifindex, const char *name,
		   enum trunk_link_event what);
/* Puts back programs of the data path that somebody has taken away: now; soon. */
void trunk_mend(struct trunk *t);
void trunk_mend_soon(struct trunk *t);
/* Nobody knows what has happened to them. */
void trunk_look(struct trunk *t);
/* The ports are looked at before this returns, and nothing is done about them: for trunk_show(). */
void trunk_look_now(struct trunk *t);
/* The machine has slept. */
void trunk_resumed(struct trunk *t);

/* One IP family of a PDN as its users see it. */
enum trunk_family_state {
	TRUNK_FAMILY_DOWN,    /* its call is not up, or it has no port */
	TRUNK_FAMILY_UP,      /* all members of struct trunk_family are set */
	TRUNK_FAMILY_DAMAGED, /* its call is up, but the port cannot be used for it */
};
struct trunk_family {
	enum trunk_family_state state;
	const char *dev;  /* the trunk's name in the configuration */
	const char *port; /* name of the netdev */
	const struct config_pdn *pdn;
	const struct ip_settings *settings;
	const char *resolv_conf; /* path; "" if there is none */
};
/* @out points into @t. @family: 4 or 6. */
void trunk_family(const struct trunk *t, unsigned int pdn, int family, struct trunk_family *out);

struct json_object *trunk_show(const struct trunk *t);
bool trunk_has_datapath(const struct trunk *t);
/* With the names of ports. -EBUSY without a data path. */
int trunk_stats(struct trunk *t, struct datapath_stats *out, struct error *err);
/* "xdp", ...; "" until it is chosen. */
const char *trunk_datapath(const struct trunk *t);

#endif
