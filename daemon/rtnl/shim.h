/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink requests for the devices of the kernel shim (include/qmap/shim.h). As in rtnl.h. */
#ifndef QMAP_RTNL_SHIM_H
#define QMAP_RTNL_SHIM_H

#include <stdint.h>

#include "qmap/shim.h"
#include "rtnl.h"

/* 0 if the module is there or could be loaded (the kernel tries); -EOPNOTSUPP if not, and if its
 * ABI is another than QMAP_SHIM_VERSION. */
int rtnl_shim_probe(struct rtnl *nl, struct error *err);

/* Limits of aggregates: IFLA_QMAP_TRUNK_TX_*, and IFLA_QMAP_TRUNK_RX_BYTES for a USB driver's. */
struct rtnl_shim_limits {
	unsigned int rx_bytes;
	unsigned int tx_bytes;
	unsigned int tx_frames;
	unsigned int tx_usecs;
};

/* A trunk device @name on top of netdev @lower, down. */
int rtnl_shim_trunk_add(struct rtnl *nl, const char *name, unsigned int lower,
			const struct rtnl_shim_limits *limits, struct error *err);

/* Sets the limits of trunk device @ifindex, the netdev of driver qmap_usb. 0 of rx_bytes: as it is. */
int rtnl_shim_trunk_set(struct rtnl *nl, unsigned int ifindex,
			const struct rtnl_shim_limits *limits, struct error *err);

/* Port @number (1..255) @name on trunk device @trunk, down, without IPv6 address generation. */
int rtnl_shim_port_add(struct rtnl *nl, const char *name, unsigned int trunk, unsigned int number,
		       struct error *err);

/*
 * Frames that trunk device @ifindex has dropped because no port has their number, by number. All 0
 * with a module that does not count them.
 */
int rtnl_shim_unknown(struct rtnl *nl, unsigned int ifindex, uint64_t count[QMAP_SHIM_MAX_PORTS],
		      struct error *err);

int rtnl_link_set_carrier(struct rtnl *nl, unsigned int ifindex, bool on, struct error *err);

#endif
