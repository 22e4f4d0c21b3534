// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data path `rmnet`: the kernel's own driver, which is only configured here. The ports of trunk
 * wwan0 are its links wwan0.1 ... on top of it; aggregates reach them through the netdev's receive
 * handler. No other netdev is involved.
 *
 * The observer (observe.h), a BPF program in front of that handler, counts the frames that rmnet
 * drops, and keeps those from it that it would misread. A command of the modem does not reach
 * rmnet's own handling, see link_flags().
 */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/array.h"
#include "netdev/device_stats.h"
#include "rtnl/ethtool_aggregate.h"
#include "util/log.h"
#include "rtnl/rmnet.h"
#include "qmap_commands.h"
#include "hold.h"
#include "links.h"
#include "qmap/wire.h"

/*
 * As in the shim: long enough for the ACKs of one aggregate, short compared with a radio's
 * latency.
 */
#define TX_USECS 200

/* Limits of rmnet (kernel rmnet_vnd.c, rmnet_set_coalesce). */
#define TX_MAX_BYTES  32768
#define TX_MAX_FRAMES 64

#define PORT_MTU 1500 /* until the network reports another */

/*
 * MTU of the trunk while a link is added if it exceeds RTNL_RMNET_MAX_MTU: no multiple of a USB
 * packet's size, which usbnet would refuse.
 */
#define ADD_MTU 16001

static int probe(const char *trunk, struct error *why)
{
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, NULL, why) ?: rtnl_rmnet_probe(nl, why);

	rtnl_close(&nl);
	return ret ?: observe_probe(why);
}

/* An older rmnet ignores the flags of v5 and takes its frames for v1's. */
static int carries(int version, struct error *why)
{
	unsigned int major, minor;
	struct utsname u;

	if (version != QMAP_V5 || uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2 ||
	    major > 5 || (major == 5 && minor >= 14))
		return 0;
	error_set(why, -EOPNOTSUPP, "rmnet of Linux %u.%u knows no QMAP v5", major, minor);
	error_hint(why, "--qmap v4 or --qmap v1, or another data path");
	return -EOPNOTSUPP;
}

static int attach(struct datapath **out, struct pins *pins, const char *trunk,
		  const struct data_format *format, struct error *err)
{
	return carries(format->version, err)
		       ?: links_attach(out, pins, trunk, "rmnet", format, err);
}

/*
 * Without RMNET_FLAGS_INGRESS_MAP_COMMANDS rmnet drops commands. With it, many kernels crash on
 * one: rmnet_map_deaggregate() leaves the frame without a device, whose lock rmnet_map_send_ack()
 * then takes (6.12.95 does, 6.1 of Debian 12 is fixed; the version does not show it). Flow control
 * is not worth a machine that its modem can crash.
 */
static uint32_t link_flags(int version)
{
	uint32_t flags = RMNET_FLAGS_INGRESS_DEAGGREGATION;

	if (version == QMAP_V4)
		flags |= RMNET_FLAGS_INGRESS_MAP_CKSUMV4 | RMNET_FLAGS_EGRESS_MAP_CKSUMV4;
	if (version == QMAP_V5)
		flags |= RMNET_FLAGS_INGRESS_MAP_CKSUMV5 | RMNET_FLAGS_EGRESS_MAP_CKSUMV5;
	return flags;
}

/*
 * Flags of the existing links; those of the negotiated format if there are none, or none is in sight: rmnet
 * sets those of a new link for the whole trunk (rmnet_newlink()).
 */
static int current_flags(struct datapath *dp, uint32_t *flags, struct error *err)
{
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++) {
		const struct datapath_place *place = &dp->places[mux];
		struct error why = {0};
		struct rtnl *nl = NULL;
		int ret;

		if (!place->name[0])
			continue;
		ret = rtnl_open(&nl, place->netns, &why)
			      ?: rtnl_rmnet_flags(nl, place->name, flags, &why);
		rtnl_close(&nl);
		if (ret != -ENODEV && ret != -ENOENT)
			return ret ? error_pass(err, &why) : 0;
	}
	*flags = link_flags(dp->format.version);
	return 0;
}

/* rmnet refuses a link on a trunk with a larger MTU, but accepts such an MTU later. */
static int add_link(struct datapath *dp, const struct datapath_port *port, uint32_t flags,
		    struct error *err)
{
	unsigned int trunk = dp->pins->ifindex;
	struct rtnl_link link;
	int ret = rtnl_link_get_index(dp->nl, trunk, &link, err);
	bool large = !ret && link.mtu > RTNL_RMNET_MAX_MTU;

	if (large)
		ret = rtnl_link_set_mtu(dp->nl, trunk, ADD_MTU, err);
	if (ret)
		return ret;
	ret = rtnl_rmnet_add(dp->nl, port->name, trunk, port->mux, flags, err);
	if (large) {
		int back = rtnl_link_set_mtu(dp->nl, trunk, link.mtu, err);

		ret = ret ?: back;
	}
	return ret;
}

static bool has_checksums(uint32_t flags)
{
	return flags & (RMNET_FLAGS_EGRESS_MAP_CKSUMV4 | RMNET_FLAGS_EGRESS_MAP_CKSUMV5);
}

