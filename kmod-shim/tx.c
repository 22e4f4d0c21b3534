// SPDX-License-Identifier: GPL-2.0-only
/*
 * The uplink: the transmit program, and the aggregator that all ports of a trunk share.
 *
 * A frame that finds the aggregator empty is held as it is, with its header pushed in place; it is
 * copied only when a second one joins it. So a frame that leaves alone is not copied.
 */

#include <linux/bpf_trace.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/ip.h>

#include "shim.h"

#define PAD_MAX	  63
/* transfers that one caller passes to the netdev below, including those of others */
#define SEND_MOST 64

/* Control block of skbs that wait in the aggregator or for their turn to leave. */
struct tx_cb {
	u8 pad;	    /* zero bytes to append to the frame held in place */
	u16 frames; /* in the transfer */
	struct bill *bill;     /* of an aggregate */
	struct credit *credit; /* of a frame that leaves alone */
};

#define TX_CB(skb) ((struct tx_cb *)(skb)->cb)

static void tx_count_drop(struct port *port, unsigned int reason)
{
	trunk_drop(port->trunk, reason);
	counters_add(port->counters, PORT_TX_DROPPED, 1);
}

/* The skb must have no destructor here that could call back: see tx_xmit(). */
static void tx_drop(struct port *port, struct sk_buff *skb, unsigned int reason)
{
	tx_count_drop(port, reason);
	shim_kfree_skb(skb, reason == QMAP_DROP_NOT_IP    ? SHIM_DROP_PROTO :
			    reason == QMAP_DROP_NO_MEMORY ? SHIM_DROP_MEMORY :
							    SHIM_DROP_ANY);
}

static void tx_count_sent(struct trunk *trunk, unsigned int bytes, unsigned int frames)
{
	struct counters *c = this_cpu_ptr(trunk->counters);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->n[TRUNK_TX_AGGREGATES]);
	u64_stats_add(&c->n[TRUNK_TX_BYTES], bytes);
	u64_stats_add(&c->n[TRUNK_TX_FRAMES], frames);
	u64_stats_update_end(&c->syncp);
}

/* Sends a transfer when it is its turn. Ports may be gone by now: bill and credit outlive them. */
static void tx_send(struct trunk *trunk, struct sk_buff *skb)
{
	struct tx_cb cb = *TX_CB(skb);
	unsigned int bytes = skb->len;
	bool sent;

	if (cb.bill)
		bill_get(cb.bill);
	else
		credit_get(cb.credit);
	sent = trunk->front->transmit(trunk, skb);
	if (likely(sent))
		tx_count_sent(trunk, bytes, cb.frames);
	else
		counters_add(trunk->counters, TRUNK_DROPS + QMAP_DROP_QUEUE_FULL, cb.frames);
	if (cb.bill) {
		if (unlikely(!sent))
			bill_dropped(cb.bill);
		bill_put(cb.bill);
	} else {
		if (unlikely(!sent))
			credit_dropped(cb.credit, 1);
		credit_put(cb.credit);
	}
}

static void tx_lock(struct trunk *trunk)
	__acquires(&trunk->tx.lock)
{
	spin_lock(&trunk->tx.lock);
}

/*
 * Ends every section that holds the aggregator, and sends the ready transfers, in order, by one
 * caller at a time. The lock is not held meanwhile: the netdev below may queue, free, and call a
 * port of ours by a tc redirect or a tunnel.
 */
static void tx_unlock(struct trunk *trunk)
	__releases(&trunk->tx.lock)
{
	struct aggregator *tx = &trunk->tx;
	unsigned int n = 0;
	struct sk_buff *skb;

	if (!tx->sender && !skb_queue_empty(&tx->ready)) {
		tx->sender = current;
		while (n < SEND_MOST && (skb = __skb_dequeue(&tx->ready))) {
			spin_unlock(&tx->lock);
			tx_send(trunk, skb);
			n++;
			spin_lock(&tx->lock);
		}
		tx->sender = NULL;
		if (unlikely(n == SEND_MOST) && !skb_queue_empty(&tx->ready))
			hrtimer_start(&tx->timer, 0, HRTIMER_MODE_REL_SOFT);
	}
	spin_unlock(&tx->lock);
}

