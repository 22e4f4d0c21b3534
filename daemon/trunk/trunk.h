/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attached trunk: its netdev, its session with the modem, its data path and its ports. It turns
 * reports of the modem into netdevs, addresses and routes.
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
struct qmi_message;
struct rtnl_event;
struct rtnl_watch;
struct totals;
struct trunk;

/* @err NULL: done; otherwise the failure, and everything has been undone. */
typedef void (*trunk_done)(void *arg, struct trunk *t, const struct error *err);

/* Environment of a trunk. */
struct trunk_env {
	struct event_base *base;
	const char *run_dir;   /* for resolv.conf files */
	struct events *events; /* for events; may be NULL */
	struct totals *totals; /* bytes by month; NULL: they are not counted */
	/* To be used for namespaces of ports; its owner calls trunk_netlink(). May be NULL. */
	struct rtnl_watch *watch;
	/*
	 * May @t take netdev @name, or does its device belong to another trunk? May be
	 * NULL: yes.
	 */
	bool (*is_free)(void *arg, const struct trunk *t, const char *name);
	/* The name of another trunk whose session has channel @control; NULL: none. May be NULL. */
	const char *(*user_of)(void *arg, const struct trunk *t, const char *control);
	/* A QMI message crosses the control channel of @t. May be NULL; must not change @t. */
	void (*message)(void *arg, const struct trunk *t, bool from_modem,
			const struct qmi_message *m);
	void *arg;
};

/*
 * Starts attaching; @done is called later, exactly once, unless this returns an error. The caller
 * frees the trunk in either case, after @done. A missing netdev or modem is an error, unless
 * config->persist: then it is waited for, and @done (err NULL) is called when that is clear.
 */
int trunk_attach(struct trunk **out, const struct trunk_env *env, const struct config_trunk *config,
		 trunk_done done, void *arg, struct error *err);

/*
 * Adopts trunk @ifindex from its pins; calls that are up are not redialled. As trunk_attach(), but
 * a lost modem is not an error: it is waited for.
 */
int trunk_adopt(struct trunk **out, const struct trunk_env *env, unsigned int ifindex,
		trunk_done done, void *arg, struct error *err);

/*
 * Ends the calls, releases the clients, removes ports, data path and pins, at any time; a caller
 * that still waits for the attach gets -ECANCELED. -EBUSY while detaching.
 */
int trunk_detach(struct trunk *t, trunk_done done, void *arg, struct error *err);

/*
 * Adds a PDN, in any state of the modem: its port is created if the others exist, its calls are
 * dialled as soon as possible. -EEXIST, -E2BIG, -EBUSY while detaching; undone then.
 */
int trunk_add_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err);
/*
 * Ends its calls and removes its port; @done is called once, unless this returns an error. One PDN
 * of a trunk at a time: -EBUSY. -ENOENT.
 */
int trunk_remove_pdn(struct trunk *t, unsigned int number, trunk_done done, void *arg,
		     struct error *err);
/* Changes settings that neither calls nor traffic notice: metric, default-route. -ENOENT. */
int trunk_set_pdn(struct trunk *t, const struct config_pdn *pdn, struct error *err);
/*
 * Changes settings of its calls, which end and are redialled; the port stays. As
 * trunk_remove_pdn().
 */
int trunk_redial_pdn(struct trunk *t, const struct config_pdn *pdn, trunk_done done, void *arg,
		     struct error *err);
/*
 * Ends the calls of PDN @pdn (0: of all) and dials again now. -ENOENT; -ENODEV while there is no
 * modem; -EBUSY while attaching or detaching.
 */
int trunk_redial(struct trunk *t, unsigned int pdn, struct error *err);
/*
 * Calls @done from the event loop when each call of PDN @pdn (0: all) is up, waiting or failed, at
 * once if there is no modem to dial. @err of @done: a PDN is not connected and will not be without
 * the user, or the trunk is being detached. -ENOMEM.
 */
int trunk_wait(struct trunk *t, unsigned int pdn, trunk_done done, void *arg, struct error *err);
/* Is PDN @pdn connected, or will it be by itself? Otherwise -ECONNREFUSED and the reason. */
int trunk_verdict(const struct trunk *t, unsigned int pdn, struct error *err);
/* Changes settings of the trunk, not its PDNs; they take effect when the modem is opened next. */
void trunk_set(struct trunk *t, const struct config_trunk *config);

/*
 * Sets the data path to @wanted and builds it in place of the present one, with ports made anew; calls
 * stay. Without a modem that is ready it only sets it: the data path is chosen when the modem is
 * opened. After a failure the trunk goes on with the former one, which it is set to again.
 */
