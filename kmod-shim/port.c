// SPDX-License-Identifier: GPL-2.0-only
/* Ports: link kind "qmap_port". */

#include <linux/if_arp.h>
#include <linux/module.h>
#include <net/pkt_sched.h>

#include "shim.h"

/* Upper bound of modems' frames; the daemon sets the network's MTU. */
#define PORT_MTU_MAX (QMAP_MAX_AGGREGATE - 64)

static void port_flow_expired(struct timer_list *timer)
{
	struct port *port = container_of(timer, struct port, flow_timer);

	netif_wake_queue(port->dev);
}

void port_stop_flow(struct port *port, u32 ms)
{
	netif_stop_queue(port->dev);
	mod_timer(&port->flow_timer, jiffies + msecs_to_jiffies(ms));
	counters_add(port->counters, PORT_FLOW_STOPS, 1);
}

void port_count_dropped(struct port *port, unsigned int packets)
{
	counters_add(port->counters, PORT_TX_DROPPED, packets);
}

void port_start_flow(struct port *port)
{
	timer_delete(&port->flow_timer);
	netif_wake_queue(port->dev);
}

static int port_open(struct net_device *dev)
{
	netif_start_queue(dev);
	return 0;
}

static int port_stop(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	netif_stop_queue(dev);
	timer_delete_sync(&port->flow_timer);
	return 0;
}

static int port_change_carrier(struct net_device *dev, bool on)
{
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

static int port_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct port *port = netdev_priv(dev);

	return bpf->command == XDP_SETUP_PROG ? shim_set_prog(&port->prog, bpf->prog) : -EINVAL;
}

#define PORT_GSO (NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN | NETIF_F_GSO_UDP_L4)

/*
 * Large packets are segmented into an aggregate; by the stack without an aggregate, or if they are
 * more than may wait below.
 */
static netdev_features_t port_features_check(struct sk_buff *skb, struct net_device *dev,
					     netdev_features_t features)
{
	struct port *port = netdev_priv(dev);

	if (skb_is_gso(skb) && (!READ_ONCE(port->trunk->tx.max_bytes) ||
				skb->len > READ_ONCE(port->most) || !segment_possible(skb)))
		features &= ~NETIF_F_GSO_MASK;
	return features;
}

static int port_get_iflink(const struct net_device *dev)
{
	const struct port *port = netdev_priv(dev);

	return port->trunk->dev->ifindex;
}

/*
 * For lockdep. A port may be above another one, by a trunk on a tunnel, and holds a lock of its
 * queue while it sends through the other's: those locks need a class for each port.
 */
static void port_lock_classes(struct port *port)
{
	netdev_lockdep_set_classes(port->dev);
	lockdep_register_key(&port->queue_class);
	port->dev->qdisc_tx_busylock = &port->queue_class;
}

static int port_init(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);
	int err = -ENOMEM;

	port->counters = counters_new();
	if (!port->counters)
		return err;
	port->credit = credit_new(dev);
	if (!port->credit)
		goto free_counters;
	err = gro_cells_init(&port->gro, dev);
	if (err)
		goto close_credit;
	port_lock_classes(port);
	credit_init(port);
	dev_hold(port->trunk->dev);
	return 0;

close_credit:
	credit_close(port->credit);
free_counters:
	free_percpu(port->counters);
	return err;
}

/*
 * The last packet of the port may still wait in the aggregator, and the netdev below may still have
 * others: neither refers to the port after this. No program runs from here on, the device is down,
 * and the trunk may go.
 */
static void port_uninit(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	tx_flush(port->trunk);
	credit_close(port->credit);
	gro_cells_destroy(&port->gro);
	dev_put(port->trunk->dev);
}

static void port_free(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	timer_delete_sync(&port->flow_timer);
	lockdep_unregister_key(&port->queue_class);
	free_percpu(port->counters);
}

static const struct net_device_ops port_netdev_ops = {
	.ndo_init = port_init,
	.ndo_uninit = port_uninit,
	.ndo_open = port_open,
	.ndo_stop = port_stop,
	.ndo_start_xmit = tx_xmit,
	.ndo_features_check = port_features_check,
	.ndo_change_carrier = port_change_carrier,
	.ndo_get_stats64 = port_stats64,
	.ndo_get_iflink = port_get_iflink,
	.ndo_bpf = port_bpf,
};

static void port_setup(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	dev->netdev_ops = &port_netdev_ops;
	port_stats_setup(dev);
	dev->type = ARPHRD_RAWIP;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 68;
	dev->max_mtu = PORT_MTU_MAX;
	dev->tx_queue_len = DEFAULT_TX_QUEUE_LEN;
	dev->needs_free_netdev = true;
	dev->priv_destructor = port_free;
	/* netpoll sends Ethernet frames, and with interrupts off: the aggregator may be locked. */
	dev->priv_flags |= IFF_DISABLE_NETPOLL;
	/*
	 * GRO_HW is the switch for coalescing; the core requires RXCSUM for it. Modems compute the
	 * checksums of TCP and UDP only, so HW_CSUM would promise too much.
	 */
	dev->hw_features = NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_RXCSUM |
			   NETIF_F_GRO_HW | PORT_GSO;
	dev->features = dev->hw_features | NETIF_F_VLAN_CHALLENGED;
	/* The aggregator has a lock; the core's would be held while the netdev below sends. */
	shim_set_lltx(dev);
	shim_set_xdp_features(dev, false);
	port->dev = dev;
	timer_setup(&port->flow_timer, port_flow_expired, 0);
	netif_carrier_off(dev);
}

