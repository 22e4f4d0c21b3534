/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening unix stream sockets. */
#ifndef MODEM_LISTENER_H
#define MODEM_LISTENER_H

#include "modem.h"

struct listener;

/*
 * Listens on `path` ('@' first: abstract, in the network namespace of the caller) and passes each
 * connection (non-blocking) to `accepted` with the modem as its argument. Adds it to the list. The
 * socket file of a dead modem is replaced; -EADDRINUSE if another process listens on it.
 */
int listener_new(struct modem *m, const char *path, void (*accepted)(void *modem, int fd),
		 struct listener **list);

/* Closes all listeners and removes their files. */
void listeners_free(struct modem *m, struct listener **list);

/* Connects to a listening unix stream socket. Returns a blocking descriptor or negative errno. */
int listener_connect(const char *path);

#endif
