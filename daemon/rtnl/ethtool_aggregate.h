/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets a netdev's transmit aggregation by ethtool (`ethtool -C DEV tx-aggr-max-bytes ...`). */
#ifndef QMAP_ETHTOOL_AGGREGATE_H
#define QMAP_ETHTOOL_AGGREGATE_H

#include "util/error.h"

struct ethtool_aggregate {
	unsigned int bytes, frames; /* most bytes and frames in one aggregate */
	unsigned int usecs;	    /* time that a frame waits for others */
};

/*
 * @dev is in the current namespace. -EOPNOTSUPP if the kernel (before 6.3) or the netdev has no
 * such setting; else the kernel's error.
 */
int ethtool_aggregate_set(const char *dev, const struct ethtool_aggregate *a, struct error *err);

#endif
