/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a modem behind a trunk, as a table: what leads from one state to the next. */
#ifndef QMAP_TRUNK_MODEM_H
#define QMAP_TRUNK_MODEM_H

#include "model/states.h"

enum trunk_input {
	TRUNK_IN_NETDEV,      /* the netdev is there */
	TRUNK_IN_NETDEV_GONE, /* it is not any more */
	TRUNK_IN_CHANNEL,     /* the control channel has been opened */
	TRUNK_IN_OPENED,      /* set-up is done */
	TRUNK_IN_FAILED,      /* set-up has failed */
	TRUNK_IN_LOST,	      /* the modem has restarted, or the channel is gone */
	TRUNK_IN_ANEW,	      /* all of it is to be taken down and made again */
	TRUNK_IN_CLOSED,      /* what TRUNK_CLOSE has begun is through */
	TRUNK_IN_DETACH,
	TRUNK_INPUTS
};

enum trunk_action {
	TRUNK_NOTHING,
	TRUNK_TRY,    /* open the modem: at once, unless that has just failed */
	TRUNK_CLOSE,  /* give calls and client ids back, then take the data path down */
	TRUNK_SETTLE, /* ready: write it down */
	TRUNK_SEEK,   /* look whether the netdev is there after all */
	TRUNK_FORGET, /* detached: nothing is left */
};

struct trunk_step {
	enum trunk_state to;
	enum trunk_action action;
};

/* What @input does in @state; NULL: nothing, it comes too late or means nothing there. */
const struct trunk_step *trunk_step(enum trunk_state state, enum trunk_input input);

/*
 * How many ms to wait before the modem is opened for the nth time (from 0) in a row without
 * becoming ready. @able: it does not answer or is not there, which may change any moment; else it
 * has refused, which hardly does.
 */
unsigned int trunk_backoff_ms(unsigned int n, int able);

#endif
