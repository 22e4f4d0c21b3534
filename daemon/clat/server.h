/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets to the DNS servers of a network. */
#ifndef QMAP_CLAT_SERVER_H
#define QMAP_CLAT_SERVER_H

#include "util/error.h"

/*
 * A non-blocking UDP socket connected to the server @address (a struct in_addr or in6_addr, by @family),
 * whose packets leave through netdev @port in namespace @netns ("": ours). A descriptor, or a negative
 * errno: -ENETUNREACH without a route to it there.
 */
int clat_server_open(const char *netns, const char *port, int family, const void *address,
		     struct error *err);

#endif
