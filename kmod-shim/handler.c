// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front end on another netdev: aggregates from any driver that delivers them as packets of
 * protocol ETH_P_MAP to an rx handler. Link kind "qmap_trunk".
 */

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "shim.h"

/* Limits of a modem's cost, per CPU. */
#define PENDING_MAX   256	/* aggregates waiting */
#define PENDING_BYTES (8 << 20) /* memory that they take */

/* Aggregates that the rx handler has taken on one CPU; each has a struct aggregate in its cb. */
struct pending {
	struct sk_buff_head list;
	unsigned int bytes; /* truesize of the list; under its lock */
};

struct handler {
	struct trunk trunk; /* first: the netdev's private data */
	struct net_device *lower;
	u64 lost_before; /* by the netdev below; see handler_lost() */
	struct pending __percpu *pending;
};

static struct handler *handler_of(struct trunk *trunk)
{
	return container_of(trunk, struct handler, trunk);
}

static struct aggregate *aggregate_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct aggregate) > sizeof(skb->cb));
	return (struct aggregate *)skb->cb;
}

static struct sk_buff *aggregate_skb(struct aggregate *aggregate)
{
	return container_of((void *)aggregate, struct sk_buff, cb);
}

/* False: the limit is reached. */
static bool handler_enqueue(struct pending *p, struct sk_buff *skb)
{
	bool room;

	spin_lock(&p->list.lock);
	room = p->list.qlen < PENDING_MAX && p->bytes < PENDING_BYTES;
	if (room) {
		__skb_queue_tail(&p->list, skb);
		p->bytes += skb->truesize;
	}
	spin_unlock(&p->list.lock);
	return room;
}

static struct sk_buff *handler_dequeue(struct pending *p)
{
	struct sk_buff *skb;

	spin_lock(&p->list.lock);
	skb = __skb_dequeue(&p->list);
	if (skb)
		p->bytes -= skb->truesize;
	spin_unlock(&p->list.lock);
	return skb;
}

static rx_handler_result_t handler_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct trunk *trunk = rcu_dereference(skb->dev->rx_handler_data);

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
	if (handler_enqueue(this_cpu_ptr(handler_of(trunk)->pending), skb)) {
		qmap_trunk_schedule(trunk, smp_processor_id());
	} else {
		trunk_drop(trunk, QMAP_DROP_QUEUE_FULL);
		shim_kfree_skb(skb, SHIM_DROP_QUEUE);
	}
	return RX_HANDLER_CONSUMED;
}

/*
 * The program writes into the aggregate and needs it contiguous. usbnet's are; a TUN's may not be,
 * and packet sockets hold clones.
 */
static struct aggregate *handler_fetch(struct trunk *trunk, unsigned int queue)
{
	struct sk_buff *skb = handler_dequeue(per_cpu_ptr(handler_of(trunk)->pending, queue));
	struct aggregate *a;

	if (!skb)
		return NULL;
	a = aggregate_of(skb);
	/* whatever has handled the skb before has left data of its own there */
	*a = (struct aggregate){.len = skb->len};
	a->data = skb_cow(skb, FRONT_ROOM) || skb_linearize(skb) ? NULL : skb->data;
	return a;
}

static bool handler_waiting(struct trunk *trunk, unsigned int queue)
{
	return !skb_queue_empty_lockless(&per_cpu_ptr(handler_of(trunk)->pending, queue)->list);
}

static void handler_release(struct trunk *trunk, struct aggregate *a, bool used)
{
	if (used)
		napi_consume_skb(aggregate_skb(a), 1); /* any budget: this is a NAPI */
	else
		shim_kfree_skb(aggregate_skb(a), SHIM_DROP_MEMORY);
}

/* All transfers have one priority: with several, a queue below could reorder a flow's packets. */
static bool handler_transmit(struct trunk *trunk, struct sk_buff *skb)
{
	int ret;

	skb->dev = handler_of(trunk)->lower;
	skb->protocol = htons(ETH_P_MAP);
	skb->priority = 0;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	ret = dev_queue_xmit(skb);
	return !net_xmit_eval(ret);
}

static u64 lower_dropped(struct net_device *lower)
{
	struct rtnl_link_stats64 s;

	dev_get_stats(lower, &s);
	return s.rx_dropped;
}

/*
 * A driver that calls netif_rx(), as usbnet does, queues the aggregate in the CPU's backlog; the
 * netdev below counts those that found no room there. Its counters may be gone before the trunk is,
 * when both are unregistered together: so ndo_get_stats64 must not ask for this.
 */
static u64 handler_lost(struct trunk *trunk)
{
	struct handler *h = handler_of(trunk);
	u64 now = lower_dropped(h->lower);

	return now > h->lost_before ? now - h->lost_before : 0;
}

