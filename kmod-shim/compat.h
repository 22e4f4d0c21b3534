/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All differences between kernel versions: no other file in this directory tests
 * LINUX_VERSION_CODE.
 */
#ifndef SHIM_COMPAT_H
#define SHIM_COMPAT_H

#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/version.h>
#include <net/rtnetlink.h>
#include <net/xdp.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include <net/netdev_rx_queue.h>
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

#ifndef netdev_lockdep_set_classes
#include <net/netdev_lock.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Does the stack spread the packets of @dev, which has one queue, over CPUs by their hashes? */
static inline bool shim_has_rps(const struct net_device *dev)
{
#ifdef CONFIG_RPS
	return rcu_access_pointer(dev->_rx->rps_map);
#else
	return false;
#endif
}

/* If XDP's redirect state is on the stack, it must be set up around every run. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define shim_bpf_context struct bpf_net_context
#define shim_bpf_enter(ctx) bpf_net_ctx_set(ctx)
#define shim_bpf_leave(ctx) bpf_net_ctx_clear(ctx)
#else
#define shim_bpf_context struct shim_no_context
struct shim_no_context {
};

static inline struct shim_no_context *shim_bpf_enter(struct shim_no_context *ctx)
{
	return ctx;
}

static inline void shim_bpf_leave(struct shim_no_context *ctx)
{
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define SHIM_COALESCE_PARAMS ETHTOOL_COALESCE_TX_AGGR
static inline void shim_set_xdp_features(struct net_device *dev, bool redirect)
{
	dev->xdp_features = NETDEV_XDP_ACT_BASIC | (redirect ? NETDEV_XDP_ACT_REDIRECT : 0);
}
#else
static inline void shim_set_xdp_features(struct net_device *dev, bool redirect)
{
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define shim_hrtimer_setup(timer, fn)                                                              \
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT)
#else
static inline void shim_hrtimer_setup(struct hrtimer *timer,
				      enum hrtimer_restart (*fn)(struct hrtimer *))
{
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	timer->function = fn;
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#define shim_napi_add(dev, napi, poll) netif_napi_add(dev, napi, poll)
#else
#define shim_napi_add(dev, napi, poll) netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete(timer) del_timer(timer)
#define timer_delete_sync(timer) del_timer_sync(timer)
#endif

/* 6.9 has the operations, but not all counters of a port. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#include <net/netdev_queues.h>
#define SHIM_QUEUE_STATS
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define shim_set_lltx(dev) ((dev)->lltx = true)
#else
#define shim_set_lltx(dev) ((dev)->features |= NETIF_F_LLTX)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page, int offset, int size)
{
	__skb_frag_set_page(frag, page);
	skb_frag_off_set(frag, offset);
	skb_frag_size_set(frag, size);
}
#endif

/* Passes the reason of a drop to the kernel's drop monitors, as one of the core's reasons. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0)
#define shim_kfree_skb(skb, reason) kfree_skb_reason(skb, reason)
#define SHIM_DROP_DOWN	 SKB_DROP_REASON_DEV_READY
#define SHIM_DROP_QUEUE	 SKB_DROP_REASON_CPU_BACKLOG
#define SHIM_DROP_MEMORY SKB_DROP_REASON_NOMEM
#define SHIM_DROP_PROTO	 SKB_DROP_REASON_UNHANDLED_PROTO
#define SHIM_DROP_ANY	 SKB_DROP_REASON_NOT_SPECIFIED
#else
#define shim_kfree_skb(skb, reason) kfree_skb(skb)
#endif

/* The administrator's limit for packets from GRO, which applies to coalescing, too. */
static inline unsigned int shim_gro_max_size(const struct net_device *dev, bool v6)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return READ_ONCE(*(v6 ? &dev->gro_max_size : &dev->gro_ipv4_max_size));
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	return READ_ONCE(dev->gro_max_size);
#else
	return 65536;
#endif
}

/* Defines the newlink operation of a link kind by a function of the five parameters in use. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define SHIM_NEWLINK(name, fn)                                                                     \
	static int name(struct net_device *dev, struct rtnl_newlink_params *params,                \
			struct netlink_ext_ack *extack)                                            \
	{                                                                                          \
		return fn(rtnl_newlink_link_net(params), dev, params->tb, params->data, extack);   \
	}
#else
#define SHIM_NEWLINK(name, fn)                                                                     \
	static int name(struct net *src_net, struct net_device *dev, struct nlattr *tb[],          \
			struct nlattr *data[], struct netlink_ext_ack *extack)                     \
	{                                                                                          \
		return fn(src_net, dev, tb, data, extack);                                         \
	}
#endif

#endif
