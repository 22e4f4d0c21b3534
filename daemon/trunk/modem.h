/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a modem behind a trunk: its state, and the table by which inputs change it. */
#ifndef QMAP_TRUNK_MODEM_H
#define QMAP_TRUNK_MODEM_H

#include <stdbool.h>
#include <time.h>

#include "model/states.h"
#include "util/error.h"

struct event_base;
struct modem;

enum trunk_input {
	TRUNK_IN_NETDEV,       /* the netdev has appeared */
	TRUNK_IN_NETDEV_GONE,  /* the netdev has gone */
	TRUNK_IN_CHANNEL,      /* the control channel has been opened */
	TRUNK_IN_OPENED,       /* set-up is done */
	TRUNK_IN_FAILED,       /* set-up has failed */
	TRUNK_IN_FAILED_FIRST, /* ... at the only attempt that the user has asked for */
	TRUNK_IN_LOST,	       /* the modem has restarted, or the channel is gone */
	TRUNK_IN_ANEW,	       /* data path and ports must be taken down and built again */
	TRUNK_IN_CLOSED,       /* the work that TRUNK_CLOSE has begun is done */
	TRUNK_IN_CLOSED_FIRST, /* ... before the only attempt that the user has asked for is over */
	TRUNK_IN_DETACH,
	TRUNK_INPUTS
};

enum trunk_action {
	TRUNK_NOTHING,
	TRUNK_TRY,    /* open the modem: at once, unless that has just failed */
	TRUNK_RELENT, /* it was ready for long: let the next attempt come at once */
	TRUNK_CLOSE,  /* release calls and client ids, then take the data path down */
	TRUNK_END,    /* end the session; data path and ports stay, without traffic */
	TRUNK_SAVE,   /* write the state to the pins */
	TRUNK_SETTLE, /* ready: write it down, and look at the kernel */
	TRUNK_SEEK,   /* take the data path down, and look whether there is a netdev after all */
	TRUNK_UNDO,   /* the same for good: nothing is left */
	TRUNK_FORGET, /* TRUNK_UNDO, and tell the caller of the detach how it went */
	TRUNK_NEWS,   /* an attach or adoption has come to something: answer its caller */
	TRUNK_REFUSE, /* answer the caller of the attach that it has failed; may free the trunk */
};

#define TRUNK_ENTER_MAX 3

struct trunk_step {
	enum trunk_action leave; /* done first, in the old state */
	enum trunk_state to;
	enum trunk_action enter[TRUNK_ENTER_MAX]; /* then these, in the new one */
};

/* The step for @input in @state; NULL: none, it comes too late or means nothing there. */
const struct trunk_step *trunk_step(enum trunk_state state, enum trunk_input input);

/*
 * ms to wait before the modem is opened for the nth time (from 0) in a row without becoming ready.
 * @able: it does not answer or is missing, which may change at any moment; otherwise it has
 * refused, which rarely changes.
 */
unsigned int trunk_backoff_ms(unsigned int n, int able);

struct modem_owner {
	/* Executes an action of the table. The last one of an input may free the modem. */
	void (*act)(void *arg, enum trunk_action action, const struct error *err);
	/* State or reason have changed. @err: the reason, or NULL. */
	void (*changed)(void *arg, enum trunk_state from, const struct error *err);
	/* Is it opened at the only attempt that the user has asked for? If that fails, nothing may stay. */
	bool (*is_only_attempt)(void *arg);
	/* The event loop is back, after modem_kick(), and no input is queued; may free the modem. */
	void (*idle)(void *arg);
};

/* In TRUNK_ABSENT. NULL: no memory. */
struct modem *modem_new(struct event_base *base, const struct modem_owner *owner, void *arg);
void modem_free(struct modem **m);

/* Handles @input now, or when the event loop is back. @err: the reason, may be NULL. */
void modem_input(struct modem *m, enum trunk_input input, const struct error *err);
void modem_input_later(struct modem *m, enum trunk_input input, const struct error *err);
/* Starts a life in @state, which an earlier process has left. */
void modem_begin(struct modem *m, enum trunk_state state);
void modem_kick(struct modem *m);
/* Calls @fn with the owner's argument when the event loop is back, before any input. One at a time. */
void modem_call_later(struct modem *m, void (*fn)(void *arg));

/* The state stays, for another reason. */
void modem_explain(struct modem *m, const struct error *err);
/* Returns whether @why is another reason, and reports nothing. */
bool modem_set_reason(struct modem *m, const char *why);

enum trunk_state modem_state(const struct modem *m);
/* Time of entering the state, CLOCK_REALTIME. */
const struct timespec *modem_since(const struct modem *m);
/* Reason for the state; may be empty. */
const char *modem_reason(const struct modem *m);
/* Reason of the loss since it was ready; may be empty. */
const char *modem_why_lost(const struct modem *m);

#endif
