/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network's NAT64 prefix in its router advertisements (RFC 8781). */
#ifndef QMAP_CLAT_PREF64_H
#define QMAP_CLAT_PREF64_H

#include <stddef.h>

#include "util/error.h"
#include "address.h"

/*
 * Reads a router advertisement, from its ICMPv6 header on. 0: @prefix is that of its first PREF64 option
 * that can be used, @lifetime the seconds for which it holds. -ENOENT: there is none. -EBADMSG: it is no
 * router advertisement, or a malformed one, of which RFC 4861 (6.1.2) uses nothing.
 */
int pref64_parse(const uint8_t *bytes, size_t size, struct clat_prefix *prefix,
		 unsigned int *lifetime);

/* A socket that gets all router advertisements of netdev @port in namespace @netns ("": ours). */
int pref64_open(const char *netns, const char *port, struct error *err);
/* Asks the routers for one. Negative errno. */
int pref64_solicit(int fd);
/* The next one that has arrived; as pref64_parse(). -EAGAIN: none. -EBADMSG: not from a router here. */
int pref64_read(int fd, struct clat_prefix *prefix, unsigned int *lifetime);

#endif
