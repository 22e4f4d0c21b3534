// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of data path xdp: its programs on inner netdevs, and the filters on ports and trunk. */
#include "xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <stdio.h>

#include "port_map.h"
#include "qmap_xdp.skel.h"
#include "renew.h"
#include "rtnl/rtnl.h"
#include "rtnl/snapshot.h"
#include "trunk_filter.h"

/* If the netdev is gone, its program does not matter. */
static enum keep_look look_link(const struct datapath *dp, enum xdp_pin pin, char which,
				char *detail)
{
	xdp_inner_name(dp->base, which, detail);
	return if_nametoindex(detail) ? renew_look(dp->fd[pin]) : KEEP_UNKNOWN;
}

static int attach_link(struct datapath *dp, enum xdp_pin pin, char which, unsigned int flags,
		       struct error *err)
{
	struct renew_place place = {.pin = xdp_pins[pin].name, .flags = flags};
	char name[IFNAMSIZ];

	xdp_inner_name(dp->base, which, name);
	place.ifindex = if_nametoindex(name);
	return renew_attach(dp->pins, &place, &dp->fd[pin], err);
}

static enum keep_look look_deliver(void *arg, char *detail)
{
	return look_link(arg, XDP_LINK_DELIVER, 'b', detail);
}

static int attach_deliver(void *arg, struct error *err)
{
	return attach_link(arg, XDP_LINK_DELIVER, 'b', XDP_FLAGS_DRV_MODE, err);
}

static enum keep_look look_split(void *arg, char *detail)
{
	return look_link(arg, XDP_LINK_SPLIT, 'e', detail);
}

static int attach_split(void *arg, struct error *err)
{
	return attach_link(arg, XDP_LINK_SPLIT, 'e', XDP_FLAGS_SKB_MODE, err);
}

/* Has the inner end of a port lost its filter? @name gets the netdev's. */
static bool lacks_uplink(const struct datapath *dp, const struct qmap_port *port,
			 char name[IFNAMSIZ])
{
	return port->ifindex && !rtnl_filter_has(dp->nl, port->ifindex, TC_H_MIN_INGRESS, 1, 1) &&
	       if_indextoname(port->ifindex, name);
}

static enum keep_look look_uplinks(void *arg, char *detail)
{
	const struct datapath *dp = arg;
	struct qmap_port port[QMAP_MAX_MUX];
	char name[IFNAMSIZ];

	if (port_map_read_all(dp->fd[XDP_PORTS], port, NULL))
		return KEEP_UNKNOWN;
	for (__u32 mux = 0; mux < QMAP_MAX_MUX; mux++)
		if (lacks_uplink(dp, &port[mux], name))
			renew_add_name(detail, name);
	return detail[0] ? KEEP_WRONG : KEEP_FINE;
}

static int attach_uplinks(void *arg, struct error *err)
{
	const struct datapath *dp = arg;
	struct qmap_port port[QMAP_MAX_MUX];
	int ret = port_map_read_all(dp->fd[XDP_PORTS], port, err);
	char name[IFNAMSIZ];

	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		if (lacks_uplink(dp, &port[mux], name))
			ret = xdp_attach_uplink(port[mux].ifindex, dp->fd[XDP_PROG_UPLINK], 0, err);
	return ret;
}

static enum keep_look look_entry(void *arg, char *detail)
{
	const struct datapath *dp = arg;

	return trunk_filter_look(dp->trunk, XDP_ENTRY_PROGRAM, detail);
}

/* Only the filter refers to the entry program, so it has to be loaded again. */
static int attach_entry(void *arg, struct error *err)
{
	struct datapath *dp = arg;
	struct qmap_xdp *skel = NULL;
	int ret = xdp_load_again(&skel, dp, err);

	if (ret)
		return ret;
	ret = trunk_filter_attach(dp->trunk, bpf_program__fd(skel->progs.qmap_enter), err);
	qmap_xdp__destroy(skel);
	return ret;
}

/*
 * Sets @link right, if it is down, or its MTU is lower, or it has other offloads and @is_lower: the lower
 * device of a port; or adds it to @detail.
 */
static int keep_inner(const struct datapath *dp, const struct rtnl_link *link, bool is_lower,
		      char *detail, struct error *err)
{
	int ret;

	if (!link || (link->flags & IFF_UP && link->mtu >= XDP_INNER_MTU &&
		      (!is_lower || xdp_has_features(link->name))))
		return 0;
	if (detail) {
		renew_add_name(detail, link->name);
		return 0;
	}
	ret = rtnl_link_set_mtu(dp->nl, link->ifindex, XDP_INNER_MTU, err)
		      ?: rtnl_link_set_up(dp->nl, link->ifindex, true, err);
	return ret || !is_lower ? ret : xdp_set_features(link->name, err);
}

static int each_inner(const struct datapath *dp, char *detail, struct error *err)
{
	struct qmap_port port[QMAP_MAX_MUX];
	struct rtnl_snapshot *links = NULL;
	const struct rtnl_link *link;
	char name[IFNAMSIZ];
	int ret = port_map_read_all(dp->fd[XDP_PORTS], port, err)
			  ?: rtnl_snapshot_read_links(&links, dp->nl, err);

	for (const char *which = "abe"; *which && !ret; which++) {
		xdp_inner_name(dp->base, *which, name);
		ret = keep_inner(dp, rtnl_snapshot_find(links, name), false, detail, err);
	}
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++) {
		link = port[mux].ifindex ? rtnl_snapshot_link(links, port[mux].ifindex) : NULL;
		ret = keep_inner(dp, link, false, detail, err);
		if (!ret && link && link->lower)
			ret = keep_inner(dp, rtnl_snapshot_link(links, link->lower), true, detail,
					 err);
	}
	rtnl_snapshot_free(&links);
	return ret;
}

static enum keep_look look_inner(void *arg, char *detail)
{
	if (each_inner(arg, detail, NULL))
		return KEEP_UNKNOWN;
	return detail[0] ? KEEP_WRONG : KEEP_FINE;
}

static int set_inner(void *arg, struct error *err)
{
	return each_inner(arg, NULL, err);
}

const struct keep_row xdp_rows[] = {
	{.what = "somebody has set %s down, lowered its MTU, or changed its offloads",
	 .budget = RENEW_BUDGET,
	 .look = look_inner,
	 .fix = set_inner},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_deliver, .fix = attach_deliver},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_split, .fix = attach_split},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_uplinks, .fix = attach_uplinks},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_entry, .fix = attach_entry},
	{0},
};
