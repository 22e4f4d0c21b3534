/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of trunks, modems, calls and netdevs, each with one name, which `show`, events, the
 * log and pins use. Code decides by the enums; it only parses names from pins of an earlier qmapd.
 */
#ifndef QMAP_MODEL_STATES_H
#define QMAP_MODEL_STATES_H

/* How far a trunk is attached. */
#define ATTACHMENT_NAMES(X)                                                                        \
	X(ATTACHMENT_ATTACHING, "attaching") /* not ready since it was configured */               \
	X(ATTACHMENT_ATTACHED, "attached")                                                         \
	X(ATTACHMENT_LOST, "lost") /* was ready before */                                          \
	X(ATTACHMENT_DETACHING, "detaching")

/* The life of the modem behind a trunk. The table in trunk/modem.c has the transitions. */
#define TRUNK_STATE_NAMES(X)                                                                       \
	X(TRUNK_ABSENT, "absent")   /* no netdev */                                                \
	X(TRUNK_PRESENT, "present") /* netdev; waits for the control channel or the next try */    \
	X(TRUNK_OPENING, "opening") /* channel is open, set-up runs */                             \
	X(TRUNK_READY, "ready")	    /* set up */                                                   \
	X(TRUNK_LOST, "lost")	    /* was ready; is being closed, or opened again */              \
	X(TRUNK_DETACHING, "detaching")

/* A data call: one IP family of one PDN. The table in session/table.c has the transitions. */
#define CALL_STATE_NAMES(X)                                                                        \
	X(CALL_IDLE, "idle")                                                                       \
	X(CALL_WAIT_RADIO, "radio-off")                                                            \
	X(CALL_WAIT_SIM, "waiting-for-sim")                                                        \
	X(CALL_WAIT_NETWORK, "waiting-for-registration")                                           \
	X(CALL_WAIT_HOME, "roaming") /* and roaming=off does not allow data there */               \
	X(CALL_STARTING, "starting")                                                               \
	X(CALL_UP, "up")                                                                           \
	X(CALL_BACKOFF, "backing-off")                                                             \
	X(CALL_FAILED, "failed") /* until SIM or network change, or a long time has passed */      \
	X(CALL_STOPPING, "stopping")                                                               \
	X(CALL_GONE, "stopped")

/* The outcome after another program has changed a netdev of ours. */
#define NETDEV_OUTCOME_NAMES(X)                                                                    \
	X(NETDEV_REPAIRED, "repaired")                                                             \
	X(NETDEV_REPORTED, "reported") /* the change may be deliberate */                          \
	X(NETDEV_FAILED, "failed")

#define STATES_X(symbol, name) symbol,
enum attachment {
	ATTACHMENT_NAMES(STATES_X) ATTACHMENT_STATES
};
enum trunk_state {
	TRUNK_STATE_NAMES(STATES_X) TRUNK_STATES
};
enum call_state {
	CALL_STATE_NAMES(STATES_X) CALL_STATES
};
enum netdev_outcome {
	NETDEV_OUTCOME_NAMES(STATES_X) NETDEV_OUTCOMES
};
#undef STATES_X

const char *attachment_name(enum attachment a);
const char *trunk_state_name(enum trunk_state state);
const char *call_state_name(enum call_state state);
const char *netdev_outcome_name(enum netdev_outcome o);

/* The state with this name; -1: there is none, or @name is NULL. */
int attachment_find(const char *name);
int call_state_find(const char *name);

#endif
