/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening unix stream sockets. */
#ifndef MODEM_LISTENER_H
#define MODEM_LISTENER_H

#include "modem.h"

struct listener;

/*
 * Listen on `path` ('@' first: abstract, in the network namespace of the caller) and hand each
 * connection (non-blocking) to `accepted` with the modem as its argument. Joins the list. A socket
 * file left over by a modem that died is replaced; one that somebody serves is not (-EADDRINUSE).
 */
int listener_new(struct modem *m, const char *path, void (*accepted)(void *modem, int fd),
		 struct listener **list);

/* Close all and remove their files. */
void listeners_free(struct modem *m, struct listener **list);

/* Connect to a listening unix stream socket. Returns a blocking descriptor or negative errno. */
int listener_connect(const char *path);

#endif
