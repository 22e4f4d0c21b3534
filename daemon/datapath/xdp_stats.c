// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/if_ether.h>

#include "rtnl/snapshot.h"
#include "port_map.h"
#include "xdp.h"

static int sum_ports(const struct datapath *dp, struct qmap_port_stats sums[QMAP_MAX_MUX],
		     struct error *err)
{
	return datapath_sum_percpu(dp->fd[XDP_PORT_STATS], QMAP_MAX_MUX,
				   sizeof(*sums) / sizeof(__u64), (__u64 *)sums, err);
}

/*
 * Packets that the kernel accepted for a netdev and dropped because the ring of the veth's other
 * end was full (drivers/net/veth.c: peer_tq_xdp_xmit_err, and the drops of veth_xmit).
 */
static __u64 queue_full(const struct rtnl_link *link)
{
	return link ? link->tx_dropped : 0;
}

/* @full: packets that its ring had no room for, which veth_get_stats64() adds to its rx_dropped. */
static void add_lower(struct datapath_stats *out, struct datapath_port_stats *p,
		      const struct rtnl_link *lower, __u64 full)
{
	/*
	 * A veth counts packets that came out of its ring, before GRO and with their Ethernet header;
	 * the program only counts packets that it sent there.
	 */
	p->count.rx_packets = lower->rx_packets;
	p->count.rx_bytes = lower->rx_bytes - lower->rx_packets * ETH_HLEN;
	if (lower->rx_dropped > full)
		datapath_count_backlog(out, p, lower->rx_dropped - full);
	/* uplink, on the way to the inner end: in front of the program */
	p->count.tx_dropped += lower->tx_dropped;
	out->trunk.drops[QMAP_DROP_QUEUE_FULL] += lower->tx_dropped;
}

static void add_port(struct datapath_stats *out, unsigned int mux, const struct qmap_port *port,
		     const struct qmap_port_stats *count, const struct rtnl_snapshot *links)
{
	const struct rtnl_link *inner = rtnl_snapshot_link(links, port->ifindex), *lower;
	struct datapath_port_stats *p = &out->ports[out->nports++];
	__u64 full = queue_full(inner);

	*p = (struct datapath_port_stats){.mux = mux,
					  .up = port->flags & QMAP_PORT_UP,
					  .flow_off = datapath_flow_is_off(port),
					  .count = *count};
	lower = inner && inner->lower ? rtnl_snapshot_link(links, inner->lower) : NULL;
	if (lower)
		add_lower(out, p, lower, full);
	datapath_count_lost(out, p, QMAP_DROP_QUEUE_FULL, full);
}

/* Lost before there was a port: aggregates on the way to the split program, then copies of frames. */
static void add_lost(const struct datapath *dp, struct datapath_stats *out,
		     const struct rtnl_snapshot *links)
{
	char name[IFNAMSIZ];

	datapath_add_lost(out, rtnl_snapshot_link(links, dp->trunk));
	xdp_inner_name(dp->base, 'e', name);
	datapath_add_lost(out, rtnl_snapshot_find(links, name));
	xdp_inner_name(dp->base, 'a', name);
	datapath_count_lost(out, NULL, QMAP_DROP_QUEUE_FULL,
			    queue_full(rtnl_snapshot_find(links, name)));
}

int xdp_stats(struct datapath *dp, struct datapath_stats *out, struct error *err)
{
	struct qmap_port_stats sums[QMAP_MAX_MUX];
	struct qmap_port port[QMAP_MAX_MUX];
	struct rtnl_snapshot *links = NULL;
	int ret;

	out->by_frame = true;
	out->nports = 0;
	ret = port_map_read_all(dp->fd[XDP_PORTS], port, err) ?: sum_ports(dp, sums, err)
		      ?: datapath_sum_percpu(dp->fd[XDP_TRUNK_STATS], 1, sizeof(out->trunk) / sizeof(__u64),
				    (__u64 *)&out->trunk, err)
		      ?: rtnl_snapshot_read_links(&links, dp->nl, err);
	if (ret)
		return ret;
	add_lost(dp, out, links);
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++) {
		if (port[mux].ifindex)
			add_port(out, mux, &port[mux], &sums[mux], links);
		out->unknown[mux] = port[mux].ifindex ? 0 : sums[mux].rx_dropped;
	}
	rtnl_snapshot_free(&links);
	return 0;
}

/* Packets that the program has sent to the ports: no request to the kernel is needed. */
int xdp_rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err)
{
	struct qmap_port_stats sums[QMAP_MAX_MUX];
	int ret = sum_ports(dp, sums, err);

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		rx[mux] = sums[mux].rx_packets;
	return ret;
}
