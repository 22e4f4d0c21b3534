// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting large packets, as tcp_gso_segment(), __udp_gso_segment() and their callers do it, but
 * into memory that the caller has: an skb per segment is what most of the time would go into.
 */

#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "compat.h"
#include "segment.h"

#define SEGMENT_TYPES (SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_UDP_L4)
#define SEGMENT_HINTS (SKB_GSO_TCP_ECN | SKB_GSO_TCP_FIXEDID)

static bool segment_is_udp(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
}

static unsigned int segment_headers_len(const struct sk_buff *skb)
{
	return skb_transport_offset(skb) +
	       (segment_is_udp(skb) ? sizeof(struct udphdr) : tcp_hdrlen(skb));
}

bool segment_possible(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type, l3 = skb_transport_offset(skb);

	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation || !(type & SEGMENT_TYPES) ||
	    type & ~(SEGMENT_TYPES | SEGMENT_HINTS) || skb_network_offset(skb))
		return false;
	if (l3 + sizeof(struct tcphdr) > skb_headlen(skb) && !segment_is_udp(skb))
		return false;
	return segment_headers_len(skb) <=
	       min_t(unsigned int, skb_headlen(skb), SEGMENT_HEADERS_MAX);
}

void segment_first(const struct sk_buff *skb, struct segment *s)
{
	s->index = 0;
	s->l3 = skb_transport_offset(skb);
	s->headers = segment_headers_len(skb);
	s->offset = s->headers;
	s->payload = min_t(unsigned int, skb_shinfo(skb)->gso_size, skb->len - s->offset);
	s->csum_offset = skb->csum_offset;
}

bool segment_next(const struct sk_buff *skb, struct segment *s)
{
	s->index++;
	s->offset += s->payload;
	s->payload = min_t(unsigned int, skb_shinfo(skb)->gso_size, skb->len - s->offset);
	return s->payload;
}

/* Returns the folded sum of the pseudo header. */
static __sum16 segment_ip(const struct sk_buff *skb, const struct segment *s, u8 *to, u8 proto)
{
	unsigned int n = s->headers - s->l3 + s->payload;
	struct ipv6hdr *v6 = (struct ipv6hdr *)to;
	struct iphdr *v4 = (struct iphdr *)to;

	if (v4->version == 6) {
		v6->payload_len = htons(s->headers + s->payload - sizeof(*v6));
		return ~csum_ipv6_magic(&v6->saddr, &v6->daddr, n, proto, 0);
	}
	v4->tot_len = htons(s->headers + s->payload);
	if (!(skb_shinfo(skb)->gso_type & SKB_GSO_TCP_FIXEDID))
		v4->id = htons(ntohs(v4->id) + s->index);
	ip_send_check(v4);
	return ~csum_tcpudp_magic(v4->saddr, v4->daddr, n, proto, 0);
}

static void segment_tcp(const struct sk_buff *skb, const struct segment *s, struct tcphdr *th)
{
	th->seq = htonl(ntohl(th->seq) + s->offset - s->headers);
	if (s->offset + s->payload < skb->len) {
		th->fin = 0;
		th->psh = 0;
	}
	if (s->index)
		th->cwr = 0;
}

void segment_headers(const struct sk_buff *skb, const struct segment *s, u8 *to)
{
	bool udp = segment_is_udp(skb);
	struct udphdr *uh = (struct udphdr *)(to + s->l3);
	struct tcphdr *th = (struct tcphdr *)(to + s->l3);
	__sum16 pseudo;

	memcpy(to, skb->data, s->headers);
	pseudo = segment_ip(skb, s, to, udp ? IPPROTO_UDP : IPPROTO_TCP);
	if (udp) {
		uh->len = htons(sizeof(*uh) + s->payload);
		uh->check = pseudo;
	} else {
		segment_tcp(skb, s, th);
		th->check = pseudo;
	}
}

void segment_checksum(const struct segment *s, u8 *packet)
{
	__wsum sum = csum_partial(packet + s->l3, s->headers - s->l3 + s->payload, 0);

	/* 0 means "no checksum" in UDP */
	put_unaligned(csum_fold(sum) ?: CSUM_MANGLED_0,
		      (__sum16 *)(packet + s->l3 + s->csum_offset));
}
