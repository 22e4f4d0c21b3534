/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to one listening socket. Whoever holds more than this is no person and no script, and
 * root finds room whatever other users do.
 */
#ifndef QMAP_SEATS_H
#define QMAP_SEATS_H

#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#define SEATS	    64
#define SEATS_OTHER 32 /* of them for users other than root and ours */

/* What a peer is waited for until it has said what it wants: no person types into these sockets. */
#define SEATS_DEADLINE_S 5

struct seats {
	unsigned int all, others;
};

static inline bool seats_is_root(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* A connection of @uid; false: there are too many, and it is to be closed. Counts it either way. */
static inline bool seats_take(struct seats *s, uid_t uid)
{
	s->all++;
	s->others += !seats_is_root(uid);
	return s->all <= SEATS && (seats_is_root(uid) || s->others <= SEATS_OTHER);
}

static inline void seats_leave(struct seats *s, uid_t uid)
{
	s->all--;
	s->others -= !seats_is_root(uid);
}

#endif
