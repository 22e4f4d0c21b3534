// SPDX-License-Identifier: GPL-2.0-only
/* From aggregates to frames: NAPI, the receive program and its verdicts. */

#include <linux/bpf_trace.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "rx.h"

#define WORD_SIZE sizeof(struct qmap_shim_rx)

/*
 * Copies a redirected packet to a page of its own: bytes in front of the cursor belong to packets
 * that are not copied yet, so a devmap program has no room in place to push a header.
 */
static bool rx_redirect(struct rx_queue *q, struct bpf_prog *prog, const u8 *data, u32 length)
{
	struct xdp_buff xdp;
	struct page *page;

	/* The kernel keeps XDP programs from leaving less than an Ethernet header. */
	if (length < ETH_HLEN || length > QMAP_SHIM_REDIRECT_MAX)
		return false;
	page = page_pool_dev_alloc_pages(q->pool);
	if (!page)
		return false;
	xdp_init_buff(&xdp, PAGE_SIZE, &q->rxq);
	xdp_prepare_buff(&xdp, page_address(page), XDP_PACKET_HEADROOM, length, false);
	memcpy(xdp.data, data, length);
	if (xdp_do_redirect(q->trunk->dev, &xdp, prog)) {
		page_pool_recycle_direct(q->pool, page);
		return false;
	}
	q->redirected++;
	return true;
}

/*
 * Sends the frame, as modified by the program, back as an aggregate of its own. An aggregate can be
 * full of frames that request an answer: only some of them in one poll get one. Returns
 * QMAP_DROP_NONE or the reason for none.
 */
static unsigned int rx_reply(struct rx_queue *q, const u8 *data, u32 length)
{
	struct trunk *trunk = q->trunk;
	struct sk_buff *skb;

	if (unlikely(!length)) /* dev_queue_xmit() takes no empty packet */
		return QMAP_DROP_BAD_VERDICT;
	if (q->replies == RX_REPLIES)
		return QMAP_DROP_QUEUE_FULL;
	q->replies++;
	skb = alloc_skb(trunk->headroom + length + trunk->tailroom, GFP_ATOMIC);
	if (!skb)
		return QMAP_DROP_NO_MEMORY;
	skb_reserve(skb, trunk->headroom);
	skb_put_data(skb, data, length);
	if (!trunk->front->transmit(trunk, skb))
		return QMAP_DROP_QUEUE_FULL;
	counters_add(trunk->counters, TRUNK_REPLIES, 1);
	if (q->to.port)
		counters_add(q->to.port->counters, PORT_REPLIES, 1);
	return QMAP_DROP_NONE;
}

/* Drops a frame of the port that the program has named. */
static void rx_drop(struct rx_queue *q, unsigned int reason)
{
	const struct rx_port *to = &q->to;

	trunk_drop(q->trunk, reason);
	if (to->port)
		counters_add(to->port->counters, PORT_RX_DROPPED, 1);
	else if (to->number || reason == QMAP_DROP_UNKNOWN_MUX)
		atomic64_inc(&q->trunk->unknown[to->number]);
}

/* Runs once for all consecutive frames that name one port, as nearly all of a poll do. */
static noinline void rx_look_up(struct rx_queue *q, u8 number)
{
	struct port *port = rcu_dereference(q->trunk->ports[number]);
	struct rx_port *to = &q->to;
	netdev_features_t gro;

	*to = (struct rx_port){.port = port, .number = number, .kept = QMAP_SHIM_ALONE};
	if (!port)
		return;
	to->open = netif_running(port->dev) && netif_carrier_ok(port->dev);
	if (port->dev->features & NETIF_F_RXCSUM)
		to->kept |= QMAP_SHIM_CSUM_OK;
	gro = port->dev->features & (NETIF_F_GRO | NETIF_F_GRO_HW);
	if (gro == (NETIF_F_GRO | NETIF_F_GRO_HW))
		to->set = FRAME_COALESCE;
	else if (gro == NETIF_F_GRO)
		to->set = FRAME_GRO;
}

