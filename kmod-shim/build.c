// SPDX-License-Identifier: GPL-2.0-only
/* From frames to skbs: one GSO packet per chain, one packet per single frame; delivery. */

#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/once.h>
#include <net/busy_poll.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "rx.h"

/* Of a frame's packet, which is of version 4 or 6: see rx_pass(). */
static bool is_v6(const u8 *packet)
{
	return *packet & 0x20;
}

/* For packets that are coalesced, which have no options or extension headers. */
static unsigned int ip_length(const u8 *packet)
{
	return is_v6(packet) ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

static u8 protocol(const u8 *packet)
{
	return is_v6(packet) ? packet[6] : packet[9];
}

static noinline void build_count_flush(struct rx_queue *q)
{
	struct rx_count *n = &q->count;
	struct counters *c;

	if (!n->packets)
		return;
	c = this_cpu_ptr(n->port->counters);
	u64_stats_update_begin(&c->syncp);
	u64_stats_add(&c->n[PORT_RX_PACKETS], n->packets);
	u64_stats_add(&c->n[PORT_RX_BYTES], n->bytes);
	u64_stats_add(&c->n[PORT_RX_CSUM_OK], n->csum_ok);
	u64_stats_add(&c->n[PORT_RX_CSUM_NONE], n->packets - n->csum_ok);
	u64_stats_add(&c->n[PORT_RX_CHAINS], n->chains);
	u64_stats_add(&c->n[PORT_RX_COALESCED], n->coalesced);
	u64_stats_update_end(&c->syncp);
	memset(n, 0, sizeof(*n));
}

/* Counts packets of one port together; nearly all of a poll belong to one. */
static __always_inline void build_count(struct rx_queue *q, const struct frame *f,
					unsigned int packets, unsigned int bytes)
{
	struct rx_count *n = &q->count;

	if (unlikely(n->port != f->port)) {
		build_count_flush(q);
		n->port = f->port;
	}
	n->packets += packets;
	n->bytes += bytes;
	if (f->kind.flags & QMAP_SHIM_CSUM_OK)
		n->csum_ok += packets;
	if (packets > 1) {
		n->chains++;
		n->coalesced += packets;
	}
}

static __always_inline void build_link(struct list_head *prev, struct list_head *next)
{
	prev->next = next;
	next->prev = prev;
}

/* Passes the pending packets to the stack. A list of one costs more than the packet by itself. */
static noinline void build_flush(struct rx_queue *q)
{
	struct sk_buff *first = q->first, *last = q->last;
	struct list_head list;

	if (!last)
		return;
	q->last = NULL;
	if (first == last) {
		netif_receive_skb(first);
		return;
	}
	build_link(&list, &first->list);
	build_link(&last->list, &list);
	netif_receive_skb_list(&list);
}

/*
 * Adds a packet to the pending ones. Debian's kernels have CONFIG_DEBUG_LIST: list_add_tail() would
 * call a function that checks the list.
 */
static __always_inline void build_append(struct rx_queue *q, struct sk_buff *skb)
{
	build_link(&q->last->list, &skb->list);
	q->last = skb;
}

/* The stack looks up a route once for consecutive packets to one address. */
static __always_inline bool build_same_route(const struct sk_buff *a, const struct sk_buff *b)
{
	if (a->dev != b->dev || a->protocol != b->protocol)
		return false;
	if (a->protocol == htons(ETH_P_IP))
		return ((struct iphdr *)a->data)->daddr == ((struct iphdr *)b->data)->daddr;
	return ipv6_addr_equal(&((struct ipv6hdr *)a->data)->daddr,
			       &((struct ipv6hdr *)b->data)->daddr);
}

/*
 * GRO is for ports with coalescing switched off, and in cells of the port's own: a packet that
 * waits in the trunk's NAPI could outlive the port. Cells are per CPU: a NAPI thread, which may
 * change its CPU, would reorder packets by them.
 */
static bool build_wants_gro(const struct rx_queue *q, const struct frame *f)
{
	return protocol(f->data) == IPPROTO_TCP && !test_bit(NAPI_STATE_THREADED, &q->napi.state);
}

static noinline void build_receive_gro(struct rx_queue *q, const struct frame *f,
				       struct sk_buff *skb)
{
	q->cells = true;
	gro_cells_receive(&f->port->gro, skb);
}

/*
 * Gives the packet the hash of its flow, as a NIC does, before RPS dissects the packet for one. All
 * packets of a flow need the same, or they overtake each other: so fragments, and packets whose ports are
 * further behind, get none.
 */
static noinline void build_hash(struct sk_buff *skb, const struct frame *f)
{
	const struct ipv6hdr *v6 = (const struct ipv6hdr *)f->data;
	const struct iphdr *v4 = (const struct iphdr *)f->data;
	unsigned int l3 = is_v6(f->data) ? sizeof(*v6) : v4->ihl * 4;
	static u32 key __read_mostly;
	u32 ports, hash;

	if (l3 < sizeof(*v4) || l3 + sizeof(ports) > f->kind.length ||
	    (protocol(f->data) != IPPROTO_TCP && protocol(f->data) != IPPROTO_UDP) ||
	    (!is_v6(f->data) && ip_is_fragment(v4)))
		return;
	get_random_once(&key, sizeof(key));
	ports = get_unaligned((const u32 *)(f->data + l3));
	if (is_v6(f->data))
		hash = jhash_2words(jhash2((const u32 *)&v6->saddr, 8, key), ports, key);
	else
		hash = jhash_3words((__force u32)v4->saddr, (__force u32)v4->daddr, ports, key);
	skb_set_hash(skb, hash ?: 1, PKT_HASH_TYPE_L4); /* RPS takes 0 for none */
}

/*
 * Delivers by lists of one destination, coalesced or not: GRO on 6.1 would rewrite the IPv4 ids of
 * a GSO packet that it holds.
 */
static __always_inline void build_deliver(struct rx_queue *q, const struct frame *f,
					  struct sk_buff *skb)
{
	skb->dev = f->port->dev;
	skb->protocol = is_v6(skb->data) ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_mark_napi_id(skb, &q->napi);
	if (unlikely(shim_has_rps(skb->dev)))
		build_hash(skb, f);
	if (unlikely(f->kind.flags & FRAME_GRO) && build_wants_gro(q, f)) {
		build_receive_gro(q, f, skb);
		return;
	}
	if (likely(q->last && build_same_route(q->last, skb))) {
		build_append(q, skb);
		return;
	}
	build_flush(q);
	q->first = skb;
	q->last = skb;
}

static void build_no_memory(struct port *port)
{
	trunk_drop(port->trunk, QMAP_DROP_NO_MEMORY);
	counters_add(port->counters, PORT_RX_DROPPED, 1);
}

static struct page *build_small(struct rx_queue *q)
{
	return pages_take(&q->small[q->next_small++ % RX_SMALL], GFP_ATOMIC | __GFP_NOWARN, 0);
}

/* Bytes of packet that fit @size bytes of memory, with an skb's headroom and shared info. */
#define HEADS		4 /* of the smallest size, in a page */
#define HEAD_ROOM(size) (SKB_WITH_OVERHEAD(size) - NET_SKB_PAD)

static void build_put_heads(struct rx_queue *q)
{
	if (!q->head)
		return;
	page_ref_sub(q->head, q->head_refs);
	put_page(q->head);
}

/*
 * Takes another page, used for heads of packets only, with a reference for each head that it may
 * hold. False: no memory.
 */
static noinline bool build_head_page(struct rx_queue *q)
{
	struct page *page = build_small(q);

	if (unlikely(!page))
		return false;
	build_put_heads(q);
	page_ref_add(page, HEADS);
	q->head = page;
	q->head_start = page_address(page);
	q->head_left = PAGE_SIZE;
	q->head_refs = HEADS;
	return true;
}

static __always_inline void *build_head(struct rx_queue *q, unsigned int size)
{
	if (q->head_left < size && !build_head_page(q))
		return NULL;
	shim_assert(q->head_refs);
	q->head_refs--;
	q->head_left -= size;
	return q->head_start + q->head_left;
}

/*
 * The skb of a small packet, in a quarter or a half of a page: a packet keeps at most four times
 * its truesize in use. NULL: use napi_alloc_skb().
 */
static __always_inline struct sk_buff *build_usual(struct rx_queue *q, unsigned int length)
{
	unsigned int size = length <= HEAD_ROOM(PAGE_SIZE / HEADS) ? PAGE_SIZE / HEADS : PAGE_SIZE / 2;
	struct sk_buff *skb;
	void *head;

	if (PAGE_SIZE > SZ_8K || length > HEAD_ROOM(PAGE_SIZE / 2))
		return NULL;
	head = build_head(q, size);
	if (unlikely(!head))
		return NULL;
	skb = napi_build_skb(head, size);
	if (unlikely(!skb)) {
		skb_free_frag(head);
		return NULL;
	}
	skb_reserve(skb, NET_SKB_PAD);
	return skb;
}

/*
 * On CPUs without unaligned access napi_alloc_skb() shifts packets by NET_IP_ALIGN, to align the
 * bytes after an Ethernet header to four. These packets have no such header: the IP header comes
 * first.
 */
static __always_inline struct sk_buff *build_alloc(struct rx_queue *q, unsigned int length)
{
	struct sk_buff *skb = build_usual(q, length);

	if (likely(skb))
		return skb;
	skb = napi_alloc_skb(&q->napi, length + NET_IP_ALIGN);
	if (likely(skb))
		skb_reserve(skb, NET_IP_ALIGN);
	return skb;
}

static __always_inline void build_single(struct rx_queue *q, const struct frame *f)
{
	struct sk_buff *skb = build_alloc(q, f->kind.length);

	if (unlikely(!skb)) {
		build_no_memory(f->port);
		return;
	}
	memcpy(skb->data, f->data, f->kind.length);
	skb->len = f->kind.length;
	skb_set_tail_pointer(skb, skb->len);
	if (f->kind.flags & QMAP_SHIM_CSUM_OK) /* otherwise CHECKSUM_NONE, which is 0 */
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	build_count(q, f, 1, f->kind.length);
	build_deliver(q, f, skb);
}

/* Of a chain, out of the loop of build_all(). */
static noinline void build_one(struct rx_queue *q, const struct frame *f)
{
	build_single(q, f);
}

/* A GSO packet while payloads are added to it. */
struct build {
	struct rx_queue *q;
	struct sk_buff *skb;
	struct page *page;   /* the newest one; NULL while payloads go into the linear part */
	unsigned int size;   /* bytes of it, all of which are part of the truesize */
	u8 *to;		     /* destination of the next payload */
	unsigned int run;    /* payload bytes in front of `to` that the skb does not have yet */
	unsigned int left;   /* bytes of room behind it */
	unsigned int due;    /* payload bytes of the chain not copied yet */
	unsigned int good;   /* payload bytes of the complete segments */
	unsigned int headers, l3;
	__wsum pseudo;
	const struct aggregate *lender;
	unsigned int lendable;	       /* segments to come that stay in the lender's page */
	unsigned int lent, lent_bytes; /* segments that stay there and that the skb does not count */
};

/*
 * A chain with so few bytes needs no page of its own: with its headers it fits a head from
 * build_usual().
 */
#define BUILD_LINEAR 512

static void build_close_run(struct build *b)
{
	if (!b->run)
		return;
	if (b->page)
		skb_add_rx_frag(b->skb, skb_shinfo(b->skb)->nr_frags, b->page, 0, b->run, b->size);
	else
		__skb_put(b->skb, b->run);
	b->page = NULL;
	b->run = 0;
}

/* Payload bytes that make most use of a large page. */
#define LARGE_MIN ((PAGE_SIZE << RX_LARGE_ORDER) / 4 * 3)

/* Takes a large page, if most of it will be used and there is one. */
static struct page *build_large(struct rx_queue *q, unsigned int n)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;

	if (n < LARGE_MIN)
		return NULL;
	return pages_take(&q->large[q->next_large++ % RX_LARGE], gfp, RX_LARGE_ORDER);
}

