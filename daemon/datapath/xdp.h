/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the `xdp` data path only. */
#ifndef QMAP_DATAPATH_XDP_H
#define QMAP_DATAPATH_XDP_H

#include <net/if.h>

#include "common.h"

struct qmap_xdp;

/* Pins of this data path; their names are those of the BPF object's maps and programs. */
enum xdp_pin {
	XDP_PORTS,
	XDP_PORT_DEVS,
	XDP_UPLINKS,
	XDP_PORT_STATS,
	XDP_TRUNK_STATS,
	XDP_EVENTS,
	XDP_PROG_TRIM,
	XDP_PROG_UPLINK,
	XDP_LINK_DELIVER,
	XDP_LINK_SPLIT,
	XDP_PINS,
};
_Static_assert(XDP_PINS <= DATAPATH_PINS, "a data path has room for its pins");

extern const struct pins_entry xdp_pins[XDP_PINS];

/*
 * Name of an inner netdev: 'e' the entry, ends of the split veth: 'a' takes copies, 'b'
 * delivers.
 */
void xdp_inner_name(const char *base, char which, char name[IFNAMSIZ]);

/*
 * Of all inner netdevs: veth's maximum. On the split veth an aggregate must fit, because redirect
 * checks its size before it is trimmed; on a port's veth any packet that an aggregate can hold.
 */
#define XDP_INNER_MTU 65535

/* Does this kernel accept the programs? 0, or a negative errno and the reason. */
int xdp_load_probe(struct error *why);
/* Loads the programs, with the pinned maps if @dp has them. @entry: ifindex of the entry device. */
int xdp_load(struct qmap_xdp **out, const struct datapath *dp, const struct qmap_config *config,
	     unsigned int entry, struct error *err);
/* The same for the netdevs and the constants of the attached programs, by the pins. */
int xdp_load_again(struct qmap_xdp **out, const struct datapath *dp, struct error *err);
/*
 * Fills device maps for 1 to QMAP_MAX_FRAMES copies to @ifindex, the split veth's end that takes
 * them.
 */
int xdp_fill_copies(struct qmap_xdp *skel, unsigned int ifindex, struct error *err);
int xdp_renew(struct datapath *dp, bool *changed, struct error *err);

/* Attaches the uplink program at the inner end of a port. @flags: 0 or BPF_TC_F_REPLACE. */
int xdp_attach_uplink(unsigned int inner, int prog, __u32 flags, struct error *err);

/* Gives the lower device of a port the offloads that the data path depends on. */
int xdp_set_features(const char *lower, struct error *err);
/* Also true if they cannot be read. */
bool xdp_has_features(const char *lower);

extern const struct keep_row xdp_rows[];

/* datapath_ops.stats, .rx_packets */
int xdp_stats(struct datapath *dp, struct datapath_stats *out, struct error *err);
int xdp_rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err);

#define XDP_ENTRY_PROGRAM "qmap_enter" /* leads from the trunk to the entry device */

int xdp_entry_add(const struct datapath *dp, unsigned int *ifindex, struct error *err);
/* Removes the entry device and the filter, as far as they are there. */
int xdp_entry_remove(struct rtnl *nl, const char *base, unsigned int trunk, struct error *err);

#endif
