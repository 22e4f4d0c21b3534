// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selects packets that belong together: chains of TCP segments, or of UDP datagrams of one size.
 *
 * No bytes are copied here. A packet joins a chain only if GSO, which repeats the headers of the
 * first segment with a counting sequence number and a counting or constant IPv4 id, PSH on the last
 * one alone and freshly computed checksums (net/ipv4/tcp_offload.c: tcp_gso_segment(),
 * net/ipv4/udp_offload.c: __udp_gso_segment(), net/ipv4/af_inet.c: inet_gso_segment()), gives back
 * exactly the bytes that came.
 *
 * Order: chains are delivered at the position of their first frame. A segment that cannot join
 * closes the chain of its flow, so that no later packet of the flow overtakes it; a packet that may
 * belong to any flow, because its ports are not readable (fragments, IP options, extension
 * headers), closes all.
 */

#include <linux/hash.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "rx.h"

enum kind {
	KIND_OTHER,   /* of a kind that is never coalesced: affects no chain */
	KIND_OPAQUE,  /* may belong to any flow */
	KIND_BREAKS,  /* GSO could not reproduce it */
	KIND_SEGMENT, /* TCP or UDP payload */
};

struct candidate {
	enum kind kind;
	u32 seq;
	u16 l3; /* bytes of IP header */
	u16 headers;
	u16 payload;
	bool udp, push;
};

#define UDP_SEGMENTS_MAX 64 /* limit of one packet, as in GRO (net/ipv4/udp_offload.c) */

void chain_close_all(struct rx_queue *q)
{
	q->generation++;
	q->started = false;
	q->hot = NULL;
}

static bool chain_is_open(const struct rx_queue *q, const struct chain *c)
{
	return c->generation == q->generation && c->head;
}

static void chain_close(struct rx_queue *q, struct chain *c)
{
	c->head = NULL;
	if (q->hot == c)
		q->hot = NULL;
}

/*
 * The slot of a flow, which has two to choose from: with one, flows that share it would keep closing each
 * other's chains. Whichever has its key is its slot; another flow may have the same key.
 */
static struct chain *chain_slot(struct rx_queue *q, const struct frame *f, bool v6)
{
	struct chain *c, *other;
	const u8 *p = f->data;
	unsigned int i;
	u64 key;

	if (v6)
		key = get_unaligned((u64 *)(p + 8)) + get_unaligned((u64 *)(p + 16)) * 3 +
		      get_unaligned((u64 *)(p + 24)) * 5 + get_unaligned((u64 *)(p + 32)) * 7 +
		      get_unaligned((u32 *)(p + 40));
	else
		key = get_unaligned((u64 *)(p + 12)) + get_unaligned((u32 *)(p + 20));
	key += f->port->number;
	i = hash_64(key, CHAIN_BITS);
	c = &q->chains[i];
	other = &q->chains[i ^ 1];
	if (c->key == key)
		return c;
	if (other->key == key)
		return other;
	if (chain_is_open(q, c) && !chain_is_open(q, other))
		c = other;
	chain_close(q, c);
	c->key = key;
	return c;
}

/* Bits in which @n words of @p, at any alignment, differ from the expected ones. */
static __always_inline u64 chain_differs(const struct chain *c, const u8 *p, unsigned int n)
{
	unsigned int i;
	u64 diff = 0;

	for (i = 0; i < n; i++)
		diff |= get_unaligned((u64 *)(p + 8 * i)) ^ c->expect.words[i];
	return diff;
}

/*
 * The same for the 32 bits at @at, the TCP checksum and the urgent pointer; the former may
 * differ.
 */
static __always_inline u64 chain_urgent_differs(const struct chain *c, const u8 *p, unsigned int at)
{
	return (get_unaligned((u32 *)(p + at)) ^ *(u32 *)((u8 *)&c->expect + at)) &
	       (__force u32)htonl(0xffff);
}

/*
 * Fast path: does this packet equal, byte for byte, the next full segment of the open chain @c,
 * with a counting IPv4 id? Since the IPv4 header checksum is part of the comparison, it needs no
 * verification.
 */
