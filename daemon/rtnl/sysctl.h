/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a netdev that netlink does not offer: /proc/sys/net/FAMILY/conf/DEV/NAME. */
#ifndef QMAP_RTNL_SYSCTL_H
#define QMAP_RTNL_SYSCTL_H

#include <stddef.h>

#include "util/error.h"

struct rtnl_sysctl {
	const char *family; /* "ipv4", "ipv6" */
	const char *name;
	int value;
};

/*
 * Gives @dev in namespace @netns ("": the current one) the values of @list, where it has others. A
 * family that the kernel or the netdev is without is left out. Goes on after a failure and returns
 * the first.
 */
int rtnl_sysctl_set(const char *netns, const char *dev, const struct rtnl_sysctl *list, size_t n,
		    struct error *err);

/* Gives it what a new netdev has of them (conf/default); the values of @list do not count. */
void rtnl_sysctl_reset(const char *netns, const char *dev, const struct rtnl_sysctl *list,
		       size_t n);

/* 1: one of @list has another value; 0: none has; negative errno: the namespace is gone. */
int rtnl_sysctl_differs(const char *netns, const char *dev, const struct rtnl_sysctl *list,
			size_t n);

#endif