static void handler_purge(struct trunk *trunk)
{
	struct pending *p;
	int cpu;

	for_each_possible_cpu(cpu) {
		p = per_cpu_ptr(handler_of(trunk)->pending, cpu);
		spin_lock_bh(&p->list.lock);
		__skb_queue_purge(&p->list);
		p->bytes = 0;
		spin_unlock_bh(&p->list.lock);
	}
}

/* An rx handler that saw the trunk running may have queued an aggregate after it was stopped. */
static int handler_open(struct trunk *trunk)
{
	handler_purge(trunk);
	return 0;
}

static int handler_init(struct trunk *trunk)
{
	struct handler *h = handler_of(trunk);
	int cpu;

	h->pending = alloc_percpu(struct pending);
	if (!h->pending)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		skb_queue_head_init(&per_cpu_ptr(h->pending, cpu)->list);
	dev_hold(h->lower);
	h->lost_before = lower_dropped(h->lower);
	return 0;
}

static void handler_uninit(struct trunk *trunk)
{
	struct handler *h = handler_of(trunk);

	handler_purge(trunk);
	free_percpu(h->pending);
	dev_put(h->lower);
}

static const struct front_ops handler_front = {
	.init = handler_init,
	.uninit = handler_uninit,
	.open = handler_open,
	.stop = handler_purge,
	.fetch = handler_fetch,
	.waiting = handler_waiting,
	.release = handler_release,
	.transmit = handler_transmit,
	.lost = handler_lost,
};

static void handler_setup(struct net_device *dev)
{
	struct trunk *trunk = netdev_priv(dev);

	trunk_setup(dev);
	trunk->front = &handler_front;
	trunk->n_queues = nr_cpu_ids;
}

static struct net_device *handler_find_lower(struct net *net, struct nlattr *tb[],
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
	if (lower->flags & IFF_LOOPBACK || is_trunk(lower) ||
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
static int handler_stack(struct trunk *trunk, struct netlink_ext_ack *extack)
{
	struct net_device *lower = handler_of(trunk)->lower;
	int err;

	err = netdev_upper_dev_link(lower, trunk->dev, extack);
	if (err)
		return err;
	err = netdev_rx_handler_register(lower, handler_receive, trunk);
	if (err) {
		NL_SET_ERR_MSG(extack, "The netdev below has a receiver already");
		netdev_upper_dev_unlink(lower, trunk->dev);
		return err;
	}
	return 0;
}

static int handler_create(struct net *net, struct net_device *dev, struct nlattr *tb[],
			  struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct trunk *trunk = netdev_priv(dev);
	struct net_device *lower = handler_find_lower(net, tb, extack);
	int err;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	handler_of(trunk)->lower = lower;
	trunk->headroom = lower->hard_header_len + lower->needed_headroom;
	trunk->tailroom = lower->needed_tailroom;
	err = trunk_change(dev, tb, data, extack);
	if (err)
		return err;
	err = register_netdevice(dev);
	if (err)
		return err;
	err = handler_stack(trunk, extack);
	if (err)
		unregister_netdevice(dev);
	return err;
}

SHIM_NEWLINK(handler_newlink, handler_create)

/*
 * Queues a trunk and its ports to be unregistered, as port_dellink() does, and releases the netdev
 * below at once: that one may be in the same list, and must not find the trunk when it ends.
 */
static void handler_dellink(struct net_device *dev, struct list_head *kill)
{
	struct trunk *trunk = netdev_priv(dev);
	struct net_device *lower = handler_of(trunk)->lower;

	netdev_rx_handler_unregister(lower);
	netdev_upper_dev_unlink(lower, dev);
	ports_delete(trunk, kill);
	unregister_netdevice_queue(dev, kill);
}

struct rtnl_link_ops trunk_link_ops = {
	.kind = QMAP_SHIM_TRUNK_KIND,
	.priv_size = sizeof(struct handler),
	.setup = handler_setup,
	.maxtype = IFLA_QMAP_TRUNK_MAX,
	.policy = trunk_policy,
	.newlink = handler_newlink,
	.changelink = trunk_change,
	.dellink = handler_dellink,
	.get_size = trunk_size,
	.fill_info = trunk_fill,
	.get_linkxstats_size = trunk_xstats_size,
	.fill_linkxstats = trunk_fill_xstats,
};

/*
 * A netdev that disappears takes the trunk above it along. One that only moves to another namespace
 * causes the same event, and keeps it.
 */
static int shim_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *lower = netdev_notifier_info_to_dev(ptr);
	LIST_HEAD(kill);
	struct trunk *trunk;

	if (event != NETDEV_UNREGISTER || lower->reg_state != NETREG_UNREGISTERING ||
	    rcu_access_pointer(lower->rx_handler) != handler_receive)
		return NOTIFY_DONE;
	trunk = rtnl_dereference(lower->rx_handler_data);
	trunk_link_ops.dellink(trunk->dev, &kill);
	unregister_netdevice_many(&kill);
	return NOTIFY_DONE;
}

struct notifier_block shim_notifier = {
	.notifier_call = shim_event,
};