/* rmnet offers offloads and leaves them off. With v1 no one would complete an open checksum. */
static void set_offloads(const char *name, uint32_t flags)
{
	static const char *const features[] = {"rx-checksum", "tx-scatter-gather",
					       "tx-checksum-ipv4", "tx-checksum-ipv6"};
	struct error err = {0};

	for (size_t i = 0; has_checksums(flags) && i < ARRAY_SIZE(features); i++)
		if (rtnl_feature_set(name, features[i], true, &err))
			log_debug("%s", err.text);
}

static unsigned int at_most(unsigned int n, unsigned int limit)
{
	return !n || n > limit ? limit : n;
}

/* The setting applies to all links of a trunk; a frame of rmnet has no pad. */
static void set_aggregation(struct datapath *dp, const char *name)
{
	const struct ethtool_aggregate a = {
		.bytes = at_most(dp->format.ul_max_bytes, TX_MAX_BYTES),
		.frames = at_most(dp->format.ul_max_datagrams, TX_MAX_FRAMES),
		.usecs = TX_USECS,
	};
	struct error err = {0};

	if (!dp->format.ul_max_bytes || !ethtool_aggregate_set(name, &a, &err) || dp->warned)
		return;
	log_info("%s: uplink is not aggregated: %s", name, err.text);
	dp->warned = true;
}

static int add_port(struct datapath *dp, struct datapath_port *port, struct error *err)
{
	struct rtnl_link link = {0};
	uint32_t flags;
	int ret;

	ret = current_flags(dp, &flags, err) ?: add_link(dp, port, flags, err);
	if (ret == -EEXIST)
		error_hint(err, "if nothing uses it: ip link del %s", port->name);
	if (ret == -EBUSY)
		error_hint(err, "another driver has the trunk: ip -d link show");
	if (ret)
		return ret;
	set_offloads(port->name, flags);
	set_aggregation(dp, port->name);
	ret = rtnl_link_get(dp->nl, port->name, &link, err);
	/* rmnet gives it the trunk's MTU, which is that of an aggregate */
	if (!ret && link.mtu > PORT_MTU)
		rtnl_link_set_mtu(dp->nl, link.ifindex, PORT_MTU, NULL);
	port->ifindex = link.ifindex;
	return ret ?: observe_add_port(dp, port->mux, link.ifindex, err)
			?: datapath_adopt_port(dp, port, NULL);
}

static int del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	struct datapath_place *place = &dp->places[mux % QMAP_MAX_MUX];
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret;

	hold_end(dp, mux);
	ret = links_open_port(place, &nl, &link, err);
	observe_del_port(dp, mux, NULL);
	/* another process has deleted it, or its namespace */
	if (ret == -ENODEV || ret == -ENOENT)
		*place = (struct datapath_place){0};
	if (ret)
		return ret;
	ret = rtnl_link_del(nl, link.ifindex, err);
	rtnl_close(&nl);
	if (!ret)
		*place = (struct datapath_place){0};
	return ret;
}

/* --- counters: the netdevs' own --- */

static void take_checksum_ok(void *arg, const char *name, uint64_t value)
{
	if (!strcmp(name, "Checksum ok"))
		*(uint64_t *)arg = value;
}

static int port_stats(struct datapath *dp, unsigned int mux, struct links_port *port,
		      struct error *err)
{
	const struct datapath_place *place = &dp->places[mux];
	struct rtnl *nl = NULL;
	uint32_t flags;
	int ret = rtnl_open(&nl, place->netns, err)
			  ?: rtnl_rmnet_flags(nl, place->name, &flags, err)
			  ?: device_stats(place->name, place->netns, take_checksum_ok, &port->csum_ok,
				      err);
	rtnl_close(&nl);
	if (!ret)
		/* rmnet counts the bytes that it puts in front of a packet; it adds no pad */
		port->tx_header = sizeof(struct qmap_hdr) + (has_checksums(flags) ? 4 : 0);
	return ret;
}

static int stats(struct datapath *dp, struct datapath_stats *out, struct error *err)
{
	return links_stats(dp, port_stats, out, err);
}

/*
 * Deletes ports by name, in any namespace; then links of a process that died before it saved
 * them.
 */
static int detach(struct datapath *dp, struct error *err)
{
	char prefix[IFNAMSIZ];
	int ret = links_forget_ports(dp, del_port, err), one;

	commands_close(&dp->commands);
	observe_detach(dp);
	snprintf(prefix, sizeof(prefix), "%.10s.", dp->base);
	one = rtnl_rmnet_del_all(dp->nl, dp->pins->ifindex, prefix, err);
	return ret ?: one;
}

const struct datapath_ops datapath_rmnet = {
	.name = "rmnet",
	.limits = {0},
	.probe = probe,
	.carries = carries,
	.attach = attach,
	.adopt = links_adopt,
	.renew = observe_renew,
	.rows = observe_rows,
	.add_port = add_port,
	.adopt_port = links_adopt_port,
	.del_port = del_port,
	.flow = links_flow,
	.running = observe_running,
	.stats = stats,
	.rx_packets = datapath_rx_packets,
	.event_fd = observe_event_fd,
	.events = observe_events,
	.wait_ms = observe_wait_ms,
	.detach = detach,
	.close = datapath_close,
};