void build_free_pages(struct rx_queue *q)
{
	pages_free(q->large, RX_LARGE);
	pages_free(q->small, RX_SMALL);
	build_put_heads(q);
}

/* Pages that build_page() takes for @n bytes. */
static unsigned int build_pages(unsigned int n)
{
	unsigned int large = n / (PAGE_SIZE << RX_LARGE_ORDER);

	n %= PAGE_SIZE << RX_LARGE_ORDER;
	return large + (n >= LARGE_MIN ? 1 : DIV_ROUND_UP(n, PAGE_SIZE));
}

/*
 * Returns the number of segments, from the first one on, whose payloads stay where the front end
 * has received them. The skb is charged with that whole page, so they must fill a third of it. The
 * others are copied, and must fit the remaining fragments: a second skb would cost more than the
 * copies. rx_judge() still writes in front of the cursor of an aggregate that is being walked.
 */
static unsigned int build_lendable(const struct rx_queue *q, const struct frame *head)
{
	unsigned int payload = head->kind.length - head->headers, due = head->payload, n, i;
	const struct frame *f = head;

	if (!head->from->page || head->from == q->aggregate)
		return 0;
	n = page_size(head->from->page) / 3 / payload + 1;
	if (due < n * payload)
		return 0;
	for (i = 1; i < n; i++)
		f = f->next;
	if (f->from != head->from)
		return 0;
	n = min_t(unsigned int, DIV_ROUND_UP(due, payload), MAX_SKB_FRAGS);
	while (n && due > n * payload && n + build_pages(due - n * payload) > MAX_SKB_FRAGS)
		n--;
	return n;
}