static void rx_pass(struct rx_queue *q, const struct qmap_shim_rx *w, u8 *data)
{
	const struct rx_port *to = &q->to;
	struct frame *f = q->free;

	if (unlikely(!to->open)) {
		rx_drop(q, to->port ? QMAP_DROP_PORT_DOWN : QMAP_DROP_UNKNOWN_MUX);
		return;
	}
	if (!w->length || (*data & 0xd0) != 0x40) { /* version 4 or 6 */
		rx_drop(q, QMAP_DROP_NOT_IP);
		return;
	}
	shim_assert(f < q->frames + RX_FRAMES);
	q->free = f + 1;
	f->data = data;
	f->from = q->aggregate;
	f->port = to->port;
	f->kind.length = w->length;
	f->kind.flags = (w->flags & to->kept) | to->set;
	f->segments = 1;
	if (likely(to->set & FRAME_COALESCE)) {
		chain_frame(q, f);
		q->joined += !f->segments;
	}
}

static void rx_flow(struct trunk *trunk, struct port *port, u8 flags)
{
	if (!port || !netif_running(port->dev))
		return;
	if (flags & QMAP_SHIM_STOP)
		port_stop_flow(port, READ_ONCE(trunk->flow_ms));
	else
		port_start_flow(port);
}

/*
 * Executes a verdict other than to pass the frame at @cursor. Not inlined: its registers would slow
 * down the usual path. False: the verdict is invalid.
 */
static noinline bool rx_verdict(struct rx_queue *q, struct bpf_prog *prog, u32 act,
				struct qmap_shim_rx w, u8 *cursor)
{
	struct trunk *trunk = q->trunk;
	unsigned int reason;

	switch (act) {
	case XDP_DROP:
		rx_drop(q, w.drop);
		return true;
	case XDP_TX:
		reason = rx_reply(q, cursor, w.header + w.length);
		if (reason != QMAP_DROP_NONE)
			rx_drop(q, reason);
		return true;
	case XDP_REDIRECT:
		if (!rx_redirect(q, prog, cursor + w.header, w.length)) {
			rx_drop(q, QMAP_DROP_REDIRECT);
			return true;
		}
		counters_add(trunk->counters, TRUNK_REDIRECTED, 1);
		return true;
	default:
		bpf_warn_invalid_xdp_action(trunk->dev, prog, act);
		fallthrough;
	case XDP_ABORTED:
		trace_xdp_exception(trunk->dev, prog, act);
		return false;
	}
}

/*
 * Runs the program at @cursor. The frame word is in front of the cursor, where bytes of the
 * previous packet still wait to be copied: they are restored. hard_start leaves no room for helpers
 * that move the start of the packet backwards, a frame_sz of 0 none for those that move its end.
 */
static u32 rx_judge(struct bpf_prog *prog, struct xdp_buff *xdp, u8 *cursor,
		    struct qmap_shim_rx *word)
{
	u8 *meta = cursor - WORD_SIZE;
	const struct qmap_shim_rx *said = (const struct qmap_shim_rx *)meta;
	u64 kept = get_unaligned((u64 *)meta);
	u32 act;

	put_unaligned(0, (u64 *)meta);
	xdp->data_hard_start = meta;
	xdp->data_meta = meta;
	xdp->data = cursor;
	act = bpf_prog_run_xdp(prog, xdp);
	word->length = get_unaligned(&said->length);
	word->header = said->header;
	word->tail = said->tail;
	word->port = said->port;
	word->flags = said->flags;
	word->drop = said->drop;
	put_unaligned(kept, (u64 *)meta);
	return act;
}

/*
 * Continues with the aggregate at q->cursor, until its end or until @most frames have been judged
 * and the poll must end.
 */
