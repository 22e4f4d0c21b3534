// SPDX-License-Identifier: GPL-2.0-only
/* The trunk device, for any front end. */

#include <linux/if_arp.h>
#include <linux/module.h>

#include "shim.h"

#define FLOW_MS_DEFAULT	  5000
#define TX_FRAMES_DEFAULT 32
#define RX_BYTES_MIN	  512

static const struct net_device_ops trunk_netdev_ops;

bool is_trunk(const struct net_device *dev)
{
	return dev->netdev_ops == &trunk_netdev_ops;
}

/* Runs under rtnl; packets on their way finish with the old program, whose end waits for them. */
int shim_set_prog(struct bpf_prog __rcu **slot, struct bpf_prog *prog)
{
	struct bpf_prog *old = rtnl_dereference(*slot);

	rcu_assign_pointer(*slot, prog);
	if (old)
		bpf_prog_put(old);
	return 0;
}

static int trunk_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct trunk *trunk = netdev_priv(dev);

	return bpf->command == XDP_SETUP_PROG ? shim_set_prog(&trunk->prog, bpf->prog) : -EINVAL;
}

static int trunk_open(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);
	int err;

	err = trunk->front->open(trunk);
	if (!err)
		rx_start(trunk);
	return err;
}

static int trunk_stop(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);

	rx_stop(trunk);
	tx_flush(trunk);
	trunk->front->stop(trunk);
	return 0;
}

static netdev_tx_t trunk_xmit(struct sk_buff *skb, struct net_device *dev)
{
	trunk_drop(netdev_priv(dev), QMAP_DROP_NOT_QMAP);
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static void trunk_get_stats(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct trunk *trunk = netdev_priv(dev);
	u64 n[TRUNK_COUNTER_MAX];
	unsigned int i;

	counters_sum(trunk->counters, n, TRUNK_COUNTER_MAX);
	s->rx_packets = n[TRUNK_AGGREGATES];
	s->rx_bytes = n[TRUNK_BYTES];
	s->tx_packets = n[TRUNK_TX_AGGREGATES];
	s->tx_bytes = n[TRUNK_TX_BYTES];
	for (i = TRUNK_DROPS; i < TRUNK_COUNTER_MAX; i++)
		s->rx_dropped += n[i];
}

static int trunk_init(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);
	int err;

	trunk->counters = counters_new();
	if (!trunk->counters)
		return -ENOMEM;
	err = rx_create(trunk);
	if (err)
		goto free_counters;
	err = trunk->front->init ? trunk->front->init(trunk) : 0;
	if (err)
		goto destroy_rx;
	netdev_lockdep_set_classes(dev);
	return 0;

destroy_rx:
	rx_destroy(trunk);
free_counters:
	free_percpu(trunk->counters);
	return err;
}

static void trunk_uninit(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);

	tx_destroy(trunk);
	rx_destroy(trunk);
	if (trunk->front->uninit)
		trunk->front->uninit(trunk);
}

static void trunk_free(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);

	free_percpu(trunk->counters);
}

static const struct net_device_ops trunk_netdev_ops = {
	.ndo_init = trunk_init,
	.ndo_uninit = trunk_uninit,
	.ndo_open = trunk_open,
	.ndo_stop = trunk_stop,
	.ndo_start_xmit = trunk_xmit,
	.ndo_get_stats64 = trunk_get_stats,
	.ndo_bpf = trunk_bpf,
};

static int trunk_sset_count(struct net_device *dev, int sset)
{
	const struct trunk *trunk = netdev_priv(dev);

	return sset == ETH_SS_STATS ? TRUNK_COUNTER_MAX + trunk->front->n_counters : -EOPNOTSUPP;
}

static void trunk_strings(struct net_device *dev, u32 sset, u8 *data)
{
	const struct trunk *trunk = netdev_priv(dev);

	if (sset != ETH_SS_STATS)
		return;
	memcpy(data, trunk_counter_names, sizeof(trunk_counter_names));
	memcpy(data + sizeof(trunk_counter_names), trunk->front->counter_names,
	       trunk->front->n_counters * ETH_GSTRING_LEN);
}

static void trunk_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct trunk *trunk = netdev_priv(dev);

	counters_sum(trunk->counters, data, TRUNK_COUNTER_MAX);
	if (trunk->front->lost)
		data[TRUNK_DROPS + QMAP_DROP_QUEUE_FULL] += trunk->front->lost(trunk);
	if (trunk->front->counters)
		trunk->front->counters(trunk, data + TRUNK_COUNTER_MAX);
}

#ifdef SHIM_COALESCE_PARAMS
static int trunk_get_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
			      struct kernel_ethtool_coalesce *kernel_coal,
			      struct netlink_ext_ack *extack)
{
	struct trunk *trunk = netdev_priv(dev);

