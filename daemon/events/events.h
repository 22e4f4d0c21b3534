/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of modems, calls and netdevs: written to the log, kept for `show` (the last ones), and
 * sent to subscribers (`qmapctl monitor`, hooks).
 */
#ifndef QMAP_EVENTS_H
#define QMAP_EVENTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "model/states.h"
#include "util/error.h"

struct json_object;

/* Number of events kept, for all trunks together. */
#define EVENTS_KEPT 256

enum events_kind {
	EVENTS_MODEM, /* the modem's state: absent, present, opening, ready, lost, detaching */
	EVENTS_CALL,  /* a data call's state: pdn and family identify it */
	/* another program has changed a netdev of ours; to: repaired, reported, failed */
	EVENTS_NETDEV,
	EVENTS_RECOVER,	 /* a measure for a dead link; from: the evidence, to: the measure */
	EVENTS_QUOTA,	 /* a PDN has carried its quota of the month; to: reached */
	EVENTS_FAILOVER, /* a PDN's link is dead or alive, by setting failover */
	EVENTS_SIGNAL,	 /* the modem's signal; from and to give the radio and the level */
	EVENTS_KINDS
};

struct events_entry {
	uint64_t seq;	      /* from 1; set by events_add() */
	struct timespec time; /* CLOCK_REALTIME; set by events_add() */
	enum events_kind kind;
	char dev[IFNAMSIZ];  /* the trunk's name in the configuration */
	char port[IFNAMSIZ]; /* empty: about the trunk itself */
	unsigned int pdn;    /* 0: the event is about the trunk itself */
	int family;	     /* 4, 6, or 0: both or none */
	int dbm;	     /* EVENTS_SIGNAL: the level now; else 0 */
	/* By kind; the kinds behind EVENTS_NETDEV have none. Not set by events_from_json(). */
	union {
		struct {
			enum trunk_state from, to;
		} modem;
		struct {
			enum call_state from, to;
		} call;
		enum netdev_outcome netdev;
	};
	/*
	 * The same by name, set by events_add(); for EVENTS_NETDEV @from is empty. For the kinds
	 * behind it the caller sets both, in words.
	 */
	char from[32];
	char to[32];
	char reason[512]; /* a sentence; may be empty */
};

struct events;
struct events_subscriber;
typedef void (*events_fn)(void *arg, const struct events_entry *e);

int events_new(struct events **out, struct error *err);
/* There must be no subscribers left. */
void events_free(struct events **ev);

/*
 * Completes @e, logs it (@info: at level info, else debug), keeps it and calls all subscribers. @ev
 * NULL: only logs it.
 */
void events_add(struct events *ev, struct events_entry *e, bool info);

/*
 * @fn is called for each event from now on. It may unsubscribe itself, not others. NULL: no
 * memory.
 */
struct events_subscriber *events_subscribe(struct events *ev, events_fn fn, void *arg);
void events_unsubscribe(struct events_subscriber *s);

/* Calls @fn for the last @n (at most) kept events of trunk @dev (NULL: of all), oldest first. */
void events_last(const struct events *ev, const char *dev, unsigned int n, events_fn fn, void *arg);

/* Is @e about trunk @dev (NULL: any)? */
bool events_is_of(const struct events_entry *e, const char *dev);

/*
 * The same as an array of events_to_json(), without those of the signal, which are too frequent. Of more
 * than @n, the oldest of the kind that has most are left out: a call that backs off again and again does not
 * hide the measures that were taken for it. @ev may be NULL.
 */
struct json_object *events_last_json(const struct events *ev, const char *dev, unsigned int n);

/*
 * {"seq", "time" (UTC, ISO 8601), "kind", "dev", "port", "pdn", "family", "from", "to", "dbm",
 * "reason"}; members that do not apply are null. New reference.
 */
struct json_object *events_to_json(const struct events_entry *e);

/* One line for people, without the time: "wwan0: modem opening -> ready". */
void events_text(const struct events_entry *e, char *buf, size_t size);

/* The reverse; -EBADMSG. */
int events_from_json(struct events_entry *e, struct json_object *o);

/* "2026-03-01T12:00:00.123Z" */
#define EVENTS_TIME 32
void events_time_text(const struct timespec *t, char buf[EVENTS_TIME]);

#endif
