/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reconciler. A table of rows describes how the kernel has to be: a sentence for the damage, look,
 * fix, who may change it, budget. The same rows run when something is built, adopted or resumed, after
 * a netlink event and by the timer; events are only hints, so our own changes and lost events do no
 * harm. Rows, by object:
 *
 *   object   row              fix                      changed by  budget
 *   trunk    raw IP           set it, and all below    qmapd       thrice
 *            MTU              set buffers              qmapd       thrice
 *            pass_through     set it                   qmapd       thrice
 *            admin state      set up, after 300 ms     qmapd       thrice
 *            queue            a plain one              qmapd       thrice; may fail
 *            user's queue     (reported)               user
 *   path     inner netdevs    set up, MTU, offloads    qmapd       once a second
 *            programs, links  attach again             qmapd       once a second
 *   port     namespace        (reported)               user
 *            moved away       (reported)               user
 *            netdev           add it again             qmapd       thrice
 *            back again       trunk_port_up_again()    qmapd       none: it has not moved itself
 *            name             take the new one over    user
 *            admin state      (reported)               user
 *            running          pass it to the path      qmapd       none: it is our own record
 *            routes by router delete them (slaac)      qmapd       none: routers go on sending
 *            VRF, MTU, address, route, rules, sysctls
 *                             trunk_port_up_again()    qmapd       thrice, each
 *            464XLAT          attach its programs      qmapd       thrice
 *            steering         set rps_cpus             qmapd       thrice
 *            refused settings trunk_port_up_again()    qmapd       once in 5 s
 *
 * Three things are built differently, because a row compares and these have nothing to compare with:
 * - A data path is attached in the order that loses no packet, from programs to the filter on the trunk;
 *   its rows only restore parts of a whole one.
 * - Which addresses a port is to have comes with a call. trunk_port_up() sets all of them at once, as
 *   one message to the kernel, and knows the previous ones, which it removes.
 * - The trunk's netdev is set down first, as raw IP requires; from there its rows build it (keep_build()).
 *
 * Two comparisons are no rows. Without an inner netdev (trunk/reconcile.c, find_inner()) the whole data
 * path is built again, which ends the run. Whether a program is that of this qmapd (datapath_ops.renew)
 * is only known once its own is loaded, which is too much for every look: it is asked at adoption.
 */
#ifndef QMAP_KEEP_H
#define QMAP_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/states.h"
#include "util/error.h"

#define KEEP_ROWS   18	/* upper bound of a table */
#define KEEP_DETAIL 200 /* bytes of look()'s detail */

enum keep_look {
	KEEP_FINE,
	KEEP_WRONG,   /* the kernel differs from the configuration */
	KEEP_UNKNOWN, /* it does not apply now, or cannot be seen */
};

/* Who may change it. */
enum keep_owner {
	KEEP_QMAPD, /* a change by another process is damage, and is fixed */
	KEEP_USER,  /* it is reported once and stays; fix() takes it over */
};

struct keep_budget {
	/* After so many fixes within the window the change counts as deliberate and stays. 0: no limit. */
	unsigned int fixes, window_ms;
	unsigned int rest_ms; /* shortest interval between two fixes */
};

struct keep_row {
	/*
	 * The damage as a sentence for users, with one %s for look()'s detail, or none. NULL: it is
	 * never reported. Rows with the same sentence are reported together, their details separated
	 * by ", ".
	 */
	const char *what;
	const char *shown; /* the same for `show`, without detail; NULL: as above */
	const char *over;  /* KEEP_USER: reported when it is as configured again; may be NULL */
	enum keep_owner owner;
	bool covers;   /* the rows below follow from it: fixed with it, and not reported */
	bool may_fail; /* keep_build() goes on without it, with a warning in the log */
	/* It must last so long before anything is fixed: another process may be about to end it. */
	unsigned int patience_ms;
	struct keep_budget budget;
	/* @detail: an empty string of KEEP_DETAIL bytes. */
	enum keep_look (*look)(void *arg, char *detail);
	/* One call serves all adjacent rows with the same function. May be NULL with KEEP_USER. */
	int (*fix)(void *arg, struct error *err);
};

#define KEEP_THRICE                                                                                \
	{                                                                                          \
		.fixes = 3, .window_ms = 10000                                                     \
	}

/* Of one object. All zeroes: nothing has been looked at; budgets are whole. */
struct keep_state {
	unsigned int patience_ms; /* overrides that of rows that have any; 0: does not */
	/* Bits 1 << row: */
	unsigned int wrong;    /* at the last look */
	unsigned int spent;    /* the budget is spent */
	unsigned int fixed;    /* by the last run */
	unsigned int reported; /* the user's change has been reported */
	unsigned int failed;   /* the last fix has failed, which has been reported */
	struct keep_count {
		int64_t wrong_ms, window_ms, fixed_ms; /* since, CLOCK_MONOTONIC; 0: not */
		unsigned int fixes;
	} count[KEEP_ROWS];
};

/* One run of a table over one object. */
struct keep_run {
	const struct keep_row *rows; /* ends with one without look() */
	struct keep_state *state;
	void *arg;	   /* of look() and fix() */
	const char *until; /* when a spent budget is whole again, as in "until @until again" */
	void (*reread)(void *arg); /* after fixes, for a second look; NULL: no second look */
	void (*report)(void *owner, enum netdev_outcome outcome, const char *text);
	void *owner;
	int64_t now; /* ms, CLOCK_MONOTONIC */
};

/*
 * Looks at each row once, fixes those that are due, and reports. Returns ms after which it is to run
 * again because something must last longer or rest; 0: only when something changes.
 */
unsigned int keep_run(const struct keep_run *run);

/* Looks only: sets state->wrong. */
void keep_look(const struct keep_row *rows, struct keep_state *state, void *arg);

/* All budgets are whole again. */
void keep_forgive(struct keep_state *state);

/*
 * Builds: looks at a row and fixes it before the next, without budgets and reports. The first failure
 * ends it.
 */
int keep_build(const struct keep_row *rows, void *arg, struct error *err);

/* The sentence of row @i for `show`; NULL: it is not wrong, or never reported. */
const char *keep_text(const struct keep_row *rows, const struct keep_state *state, unsigned int i);

#endif