static __always_inline bool chain_predicts(const struct chain *c, const struct frame *f)
{
	const u8 *p = f->data, *options;
	unsigned int i, end;
	u64 diff;

	if (f->kind.all != c->kind.all || f->port != c->port || c->payload > c->room)
		return false;
	if (c->v6) {
		diff = chain_differs(c, p, 7) | chain_urgent_differs(c, p, 56);
		end = sizeof(c->expect.v6);
	} else {
		diff = chain_differs(c, p, 4) | (get_unaligned((u32 *)(p + 32)) ^ *(u32 *)&c->expect.words[4]) |
		       chain_urgent_differs(c, p, 36);
		end = sizeof(c->expect.v4);
	}
	options = c->head->data;
	for (i = end; i < c->headers; i += 4)
		diff |= get_unaligned((u32 *)(p + i)) ^ get_unaligned((u32 *)(options + i));
	return !diff && get_unaligned((__sum16 *)(p + end - 4)) != CSUM_MANGLED_0;
}

/* Advances the expected headers by @payload bytes. */
static __always_inline void chain_advance(struct chain *c, unsigned int payload)
{
	struct iphdr *ip = &c->expect.v4.ip;
	u16 check;

	c->next_seq += payload;
	if (c->v6) {
		c->expect.v6.tcp.seq = htonl(c->next_seq);
		return;
	}
	c->expect.v4.tcp.seq = htonl(c->next_seq);
	if (c->head->fixed_id)
		return;
	ip->id = htons(ntohs(ip->id) + 1);
	/* RFC 1624 for a field incremented by one; 0xffff and 0 are the same to the sum. */
	if (!ip->id)
		return;
	check = ntohs((__force __be16)ip->check);
	ip->check = (__force __sum16)htons((check ?: 0xffff) - 1);
}

static __always_inline void chain_append(struct chain *c, struct frame *f, unsigned int payload)
{
	c->last->next = f;
	f->next = NULL;
	c->last = f;
	c->room -= payload;
	c->head->payload += payload;
	c->head->segments++;
	f->segments = 0;
}

/*
 * Sets the headers expected after @f, the newest of a chain of two or more: most chains do not get
 * so far. Only TCP is predicted; UDP over IPv4 only needs the id.
 */
static void chain_expect(struct rx_queue *q, struct chain *c, const struct frame *f,
			 const struct candidate *s)
{
	unsigned int known = s->l3 + (s->udp ? 0 : sizeof(struct tcphdr));

	memcpy(&c->expect, f->data, known);
	chain_advance(c, s->payload);
	q->hot = s->udp ? NULL : c;
}

/* Completes a chain when a second packet comes to the one that @f began. */
static void chain_second(struct chain *c, const struct frame *f, const struct candidate *s)
{
	u32 max = shim_gro_max_size(f->port->dev, s->l3 != sizeof(struct iphdr));

	max = min_t(u32, max, IP_MAX_MTU);
	c->room = max > f->kind.length ? max - f->kind.length : 0;
	c->v6 = s->l3 != sizeof(struct iphdr);
	c->port = f->port;
	c->kind = f->kind;
}

static void chain_start(struct rx_queue *q, struct chain *c, struct frame *f,
			const struct candidate *s)
{
	f->payload = s->payload;
	f->headers = s->headers;
	f->fixed_id = false;
	c->head = f;
	c->last = f;
	c->headers = s->headers;
	c->payload = s->payload;
	c->generation = q->generation;
	c->next_seq = s->seq + s->payload;
	q->started = true;
	q->hot = NULL;
}

/*
 * Compares all of the IPv4 header that GSO would repeat, and the id. GSO would correct a wrong
 * header checksum: that of the head is verified when a second packet comes, which most heads do not
 * get.
 */
static bool chain_matches_v4(struct chain *c, const u8 *p)
{
	const struct iphdr *ip = (const struct iphdr *)p;
	const struct iphdr *first = (const struct iphdr *)c->head->data;
	bool fixed;

	if (ip->tos != first->tos || ip->frag_off != first->frag_off || ip->ttl != first->ttl ||
	    ip->saddr != first->saddr || ip->daddr != first->daddr)
		return false;
	fixed = ip->id == first->id && ip->frag_off & htons(IP_DF);
	if (c->head->segments == 1) {
		c->head->fixed_id = fixed;
		return (fixed || ip->id == htons(ntohs(first->id) + 1)) && !ip_fast_csum(first, 5);
	}
	return c->head->fixed_id ? fixed : ip->id == c->expect.v4.ip.id;
}

/* Compares all of the TCP header that GSO would repeat; ports have been compared already. */
static bool chain_matches_tcp(const struct chain *c, const struct candidate *s, const u8 *a,
			      const u8 *b)
{
	const struct tcphdr *first = (const struct tcphdr *)a, *th = (const struct tcphdr *)b;

	return s->seq == c->next_seq && th->ack_seq == first->ack_seq &&
	       !((tcp_flag_word(th) ^ tcp_flag_word(first)) & ~TCP_FLAG_PSH) &&
	       th->urg_ptr == first->urg_ptr &&
	       !memcmp(a + sizeof(*th), b + sizeof(*th), s->headers - s->l3 - sizeof(*th));
}

