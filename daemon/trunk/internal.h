/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of trunk/ only. */
#ifndef QMAP_TRUNK_INTERNAL_H
#define QMAP_TRUNK_INTERNAL_H

#include <sys/time.h>

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
struct rtnl_snapshot;
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
	struct data_format format; /* as agreed last; @dp is built for it */
	struct event *commands;	   /* QMAP commands are pending */
	struct event *look_again;  /* datapath_ops.wait_ms is over */
	struct session *session;   /* NULL with control=none, and without a modem */
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

/* trunk/pins.c: state that outlives the process. */
int trunk_save_new(struct trunk *t);
/* Saves now: before a request or change whose effect would have to be found again. */
void trunk_save(struct trunk *t);
/* Saves once per iteration of the event loop: for state that only describes events. */
void trunk_save_later(struct trunk *t);
/* Creates pins for the present netdev, or for none, and removes those of the previous place. */
int trunk_move_pins(struct trunk *t, struct error *err);
/* Removes all pins but the one that trunk_save() writes. */
int trunk_clear_pins(struct trunk *t, struct error *err);
/* Is @ifindex the number of a set of pins without a netdev? */
bool trunk_pins_absent(unsigned int ifindex);

/* trunk/session.c: callbacks of the session. */
extern const struct session_ops trunk_session_ops;

/* trunk/port_rows.c: adds an event about a port that another program has changed, and saves. */
void trunk_port_event(struct trunk *t, const struct trunk_port *p, enum netdev_outcome outcome,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Runs its rows over a port by a snapshot of its namespace (NULL: there is none of that name).
 * Returns keep_run()'s.
 */
unsigned int trunk_port_reconcile(struct trunk *t, struct trunk_port *p,
				  const struct rtnl_snapshot *kernel, int64_t now);
/* Only looks; by a snapshot of this port alone. */
void trunk_port_compare(struct trunk *t, struct trunk_port *p, const struct rtnl_snapshot *kernel);
void trunk_port_look(struct trunk *t, struct trunk_port *p);
/* Damage to its netdev by the last look, which affects both families; NULL: none. */
const char *trunk_port_damage(const struct trunk_port *p);
/* Why @family (4 or 6) is unusable although its call is up; NULL: it is usable. */
const char *trunk_port_damage_of(const struct trunk_port *p, int family);
/* Array of sentences about all damage. New reference. */
struct json_object *trunk_port_damage_list(const struct trunk_port *p);

/* trunk/pdn.c: the session has ended, and so has every removal. */
void trunk_removal_over(struct trunk *t);

/* trunk/path.c: looks which data paths work here; t->ops is the one for the first wish. */
int trunk_choose_datapath(struct trunk *t, struct error *err);
/* The modem has granted @version: t->ops becomes the data path for it. -EOPNOTSUPP. */
int trunk_grant_datapath(struct trunk *t, int version, struct error *err);
/* Writes into t->setup which formats to ask for. */
void trunk_fill_wishes(struct trunk *t);
/* Logs what was chosen, why, and its cost; sets t->path_why. */
void trunk_explain_datapath(struct trunk *t);
/* Instructions of a received packet in percent of the cheapest data path's; 0: not known. */
int trunk_datapath_cost(const struct trunk *t);
/* Adds the keys datapath, datapath_cost and datapath_reason; reads the last one again. */
void trunk_show_datapath(const struct trunk *t, struct json_object *o);
void trunk_adopt_reason(struct trunk *t, struct json_object *show);

/* trunk/build.c: data path and ports. */
void trunk_port_init(const struct trunk *t, struct trunk_port *p, const struct config_pdn *pdn);
/* Adds @users (+1 or -1) to those of the port's namespace that watch it. */
void trunk_watch(struct trunk *t, const struct trunk_port *p, int users);
int trunk_add_port(struct trunk *t, const struct config_pdn *pdn, struct error *err);
void trunk_del_port(struct trunk *t, unsigned int pdn);
/* On failure, removes everything again. */
int trunk_build(struct trunk *t, struct error *err);
/*
 * Removes data path and ports, and restores the netdev; the pins stay. Continues after a failure;
 * @err gets the first one.
 */
int trunk_tear_down(struct trunk *t, struct error *err);
/* Opens or closes the gate for traffic. */
void trunk_set_flow(struct trunk *t, struct trunk_port *p, bool on);
void trunk_port_family_down(struct trunk *t, struct trunk_port *p, int family);
void trunk_ports_down(struct trunk *t);
/*
 * Takes down families whose calls ended while no daemon was running, for which no event will
 * come.
 */
void trunk_stale_families_down(struct trunk *t);
void trunk_listen_commands(struct trunk *t);
void trunk_ignore_commands(struct trunk *t);
void trunk_set_static_format(struct trunk *t);
int trunk_start_static(struct trunk *t, struct error *err);

/*
 * trunk/usb.c: gives the modem's USB interface to the driver that t->ops needs, which may take
 * another netdev and control device into existence.
 */
int trunk_take_driver(struct trunk *t, struct error *err);
/* Gives it back to the driver that had it. The modem may be gone. */
int trunk_give_back_driver(struct trunk *t, struct error *err);
/* The netdev is gone: gives the interface back if another process has taken it from the driver. */
void trunk_look_driver(struct trunk *t);

/* The port of PDN @pdn, or NULL. */
struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn);

#endif