/* Completes one frame in place and takes over the skb. */
static void tx_ready_alone(struct trunk *trunk, struct sk_buff *skb, unsigned int pad)
{
	struct port *port = netdev_priv(skb->dev);

	if ((skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) ||
	    (pad && __skb_pad(skb, pad, false))) {
		tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
		return;
	}
	if (pad)
		__skb_put(skb, pad);
	if (unlikely(!credit_own(port->credit, skb))) {
		tx_drop(port, skb, QMAP_DROP_PORT_DOWN);
		return;
	}
	*TX_CB(skb) = (struct tx_cb){.frames = 1, .credit = port->credit};
	__skb_queue_tail(&trunk->tx.ready, skb);
}

/* Completes an aggregate and takes over skb and bill. */
static void tx_ready_bill(struct trunk *trunk, struct sk_buff *skb, struct bill *bill,
			  unsigned int frames)
{
	if (unlikely(!bill_attach(bill, skb))) {
		counters_add(trunk->counters, TRUNK_DROPS + QMAP_DROP_PORT_DOWN, frames);
		bill_dropped(bill);
		bill_put(bill);
		shim_kfree_skb(skb, SHIM_DROP_DOWN);
		return;
	}
	*TX_CB(skb) = (struct tx_cb){.frames = frames, .bill = bill};
	__skb_queue_tail(&trunk->tx.ready, skb);
}