	kernel_coal->tx_aggr_max_bytes = trunk->tx.max_bytes;
	kernel_coal->tx_aggr_max_frames = trunk->tx.max_frames;
	kernel_coal->tx_aggr_time_usecs = trunk->tx.usecs;
	return 0;
}

static int trunk_set_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
			      struct kernel_ethtool_coalesce *kernel_coal,
			      struct netlink_ext_ack *extack)
{
	struct trunk *trunk = netdev_priv(dev);

	if (kernel_coal->tx_aggr_max_bytes > QMAP_MAX_AGGREGATE) {
		NL_SET_ERR_MSG(extack, "An uplink aggregate has at most 65280 bytes");
		return -EINVAL;
	}
	if (!kernel_coal->tx_aggr_max_frames || kernel_coal->tx_aggr_max_frames > TX_FRAMES_MAX) {
		NL_SET_ERR_MSG(extack, "An uplink aggregate has 1 to 255 frames");
		return -EINVAL;
	}
	if (kernel_coal->tx_aggr_time_usecs > TX_USECS_MAX) {
		NL_SET_ERR_MSG(extack, "A frame waits at most one second");
		return -EINVAL;
	}
	WRITE_ONCE(trunk->tx.max_bytes, kernel_coal->tx_aggr_max_bytes);
	WRITE_ONCE(trunk->tx.max_frames, kernel_coal->tx_aggr_max_frames);
	WRITE_ONCE(trunk->tx.usecs, kernel_coal->tx_aggr_time_usecs);
	ports_limits(trunk);
	return 0;
}
#endif

static const struct ethtool_ops trunk_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_sset_count = trunk_sset_count,
	.get_strings = trunk_strings,
	.get_ethtool_stats = trunk_ethtool_stats,
#ifdef SHIM_COALESCE_PARAMS
	.supported_coalesce_params = SHIM_COALESCE_PARAMS,
	.get_coalesce = trunk_get_coalesce,
	.set_coalesce = trunk_set_coalesce,
#endif
};

void trunk_setup(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);

	dev->netdev_ops = &trunk_netdev_ops;
	dev->ethtool_ops = &trunk_ethtool_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_DISABLE_NETPOLL;
	dev->features |= NETIF_F_VLAN_CHALLENGED;
	dev->mtu = ETH_DATA_LEN;
	dev->max_mtu = QMAP_MAX_AGGREGATE;
	dev->needs_free_netdev = true;
	dev->priv_destructor = trunk_free;
	shim_set_xdp_features(dev, true);
	trunk->dev = dev;
	trunk->flow_ms = FLOW_MS_DEFAULT;
	tx_create(&trunk->tx);
	trunk->tx.max_frames = TX_FRAMES_DEFAULT;
}

static struct netlink_range_validation flow_ms_range = {.min = 1, .max = 600000};
static struct netlink_range_validation usecs_range = {.max = TX_USECS_MAX};
static struct netlink_range_validation bytes_range = {.max = QMAP_MAX_AGGREGATE};
static struct netlink_range_validation rx_bytes_range = {
	.min = RX_BYTES_MIN,
	.max = QMAP_MAX_AGGREGATE,
};

const struct nla_policy trunk_policy[IFLA_QMAP_TRUNK_MAX + 1] = {
	[IFLA_QMAP_TRUNK_VERSION] =
		NLA_POLICY_RANGE(NLA_U32, QMAP_SHIM_VERSION, QMAP_SHIM_VERSION),
	[IFLA_QMAP_TRUNK_FLOW_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &flow_ms_range),
	[IFLA_QMAP_TRUNK_TX_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &bytes_range),
	[IFLA_QMAP_TRUNK_TX_FRAMES] = NLA_POLICY_RANGE(NLA_U32, 1, TX_FRAMES_MAX),
	[IFLA_QMAP_TRUNK_TX_USECS] = NLA_POLICY_FULL_RANGE(NLA_U32, &usecs_range),
	[IFLA_QMAP_TRUNK_RX_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &rx_bytes_range),
};

static void trunk_set_u32(u32 *value, const struct nlattr *attr)
{
	if (attr)
		WRITE_ONCE(*value, nla_get_u32(attr));
}

static int trunk_set_rx_bytes(struct trunk *trunk, u32 bytes, struct netlink_ext_ack *extack)
{
	int err;

	if (!trunk->front->set_rx_bytes) {
		NL_SET_ERR_MSG(extack, "The netdev below the trunk device has the buffers");
		return -EOPNOTSUPP;
	}
	err = trunk->front->set_rx_bytes(trunk, bytes);
	if (err)
		NL_SET_ERR_MSG(extack, "No memory for buffers of that size");
	else
		trunk->rx_bytes = bytes;
	return err;
}

