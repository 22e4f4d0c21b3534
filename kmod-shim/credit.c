// SPDX-License-Identifier: GPL-2.0-only
/*
 * Byte queue limits across the aggregator: counts the bytes of a port that the netdev below still
 * has.
 *
 * A frame counts as sent when the netdev below frees its transfer. A transfer of several frames
 * carries a bill, in a buffer of our own. A frame that leaves alone is the skb that the stack made:
 * its shared info may belong to a TCP clone, so its owner is recorded as its socket, as TUN and
 * packet sockets do.
 *
 * The kernel's estimate (lib/dynamic_queue_limits.c) is what keeps the netdev below busy, however long
 * that takes to leave. So the bytes that the netdev below sends in TARGET_NS bound it, and transfers
 * are half as large: while one leaves, the next one is there.
 */

#include <linux/module.h>
#include <net/sock.h>

#include "shim.h"

/*
 * Bytes of one port that may wait below: 16 KB let the port's queue pass its packets in bulk, 128 KB
 * are 1 ms at 1 Gbit/s. A slow modem has fewer, but two transfers of some packets.
 */
#define CREDIT_BYTES_MIN  (16 << 10)
#define CREDIT_BYTES_MAX  (128 << 10)
#define CREDIT_BYTES_SLOW (8 << 10)
#define TARGET_NS	  (6 * NSEC_PER_MSEC)
#define WINDOW_NS	  (8 * NSEC_PER_MSEC) /* of the measurement of speed */

struct credit {
	struct sock sk; /* first: skb->sk points to it; its refcount is the credit's */
	spinlock_t lock; /* serializes completions and guards the members below */
	struct net_device *dev; /* the port; NULL once it is gone */
	u64 since; /* the netdev below has had bytes all the time since then; 0: it has none */
	unsigned int bytes; /* that have left since then */
	atomic_t below; /* bytes in complete transfers; those being filled wait for others, not for it */
};

static struct proto credit_proto = {
	.name = "QMAP_CREDIT",
	.obj_size = sizeof(struct credit),
};

/* The socket belongs to the initial namespace, which outlives every packet. */
struct credit *credit_new(struct net_device *dev)
{
	struct credit *credit;
	struct sock *sk;

	BUILD_BUG_ON(offsetof(struct credit, sk));
	sk = sk_alloc(&init_net, PF_UNSPEC, GFP_KERNEL, &credit_proto, 1);
	if (!sk)
		return NULL;
	sock_init_data(NULL, sk);
	/*
	 * A driver below reports the time of sending (skb_tx_timestamp()) to the packet's socket, whose
	 * queue of errors no process reads: it takes nothing.
	 */
	sk->sk_rcvbuf = 0;
	credit = container_of(sk, struct credit, sk);
	spin_lock_init(&credit->lock);
	credit->dev = dev;
	return credit;
}

struct credit *credit_get(struct credit *credit)
{
	sock_hold(&credit->sk);
	return credit;
}

void credit_put(struct credit *credit)
{
	sock_put(&credit->sk);
}

/* The port is going; bytes that the netdev below still has of it count for no port. */
void credit_close(struct credit *credit)
{
	spin_lock_bh(&credit->lock);
	credit->dev = NULL;
	spin_unlock_bh(&credit->lock);
	credit_put(credit);
}

/* Two aggregates may always be on their way to a fast modem: one leaves, and one is being filled. */
void credit_limits(struct port *port)
{
#ifdef CONFIG_BQL
	struct dql *dql = &netdev_get_tx_queue(port->dev, 0)->dql;
	u32 aggregate = READ_ONCE(port->trunk->tx.max_bytes), most = READ_ONCE(port->most);

	WRITE_ONCE(dql->min_limit, min_t(u32, max_t(u32, 2 * aggregate, CREDIT_BYTES_MIN), most));
#endif
}

static void credit_set_most(struct port *port, u32 most)
{
	WRITE_ONCE(port->most, most);
#ifdef CONFIG_BQL
	WRITE_ONCE(netdev_get_tx_queue(port->dev, 0)->dql.max_limit, most);
#endif
	credit_limits(port);
}

void credit_init(struct port *port)
{
	credit_set_most(port, CREDIT_BYTES_MAX);
}

#ifdef CONFIG_BQL

/* Bytes in TARGET_NS at the speed of @bytes in @span. */
static u32 credit_target(unsigned int bytes, u64 span)
{
	return clamp_t(u64, div64_u64((u64)bytes * TARGET_NS, span), CREDIT_BYTES_SLOW,
		       CREDIT_BYTES_MAX);
}

/*
 * Bounds the port's bytes by the speed of the netdev below, measured while that has bytes all the
 * time. If it runs out of them while the port is @stopped, the bound is raised. An administrator's
 * limit_max is left alone.
 */
