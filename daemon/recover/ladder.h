/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder by which a link repairs itself: which measure is due for which evidence, and when. It takes
 * no measures and has no clock; its owner does. Each rung is a stronger measure than the one before. One
 * that does not help within its time leads to the next; one that has helped ends the climb. Each has a
 * budget, so that a modem that cannot be repaired is left alone for most of the time: a climb that has come
 * to the top goes on at the bottom, with measures whose hour is over.
 */
#ifndef QMAP_RECOVER_LADDER_H
#define QMAP_RECOVER_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

enum ladder_rung {
	LADDER_REDIAL,
	LADDER_RADIO, /* off and on */
	LADDER_RESET, /* of the modem, by QMI */
	LADDER_USB,   /* the device is deauthorized and authorized again */
	LADDER_HOOK,  /* a program of the administrator, which may switch the power */
	LADDER_RUNGS
};

enum ladder_evidence {
	LADDER_SILENT,	     /* packets are sent, and none is received */
	LADDER_DEAD,	     /* the modem does not answer on its control channel */
	LADDER_UNREGISTERED, /* no network for long */
	LADDER_STALLED,	     /* the modem takes no packet of those that wait */
	LADDER_EVIDENCES
};

#define LADDER_ALL ((1U << LADDER_RUNGS) - 1)

/* All zeroes: nothing has happened. */
struct ladder {
	bool climbing;
	enum ladder_evidence evidence; /* of this climb */
	enum ladder_rung at;	       /* the last measure of this climb */
	int64_t until_ms;	       /* end of its time */
	bool spent;		       /* no rung was left, which has been reported */
	struct ladder_count {
		int64_t since_ms; /* begin of its window */
		unsigned int used;
		uint64_t total;
	} count[LADDER_RUNGS];
};

/*
 * The measure that is due now for @evidence, of those in @possible (bits 1 << rung); it counts as taken.
 * LADDER_RUNGS: none; the last one still has time, or none is left. @now: ms, of a clock that goes on
 * while the machine runs.
 */
enum ladder_rung ladder_climb(struct ladder *l, enum ladder_evidence evidence,
			      unsigned int possible, int64_t now);
/* True once when no rung is left. */
bool ladder_is_spent(struct ladder *l, enum ladder_evidence evidence, unsigned int possible,
		     int64_t now);
/* The link works. True if that ends a climb, whose last measure was l->at. */
bool ladder_works(struct ladder *l);

const char *ladder_rung_name(enum ladder_rung rung);
const char *ladder_evidence_name(enum ladder_evidence evidence);

/* Rungs by a text such as "redial,radio", or "off". False if it is none. */
bool ladder_parse(const char *text, unsigned int *rungs);

/* Counters and state, for the pins and for `show`. */
struct json_object *ladder_save(const struct ladder *l);
void ladder_load(struct ladder *l, struct json_object *o);

#endif