static const struct nla_policy port_policy[IFLA_QMAP_PORT_MAX + 1] = {
	[IFLA_QMAP_PORT_NUMBER] = NLA_POLICY_RANGE(NLA_U8, 1, QMAP_SHIM_MAX_PORTS - 1),
};

static int port_validate(struct nlattr *tb[], struct nlattr *data[], struct netlink_ext_ack *extack)
{
	if (!data || !data[IFLA_QMAP_PORT_NUMBER]) {
		NL_SET_ERR_MSG(extack, "A port needs a number (IFLA_QMAP_PORT_NUMBER)");
		return -EINVAL;
	}
	return 0;
}

static struct trunk *port_find_trunk(struct net *net, struct nlattr *tb[],
				     struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	if (!tb[IFLA_LINK]) {
		NL_SET_ERR_MSG(extack, "A port needs its trunk device (IFLA_LINK)");
		return ERR_PTR(-EINVAL);
	}
	dev = __dev_get_by_index(net, nla_get_u32(tb[IFLA_LINK]));
	if (!dev || !is_trunk(dev)) {
		NL_SET_ERR_MSG(extack, "A port sits on a device of kind qmap_trunk");
		return ERR_PTR(-EINVAL);
	}
	return netdev_priv(dev);
}

static int port_create(struct net *net, struct net_device *dev, struct nlattr *tb[],
		       struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct port *port = netdev_priv(dev);
	struct trunk *trunk = port_find_trunk(net, tb, extack);
	int err;

	if (IS_ERR(trunk))
		return PTR_ERR(trunk);
	port->trunk = trunk;
	port->number = nla_get_u8(data[IFLA_QMAP_PORT_NUMBER]);
	if (rtnl_dereference(trunk->ports[port->number])) {
		NL_SET_ERR_MSG(extack, "The trunk device has a port of this number");
		return -EEXIST;
	}
	/* for LL_RESERVED_SPACE(), which rounds up to more: a router copies packets with less in front */
	dev->needed_headroom = trunk->headroom + QMAP_SHIM_TX_ROOM - 1;
	dev->needed_tailroom = trunk->tailroom;
	port->rxq.dev = dev;
	err = register_netdevice(dev);
	if (!err)
		rcu_assign_pointer(trunk->ports[port->number], port);
	return err;
}

SHIM_NEWLINK(port_newlink, port_create)

static int port_change(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
		       struct netlink_ext_ack *extack)
{
	struct port *port = netdev_priv(dev);

	if (nla_get_u8(data[IFLA_QMAP_PORT_NUMBER]) == port->number)
		return 0;
	NL_SET_ERR_MSG(extack, "The number of a port cannot be changed");
	return -EOPNOTSUPP;
}

/*
 * Queues a port to be unregistered. Every deletion comes through here: of one port, of a group, of
 * a namespace or of several, the trunk's, the module's. The port leaves the trunk's list at once,
 * so that no event before its unregistering queues it again.
 */
static void port_dellink(struct net_device *dev, struct list_head *kill)
{
	struct port *port = netdev_priv(dev);

	RCU_INIT_POINTER(port->trunk->ports[port->number], NULL);
	unregister_netdevice_queue(dev, kill);
}

void ports_delete(struct trunk *trunk, struct list_head *kill)
{
	struct port *port;
	unsigned int i;

	for (i = 0; i < QMAP_SHIM_MAX_PORTS; i++) {
		port = rtnl_dereference(trunk->ports[i]);
		if (port)
			port_dellink(port->dev, kill);
	}
}

/* The size of the trunk's aggregates has changed. */
void ports_limits(struct trunk *trunk)
{
	struct port *port;
	unsigned int i;

	for (i = 0; i < QMAP_SHIM_MAX_PORTS; i++) {
		port = rtnl_dereference(trunk->ports[i]);
		if (port)
			credit_limits(port);
	}
}

static size_t port_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8));
}

static int port_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct port *port = netdev_priv(dev);

	return nla_put_u8(skb, IFLA_QMAP_PORT_NUMBER, port->number);
}

static struct net *port_link_net(const struct net_device *dev)
{
	const struct port *port = netdev_priv(dev);

	return dev_net(port->trunk->dev);
}

struct rtnl_link_ops port_link_ops = {
	.kind = QMAP_SHIM_PORT_KIND,
	.priv_size = sizeof(struct port),
	.setup = port_setup,
	.maxtype = IFLA_QMAP_PORT_MAX,
	.policy = port_policy,
	.validate = port_validate,
	.newlink = port_newlink,
	.changelink = port_change,
	.dellink = port_dellink,
	.get_size = port_size,
	.fill_info = port_fill,
	.get_link_net = port_link_net,
};