int trunk_change(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
		 struct netlink_ext_ack *extack)
{
	struct trunk *trunk = netdev_priv(dev);
	int err;

	if (!data)
		return 0;
	if (data[IFLA_QMAP_TRUNK_RX_BYTES]) {
		err = trunk_set_rx_bytes(trunk, nla_get_u32(data[IFLA_QMAP_TRUNK_RX_BYTES]), extack);
		if (err)
			return err;
	}
	trunk_set_u32(&trunk->flow_ms, data[IFLA_QMAP_TRUNK_FLOW_MS]);
	trunk_set_u32(&trunk->tx.max_bytes, data[IFLA_QMAP_TRUNK_TX_BYTES]);
	trunk_set_u32(&trunk->tx.max_frames, data[IFLA_QMAP_TRUNK_TX_FRAMES]);
	trunk_set_u32(&trunk->tx.usecs, data[IFLA_QMAP_TRUNK_TX_USECS]);
	ports_limits(trunk);
	return 0;
}

size_t trunk_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u32)) * IFLA_QMAP_TRUNK_MAX;
}

int trunk_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct trunk *trunk = netdev_priv(dev);

	if (nla_put_u32(skb, IFLA_QMAP_TRUNK_VERSION, QMAP_SHIM_VERSION) ||
	    nla_put_u32(skb, IFLA_QMAP_TRUNK_FLOW_MS, trunk->flow_ms) ||
	    nla_put_u32(skb, IFLA_QMAP_TRUNK_TX_BYTES, trunk->tx.max_bytes) ||
	    nla_put_u32(skb, IFLA_QMAP_TRUNK_TX_FRAMES, trunk->tx.max_frames) ||
	    nla_put_u32(skb, IFLA_QMAP_TRUNK_TX_USECS, trunk->tx.usecs) ||
	    (trunk->rx_bytes && nla_put_u32(skb, IFLA_QMAP_TRUNK_RX_BYTES, trunk->rx_bytes)))
		return -EMSGSIZE;
	return 0;
}

size_t trunk_xstats_size(const struct net_device *dev, int attr)
{
	return attr == IFLA_STATS_LINK_XSTATS ?
		       nla_total_size(0) + nla_total_size(QMAP_SHIM_MAX_PORTS * sizeof(u64)) :
		       0;
}

int trunk_fill_xstats(struct sk_buff *skb, const struct net_device *dev, int *index, int attr)
{
	struct trunk *trunk = netdev_priv(dev);
	struct nlattr *nest, *counts;
	unsigned int i;
	u64 n;

	if (attr != IFLA_STATS_LINK_XSTATS)
		return 0;
	nest = nla_nest_start_noflag(skb, QMAP_SHIM_XSTATS);
	if (!nest)
		return -EMSGSIZE;
	counts = nla_reserve(skb, QMAP_SHIM_XSTATS_UNKNOWN, QMAP_SHIM_MAX_PORTS * sizeof(n));
	if (!counts) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	for (i = 0; i < QMAP_SHIM_MAX_PORTS; i++) {
		n = atomic64_read(&trunk->unknown[i]);
		memcpy(nla_data(counts) + i * sizeof(n), &n, sizeof(n));
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * Devices of this kind come and go with their hardware: there is no setup, by which the core would
 * create one, and no dellink. When their namespace goes they return to the initial one.
 */
struct rtnl_link_ops trunk_usb_link_ops = {
	.kind = QMAP_SHIM_USB_KIND,
	.maxtype = IFLA_QMAP_TRUNK_MAX,
	.policy = trunk_policy,
	.changelink = trunk_change,
	.get_size = trunk_size,
	.fill_info = trunk_fill,
	.get_linkxstats_size = trunk_xstats_size,
	.fill_linkxstats = trunk_fill_xstats,
	.netns_refund = true,
};

struct trunk *qmap_trunk_alloc(size_t size, const char *name, const struct front_ops *front,
			       unsigned int queues)
{
	struct net_device *dev = alloc_netdev(size, name, NET_NAME_ENUM, trunk_setup);
	struct trunk *trunk;

	if (!dev)
		return NULL;
	dev->needs_free_netdev = false;
	dev->rtnl_link_ops = &trunk_usb_link_ops;
	trunk = netdev_priv(dev);
	trunk->front = front;
	trunk->n_queues = queues;
	return trunk;
}
EXPORT_SYMBOL_GPL(qmap_trunk_alloc);

void qmap_trunk_unregister(struct trunk *trunk)
{
	LIST_HEAD(kill);

	rtnl_lock();
	ports_delete(trunk, &kill);
	unregister_netdevice_queue(trunk->dev, &kill);
	unregister_netdevice_many(&kill);
	rtnl_unlock();
}
EXPORT_SYMBOL_GPL(qmap_trunk_unregister);
