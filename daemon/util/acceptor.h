/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accepts connections from a listening socket, one in each turn of the loop, so that a peer which
 * connects as fast as it can does not keep the loop from its other events (libevent's listener
 * accepts until the queue is empty). When descriptors run out, the acceptor pauses for a second.
 */
#ifndef QMAP_ACCEPTOR_H
#define QMAP_ACCEPTOR_H

#include "error.h"

struct acceptor;
struct event_base;

/*
 * Listens on the bound socket @fd and takes it over, also on failure. @fn takes over the connection
 * @fd, which is non-blocking and closed on exec. Log lines begin with @name, which must outlive the
 * acceptor. Returns 0, -ENOMEM or the error of listen().
 */
int acceptor_new(struct acceptor **out, struct event_base *base, int fd, const char *name,
		 void (*fn)(void *arg, int fd), void *arg, struct error *err);
void acceptor_free(struct acceptor **a);

#endif