static void build_lend(struct build *b, const u8 *from, unsigned int n)
{
	struct page *page = b->lender->page;

	skb_frag_fill_page_desc(&skb_shinfo(b->skb)->frags[b->lent++], page,
				from - (const u8 *)page_address(page), n);
	b->lent_bytes += n;
	b->due -= n;
	b->good += n;
	b->lendable--;
}

/* One atomic operation for all. */
static void build_close_lent(struct build *b)
{
	struct sk_buff *skb = b->skb;

	b->lendable = 0;
	if (!b->lent)
		return;
	page_ref_add(b->lender->page, b->lent);
	skb_shinfo(skb)->nr_frags = b->lent;
	skb->len += b->lent_bytes;
	skb->data_len += b->lent_bytes;
	skb->truesize += page_size(b->lender->page);
	b->lent = 0;
}

/*
 * Takes room in a page that no other packet uses, so that the truesize is the memory kept in use. A
 * machine that has run for weeks may have no large pages, and one page holds less than a large
 * segment needs. False: no memory, or the skb has all possible fragments.
 */
static noinline bool build_page(struct build *b)
{
	unsigned int order = RX_LARGE_ORDER;
	struct page *page;

	build_close_lent(b);
	build_close_run(b);
	if (skb_shinfo(b->skb)->nr_frags >= MAX_SKB_FRAGS)
		return false;
	page = build_large(b->q, b->due);
	if (!page) {
		order = 0;
		page = build_small(b->q);
	}
	if (unlikely(!page))
		return false;
	b->page = page;
	b->to = page_address(page);
	b->size = PAGE_SIZE << order;
	b->left = b->size;
	return true;
}

