/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A netdev's own counters, as `ethtool -S` prints them. */
#ifndef QMAP_DEVICE_STATS_H
#define QMAP_DEVICE_STATS_H

#include <stdint.h>

#include "util/error.h"

typedef void (*device_stat_fn)(void *arg, const char *name, uint64_t value);

/*
 * Calls @fn for every counter of @dev in namespace @netns (name as in `ip netns`; "": the current
 * one). -ENODEV; -EOPNOTSUPP if the device has none.
 */
int device_stats(const char *dev, const char *netns, device_stat_fn fn, void *arg,
		 struct error *err);

#endif