int trunk_change_datapath(struct trunk *t, enum config_datapath wanted, struct error *err);
/* With `auto`: name of a cheaper data path that trunk_change_datapath() would build; or NULL. */
const char *trunk_better_datapath(const struct trunk *t);
/*
 * Does @config ask for a data path that needs another driver (usb), or another QMAP version than the
 * one agreed with the modem?
 */
bool trunk_needs_attach(const struct trunk *t, const struct config_trunk *config);

/* -EBUSY with @err while a caller waits for @t to be attached, adopted or detached. */
int trunk_check_idle(const struct trunk *t, struct error *err);
bool trunk_is_detaching(const struct trunk *t);
bool trunk_is_ready(const struct trunk *t);

/* Replaces the programs that the trunk was adopted with by those of this process. */
void trunk_renew(struct trunk *t);

/* Counts the bytes of its PDNs; reports quotas that are reached. */
void trunk_totals_look(struct trunk *t);

/* Leaves kernel and modem unchanged. */
void trunk_free(struct trunk **t);

/*
 * Was it adopted from a process that died while attaching it for a waiting client, or while
 * detaching? Then it is to be taken down.
 */
bool trunk_is_unfinished(const struct trunk *t);

const char *trunk_name(const struct trunk *t);
/* Is @name the current name of one of its ports? */
bool trunk_has_port(const struct trunk *t, const char *name);
/* The configuration as requested, with secrets, without values found or chosen for it. */
const struct config_trunk *trunk_config(const struct trunk *t);
/* Ifindex of its netdev; 0 while there is none. */
unsigned int trunk_ifindex(const struct trunk *t);
/* Version of the aggregates that it carries (enum qmap_version); QMAP_OFF: it carries none. */
int trunk_qmap_version(const struct trunk *t);
/* Name of its netdev, which may differ from the trunk's own. */
const char *trunk_netdev(const struct trunk *t);
/* Path in sysfs of the device behind its netdev, also after that has gone; may be "". */
const char *trunk_device(const struct trunk *t);

/* Has the trunk's session the control channel @control, by whichever path? Not of a proxy. */
bool trunk_uses_channel(const struct trunk *t, const char *control);

/* Netdev @name has appeared: takes it if @t waits for it. */
void trunk_offer(struct trunk *t, const char *name);
/* Searches for its netdev. */
void trunk_seek(struct trunk *t);
/* Its netdev is gone (unplugged, moved away): no traffic is possible. */
void trunk_netdev_gone(struct trunk *t, const char *why);
void trunk_netdev_renamed(struct trunk *t, const char *name);
/* A change in namespace @netns ("": ours): reconciles if a netdev of @t, or a VRF, is concerned. */
void trunk_netlink(struct trunk *t, const char *netns, const struct rtnl_event *e);
/* Reconciles soon, once for all calls until then: netdev and ports; the data path's programs. */
void trunk_look(struct trunk *t);
void trunk_programs_changed(struct trunk *t);
/* The programs at once: nothing is notified of those that are detached. */
void trunk_look_at_programs(struct trunk *t);
/* Compares the ports at once, and fixes nothing: for trunk_show(). */
void trunk_compare(struct trunk *t);
/* The machine has been suspended. */
void trunk_resumed(struct trunk *t);

/* State of one IP family of a PDN for its users. */
enum trunk_family_state {
	TRUNK_FAMILY_DOWN,    /* its call is not up, or it has no port */
	TRUNK_FAMILY_UP,      /* all members of struct trunk_family are set */
	TRUNK_FAMILY_DAMAGED, /* its call is up, but the port is unusable for it */
};
struct trunk_family {
	enum trunk_family_state state;
	const char *dev;  /* the trunk's name in the configuration */
	const char *port; /* name of the netdev */
	unsigned int ifindex;
	const struct config_pdn *pdn;
	const struct ip_settings *settings;
	const char *resolv_conf; /* path; "" if there is none */
};
/* @out points into @t. @family: 4 or 6. */
void trunk_family(const struct trunk *t, unsigned int pdn, int family, struct trunk_family *out);

struct json_object *trunk_show(const struct trunk *t);
/* Removes the explanations from trunk_show()'s result: events, hints, ends, failures. */
void trunk_show_shorten(struct json_object *show);
bool trunk_has_datapath(const struct trunk *t);
/* Sets the names of ports, too. -EBUSY without a data path. */
int trunk_stats(struct trunk *t, struct datapath_stats *out, struct error *err);
/* "xdp", ...; "" until it is chosen. */
const char *trunk_datapath(const struct trunk *t);

#endif
