/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the shim.
 *
 * Lifetime: everything is created and destroyed under rtnl. A trunk is above its lower netdev as
 * long as it is that netdev's rx handler, and a port belongs to a trunk as long as it is in
 * trunk->ports. Both end in dellink, which comes before every unregistering: a walk from a lower
 * netdev to its trunk, or from a trunk to its ports, finds no device that is being unregistered.
 * The pointers back, from a port to its trunk and from a trunk to its lower netdev, are references
 * that last until ndo_uninit. The receive path reads trunk->ports and the programs under RCU.
 */
#ifndef SHIM_H
#define SHIM_H

#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/lockdep.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <net/gro_cells.h>
#include <net/tso.h>

#include "compat.h"
#include "front.h"
#include <qmap/abi.h>
#include <qmap/shim.h>

#define TX_HEADROOM   (QMAP_SHIM_TX_ROOM + sizeof(struct qmap_shim_tx))
#define TX_FRAMES_MAX 255
#define TX_USECS_MAX  1000000
#define TX_PAGES      8 /* aggregates whose memory is kept */
#define TX_HEADERS    64 /* bytes that the transmit program sees of a packet */
#define SEGMENT_HEADERS_MAX 128 /* IP and TCP header of a packet to segment */

/* Checks of the debug build (make SHIM_DEBUG=y) that no input must be able to trigger. */
#ifdef SHIM_DEBUG
#define shim_assert(cond) WARN_ON_ONCE(!(cond))
#else
#define shim_assert(cond) ((void)sizeof(cond))
#endif

/* Counters of a port; their names in ethtool -S are in counters.c. */
enum port_counter {
	PORT_RX_PACKETS,
	PORT_RX_BYTES,
	PORT_RX_DROPPED,
	PORT_RX_CSUM_OK,
	PORT_RX_CSUM_NONE,
	PORT_RX_CHAINS,
	PORT_RX_COALESCED,
	PORT_TX_PACKETS,
	PORT_TX_BYTES,
	PORT_TX_DROPPED,
	PORT_TX_GSO_PACKETS,
	PORT_TX_GSO_SEGMENTS,
	PORT_REPLIES,
	PORT_FLOW_STOPS,
	PORT_COUNTER_MAX,
	/* not counted by the port itself, see port_stats.c */
	PORT_FLOW_OFF = PORT_COUNTER_MAX,
	PORT_BACKLOG_DROPPED,
	PORT_STRINGS,
};

/* Counters of a trunk. The drop reasons, by enum qmap_drop, follow the others. */
enum trunk_counter {
	TRUNK_AGGREGATES,
	TRUNK_BYTES,
	TRUNK_FRAMES,
	TRUNK_REDIRECTED,
	TRUNK_REPLIES,
	TRUNK_TX_AGGREGATES,
	TRUNK_TX_BYTES,
	TRUNK_TX_FRAMES,
	TRUNK_DROPS,
	TRUNK_COUNTER_MAX = TRUNK_DROPS + QMAP_DROP_MAX,
};

#define COUNTERS_MAX TRUNK_COUNTER_MAX /* the larger of the two */

/* Per CPU; written with bottom halves off. */
struct counters {
	struct u64_stats_sync syncp;
	u64_stats_t n[COUNTERS_MAX];
};

struct bill;
struct credit;

struct aggregator {
	/*
	 * Guards the members up to the limits. No function that can call back is called with it
	 * held: see tx_unlock().
	 */
	spinlock_t lock;
	struct hrtimer timer;
	struct sk_buff *skb; /* being filled: one frame in place, or copies of several */
	struct bill *bill;   /* of copies; NULL while there is one frame in place */
	unsigned int frames;
	struct page *pages[TX_PAGES]; /* pages for aggregates, used in turn */
	unsigned int next_page;
	struct sk_buff_head ready;  /* complete transfers, in the order of leaving */
	struct task_struct *sender; /* the caller that is sending them, or NULL */
	u8 scratch[TX_HEADROOM + SEGMENT_HEADERS_MAX] __aligned(8); /* headers for the program */
	/* limits; written under rtnl, read without lock */
	u32 max_bytes, max_frames, usecs;
};

struct trunk {
	struct net_device *dev;
	const struct front_ops *front;
	unsigned short headroom, tailroom; /* required by the front end around a transfer */
	struct bpf_prog __rcu *prog;
	struct port __rcu *ports[QMAP_SHIM_MAX_PORTS];
	struct rx_queue **queues; /* n_queues of them; NULL for an impossible CPU */
	unsigned int n_queues;
	struct counters __percpu *counters;
	atomic64_t unknown[QMAP_SHIM_MAX_PORTS]; /* QMAP_SHIM_XSTATS_UNKNOWN */
	u32 flow_ms;
	u32 rx_bytes; /* of the largest aggregate; 0: the front end has no buffers of its own */
	struct aggregator tx;
};

