// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments large packets into memory of the caller, with the kernel's helpers for drivers
 * (net/core/tso.c): an skb per segment would take most of the time. The helpers leave the checksums
 * to hardware, and support neither equal IPv4 ids nor CWR.
 */

#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>

#include "shim.h"

#define SEGMENT_TYPES (SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_UDP_L4)
#define SEGMENT_HINTS (SKB_GSO_TCP_ECN | SKB_GSO_TCP_FIXEDID)

bool segment_possible(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type, l3 = skb_transport_offset(skb);
	bool udp = type & SKB_GSO_UDP_L4;

	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation || skb_has_frag_list(skb) ||
	    !(type & SEGMENT_TYPES) || type & ~(SEGMENT_TYPES | SEGMENT_HINTS) ||
	    skb_network_offset(skb))
		return false;
	/*
	 * tso_build_hdr() takes everything after the IPv6 header, less the transport header, for
	 * payload
	 */
	if (skb->protocol == htons(ETH_P_IPV6) && l3 != sizeof(struct ipv6hdr))
		return false;
	if (l3 + (udp ? sizeof(struct udphdr) : sizeof(struct tcphdr)) > skb_headlen(skb))
		return false;
	return l3 + (udp ? sizeof(struct udphdr) : tcp_hdrlen(skb)) <=
	       min_t(unsigned int, skb_headlen(skb), SEGMENT_HEADERS_MAX);
}

/* Fills in the IPv4 header checksum; returns the folded sum of the pseudo header. */
static __sum16 segment_sums(const struct sk_buff *skb, u8 *packet, unsigned int l4)
{
	struct ipv6hdr *v6 = (struct ipv6hdr *)packet;
	struct iphdr *v4 = (struct iphdr *)packet;
	u8 proto = skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 ? IPPROTO_UDP : IPPROTO_TCP;

	if (v4->version == 6)
		return ~csum_ipv6_magic(&v6->saddr, &v6->daddr, l4, proto, 0);
	ip_send_check(v4);
	return ~csum_tcpudp_magic(v4->saddr, v4->daddr, l4, proto, 0);
}

void segment_headers(const struct sk_buff *skb, struct tso_t *tso, unsigned int offset,
		     unsigned int payload, u8 *to)
{
	unsigned int l3 = skb_transport_offset(skb), type = skb_shinfo(skb)->gso_type;
	bool last = l3 + tso->tlen + offset + payload == skb->len;

	if (type & SKB_GSO_TCP_FIXEDID)
		tso->ip_id = ntohs(ip_hdr(skb)->id);
	tso_build_hdr(skb, to, tso, payload, last);
	if (offset && !(type & SKB_GSO_UDP_L4))
		((struct tcphdr *)(to + l3))->cwr = 0;
	*(__sum16 *)(to + l3 + skb->csum_offset) = segment_sums(skb, to, tso->tlen + payload);
}

void segment_payload(const struct sk_buff *skb, struct tso_t *tso, unsigned int payload, u8 *to)
{
	unsigned int n;

	for (; payload; payload -= n) {
		n = min_t(unsigned int, payload, tso->size);
		if (to)
			to = memcpy(to, tso->data, n) + n;
		tso_build_data(skb, tso, n);
	}
}

void segment_checksum(u8 *l4, unsigned int length, unsigned int csum_offset)
{
	__sum16 sum = csum_fold(csum_partial(l4, length, 0));

	/* 0 means "no checksum" in UDP */
	put_unaligned(sum ?: CSUM_MANGLED_0, (__sum16 *)(l4 + csum_offset));
}