static void tx_start_timer(struct aggregator *tx)
{
	u32 usecs = READ_ONCE(tx->usecs);

	if (usecs && !hrtimer_is_queued(&tx->timer))
		hrtimer_start(&tx->timer, ns_to_ktime((u64)usecs * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_SOFT);
}

/*
 * Closes the aggregate, or the frame held in place. Called with the aggregator locked; tx_unlock()
 * sends it. Frames that come before the timer expires will wait for others until then.
 */
static void tx_close(struct trunk *trunk)
{
	struct aggregator *tx = &trunk->tx;
	struct sk_buff *skb = tx->skb;

	lockdep_assert_held(&tx->lock);
	if (!skb)
		return;
	shim_assert(tx->frames && (!tx->bill || skb->len <= QMAP_MAX_AGGREGATE));
	tx->skb = NULL;
	if (tx->bill) {
		tx_ready_bill(trunk, skb, tx->bill, tx->frames);
		tx->bill = NULL;
	} else {
		/* Aggregates have no hash; a queue that sorts by hashes would send this one first. */
		skb_clear_hash(skb);
		tx_ready_alone(trunk, skb, TX_CB(skb)->pad);
	}
	tx->frames = 0;
	tx_start_timer(tx);
}

void tx_flush(struct trunk *trunk)
{
	local_bh_disable();
	tx_lock(trunk);
	tx_close(trunk);
	tx_unlock(trunk);
	local_bh_enable();
}

/* Appends a copy of a frame; computes its checksum on the way unless the modem does. */
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
 * Allocates an skb with room for @bytes, in a page of the fitting order that no other packet
 * uses.
 */
static struct sk_buff *tx_alloc(struct aggregator *tx, unsigned int bytes)
{
	struct page **slot = &tx->pages[tx->next_page++ % TX_PAGES];
	unsigned int order = get_order(SKB_DATA_ALIGN(bytes) +
				       SKB_DATA_ALIGN(sizeof(struct skb_shared_info)));
	struct sk_buff *skb;
	struct page *page;

	if (*slot && compound_order(*slot) != order) /* the limit has changed */
		pages_free(slot, 1);
	page = pages_take(slot, GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN, order);
	if (!page)
		return NULL;
	skb = build_skb(page_address(page), PAGE_SIZE << order);
	if (!skb)
		put_page(page);
	return skb;
}

/*
 * Allocates an empty aggregate with room for at least @need bytes, up to @size. A limit that is a
 * power of two, plus the room for the skb itself, would take twice the memory: make the aggregate
 * smaller by that room.
 */
static bool tx_new(struct trunk *trunk, u32 size, unsigned int need)
{
	unsigned int reserved = trunk->headroom + trunk->tailroom;
	unsigned int fits = SKB_WITH_OVERHEAD(PAGE_SIZE << get_order(size)) - reserved;
	struct aggregator *tx = &trunk->tx;
	struct bill *bill;
	struct sk_buff *skb;

	bill = bill_new();
	if (!bill)
		return false;
	if (fits < size && fits >= need)
		size = fits;
	skb = tx_alloc(tx, reserved + size);
	if (!skb) /* not enough contiguous memory for more than this frame */
		skb = alloc_skb(reserved + need, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		bill_put(bill);
		return false;
	}
	skb_reserve(skb, trunk->headroom);
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
 * Makes room for @length bytes of @port in the aggregate, or empties the aggregator. Afterwards
 * there is an aggregate if tx->bill is not NULL, and the bytes are on the bill.
 */
static void tx_make_room(struct port *port, unsigned int length, u32 size)
{
	struct trunk *trunk = port->trunk;
	struct aggregator *tx = &trunk->tx;

	/* An aggregate allocated before the limit was raised has less room than the limit. */
	if (tx->skb &&
	    (tx_fill(tx) + length > size || (tx->bill && length > skb_availroom(tx->skb))))
		tx_close(trunk);
	if (tx->skb && !tx->bill && !tx_unfold(trunk, size, tx_fill(tx) + length))
		tx_close(trunk);
	if (tx->bill && !bill_add(tx->bill, port, length))
		tx_close(trunk);
}

/* Bytes of an aggregate that gets a frame of @length: half of what may wait below, if that is less. */
static u32 tx_size(const struct port *port, unsigned int length)
{
	u32 half = READ_ONCE(port->most) / 2;

	return min_t(u32, READ_ONCE(port->trunk->tx.max_bytes), max_t(u32, half, length));
}

/* Takes over the frame in @skb. */
static void tx_append(struct port *port, struct sk_buff *skb, unsigned int pad)
{
	struct aggregator *tx = &port->trunk->tx;
	unsigned int length = skb->len + pad;
	u32 size = tx_size(port, length);

	if (!size) {
		tx_close(port->trunk);
		tx_ready_alone(port->trunk, skb, pad);
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

/*
 * Decides whether the aggregate leaves, after each packet, also after a dropped one. While the timer
 * is queued, something has left in the last tx->usecs, and frames wait for others until it expires.
 * Otherwise traffic is sparse: a wait would delay the frame and save no transfer. (The kernel's rmnet
 * does the same after RMNET_AGG_BYPASS_TIME_NSEC, 10 ms.)
 */
static void tx_kick(struct trunk *trunk, const struct netdev_queue *queue)
{
	struct aggregator *tx = &trunk->tx;

	if (!tx->skb)
		return;
	if (tx->frames >= READ_ONCE(tx->max_frames)) {
		tx_close(trunk);
		return;
	}
	/* The stack promises a next packet, unless the modem has just stopped this port. */
	if (netdev_xmit_more() && !netif_tx_queue_stopped(queue))
		return;
	if (!READ_ONCE(tx->usecs) || netif_xmit_stopped(queue) || !hrtimer_is_queued(&tx->timer))
		tx_close(trunk);
}

static enum hrtimer_restart tx_timeout(struct hrtimer *timer)
{
	struct trunk *trunk = container_of(timer, struct trunk, tx.timer);

	tx_flush(trunk);
	return HRTIMER_NORESTART;
}

/*
 * Runs the program on the packet at @packet, whose first @length bytes are contiguous; the program
 * writes its header in front of it.
 */
static u32 tx_judge(struct port *port, u8 *packet, unsigned int length, struct qmap_shim_tx *meta)
{
	struct bpf_prog *prog = rcu_dereference_bh(port->prog);
	u8 *start = packet - TX_HEADROOM;
	const struct qmap_shim_tx *answer = (struct qmap_shim_tx *)start;
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
	meta->header = answer->header;
	meta->pad = answer->pad;
	meta->drop = answer->drop;
	meta->flags &= answer->flags;
	if (act == XDP_PASS &&
	    (!meta->header || meta->header > QMAP_SHIM_TX_ROOM || meta->pad > PAD_MAX))
		act = XDP_ABORTED;
	if (act != XDP_PASS && act != XDP_DROP)
		trace_xdp_exception(port->dev, prog, act);
	return act;
}

/* Completes the program's description of the packet. */
static bool tx_describe(struct sk_buff *skb, struct qmap_shim_tx *meta)
{
	int start;

	meta->length = skb->len;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	start = skb_checksum_start_offset(skb);
	if (start < 0 || !pskb_may_pull(skb, start + skb->csum_offset + sizeof(__sum16)))
		return false;
	meta->csum_start = start;
	meta->csum_offset = skb->csum_offset;
	meta->flags = QMAP_SHIM_TX_CSUM;
	return true;
}

/*
 * Copies the headers of a packet with too little room in front of them. If a port asked the stack for
 * that room, a router whose NIC leaves less (NET_SKB_PAD is 32 on MIPS) would copy each packet that it
 * forwards.
 */
static u8 *tx_copy_headers(struct aggregator *tx, const struct sk_buff *skb, unsigned int length)
{
	u8 *packet = tx->scratch + TX_HEADROOM;

	if (likely(length == TX_HEADERS))
		memcpy(packet, skb->data, TX_HEADERS); /* inlined */
	else
		memcpy(packet, skb->data, length);
	return packet;
}

/* Takes over the header and the checksum field that the program has written to the copy. */
static bool tx_take_header(struct sk_buff *skb, const u8 *packet, u8 flags)
{
	unsigned int sum;

	if (skb_cow_head(skb, QMAP_SHIM_TX_ROOM))
		return false;
	memcpy(skb->data - QMAP_SHIM_TX_ROOM, packet - QMAP_SHIM_TX_ROOM, QMAP_SHIM_TX_ROOM);
	if (!(flags & QMAP_SHIM_TX_CSUM))
		return true;
	sum = skb_checksum_start_offset(skb) + skb->csum_offset;
	if (sum + sizeof(__sum16) <= TX_HEADERS)
		memcpy(skb->data + sum, packet + sum, sizeof(__sum16));
	return true;
}

/* Runs the program, on the packet itself if it can. Other verdicts than XDP_PASS: dropped, and counted. */
static u32 tx_judge_frame(struct port *port, struct sk_buff *skb, struct qmap_shim_tx *meta)
{
	bool in_place = skb_headroom(skb) >= TX_HEADROOM && !skb_header_cloned(skb);
	unsigned int length = skb_headlen(skb);
	u8 *packet = skb->data;
	u32 act;

	if (!in_place) {
		length = min_t(unsigned int, length, TX_HEADERS);
		packet = tx_copy_headers(&port->trunk->tx, skb, length);
	}
	act = tx_judge(port, packet, length, meta);
	if (act != XDP_PASS) {
		tx_drop(port, skb, act == XDP_DROP ? meta->drop : QMAP_DROP_BAD_VERDICT);
	} else if (!in_place && !tx_take_header(skb, packet, meta->flags)) {
		tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
		act = XDP_DROP;
	}
	return act;
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

	if (skb->len > U16_MAX) {
		tx_drop(port, skb, QMAP_DROP_OVERSIZE);
		return;
	}
	if (!tx_describe(skb, &meta)) {
		tx_drop(port, skb, QMAP_DROP_NO_MEMORY);
		return;
	}
	meta.offset = tx_fill(&port->trunk->tx);
	if (tx_judge_frame(port, skb, &meta) != XDP_PASS)
		return;
	if (meta.flags & QMAP_SHIM_TX_CSUM)
		skb->ip_summed = CHECKSUM_NONE;
	tx_count(port, skb->len);
	__skb_push(skb, meta.header);
	tx_append(port, skb, meta.pad);
}

/* Reserves room in the aggregate for the frame described by @meta. NULL: dropped, and counted. */
static u8 *tx_reserve(struct port *port, const struct qmap_shim_tx *meta)
{
	unsigned int length = meta->header + meta->length + meta->pad;
	struct aggregator *tx = &port->trunk->tx;
	u32 size = tx_size(port, length);

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

/*
 * Writes one segment of a large packet into the aggregate, without an skb. False if it is
 * dropped.
 */
static bool tx_segment(struct port *port, struct sk_buff *skb, struct tso_t *tso,
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
		return false;
	if (meta.pad)
		memset(to + meta.length, 0, meta.pad);
	if (!(meta.flags & QMAP_SHIM_TX_CSUM))
		segment_checksum(to + l3, meta.length - l3, skb->csum_offset);
	return true;
}

/* Segments a packet that the stack has left to us: see port_features_check(). */
static void tx_segments(struct port *port, struct sk_buff *skb)
{
	struct aggregator *tx = &port->trunk->tx;
	unsigned int length, offset, payload, sent = 0;
	struct tso_t tso;

	length = skb->len - tso_start(skb, &tso);
	for (offset = 0; offset < length; offset += payload) {
		payload = min_t(unsigned int, skb_shinfo(skb)->gso_size, length - offset);
		sent += tx_segment(port, skb, &tso, offset, payload);
		if (tx->frames >= READ_ONCE(tx->max_frames))
			tx_close(port->trunk);
	}
	counters_add(port->counters, PORT_TX_GSO_PACKETS, sent > 0);
	counters_add(port->counters, PORT_TX_GSO_SEGMENTS, sent);
	consume_skb(skb);
}

netdev_tx_t tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct port *port = netdev_priv(dev);
	struct trunk *trunk = port->trunk;

	/*
	 * Frames are copied, or owned by the credit: their socket may continue. Its destructor may
	 * call anything, so run it now, while the aggregator is not locked.
	 */
	skb_orphan(skb);
	/* It may wait below for long, and the end of the port's namespace would wait for its connection. */
	nf_reset_ct(skb);
	if (unlikely(READ_ONCE(trunk->tx.sender) == current)) {
		/* The netdev below passes a packet back to a port while it is being given one. */
		tx_drop(port, skb, QMAP_DROP_REDIRECT);
		return NETDEV_TX_OK;
	}
	tx_lock(trunk);
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		tx_drop(port, skb, QMAP_DROP_NOT_IP);
	else if (skb_is_gso(skb))
		tx_segments(port, skb);
	else
		tx_frame(port, skb);
	tx_kick(trunk, netdev_get_tx_queue(dev, 0));
	tx_unlock(trunk);
	return NETDEV_TX_OK;
}

void tx_create(struct aggregator *tx)
{
	spin_lock_init(&tx->lock);
	__skb_queue_head_init(&tx->ready);
	shim_hrtimer_setup(&tx->timer, tx_timeout);
}

/* No port is left: only a sender that leaves transfers behind could start the timer again. */
void tx_destroy(struct trunk *trunk)
{
	do {
		hrtimer_cancel(&trunk->tx.timer);
		tx_flush(trunk);
	} while (!skb_queue_empty(&trunk->tx.ready));
	hrtimer_cancel(&trunk->tx.timer);
	pages_free(trunk->tx.pages, TX_PAGES);
}