struct port {
	struct net_device *dev;
	struct trunk *trunk;
	struct bpf_prog __rcu *prog;
	struct counters __percpu *counters;
	struct timer_list flow_timer; /* restarts a port whose "start" was lost */
	struct xdp_rxq_info rxq; /* has the ingress_ifindex for programs */
	struct credit *credit;
	u32 most; /* bytes that may wait in the netdev below; see credit.c */
	struct lock_class_key queue_class; /* of the locks of its queue */
	struct gro_cells gro; /* for packets that GRO merges, if coalescing is off */
	u64 backlog_dropped; /* as last told; under rtnl */
	u8 number;
};

/* counters.c */
extern const char trunk_counter_names[TRUNK_COUNTER_MAX][ETH_GSTRING_LEN];
extern const char port_counter_names[PORT_STRINGS][ETH_GSTRING_LEN];
struct counters __percpu *counters_new(void);
void counters_sum(struct counters __percpu *c, u64 *sum, unsigned int n);

static inline void counters_add(struct counters __percpu *c, unsigned int i, u64 n)
{
	struct counters *p = this_cpu_ptr(c);

	u64_stats_update_begin(&p->syncp);
	u64_stats_add(&p->n[i], n);
	u64_stats_update_end(&p->syncp);
}

static inline void trunk_drop(struct trunk *trunk, unsigned int reason)
{
	if (reason >= QMAP_DROP_MAX)
		reason = QMAP_DROP_BAD_VERDICT;
	counters_add(trunk->counters, TRUNK_DROPS + reason, 1);
}

/* trunk.c */
extern struct rtnl_link_ops trunk_usb_link_ops;
extern const struct nla_policy trunk_policy[IFLA_QMAP_TRUNK_MAX + 1];
bool is_trunk(const struct net_device *dev);
int shim_set_prog(struct bpf_prog __rcu **slot, struct bpf_prog *prog);
void trunk_setup(struct net_device *dev);
int trunk_change(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
		 struct netlink_ext_ack *extack);
size_t trunk_size(const struct net_device *dev);
int trunk_fill(struct sk_buff *skb, const struct net_device *dev);
size_t trunk_xstats_size(const struct net_device *dev, int attr);
int trunk_fill_xstats(struct sk_buff *skb, const struct net_device *dev, int *index, int attr);

/* handler.c */
extern struct rtnl_link_ops trunk_link_ops;
extern struct notifier_block shim_notifier;

/* port.c */
extern struct rtnl_link_ops port_link_ops;
void port_stop_flow(struct port *port, u32 ms);
void port_start_flow(struct port *port);
void port_count_dropped(struct port *port, unsigned int packets);
void ports_delete(struct trunk *trunk, struct list_head *kill);
void ports_limits(struct trunk *trunk);

/* port_stats.c */
void port_stats64(struct net_device *dev, struct rtnl_link_stats64 *s);
void port_stats_setup(struct net_device *dev);

/* rx.c */
int rx_create(struct trunk *trunk);
void rx_start(struct trunk *trunk);
void rx_stop(struct trunk *trunk);
void rx_destroy(struct trunk *trunk);

/* pages.c */
/*
 * Returns the page in @slot if it has no other user, otherwise puts a new one in its place, with a
 * reference for the caller. NULL: no memory.
 */
struct page *pages_take(struct page **slot, gfp_t gfp, unsigned int order);
/* Frees the pages in @n slots and empties these. */
void pages_free(struct page **slots, unsigned int n);

/* segment.c */
/* Can the functions below segment this GSO packet? */
bool segment_possible(const struct sk_buff *skb);
/* The headers of the segment at @offset of the payload; its checksum is the pseudo header's sum. */
void segment_headers(const struct sk_buff *skb, struct tso_t *tso, unsigned int offset,
		     unsigned int payload, u8 *to);
/* Copies the next @payload bytes; @to NULL: skips them. */
void segment_payload(const struct sk_buff *skb, struct tso_t *tso, unsigned int payload, u8 *to);
/* Completes the checksum of a segment. */
void segment_checksum(u8 *l4, unsigned int length, unsigned int csum_offset);

/* tx.c */
netdev_tx_t tx_xmit(struct sk_buff *skb, struct net_device *dev);
void tx_create(struct aggregator *tx);
void tx_flush(struct trunk *trunk);
void tx_destroy(struct trunk *trunk);

/* credit.c */
struct credit *credit_new(struct net_device *dev);
void credit_close(struct credit *credit);
struct credit *credit_get(struct credit *credit);
void credit_put(struct credit *credit);
void credit_init(struct port *port);
/* Sets the byte queue limits by port->most and the size of aggregates. */
void credit_limits(struct port *port);
/*
 * Makes @credit the owner of @skb, which has none: the frame counts until it is freed. False: the
 * module is being unloaded, and none of its functions may run by then.
 */
bool credit_own(struct credit *credit, struct sk_buff *skb);
/* Counts packets that the netdev below has dropped at once. */
void credit_dropped(struct credit *credit, unsigned int packets);
struct bill *bill_new(void);
bool bill_add(struct bill *bill, struct port *port, unsigned int bytes);
/* Attaches the bill to the aggregate. False: as credit_own(). */
bool bill_attach(struct bill *bill, struct sk_buff *skb);
struct bill *bill_get(struct bill *bill);
void bill_put(struct bill *bill);
void bill_dropped(struct bill *bill);

#endif
