/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a netdev that netlink does not change: /proc/sys/net/FAMILY/conf/DEV/NAME. */
#ifndef QMAP_RTNL_SYSCTL_H
#define QMAP_RTNL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "rtnl.h"

struct rtnl_sysctl {
	const char *family; /* "ipv4", "ipv6" */
	const char *name;
	int value;
};

/*
 * Sets the values of @list on @dev in namespace @netns ("": the current one) where they differ.
 * Skips a family that the kernel or the netdev does not have. Continues after a failure and returns
 * the first one.
 */
int rtnl_sysctl_set(const char *netns, const char *dev, const struct rtnl_sysctl *list, size_t n,
		    struct error *err);

/* Sets the values that a new netdev gets (conf/default); the values in @list are ignored. */
void rtnl_sysctl_reset(const char *netns, const char *dev, const struct rtnl_sysctl *list,
		       size_t n);

/*
 * Does a setting of @list have another value in the link's attributes? These contain accept_ra,
 * autoconf, accept_ra_defrtr and accept_redirects; for other settings the result is false.
 */
bool rtnl_sysctl_differs(const struct rtnl_link *link, const struct rtnl_sysctl *list, size_t n);

#endif
