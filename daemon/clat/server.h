/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the DNS servers of a network. */
#ifndef QMAP_CLAT_SERVER_H
#define QMAP_CLAT_SERVER_H

#include <stdint.h>

#include "util/error.h"

/*
 * Sends the question of clat_query() to the server @address (a struct in_addr or in6_addr, by @family) through
 * netdev @port in namespace @netns ("": ours), and sets its @id. A non-blocking UDP socket, connected to the
 * server, on which the answer comes; or a negative errno: -ENETUNREACH without a route to it there.
 */
int clat_server_ask(const char *netns, const char *port, int family, const void *address,
		    uint16_t *id, struct error *err);

#endif
