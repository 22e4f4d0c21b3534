/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the data paths have in common that are a driver of the kernel's, and only configured here:
 * their ports are its netdevs on top of the trunk, and its counters the netdevs' own.
 */
#ifndef QMAP_DATAPATH_LINKS_H
#define QMAP_DATAPATH_LINKS_H

#include "rtnl/rtnl.h"
#include "observe.h"

/* As datapath_ops.attach and .adopt: what the trunk has counted so far is pinned. */
int links_attach(struct datapath **out, struct pins *pins, const char *trunk, const char *name,
		 const struct data_format *format, struct error *err);
int links_adopt(struct datapath **out, struct pins *pins, struct error *err);

/* A command socket where the port is, and the port as it is there. */
int links_open_port(const struct datapath_place *place, struct rtnl **nl, struct rtnl_link *link,
		    struct error *err);

/* As datapath_ops.flow. Such netdevs have a carrier always: one that may send nothing is down. */
int links_flow(struct datapath *dp, unsigned int mux, bool on, struct error *err);

/* All that there are, by @del; one that is gone already, with its trunk or namespace, is none. */
int links_forget_ports(struct datapath *dp,
		       int (*del)(struct datapath *dp, unsigned int mux, struct error *err),
		       struct error *err);

/* What a driver tells of a port besides the counters of its netdev. */
struct links_port {
	uint64_t csum_ok;	/* packets that the modem has vouched for */
	unsigned int tx_header; /* bytes that the driver counts with each packet */
};

/* As datapath_ops.stats; @look fills in one port, NULL: there is nothing to tell. */
int links_stats(struct datapath *dp,
		int (*look)(struct datapath *dp, unsigned int mux, struct links_port *port,
			    struct error *err),
		struct datapath_stats *out, struct error *err);

#endif
