/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inner structure of the `xdp` data path, shared by its files and no others. */
#ifndef QMAP_DATAPATH_XDP_H
#define QMAP_DATAPATH_XDP_H

#include <net/if.h>

#include "datapath.h"
#include "pins.h"
#include "qmap/abi.h"

struct ring_buffer;
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
	struct ring_buffer *events; /* NULL until somebody listens */
	int packet;		    /* socket that sends QMAP commands out of the trunk, or -1 */
	int dl_version;
};

/* Name of an end of the split veth: 'a' takes the copies of aggregates, 'b' delivers them. */
void xdp_split_name(const struct datapath *dp, char end, char name[IFNAMSIZ]);

int xdp_stats(struct datapath *dp, struct json_object **out, struct error *err);

/* QMAP commands that the programs report: logged and answered. */
int xdp_event_fd(struct datapath *dp);
int xdp_events(struct datapath *dp, struct error *err);
void xdp_events_close(struct datapath *dp);

#endif