static void rx_walk(struct rx_queue *q, struct bpf_prog *prog, unsigned int most)
{
	u8 *cursor = q->cursor, *end = q->end;
	unsigned int left = most - q->walked;
	struct qmap_shim_rx word;
	struct xdp_buff xdp;
	u8 *next;
	u32 step;
	bool last;
	u32 act;

	xdp_init_buff(&xdp, 0, &q->rxq);
	shim_assert(rcu_read_lock_held() && in_softirq());
	if (unlikely(!prog)) /* removed in the middle of an aggregate */
		goto bad;
	xdp.data_end = end;
	for (; cursor < end && left; left--) {
		act = rx_judge(prog, &xdp, cursor, &word);
		step = word.header + word.length + word.tail;
		last = word.flags & QMAP_SHIM_LAST;
		if (unlikely(!step || step > end - cursor) && !(last && act == XDP_DROP))
			goto bad;
		next = unlikely(last) ? end : cursor + step;
		if (unlikely(word.port != q->to.number))
			rx_look_up(q, word.port);
		if (unlikely(word.flags & (QMAP_SHIM_STOP | QMAP_SHIM_START)))
			rx_flow(q->trunk, q->to.port, word.flags);
		if (likely(act == XDP_PASS))
			rx_pass(q, &word, cursor + word.header);
		else if (unlikely(!rx_verdict(q, prog, act, word, cursor)))
			goto bad;
		cursor = next;
	}
	q->cursor = cursor;
	q->walked = most - left;
	return;
bad:
	q->walked = most - left + 1;
	trunk_drop(q->trunk, QMAP_DROP_BAD_VERDICT);
	q->cursor = end;
}

/* Takes the next waiting aggregate. False: there is none. */
static bool rx_next(struct rx_queue *q, struct bpf_prog *prog)
{
	struct counters *c = this_cpu_ptr(q->trunk->counters);
	struct aggregate *a = q->trunk->front->fetch(q->trunk, q->index);
	int reason = -1;

	if (!a)
		return false;
	q->walked++;
	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->n[TRUNK_AGGREGATES]);
	u64_stats_add(&c->n[TRUNK_BYTES], a->len);
	u64_stats_update_end(&c->syncp);
	if (unlikely(!prog))
		reason = QMAP_DROP_BAD_VERDICT;
	else if (unlikely(!a->data))
		reason = QMAP_DROP_NO_MEMORY;
	if (unlikely(reason >= 0)) {
		trunk_drop(q->trunk, reason);
		q->trunk->front->release(q->trunk, a, false);
		return true;
	}
	q->aggregate = a;
	q->cursor = a->data;
	q->end = a->data + a->len;
	return true;
}

/* Gives back aggregates whose packets have been built. */
static void rx_release_done(struct rx_queue *q)
{
	struct aggregate *a, *next;

	list_for_each_entry_safe(a, next, &q->done, list)
		q->trunk->front->release(q->trunk, a, true);
	INIT_LIST_HEAD(&q->done);
}

/* Against the budget of a poll a chain counts once, as the stack, which has most of the work, gets it. */
static int rx_work(const struct rx_queue *q)
{
	return q->walked - q->joined;
}

/* Judges the frames of one poll: at most RX_FRAMES, in any number of aggregates. */
static void rx_frames(struct rx_queue *q, struct bpf_prog *prog, int budget)
{
	/* GRO cells drop packets beyond their own budget. */
	unsigned int most = q->cells ? budget : RX_FRAMES;

	q->cells = false;
	q->walked = 0;
	q->joined = 0;
	q->redirected = 0;
	q->replies = 0;
	q->free = q->frames;
	q->to = (struct rx_port){};
	while (q->aggregate || (rx_work(q) < budget && q->walked < most && rx_next(q, prog))) {
		if (!q->aggregate)
			continue;
		rx_walk(q, prog, most);
		if (q->cursor < q->end)
			break;
		list_add_tail(&q->aggregate->list, &q->done);
		q->aggregate = NULL;
	}
	counters_add(q->trunk->counters, TRUNK_FRAMES, q->free - q->frames + q->redirected);
}

