/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the data paths that are drivers of the kernel (rmnet, qmimux): their ports are the
 * driver's netdevs on top of the trunk, and their counters those of the netdevs.
 */
#ifndef QMAP_DATAPATH_LINKS_H
#define QMAP_DATAPATH_LINKS_H

#include "rtnl/rtnl.h"
#include "observe.h"

/* As datapath_ops.attach and .adopt; pins the trunk's counters at that time. */
int links_attach(struct datapath **out, struct pins *pins, const char *trunk, const char *name,
		 const struct data_format *format, struct error *err);
int links_adopt(struct datapath **out, struct pins *pins, struct error *err);

/* Opens a request socket in the port's namespace, and reads the port's link. */
int links_open_port(const struct datapath_place *place, struct rtnl **nl, struct rtnl_link *link,
		    struct error *err);

/* As datapath_ops.adopt_port. */
int links_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err);

/* As datapath_ops.flow. These netdevs always have a carrier: one that must not send is set down. */
int links_flow(struct datapath *dp, unsigned int mux, bool on, struct error *err);

/*
 * Deletes every port with @del; ports already gone, with their trunk or namespace, are not an
 * error.
 */
int links_forget_ports(struct datapath *dp,
		       int (*del)(struct datapath *dp, unsigned int mux, struct error *err),
		       struct error *err);

/* Properties that the driver reports besides the netdev's counters. */
struct links_port {
	uint64_t csum_ok;	/* packets that the modem has verified */
	unsigned int tx_header; /* bytes that the driver counts in addition to each packet */
};

/* As datapath_ops.stats; @look fills in one port, NULL: the driver reports nothing. */
int links_stats(struct datapath *dp,
		int (*look)(struct datapath *dp, unsigned int mux, struct links_port *port,
			    struct error *err),
		struct datapath_stats *out, struct error *err);

#endif