/* The sum of the pseudo header, without the length, which the segments of a chain do not share. */
static __wsum build_pseudo(const u8 *packet)
{
	const struct ipv6hdr *v6 = (const struct ipv6hdr *)packet;
	const struct iphdr *v4 = (const struct iphdr *)packet;
	u8 proto = protocol(packet);

	if (is_v6(packet))
		return csum_unfold(~csum_ipv6_magic(&v6->saddr, &v6->daddr, 0, proto, 0));
	return csum_tcpudp_nofold(v4->saddr, v4->daddr, 0, proto, 0);
}

/* Is the checksum right? Sums header and payload in one go; the cache holds both by now. */
static __always_inline bool build_verify(const struct build *b, const struct frame *f)
{
	unsigned int n = f->kind.length - b->l3;

	return !csum_fold(
		csum_partial(f->data + b->l3, n, csum_add(b->pseudo, (__force __wsum)htons(n))));
}

/*
 * Appends the payload of @f. False: wrong checksum, or no room; a part of it may have been copied
 * then.
 */
static __always_inline bool build_payload(struct build *b, const struct frame *f)
{
	unsigned int payload = f->kind.length - b->headers, n = payload, part;
	const u8 *from = f->data + b->headers;

	if (!(f->kind.flags & QMAP_SHIM_CSUM_OK) && unlikely(!build_verify(b, f)))
		return false;
	if (b->lendable && likely(f->from == b->lender)) {
		build_lend(b, from, n);
		return true;
	}
	while (unlikely(n > b->left)) {
		part = b->left;
		memcpy(b->to, from, part);
		b->run += part;
		b->left = 0;
		b->due -= part;
		from += part;
		n -= part;
		if (!build_page(b))
			return false;
	}
	memcpy(b->to, from, n);
	b->to += n;
	b->run += n;
	b->left -= n;
	b->due -= n;
	b->good += payload;
	return true;
}

/* As tcp_gro_complete() and udp_gro_complete_segment(); returns the GSO types. */
static unsigned int build_l4(struct sk_buff *skb, const struct build *b, const struct frame *last)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + b->l3);
	struct udphdr *uh = (struct udphdr *)th;
	unsigned int n = skb->len - b->l3;
	__sum16 pseudo = ~csum_fold(csum_add(b->pseudo, (__force __wsum)htons(n)));

	skb_set_transport_header(skb, b->l3);
	skb->csum_start = skb_headroom(skb) + b->l3;
	skb->ip_summed = CHECKSUM_PARTIAL;
	if (protocol(skb->data) == IPPROTO_UDP) {
		skb->csum_offset = offsetof(struct udphdr, check);
		uh->len = htons(n);
		uh->check = pseudo;
		return SKB_GSO_UDP_L4;
	}
	skb->csum_offset = offsetof(struct tcphdr, check);
	th->psh = !!(last->data[b->l3 + TCP_FLAGS] & TCPHDR_PSH);
	th->check = pseudo;
	return is_v6(skb->data) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
}