static int rx_poll(struct napi_struct *napi, int budget)
{
	struct rx_queue *q = container_of(napi, struct rx_queue, napi);
	shim_bpf_context on_stack, *ctx;

	if (!budget)
		return 0;
	rcu_read_lock();
	ctx = shim_bpf_enter(&on_stack);
	rx_frames(q, rcu_dereference(q->trunk->prog), budget);
	build_all(q);
	rx_release_done(q);
	if (q->redirected)
		xdp_do_flush();
	shim_bpf_leave(ctx);
	rcu_read_unlock();
	if (q->aggregate || q->trunk->front->waiting(q->trunk, q->index))
		return budget;
	napi_complete_done(napi, min_t(int, rx_work(q), budget - 1));
	return min_t(int, rx_work(q), budget - 1);
}

/* The pool belongs to rxq once its memory model is registered, and goes with it. */
static int rx_queue_pool(struct rx_queue *q)
{
	struct page_pool_params params = {
		.pool_size = RX_FRAMES,
		.nid = cpu_to_node(q->index),
	};
	int err;

	err = xdp_rxq_info_reg(&q->rxq, q->trunk->dev, q->index, 0);
	if (err)
		return err;
	q->pool = page_pool_create(&params);
	if (IS_ERR(q->pool))
		return PTR_ERR(q->pool);
	err = xdp_rxq_info_reg_mem_model(&q->rxq, MEM_TYPE_PAGE_POOL, q->pool);
	if (err)
		page_pool_destroy(q->pool);
	return err;
}

static void rx_queue_free(struct rx_queue *q)
{
	netif_napi_del(&q->napi);
	if (xdp_rxq_info_is_reg(&q->rxq))
		xdp_rxq_info_unreg(&q->rxq);
	build_free_pages(q);
	kvfree(q);
}

static int rx_queue_new(struct trunk *trunk, unsigned int index)
{
	struct rx_queue *q;

	q = kvzalloc_node(sizeof(*q), GFP_KERNEL, cpu_to_node(index));
	if (!q)
		return -ENOMEM;
	trunk->queues[index] = q;
	q->trunk = trunk;
	q->index = index;
	INIT_LIST_HEAD(&q->done);
	shim_napi_add(trunk->dev, &q->napi, rx_poll);
	return rx_queue_pool(q);
}

int rx_create(struct trunk *trunk)
{
	unsigned int i;
	int err;

	trunk->queues = kcalloc(trunk->n_queues, sizeof(*trunk->queues), GFP_KERNEL);
	if (!trunk->queues)
		return -ENOMEM;
	for (i = 0; i < trunk->n_queues; i++) {
		err = cpu_possible(i) ? rx_queue_new(trunk, i) : 0;
		if (err) {
			rx_destroy(trunk);
			return err;
		}
	}
	return 0;
}

void qmap_trunk_schedule(struct trunk *trunk, unsigned int queue)
{
	napi_schedule(&trunk->queues[queue]->napi);
}
EXPORT_SYMBOL_GPL(qmap_trunk_schedule);

void rx_start(struct trunk *trunk)
{
	unsigned int i;

	for (i = 0; i < trunk->n_queues; i++) {
		if (!trunk->queues[i])
			continue;
		napi_enable(&trunk->queues[i]->napi);
		/* An aggregate may have come before the NAPI could be scheduled. */
		if (trunk->front->waiting(trunk, i))
			qmap_trunk_schedule(trunk, i);
	}
}

static void rx_queue_stop(struct rx_queue *q)
{
	napi_disable(&q->napi);
	if (q->aggregate)
		q->trunk->front->release(q->trunk, q->aggregate, false);
	q->aggregate = NULL;
}

void rx_stop(struct trunk *trunk)
{
	unsigned int i;

	for (i = 0; i < trunk->n_queues; i++) {
		if (trunk->queues[i])
			rx_queue_stop(trunk->queues[i]);
	}
}

void rx_destroy(struct trunk *trunk)
{
	unsigned int i;

	for (i = 0; i < trunk->n_queues; i++) {
		if (trunk->queues[i])
			rx_queue_free(trunk->queues[i]);
	}
	kfree(trunk->queues);
}

