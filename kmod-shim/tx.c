// SPDX-License-Identifier: GPL-2.0-only
/*
 * The uplink: the transmit program, and the aggregator that all ports of a trunk share.
 *
 * A frame that finds the aggregator empty is held as it is, with its header pushed in place; it is
 * copied only when a second one joins it. So what leaves alone leaves without a copy.
 */

#include <linux/bpf_trace.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/ip.h>

#include "shim.h"

#define BILL_ITEMS 16 /* ports that can share an aggregate */
#define PAD_MAX	   63

/* Which port has how much in an aggregate: for byte queue limits. */
struct tx_bill {
	unsigned int n;
	struct {
		struct credit *credit;
		unsigned int packets, bytes;
	} items[BILL_ITEMS];
};

struct tx_cb {
	u8 pad; /* zero bytes that are due behind the frame held in place */
};

#define TX_CB(skb) ((struct tx_cb *)(skb)->cb)

struct credit *credit_new(struct net_device *dev)
{
	struct credit *credit = kzalloc(sizeof(*credit), GFP_KERNEL);

	if (!credit)
		return NULL;
	refcount_set(&credit->refs, 1);
	spin_lock_init(&credit->lock);
	credit->dev = dev;
	return credit;
}

static void credit_put(struct credit *credit)
{
	if (refcount_dec_and_test(&credit->refs))
		kfree(credit);
}

/* The port goes; what the netdev below still has of it is paid to nobody. */
void credit_close(struct credit *credit)
{
	spin_lock_bh(&credit->lock);
	credit->dev = NULL;
	spin_unlock_bh(&credit->lock);
	credit_put(credit);
}

static void bill_settle(struct tx_bill *bill)
{
	struct credit *credit;
	unsigned int i;

	for (i = 0; i < bill->n; i++) {
		credit = bill->items[i].credit;
		spin_lock_bh(&credit->lock);
		if (credit->dev)
			netdev_completed_queue(credit->dev, bill->items[i].packets,
					       bill->items[i].bytes);
		spin_unlock_bh(&credit->lock);
		credit_put(credit);
	}
	kfree(bill);
}

/* skb destructor of aggregates: the netdev below is done with it. */
static void tx_paid(struct sk_buff *skb)
{
	bill_settle(skb_shinfo(skb)->destructor_arg);
	module_put(THIS_MODULE);
}

/* Enters @bytes of @port. False: no room, the aggregate must leave first. */
static bool bill_add(struct tx_bill *bill, struct port *port, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bill->n && bill->items[i].credit != port->credit; i++)
		;
	if (i == BILL_ITEMS)
		return false;
	if (i == bill->n) {
		refcount_inc(&port->credit->refs);
		bill->items[i].credit = port->credit;
		bill->items[i].packets = 0;
		bill->items[i].bytes = 0;
		bill->n++;
	}
	bill->items[i].packets++;
	bill->items[i].bytes += bytes;
	netdev_sent_queue(port->dev, bytes);
	return true;
}

static void tx_count_drop(struct port *port, unsigned int reason)
{
	trunk_drop(port->trunk, reason);
	counters_add(port->counters, PORT_TX_DROPPED, 1);
}

static void tx_drop(struct port *port, struct sk_buff *skb, unsigned int reason)
{
	tx_count_drop(port, reason);
	kfree_skb(skb);
}

static void tx_send(struct trunk *trunk, struct sk_buff *skb, unsigned int frames)
{
	struct counters *c = this_cpu_ptr(trunk->counters);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->n[TRUNK_TX_AGGREGATES]);
	u64_stats_add(&c->n[TRUNK_TX_BYTES], skb->len);
	u64_stats_add(&c->n[TRUNK_TX_FRAMES], frames);
	u64_stats_update_end(&c->syncp);
	skb->dev = trunk->lower;
	skb->protocol = htons(ETH_P_MAP);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	dev_queue_xmit(skb);
}

/* One frame, in place. Takes the skb. */
static void tx_send_alone(struct trunk *trunk, struct sk_buff *skb, unsigned int pad)
{
	struct port *port = netdev_priv(skb->dev);

	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
		return;
	}
	if (pad) {
		if (__skb_pad(skb, pad, false)) {
			tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
			return;
		}
		__skb_put(skb, pad);
	}
	tx_send(trunk, skb, 1);
}