/* Headers of one length behind IP headers of one version belong to one protocol. */
static bool chain_matches(struct chain *c, const struct frame *f, const struct candidate *s)
{
	const struct frame *h = c->head;
	const u8 *a = h->data + s->l3, *b = f->data + s->l3;

	if (f->port != c->port || f->kind.flags != c->kind.flags || s->headers != c->headers ||
	    (*f->data ^ *h->data) >> 4 || s->payload > c->payload || s->payload > c->room ||
	    get_unaligned((u32 *)a) != get_unaligned((u32 *)b))
		return false;
	if (s->udp ? h->segments >= UDP_SEGMENTS_MAX : !chain_matches_tcp(c, s, a, b))
		return false;
	if (s->l3 == sizeof(struct iphdr))
		return chain_matches_v4(c, f->data);
	/* v6: all but the payload length */
	return !memcmp(f->data, h->data, 4) && !memcmp(f->data + 6, h->data + 6, 34);
}

/* Only forwarding, as a rule, can use a GSO packet of UDP datagrams, so it must be switched on. */
static bool coalesces_udp(const struct frame *f)
{
	return f->port->dev->features & NETIF_F_GRO_UDP_FWD;
}

static enum kind classify_v4(const struct frame *f, struct candidate *s)
{
	const struct iphdr *ip = (const struct iphdr *)f->data;

	s->l3 = sizeof(*ip);
	if (f->kind.length < sizeof(*ip) || ip->ihl != 5 || ip_is_fragment(ip))
		return KIND_OPAQUE;
	s->udp = ip->protocol == IPPROTO_UDP;
	if (s->udp ? !coalesces_udp(f) : ip->protocol != IPPROTO_TCP)
		return KIND_OTHER;
	if (ntohs(ip->tot_len) != f->kind.length || ip->check == CSUM_MANGLED_0 ||
	    ip->frag_off & htons(IP_CE))
		return KIND_BREAKS;
	return KIND_SEGMENT;
}

static enum kind classify_v6(const struct frame *f, struct candidate *s)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)f->data;

	s->l3 = sizeof(*ip);
	if (f->kind.length < sizeof(*ip))
		return KIND_OPAQUE;
	s->udp = ip->nexthdr == IPPROTO_UDP;
	if (ip->nexthdr == IPPROTO_ICMPV6 || (s->udp && !coalesces_udp(f)))
		return KIND_OTHER;
	if (!s->udp && ip->nexthdr != IPPROTO_TCP)
		return KIND_OPAQUE;
	return ntohs(ip->payload_len) == f->kind.length - sizeof(*ip) ? KIND_SEGMENT : KIND_BREAKS;
}

/*
 * GSO repeats ECE, and AE in the byte before, but takes CWR from all segments but the first. With AccECN most
 * segments of a connection have ECE and AE: together with CWR they count.
 */
static enum kind classify_tcp(const struct frame *f, struct candidate *s)
{
	const u8 *p = f->data + s->l3;
	const struct tcphdr *th = (const struct tcphdr *)p;

	s->headers = s->l3 + th->doff * 4;
	s->payload = f->kind.length - s->headers;
	s->seq = ntohl(th->seq);
	s->push = p[TCP_FLAGS] & TCPHDR_PSH;
	if (th->doff < 5 || s->headers >= f->kind.length || p[TCP_FLAGS - 1] & 0x0e ||
	    (p[TCP_FLAGS] & ~(TCPHDR_PSH | TCPHDR_ECE)) != TCPHDR_ACK ||
	    th->check == CSUM_MANGLED_0)
		return KIND_BREAKS;
	return KIND_SEGMENT;
}

static enum kind classify_udp(const struct frame *f, struct candidate *s)
{
	const struct udphdr *uh = (const struct udphdr *)(f->data + s->l3);

	s->headers = s->l3 + sizeof(*uh);
	s->payload = f->kind.length - s->headers;
	s->seq = 0;
	s->push = false;
	/* GSO cannot reproduce a datagram without a checksum. */
	return uh->check && s->payload && ntohs(uh->len) == f->kind.length - s->l3 ? KIND_SEGMENT
										   : KIND_BREAKS;
}

