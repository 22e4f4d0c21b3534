/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to one listening socket. No user needs more than this; root gets a place even if
 * other users have taken all of theirs.
 */
#ifndef QMAP_SEATS_H
#define QMAP_SEATS_H

#include <assert.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#define SEATS	    64
#define SEATS_OTHER 32 /* of them for users other than root and the daemon's */

/* Time that a peer has for a complete request: its sender is a program. */
#define SEATS_DEADLINE_S 5

struct seats {
	unsigned int all, others;
};

static inline bool seats_is_root(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Counts a connection of @uid. False: there are too many, and the caller closes it. */
static inline bool seats_take(struct seats *s, uid_t uid)
{
	s->all++;
	s->others += !seats_is_root(uid);
	return s->all <= SEATS && (seats_is_root(uid) || s->others <= SEATS_OTHER);
}

static inline void seats_leave(struct seats *s, uid_t uid)
{
	assert(s->all);
	s->all--;
	s->others -= !seats_is_root(uid);
}

#endif
