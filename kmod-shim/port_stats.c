// SPDX-License-Identifier: GPL-2.0-only
/* A port's counters in the forms of rtnetlink, ethtool and netdev-genl. */

#include "shim.h"

void port_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct port *port = netdev_priv(dev);
	u64 n[PORT_COUNTER_MAX];

	counters_sum(port->counters, n, PORT_COUNTER_MAX);
	s->rx_packets = n[PORT_RX_PACKETS];
	s->rx_bytes = n[PORT_RX_BYTES];
	s->rx_dropped = n[PORT_RX_DROPPED];
	s->tx_packets = n[PORT_TX_PACKETS];
	s->tx_bytes = n[PORT_TX_BYTES];
	s->tx_dropped = n[PORT_TX_DROPPED];
}

static int port_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? PORT_STRINGS : -EOPNOTSUPP;
}

static void port_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, port_counter_names, sizeof(port_counter_names));
}

/*
 * Packets that the port has handed on, and the kernel has dropped in front of its stack: the backlog
 * of the CPU that RPS chose was full (net/core/dev.c, enqueue_to_backlog()), or that of GRO cells.
 * One coalesced from several counts once. The kernel keeps this count, and adds it to rx_dropped of
 * port_stats64(). Drops of the port between the two sums would lower it for once: it never falls.
 */
static u64 port_backlog_dropped(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);
	struct rtnl_link_stats64 all;
	u64 own[PORT_RX_DROPPED + 1];

	dev_get_stats(dev, &all);
	counters_sum(port->counters, own, ARRAY_SIZE(own));
	if (all.rx_dropped > own[PORT_RX_DROPPED])
		port->backlog_dropped = max_t(u64, port->backlog_dropped,
					      all.rx_dropped - own[PORT_RX_DROPPED]);
	return port->backlog_dropped;
}

static void port_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct port *port = netdev_priv(dev);

	counters_sum(port->counters, data, PORT_COUNTER_MAX);
	data[PORT_FLOW_OFF] = timer_pending(&port->flow_timer); /* the modem has stopped the port */
	data[PORT_BACKLOG_DROPPED] = port_backlog_dropped(dev);
}

/* One receiving and one sending queue, independent of the CPUs below. */
static void port_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	channels->max_combined = 1;
	channels->combined_count = 1;
}

/* `ethtool -L` with a port's own number succeeds, as on any netdev with channels. */
static int port_set_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	return channels->combined_count == 1 ? 0 : -EINVAL;
}

static const struct ethtool_ops port_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_sset_count = port_sset_count,
	.get_strings = port_strings,
	.get_ethtool_stats = port_ethtool_stats,
	.get_channels = port_channels,
	.set_channels = port_set_channels,
};

#ifdef SHIM_QUEUE_STATS
static void port_queue_rx(struct net_device *dev, int queue, struct netdev_queue_stats_rx *rx)
{
	struct port *port = netdev_priv(dev);
	u64 n[PORT_COUNTER_MAX];

	counters_sum(port->counters, n, PORT_COUNTER_MAX);
	rx->packets = n[PORT_RX_PACKETS];
	rx->bytes = n[PORT_RX_BYTES];
	rx->csum_unnecessary = n[PORT_RX_CSUM_OK];
	rx->csum_none = n[PORT_RX_CSUM_NONE];
	rx->hw_gro_packets = n[PORT_RX_CHAINS];
	rx->hw_gro_wire_packets = n[PORT_RX_COALESCED];
}

static void port_queue_tx(struct net_device *dev, int queue, struct netdev_queue_stats_tx *tx)
{
	struct port *port = netdev_priv(dev);
	u64 n[PORT_COUNTER_MAX];

	counters_sum(port->counters, n, PORT_COUNTER_MAX);
	tx->packets = n[PORT_TX_PACKETS];
	tx->bytes = n[PORT_TX_BYTES];
	tx->hw_drops = n[PORT_TX_DROPPED];
	tx->hw_gso_packets = n[PORT_TX_GSO_PACKETS];
	tx->hw_gso_wire_packets = n[PORT_TX_GSO_SEGMENTS];
}

/* The queue has existed as long as the port: its counters need no base. */
static void port_base_stats(struct net_device *dev, struct netdev_queue_stats_rx *rx,
			    struct netdev_queue_stats_tx *tx)
{
	rx->packets = 0;
	rx->bytes = 0;
	rx->csum_unnecessary = 0;
	rx->csum_none = 0;
	rx->hw_gro_packets = 0;
	rx->hw_gro_wire_packets = 0;
	tx->packets = 0;
	tx->bytes = 0;
	tx->hw_drops = 0;
	tx->hw_gso_packets = 0;
	tx->hw_gso_wire_packets = 0;
}

static const struct netdev_stat_ops port_stat_ops = {
	.get_queue_stats_rx = port_queue_rx,
	.get_queue_stats_tx = port_queue_tx,
	.get_base_stats = port_base_stats,
};
#endif

void port_stats_setup(struct net_device *dev)
{
	dev->ethtool_ops = &port_ethtool_ops;
#ifdef SHIM_QUEUE_STATS
	dev->stat_ops = &port_stat_ops;
#endif
}