/* Called with the aggregator locked: what leaves, leaves in order. */
static void tx_flush_locked(struct trunk *trunk)
{
	struct aggregator *tx = &trunk->tx;
	struct sk_buff *skb = tx->skb;

	shim_assert(!IS_ENABLED(CONFIG_SMP) || spin_is_locked(&tx->lock));
	if (!skb)
		return;
	shim_assert(tx->frames && (!tx->bill || skb->len <= QMAP_MAX_AGGREGATE));
	tx->skb = NULL;
	if (tx->bill) {
		__module_get(THIS_MODULE);
		skb_shinfo(skb)->destructor_arg = tx->bill;
		skb->destructor = tx_paid;
		tx->bill = NULL;
		tx_send(trunk, skb, tx->frames);
	} else {
		tx_send_alone(trunk, skb, TX_CB(skb)->pad);
	}
	tx->frames = 0;
}

void tx_flush(struct trunk *trunk)
{
	spin_lock_bh(&trunk->tx.lock);
	tx_flush_locked(trunk);
	spin_unlock_bh(&trunk->tx.lock);
}

/* Copies a frame behind the others; fills in its checksum on the way if the modem does not. */
static void tx_copy(struct aggregator *tx, struct sk_buff *skb, unsigned int pad)
{
	u8 *to = skb_put(tx->skb, skb->len + pad);
	__sum16 *sum;

	memset(to + skb->len, 0, pad);
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		skb_copy_and_csum_dev(skb, to);
		/* 0 means "no checksum" in UDP */
		sum = (__sum16 *)(to + skb_checksum_start_offset(skb) + skb->csum_offset);
		if (!get_unaligned(sum))
			put_unaligned(CSUM_MANGLED_0, sum);
	} else {
		skb_copy_bits(skb, 0, to, skb->len);
	}
	consume_skb(skb);
}

/*
 * An empty aggregate with room for @need bytes at least, up to @size. A limit that is a
 * power of two, and a little more for the skb itself, would take twice the memory: the aggregate
 * is that little smaller.
 */
static bool tx_new(struct trunk *trunk, u32 size, unsigned int need)
{
	struct net_device *lower = trunk->lower;
	unsigned int reserved = LL_RESERVED_SPACE(lower) + lower->needed_tailroom;
	unsigned int fits = SKB_WITH_OVERHEAD(roundup_pow_of_two(size)) - reserved;
	struct aggregator *tx = &trunk->tx;
	struct tx_bill *bill;
	struct sk_buff *skb;

	bill = kmalloc(sizeof(*bill), GFP_ATOMIC);
	if (!bill)
		return false;
	if (fits < size && fits >= need)
		size = fits;
	skb = alloc_skb(reserved + size, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		kfree(bill);
		return false;
	}
	skb_reserve(skb, LL_RESERVED_SPACE(lower));
	bill->n = 0;
	tx->bill = bill;
	tx->skb = skb;
	return true;
}

/* Turns the frame held in place into an aggregate that holds a copy of it. */
static bool tx_unfold(struct trunk *trunk, u32 size, unsigned int need)
{
	struct aggregator *tx = &trunk->tx;
	struct sk_buff *held = tx->skb;

	if (!tx_new(trunk, size, need))
		return false;
	tx->skb->priority = held->priority;
	bill_add(tx->bill, netdev_priv(held->dev), held->len + TX_CB(held)->pad);
	tx_copy(tx, held, TX_CB(held)->pad);
	return true;
}

static unsigned int tx_fill(const struct aggregator *tx)
{
	if (!tx->skb)
		return 0;
	return tx->skb->len + (tx->bill ? 0 : TX_CB(tx->skb)->pad);
}

/*
 * Makes the aggregate one that has room for @length bytes of @port, or empties the aggregator.
 * Afterwards there is an aggregate if tx->bill is not NULL, and the bytes are on the bill.
 */
static void tx_make_room(struct port *port, unsigned int length, u32 size)
{
	struct trunk *trunk = port->trunk;
	struct aggregator *tx = &trunk->tx;

	/* An aggregate allocated before the limit was raised has less room than the limit. */
	if (tx->skb &&
	    (tx_fill(tx) + length > size || (tx->bill && length > skb_availroom(tx->skb))))
		tx_flush_locked(trunk);
	if (tx->skb && !tx->bill && !tx_unfold(trunk, size, tx_fill(tx) + length))
		tx_flush_locked(trunk);
	if (tx->bill && !bill_add(tx->bill, port, length))
		tx_flush_locked(trunk);
}

