/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of trunk/ only. */
#ifndef QMAP_TRUNK_INTERNAL_H
#define QMAP_TRUNK_INTERNAL_H

#include <sys/queue.h>

#include "datapath/choice.h"
#include "datapath/datapath.h"
#include "datapath/pins.h"
#include "session/session.h"
#include "trunk.h"
#include "netdev/dev.h"
#include "netdev/usb_driver.h"
#include "modem.h"
#include "port.h"

struct event;
struct json_object;
struct trunk_clat;
struct trunk_look;
struct trunk_open;
struct trunk_settle;

struct trunk {
	struct trunk_env env;
	struct config_trunk config; /* as requested; the only copy, of the PDNs, too */
	/* With the control channel found, and the sizes that the data path prefers. */
	struct session_setup setup;

	/* the modem: trunk.c */
	struct modem *modem;
	bool was_ready;	    /* by this process or an earlier one */
	bool adopted;	    /* an earlier process has attached it */
	bool unfinished;    /* adopted from a process that died before the trunk was ready */
	bool was_detaching; /* adopted from a process that died while detaching it */
	bool closing;	    /* TRUNK_CLOSE has begun */
	struct error why_closing;
	struct trunk_open *open;
	struct removal *removal; /* removal of a PDN in progress */
	struct trunk_settle *settle;
	struct event *save; /* trunk_save_later() */

	/* the caller of attach, adopt or detach */
	trunk_done done;
	void *done_arg;

	struct pins pins;
	struct trunk_dev dev; /* ifindex 0: no netdev */
	/* driver that gets the USB interface back when the trunk is detached; empty: it stays */
	char home[USB_DRIVER_SIZE];
	bool own_control; /* config.control is the interface's, whose number may have changed */
	bool no_usb;	  /* data path usb has been tried, and does not work with this modem */
	struct datapath_choice choice; /* at the last opening; n is 0 after adoption */
	const struct datapath_ops *ops;
	char path_why[512];	   /* why @ops; set when @dp is built */
	struct datapath *dp;	   /* NULL until the data format is negotiated */
	int64_t totals_epoch;	   /* of the counters of @dp; see totals/totals.h */
	struct data_format format; /* as agreed last; @dp is built for it */
	struct event *commands;	   /* QMAP commands are pending */
	struct event *look_again;  /* datapath_ops.wait_ms is over */
	struct session *session;   /* NULL with control=none, and without a modem */
	struct json_object *left;  /* by the last session, for the next one: session_left() */
	struct trunk_recover *recover;
	struct trunk_look *look;
	LIST_HEAD(trunk_clats, trunk_clat) clats; /* trunk/clat.c */
	struct trunk_port ports[CONFIG_MAX_PDNS];
	unsigned int nports;
};

enum attachment trunk_attachment(const struct trunk *t);

bool trunk_has_control(const struct trunk *t);

/* trunk.c: starts the life of an adopted trunk in @state. */
void trunk_begin(struct trunk *t, enum trunk_state state);
int trunk_new(struct trunk **out, const struct trunk_env *env, trunk_done done, void *arg,
	      struct error *err);
/* Answers the caller that waits, which may free @t. */
void trunk_answer(struct trunk *t, const struct error *err);

/* trunk/session_events.c: callbacks of the session. */
extern const struct session_ops trunk_session_ops;

/* trunk/pdn.c: the session has ended, and so has every removal. */
void trunk_removal_over(struct trunk *t);

/* The port of PDN @pdn, or NULL. */
struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn);

#endif