static void classify(const struct frame *f, struct candidate *s)
{
	unsigned int l4;

	s->kind = *f->data >> 4 == 6 ? classify_v6(f, s) : classify_v4(f, s);
	if (s->kind < KIND_BREAKS)
		return;
	l4 = s->udp ? sizeof(struct udphdr) : sizeof(struct tcphdr);
	if (f->kind.length < s->l3 + l4)
		s->kind = KIND_OPAQUE;
	else if (s->kind == KIND_SEGMENT)
		s->kind = s->udp ? classify_udp(f, s) : classify_tcp(f, s);
}

/*
 * Not inlined: its registers would slow down chain_frame(). @c is the chain of the packet's flow,
 * or NULL if that is unknown.
 */
static noinline void chain_slowly(struct rx_queue *q, struct frame *f, struct chain *c)
{
	struct candidate s;

	classify(f, &s);
	if (s.kind == KIND_OTHER)
		return;
	if (s.kind == KIND_OPAQUE) {
		chain_close_all(q);
		return;
	}
	if (!c)
		c = chain_slot(q, f, *f->data >> 4 == 6);
	if (s.kind == KIND_BREAKS || f->kind.flags & QMAP_SHIM_ALONE) {
		chain_close(q, c);
		return;
	}
	if (chain_is_open(q, c) && c->head->segments == 1)
		chain_second(c, c->head, &s);
	if (!chain_is_open(q, c) || !chain_matches(c, f, &s)) {
		chain_start(q, c, f, &s);
		if (s.push)
			chain_close(q, c);
		return;
	}
	if (!c->v6 && ip_fast_csum(f->data, 5)) { /* the head's is right */
		chain_close(q, c);
		return;
	}
	chain_append(c, f, s.payload);
	if (s.push || s.payload < c->payload)
		chain_close(q, c);
	else
		chain_expect(q, c, f, &s);
}

static __always_inline void chain_extend(struct chain *c, struct frame *f)
{
	chain_append(c, f, c->payload);
	chain_advance(c, c->payload);
}

/*
 * A TCP packet with the shortest headers, or with options behind them, over either version
 * of IP.
 */
static __always_inline bool chain_may_predict(const struct frame *f)
{
	const u8 *p = f->data;

	if (*p == 0x45)
		return f->kind.length >= sizeof(struct iphdr) + sizeof(struct tcphdr) &&
		       p[9] == IPPROTO_TCP;
	return *p >> 4 == 6 && f->kind.length >= sizeof(struct ipv6hdr) + sizeof(struct tcphdr) &&
	       p[6] == IPPROTO_TCP;
}

static __always_inline bool chain_tcp_is_empty(const struct frame *f, unsigned int l3)
{
	return l3 + (f->data[l3 + 12] >> 4) * 4 >= f->kind.length;
}

/* Is this TCP packet one without payload, as half of those during an upload? */
static __always_inline bool chain_no_payload(const struct frame *f)
{
	if (*f->data == 0x45)
		return chain_tcp_is_empty(f, sizeof(struct iphdr)) &&
		       !ip_is_fragment((const struct iphdr *)f->data);
	return chain_tcp_is_empty(f, sizeof(struct ipv6hdr));
}

static noinline void chain_close_flow(struct rx_queue *q, const struct frame *f)
{
	chain_close(q, chain_slot(q, f, *f->data >> 4 == 6));
}

/* A TCP segment that the chain that grew last does not predict; another one may. */
static noinline void chain_segment(struct rx_queue *q, struct frame *f)
{
	struct chain *c = chain_slot(q, f, *f->data >> 4 == 6);

	/* From the second segment on there is a prediction. */
	if (chain_is_open(q, c) && c->head->segments > 1 && chain_predicts(c, f)) {
		q->hot = c;
		chain_extend(c, f);
		return;
	}
	chain_slowly(q, f, c);
}

/*
 * Not inlined: its registers would slow down the usual path. All that it calls are tail calls, so
 * that it saves no registers itself.
 */
static noinline void chain_other(struct rx_queue *q, struct frame *f)
{
	if (!chain_may_predict(f))
		chain_slowly(q, f, NULL);
	else if (!chain_no_payload(f))
		chain_segment(q, f);
	else if (q->started)
		chain_close_flow(q, f);
}

/*
 * Adds a packet to its chain, or starts one. A chain only has frames of its kind, so bytes read
 * before a check of the length exist.
 */
void chain_frame(struct rx_queue *q, struct frame *f)
{
	struct chain *c = q->hot;

	if (likely(c) && likely(chain_predicts(c, f)))
		chain_extend(c, f);
	else
		chain_other(q, f);
}