/* Takes the frame in @skb. */
static void tx_append(struct port *port, struct sk_buff *skb, unsigned int pad)
{
	struct aggregator *tx = &port->trunk->tx;
	unsigned int length = skb->len + pad;
	u32 size = READ_ONCE(tx->max_bytes);

	if (!size) {
		tx_flush_locked(port->trunk);
		tx_send_alone(port->trunk, skb, pad);
		return;
	}
	if (length > size) {
		tx_drop(port, skb, QMAP_DROP_OVERSIZE);
		return;
	}
	tx_make_room(port, length, size);
	tx->frames++;
	if (tx->bill) {
		tx_copy(tx, skb, pad);
	} else {
		TX_CB(skb)->pad = pad;
		tx->skb = skb;
	}
}

/* Decides when the aggregate leaves, after each packet, also after one that was dropped. */
static void tx_kick(struct trunk *trunk, const struct netdev_queue *queue)
{
	struct aggregator *tx = &trunk->tx;
	u32 usecs = READ_ONCE(tx->usecs);

	if (!tx->skb)
		return;
	if (tx->frames >= READ_ONCE(tx->max_frames)) {
		tx_flush_locked(trunk);
		return;
	}
	/* The stack promises a next packet, unless the modem has just stopped this port. */
	if (netdev_xmit_more() && !netif_tx_queue_stopped(queue))
		return;
	if (!usecs || netif_xmit_stopped(queue))
		tx_flush_locked(trunk);
	else if (!hrtimer_is_queued(&tx->timer))
		hrtimer_start(&tx->timer, ns_to_ktime((u64)usecs * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_SOFT);
}

static enum hrtimer_restart tx_timeout(struct hrtimer *timer)
{
	struct trunk *trunk = container_of(timer, struct trunk, tx.timer);

	tx_flush(trunk);
	return HRTIMER_NORESTART;
}

/*
 * Runs the program on the packet at @packet, whose first @length bytes are contiguous and whose
 * header then stands in front of it.
 */
static u32 tx_judge(struct port *port, u8 *packet, unsigned int length, struct qmap_shim_tx *meta)
{
	struct bpf_prog *prog = rcu_dereference_bh(port->prog);
	u8 *start = packet - TX_HEADROOM;
	shim_bpf_context on_stack, *ctx;
	struct xdp_buff xdp;
	u32 act;

	if (!prog)
		return XDP_ABORTED;
	memcpy(start, meta, sizeof(*meta));
	xdp_init_buff(&xdp, 0, &port->rxq); /* as in rx.c: its end cannot be moved */
	xdp.data_hard_start = start;
	xdp.data_meta = start;
	xdp.data = start + sizeof(*meta);
	xdp.data_end = packet + length;
	ctx = shim_bpf_enter(&on_stack);
	act = bpf_prog_run_xdp(prog, &xdp);
	shim_bpf_leave(ctx);
	memcpy(meta, start, sizeof(*meta));
	if (act == XDP_PASS &&
	    (!meta->header || meta->header > QMAP_SHIM_TX_ROOM || meta->pad > PAD_MAX))
		act = XDP_ABORTED;
	if (act != XDP_PASS && act != XDP_DROP)
		trace_xdp_exception(port->dev, prog, act);
	return act;
}

/* Makes room for the program, and its view of the packet complete. */
static bool tx_prepare(struct sk_buff *skb, struct qmap_shim_tx *meta)
{
	int start;

	if (skb_cow_head(skb, TX_HEADROOM))
		return false;
	meta->length = skb->len;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	start = skb_checksum_start_offset(skb);
	if (!pskb_may_pull(skb, start + skb->csum_offset + sizeof(__sum16)))
		return false;
	meta->csum_start = start;
	meta->csum_offset = skb->csum_offset;
	meta->flags = QMAP_SHIM_TX_CSUM;
	return true;
}

static void tx_count(struct port *port, unsigned int bytes)
{
	struct counters *c = this_cpu_ptr(port->counters);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->n[PORT_TX_PACKETS]);
	u64_stats_add(&c->n[PORT_TX_BYTES], bytes);
	u64_stats_update_end(&c->syncp);
}

