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
 * Has one of @list another value? By what netlink has told of the link: accept_ra, autoconf,
 * accept_ra_defrtr and accept_redirects; of others it is not known, and false.
 */
bool rtnl_sysctl_differs(const struct rtnl_link *link, const struct rtnl_sysctl *list, size_t n);

#endif