/* Turns the IP header into that of one large packet. */
static void build_l3(struct sk_buff *skb, unsigned int l3)
{
	struct iphdr *v4 = (struct iphdr *)skb->data;
	__be16 total = htons(skb->len);

	if (is_v6(skb->data)) {
		((struct ipv6hdr *)skb->data)->payload_len = htons(skb->len - l3);
		return;
	}
	csum_replace2(&v4->check, v4->tot_len, total);
	v4->tot_len = total;
}

static void build_finish(struct rx_queue *q, struct build *b, const struct frame *head,
			 const struct frame *last, unsigned int segments)
{
	struct skb_shared_info *shared = skb_shinfo(b->skb);
	struct sk_buff *skb = b->skb;

	shim_assert(skb->len <= IP_MAX_MTU && shared->nr_frags <= MAX_SKB_FRAGS);
	shim_assert(segments ==
		    DIV_ROUND_UP(skb->len - head->headers, head->kind.length - head->headers));
	build_l3(skb, b->l3);
	shared->gso_type = build_l4(skb, b, last) | (head->fixed_id ? SKB_GSO_TCP_FIXEDID : 0);
	shared->gso_size = head->kind.length - head->headers;
	shared->gso_segs = segments;
	build_count(q, head, segments, skb->len + (segments - 1) * head->headers);
	build_deliver(q, head, skb);
}

/*
 * Allocates an skb with the headers of @head, and with room for the payloads if they are few
 * bytes.
 */
static bool build_begin(struct build *b, const struct frame *head)
{
	unsigned int linear = b->due <= BUILD_LINEAR ? b->due : 0;

	b->skb = build_alloc(b->q, b->headers + linear);
	if (unlikely(!b->skb))
		return false;
	__skb_put_data(b->skb, head->data, b->headers);
	b->to = skb_tail_pointer(b->skb);
	b->left = linear;
	return true;
}

/*
 * Builds one packet of the chain at @head up to its end, or to the first segment with a wrong
 * checksum or without room. Returns the first frame that is not part of it, or NULL.
 */
static struct frame *build_some(struct rx_queue *q, struct frame *head)
{
	struct frame *f = head, *last = NULL;
	struct build b = {
		.q = q,
		.headers = head->headers,
		.l3 = ip_length(head->data),
		.pseudo = build_pseudo(head->data),
		.due = head->payload,
		.lender = head->from,
		.lendable = build_lendable(q, head),
	};
	unsigned int segments = 0;

	if (unlikely(!build_begin(&b, head))) {
		build_no_memory(head->port);
		f = head->next;
		f->payload = head->payload - (head->kind.length - head->headers);
		return f;
	}
	while (f && build_payload(&b, f)) {
		segments++;
		last = f;
		f = f->next;
	}
	build_close_lent(&b);
	build_close_run(&b);
	if (segments > 1) {
		pskb_trim_unique(b.skb, b.headers + b.good); /* a part of the failed segment */
		build_finish(q, &b, head, last, segments);
	} else {
		/*
		 * Not worthwhile, or not possible: deliver the head unchanged, and leave the rest
		 * to the stack.
		 */
		consume_skb(b.skb);
		build_one(q, head);
		f = head->next;
		b.good = head->kind.length - head->headers;
	}
	if (f)
		f->payload = head->payload - b.good;
	return f;
}

static noinline void build_chain(struct rx_queue *q, struct frame *head)
{
	struct frame *f = head;

	while (f->next) {
		f = build_some(q, f);
		if (!f)
			return;
		f->headers = head->headers;
		f->fixed_id = head->fixed_id;
	}
	build_one(q, f);
}

/* Delivers all frames of the queue, each chain at the position of its first frame. */
void build_all(struct rx_queue *q)
{
	struct frame *f;

	for (f = q->frames; f < q->free; f++) {
		if (likely(f->segments == 1))
			build_single(q, f);
		else if (f->segments > 1)
			build_chain(q, f);
	}
	chain_close_all(q);
	build_flush(q);
	build_count_flush(q);
}