static void credit_bound(struct credit *credit, struct dql *dql, unsigned int bytes, bool stopped)
{
	bool empty = !atomic_sub_return(bytes, &credit->below);
	struct port *port = netdev_priv(credit->dev);
	u32 was = port->most, most = was;
	u64 now;

	if (empty) {
		credit->since = 0;
		most = stopped ? min_t(u32, most + bytes, CREDIT_BYTES_MAX) : most;
	} else {
		now = ktime_get_mono_fast_ns();
		credit->bytes += bytes;
		if (credit->since && now - credit->since < WINDOW_NS)
			return;
		if (credit->since)
			most = credit_target(credit->bytes, now - credit->since);
		credit->since = now;
		credit->bytes = 0;
	}
	if (most == was || READ_ONCE(dql->max_limit) != was)
		return;
	credit_set_most(port, most);
}

static void credit_settle(struct credit *credit, unsigned int packets, unsigned int bytes)
{
	struct netdev_queue *queue;
	bool stopped;

	spin_lock_bh(&credit->lock);
	if (credit->dev) {
		queue = netdev_get_tx_queue(credit->dev, 0);
		stopped = test_bit(__QUEUE_STATE_STACK_XOFF, &queue->state);
		netdev_completed_queue(credit->dev, packets, bytes);
		credit_bound(credit, &queue->dql, bytes, stopped);
	}
	spin_unlock_bh(&credit->lock);
}

#else

static void credit_settle(struct credit *credit, unsigned int packets, unsigned int bytes) {}

#endif

/* skb destructor of a frame that has left alone. */
static void credit_paid(struct sk_buff *skb)
{
	struct credit *credit = container_of(skb->sk, struct credit, sk);

	credit_settle(credit, 1, skb->truesize);
	credit_put(credit);
	module_put(THIS_MODULE);
}

bool credit_own(struct credit *credit, struct sk_buff *skb)
{
	if (unlikely(!try_module_get(THIS_MODULE)))
		return false;
	sock_hold(&credit->sk);
	skb->sk = &credit->sk;
	skb->destructor = credit_paid;
	atomic_add(skb->truesize, &credit->below);
	netdev_sent_queue(credit->dev, skb->truesize);
	return true;
}

void credit_dropped(struct credit *credit, unsigned int packets)
{
	spin_lock_bh(&credit->lock);
	if (credit->dev)
		port_count_dropped(netdev_priv(credit->dev), packets);
	spin_unlock_bh(&credit->lock);
}

#define BILL_ITEMS 16 /* ports that can share an aggregate */

/* Bytes of each port in an aggregate. */
struct bill {
	refcount_t refs; /* the aggregate's, and the sender's */
	unsigned int n;
	struct {
		struct credit *credit;
		unsigned int packets, bytes;
	} items[BILL_ITEMS];
};

struct bill *bill_new(void)
{
	struct bill *bill = kmalloc(sizeof(*bill), GFP_ATOMIC | __GFP_NOWARN);

	if (!bill)
		return NULL;
	refcount_set(&bill->refs, 1);
	bill->n = 0;
	return bill;
}

/* Adds @bytes of @port. False: no room, the aggregate must leave first. */
bool bill_add(struct bill *bill, struct port *port, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bill->n && bill->items[i].credit != port->credit; i++)
		;
	if (i == BILL_ITEMS)
		return false;
	if (i == bill->n) {
		bill->items[i].credit = credit_get(port->credit);
		bill->items[i].packets = 0;
		bill->items[i].bytes = 0;
		bill->n++;
	}
	bill->items[i].packets++;
	bill->items[i].bytes += bytes;
	netdev_sent_queue(port->dev, bytes);
	return true;
}

struct bill *bill_get(struct bill *bill)
{
	refcount_inc(&bill->refs);
	return bill;
}

void bill_put(struct bill *bill)
{
	unsigned int i;

	if (!refcount_dec_and_test(&bill->refs))
		return;
	for (i = 0; i < bill->n; i++)
		credit_put(bill->items[i].credit);
	kfree(bill);
}

/* skb destructor of aggregates: the netdev below has freed it. */
static void bill_paid(struct sk_buff *skb)
{
	struct bill *bill = skb_shinfo(skb)->destructor_arg;
	unsigned int i;

	for (i = 0; i < bill->n; i++)
		credit_settle(bill->items[i].credit, bill->items[i].packets, bill->items[i].bytes);
	bill_put(bill);
	module_put(THIS_MODULE);
}

bool bill_attach(struct bill *bill, struct sk_buff *skb)
{
	unsigned int i;

	if (unlikely(!try_module_get(THIS_MODULE)))
		return false;
	for (i = 0; i < bill->n; i++)
		atomic_add(bill->items[i].bytes, &bill->items[i].credit->below);
	skb_shinfo(skb)->destructor_arg = bill;
	skb->destructor = bill_paid;
	return true;
}

void bill_dropped(struct bill *bill)
{
	unsigned int i;

	for (i = 0; i < bill->n; i++)
		credit_dropped(bill->items[i].credit, bill->items[i].packets);
}
