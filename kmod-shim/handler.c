// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rx handler: aggregates from any netdev that delivers them as packets of protocol ETH_P_MAP.
 * Link kind "qmap_trunk".
 */

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "rx.h"

/* False: as much waits as may wait. */
static bool rx_enqueue(struct rx_queue *q, struct sk_buff *skb)
{
	bool room;

	spin_lock(&q->pending.lock);
	room = q->pending.qlen < RX_QUEUE_MAX && q->pending_bytes < RX_QUEUE_BYTES;
	if (room) {
		__skb_queue_tail(&q->pending, skb);
		q->pending_bytes += skb->truesize;
	}
	spin_unlock(&q->pending.lock);
	return room;
}

struct sk_buff *rx_dequeue(struct rx_queue *q)
{
	struct sk_buff *skb;

	spin_lock(&q->pending.lock);
	skb = __skb_dequeue(&q->pending);
	if (skb)
		q->pending_bytes -= skb->truesize;
	spin_unlock(&q->pending.lock);
	return skb;
}

static rx_handler_result_t rx_handle(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct trunk *trunk = rcu_dereference(skb->dev->rx_handler_data);
	struct rx_queue *q;

	if (skb->protocol != htons(ETH_P_MAP) || skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return RX_HANDLER_CONSUMED;
	if (!netif_running(trunk->dev)) {
		trunk_drop(trunk, QMAP_DROP_PORT_DOWN);
		shim_kfree_skb(skb, SHIM_DROP_DOWN);
		return RX_HANDLER_CONSUMED;
	}
	skb_orphan(skb);
	q = trunk->queues[smp_processor_id()];
	if (rx_enqueue(q, skb)) {
		napi_schedule(&q->napi);
	} else {
		trunk_drop(trunk, QMAP_DROP_QUEUE_FULL);
		shim_kfree_skb(skb, SHIM_DROP_QUEUE);
	}
	return RX_HANDLER_CONSUMED;
}

static struct net_device *trunk_find_lower(struct net *net, struct nlattr *tb[],
					   struct netlink_ext_ack *extack)
{
	struct net_device *lower;

	if (!tb[IFLA_LINK]) {
		NL_SET_ERR_MSG(extack, "A trunk device needs the netdev below it (IFLA_LINK)");
		return ERR_PTR(-EINVAL);
	}
	lower = __dev_get_by_index(net, nla_get_u32(tb[IFLA_LINK]));
	if (!lower) {
		NL_SET_ERR_MSG(extack, "The netdev below the trunk device does not exist");
		return ERR_PTR(-ENODEV);
	}
	if (lower->flags & IFF_LOOPBACK || lower->rtnl_link_ops == &trunk_link_ops ||
	    lower->rtnl_link_ops == &port_link_ops) {
		NL_SET_ERR_MSG(extack, "This netdev cannot carry aggregates");
		return ERR_PTR(-EINVAL);
	}
	if (netdev_is_rx_handler_busy(lower)) {
		NL_SET_ERR_MSG(extack,
			       "The netdev below is taken by rmnet, a bridge, a bond or another trunk");
		return ERR_PTR(-EBUSY);
	}
	return lower;
}

/* Stacks the trunk, which is registered, on the netdev below. */
static int trunk_stack(struct trunk *trunk, struct netlink_ext_ack *extack)
{
	struct net_device *lower = trunk->lower;
	int err;

	err = netdev_upper_dev_link(lower, trunk->dev, extack);
	if (err)
		return err;
	err = netdev_rx_handler_register(lower, rx_handle, trunk);
	if (err) {
		NL_SET_ERR_MSG(extack, "The netdev below has a receiver already");
		netdev_upper_dev_unlink(lower, trunk->dev);
		return err;
	}
	return 0;
}

static int trunk_create(struct net *net, struct net_device *dev, struct nlattr *tb[],
			struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct trunk *trunk = netdev_priv(dev);
	struct net_device *lower = trunk_find_lower(net, tb, extack);
	int err;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	trunk->lower = lower;
	trunk_change(dev, tb, data, extack);
	err = register_netdevice(dev);
	if (err)
		return err;
	err = trunk_stack(trunk, extack);
	if (err)
		unregister_netdevice(dev);
	return err;
}

SHIM_NEWLINK(trunk_newlink, trunk_create)

/*
 * Queues a trunk and its ports to be unregistered, as port_dellink() does. It lets go of the netdev
 * below at once: that one may be in the same list, and then its end must not find the trunk.
 */
static void trunk_dellink(struct net_device *dev, struct list_head *kill)
{
	struct trunk *trunk = netdev_priv(dev);

	netdev_rx_handler_unregister(trunk->lower);
	netdev_upper_dev_unlink(trunk->lower, dev);
	ports_delete(trunk, kill);
	unregister_netdevice_queue(dev, kill);
}

struct rtnl_link_ops trunk_link_ops = {
	.kind = QMAP_SHIM_TRUNK_KIND,
	.priv_size = sizeof(struct trunk),
	.setup = trunk_setup,
	.maxtype = IFLA_QMAP_TRUNK_MAX,
	.policy = trunk_policy,
	.newlink = trunk_newlink,
	.changelink = trunk_change,
	.dellink = trunk_dellink,
	.get_size = trunk_size,
	.fill_info = trunk_fill,
};

/*
 * A netdev that goes away takes the trunk on top of it along. One that only moves to another
 * namespace is told of with the same event, and keeps it.
 */
static int shim_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *lower = netdev_notifier_info_to_dev(ptr);
	LIST_HEAD(kill);
	struct trunk *trunk;

	if (event != NETDEV_UNREGISTER || lower->reg_state != NETREG_UNREGISTERING ||
	    rcu_access_pointer(lower->rx_handler) != rx_handle)
		return NOTIFY_DONE;
	trunk = rtnl_dereference(lower->rx_handler_data);
	trunk_link_ops.dellink(trunk->dev, &kill);
	unregister_netdevice_many(&kill);
	return NOTIFY_DONE;
}

struct notifier_block shim_notifier = {
	.notifier_call = shim_event,
};
