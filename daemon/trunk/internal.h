/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a trunk share. Nobody else includes this. */
#ifndef QMAP_TRUNK_INTERNAL_H
#define QMAP_TRUNK_INTERNAL_H

#include <sys/time.h>

#include <sys/queue.h>

#include "datapath/datapath.h"
#include "datapath/pins.h"
#include "session/session.h"
#include "trunk.h"
#include "netdev/dev.h"
#include "modem.h"
#include "util/node.h"
#include "port.h"
#include "repair.h"

struct event;
struct json_object;
struct trunk_waiter;

/* Of inputs that wait for the event loop; no more than these come from one turn of it. */
#define TRUNK_PENDING 8

struct trunk {
	struct trunk_env env;
	struct config_trunk config; /* as asked for; the one copy, of the PDNs, too */
	/* With the control channel that was found, and the sizes that the data path prefers. */
	struct session_setup setup;

	/* the modem, trunk.c */
	enum trunk_state state;
	struct timespec since; /* of @state, CLOCK_REALTIME */
	char reason[512];      /* why it is in @state; may be empty */
	char why_lost[512];    /* since it was ready */
	bool was_ready;	       /* once, by this process or one before it */
	bool adopted;	       /* an earlier process has attached it */
	bool unfinished;       /* ... and died before it was ready */
	bool was_detaching;    /* ... or while detaching it */
	bool closing;	       /* TRUNK_CLOSE has begun */
	struct error why_closing;
	unsigned int tries; /* to open the modem, since it was ready for long */
	int64_t ready_ms;   /* when it became ready, CLOCK_MONOTONIC */
	struct event *retry;
	struct node_watch *node; /* its control channel is missing */
	struct {
		enum trunk_input input;
		struct error err;
	} pending[TRUNK_PENDING];
	unsigned int npending;
	struct event *kick;
	void (*later)(void *arg);			/* with the next kick */
	struct removal *removal;			/* of a PDN, under way */
	LIST_HEAD(trunk_waiters, trunk_waiter) waiters; /* for calls to come to something */
	struct event *settled;
	struct event *save; /* trunk_save_later() */

	/* whoever has asked */
	trunk_done done;
	void *done_arg;

	struct pins pins;
	struct trunk_dev dev; /* ifindex 0: there is none */
	const struct datapath_ops *ops;
	struct datapath *dp;	   /* NULL until the data format is agreed */
	struct data_format format; /* as agreed last; @dp is built for it */
	struct event *commands;	   /* QMAP commands wait */
	struct session *session;   /* NULL with control=none, and while there is no modem */
	struct trunk_repair *repair;
	struct event *mend; /* trunk/mend.c */
	int64_t mended_ms;
	bool mend_failed;
	struct trunk_fight fights[TRUNK_DEV_DAMAGES]; /* about the netdev */
	unsigned int left; /* of its damage, given up: bits 1 << enum trunk_dev_damage */
	bool queue_theirs; /* a user's queue, and they have been told */
	int64_t down_ms;   /* somebody has set it down, CLOCK_MONOTONIC; 0: it is up */
	struct trunk_port ports[CONFIG_MAX_PDNS];
	unsigned int nports;
};

enum attachment trunk_attachment(const struct trunk *t);

bool trunk_has_control(const struct trunk *t);

/* trunk.c: @input happens now, or as soon as the event loop is back. @err: why, may be NULL. */
void trunk_input(struct trunk *t, enum trunk_input input, const struct error *err);
void trunk_input_later(struct trunk *t, enum trunk_input input, const struct error *err);
/* For a trunk that begins in @state: adopted. */
void trunk_begin(struct trunk *t, enum trunk_state state);
/* @fn is called with @t as soon as the event loop is back. One at a time. */
void trunk_call_later(struct trunk *t, void (*fn)(void *arg));
int trunk_new(struct trunk **out, const struct trunk_env *env, trunk_done done, void *arg,
	      struct error *err);
/* Answers whoever waits; @t may be freed by that. */
void trunk_answer(struct trunk *t, const struct error *err);
/* Completes t->setup where the configuration leaves something open. A control channel that has been
 * found stays. */
void trunk_fill_setup(struct trunk *t);

/* trunk/pins.c: what outlives the process. */
int trunk_save_new(struct trunk *t);
/* Now: before something is sent or done that would have to be found again. */
void trunk_save(struct trunk *t);
/* Once for all that this turn of the event loop brings: what only describes what has happened. */
void trunk_save_later(struct trunk *t);
/* Pins for where the trunk is now: its netdev, or none; what was pinned elsewhere is removed. */
int trunk_move_pins(struct trunk *t, struct error *err);
/* Removes all that is pinned but what trunk_save() writes. */
int trunk_clear_pins(struct trunk *t, struct error *err);
/* Is @ifindex the number of a set of pins without a netdev? */
bool trunk_pins_absent(unsigned int ifindex);

/* trunk/mend.c: the data path's programs are looked after from watch to unwatch. */
int trunk_mend_new(struct trunk *t);
void trunk_mend_watch(struct trunk *t);
void trunk_mend_unwatch(struct trunk *t);

/* trunk/session.c: what the session says. */
extern const struct session_ops trunk_session_ops;

/* trunk/repair_netdev.c: the trunk's own netdev is looked at, and repaired. */
void trunk_repair_netdev(struct trunk *t);
/* A new beginning: what was given up before counts no longer. */
void trunk_repair_netdev_anew(struct trunk *t);
/* What of its damage stays, as an array of sentences. New reference. */
struct json_object *trunk_repair_left(const struct trunk *t);

/* trunk/repair.c: adds an event about a port that another program has changed. */
void trunk_port_event(struct trunk *t, const struct trunk_port *p, enum netdev_outcome outcome,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* trunk/pdn.c: the session is over, and with it what was to be ended. */
void trunk_removal_over(struct trunk *t);

/* trunk/settle.c: whoever waits for calls is answered when they have come to something. */
int trunk_settle_new(struct trunk *t);
void trunk_settle_free(struct trunk *t);
/* Something has happened to a call, or to the session. */
void trunk_settle_look(struct trunk *t);
/* Nobody needs to wait any longer, because of @err. */
void trunk_settle_end(struct trunk *t, const struct error *err);

/* trunk/build.c: data path and ports. */
void trunk_port_init(const struct trunk *t, struct trunk_port *p, const struct config_pdn *pdn);
int trunk_add_port(struct trunk *t, const struct config_pdn *pdn, struct error *err);
void trunk_del_port(struct trunk *t, unsigned int pdn);
int trunk_choose_datapath(struct trunk *t, struct error *err);
/* A failure leaves nothing behind. */
int trunk_build(struct trunk *t, struct error *err);
/* Data path, ports and netdev back to how they were; the pins stay. @err gets the first failure;
 * all is tried. */
int trunk_tear_down(struct trunk *t, struct error *err);
/* Lets traffic pass, or not. */
void trunk_set_flow(struct trunk *t, struct trunk_port *p, bool on);
void trunk_port_family_down(struct trunk *t, struct trunk_port *p, int family);
void trunk_ports_down(struct trunk *t);
/* Calls that ended while there was no daemon: nobody tells of them any more. */
void trunk_stale_families_down(struct trunk *t);
void trunk_listen_commands(struct trunk *t);
void trunk_set_static_format(struct trunk *t);
int trunk_start_static(struct trunk *t, struct error *err);

/* The port of PDN @pdn, or NULL. */
struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn);

#endif
