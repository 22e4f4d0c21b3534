/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transmit aggregation of a netdev by ethtool (`ethtool -C DEV tx-aggr-max-bytes ...`). */
#ifndef QMAP_ETHTOOL_AGGREGATE_H
#define QMAP_ETHTOOL_AGGREGATE_H

#include "util/error.h"

struct ethtool_aggregate {
	unsigned int bytes, frames; /* of one aggregate, at most */
	unsigned int usecs;	    /* that a frame waits for company */
};

/*
 * @dev is in the current namespace. -EOPNOTSUPP where the kernel (before 6.3) or the netdev has no
 * such setting; else what the kernel refuses.
 */
int ethtool_aggregate_set(const char *dev, const struct ethtool_aggregate *a, struct error *err);

#endif