static void tx_frame(struct port *port, struct sk_buff *skb)
{
	struct qmap_shim_tx meta = {.port = port->number};
	u32 act;

	if (skb->len > U16_MAX) {
		tx_drop(port, skb, QMAP_DROP_OVERSIZE);
		return;
	}
	if (!tx_prepare(skb, &meta)) {
		tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
		return;
	}
	meta.offset = tx_fill(&port->trunk->tx);
	act = tx_judge(port, skb->data, skb_headlen(skb), &meta);
	if (act != XDP_PASS) {
		tx_drop(port, skb, act == XDP_DROP ? meta.drop : QMAP_DROP_BAD_VERDICT);
		return;
	}
	if (meta.flags & QMAP_SHIM_TX_CSUM)
		skb->ip_summed = CHECKSUM_NONE;
	tx_count(port, skb->len);
	__skb_push(skb, meta.header);
	tx_append(port, skb, meta.pad);
}

/* Room for the frame that @meta describes in the aggregate. NULL: dropped, and counted. */
static u8 *tx_reserve(struct port *port, const struct qmap_shim_tx *meta)
{
	unsigned int length = meta->header + meta->length + meta->pad;
	struct aggregator *tx = &port->trunk->tx;
	u32 size = READ_ONCE(tx->max_bytes);

	if (length > size) {
		tx_count_drop(port, QMAP_DROP_OVERSIZE);
		return NULL;
	}
	tx_make_room(port, length, size);
	if (!tx->bill &&
	    (!tx_new(port->trunk, size, length) || !bill_add(tx->bill, port, length))) {
		tx_count_drop(port, QMAP_DROP_NO_MEMORY);
		return NULL;
	}
	tx_count(port, meta->length);
	tx->frames++;
	return skb_put(tx->skb, length);
}

/* One segment of a large packet, cut right into the aggregate: no skb is made for it. */
static void tx_segment(struct port *port, struct sk_buff *skb, struct tso_t *tso,
		       unsigned int offset, unsigned int payload)
{
	unsigned int l3 = skb_transport_offset(skb), headers = l3 + tso->tlen;
	u8 *packet = port->trunk->tx.scratch + TX_HEADROOM, *to = NULL;
	struct qmap_shim_tx meta = {
		.port = port->number,
		.length = headers + payload,
		.offset = tx_fill(&port->trunk->tx),
		.csum_start = l3,
		.csum_offset = skb->csum_offset,
		.flags = QMAP_SHIM_TX_CSUM,
	};
	u32 act;

	segment_headers(skb, tso, offset, payload, packet);
	act = tx_judge(port, packet, headers, &meta);
	if (act == XDP_PASS)
		to = tx_reserve(port, &meta);
	else
		tx_count_drop(port, act == XDP_DROP ? meta.drop : QMAP_DROP_BAD_VERDICT);
	if (to)
		to = memcpy(to, packet - meta.header, meta.header + headers) + meta.header;
	segment_payload(skb, tso, payload, to ? to + headers : NULL);
	if (!to)
		return;
	if (meta.pad)
		memset(to + meta.length, 0, meta.pad);
	if (!(meta.flags & QMAP_SHIM_TX_CSUM))
		segment_checksum(to + l3, meta.length - l3, skb->csum_offset);
}

/* A packet that the stack has left to us to cut: see port_features_check(). */
static void tx_segments(struct port *port, struct sk_buff *skb)
{
	struct aggregator *tx = &port->trunk->tx;
	unsigned int length, offset, payload;
	struct tso_t tso;

	length = skb->len - tso_start(skb, &tso);
	for (offset = 0; offset < length; offset += payload) {
		payload = min_t(unsigned int, skb_shinfo(skb)->gso_size, length - offset);
		tx_segment(port, skb, &tso, offset, payload);
		if (tx->frames >= READ_ONCE(tx->max_frames))
			tx_flush_locked(port->trunk);
	}
	consume_skb(skb);
}

netdev_tx_t tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct port *port = netdev_priv(dev);
	struct trunk *trunk = port->trunk;

	spin_lock(&trunk->tx.lock);
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		tx_drop(port, skb, QMAP_DROP_NOT_IP);
	else if (skb_is_gso(skb))
		tx_segments(port, skb);
	else
		tx_frame(port, skb);
	tx_kick(trunk, netdev_get_tx_queue(dev, 0));
	spin_unlock(&trunk->tx.lock);
	return NETDEV_TX_OK;
}

void tx_create(struct aggregator *tx)
{
	spin_lock_init(&tx->lock);
	shim_hrtimer_setup(&tx->timer, tx_timeout);
}

/* No port is left: nothing can start the timer again. */
void tx_destroy(struct trunk *trunk)
{
	hrtimer_cancel(&trunk->tx.timer);
	tx_flush(trunk);
}
