/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inner structure of the `xdp` data path, shared by its files and no others. */
#ifndef QMAP_DATAPATH_XDP_H
#define QMAP_DATAPATH_XDP_H

#include <net/if.h>

#include "datapath.h"
#include "pins.h"
#include "qmap/abi.h"

struct commands;
struct rtnl;

/* Pins of this data path; the names are those of the BPF object's maps and programs. */
enum xdp_pin {
	XDP_PORTS,
	XDP_PORT_DEVS,
	XDP_UPLINKS,
	XDP_PORT_STATS,
	XDP_TRUNK_STATS,
	XDP_EVENTS,
	XDP_PROG_UPLINK,
	XDP_LINK_DELIVER,
	XDP_LINK_SPLIT,
	XDP_PINS,
};

struct datapath {
	struct pins *pins;
	struct rtnl *nl;
	unsigned int trunk;
	char base[IFNAMSIZ]; /* what the names of ports and veths begin with */
	int fd[XDP_PINS];
	struct commands *commands; /* NULL until somebody listens */
};

/* Name of an inner netdev: 'e' the entry, ends of the split veth: 'a' takes copies, 'b' delivers.
 */
void xdp_inner_name(const char *base, char which, char name[IFNAMSIZ]);

int xdp_stats(struct datapath *dp, struct json_object **out, struct error *err);

/* The entry device, and the way there from the trunk. -EBUSY where an XDP program is on the trunk.
 */
int xdp_entry_add(const struct datapath *dp, unsigned int *ifindex, struct error *err);
int xdp_entry_attach(const struct datapath *dp, int prog, struct error *err);
/* Undoes both, as far as they are there. */
int xdp_entry_remove(struct rtnl *nl, const char *base, unsigned int trunk, struct error *err);

#endif
