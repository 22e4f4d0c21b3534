// SPDX-License-Identifier: GPL-2.0-only
/*
 * The customer side of 464XLAT (RFC 6877) on a port, at tc egress and ingress: stateless translation
 * between IPv4 and IPv6 by RFC 7915, with addresses by RFC 6052.
 *
 * One IPv4 address (struct qmap_clat_config, local4) corresponds to one IPv6 address (local6), all others to
 * addresses in the NAT64 prefix. Packets of other addresses are not ours on the way in, and are
 * dropped on the way out: an IPv6-only network has no use for them.
 *
 * Time to live and hop limit are copied: the translator is part of the host, or of the router that has
 * decremented it already.
 *
 * TCP and UDP in one piece are read in place where they are long enough and aligned (the fast path). All
 * other headers are read by helpers, which work for any alignment and for packets in pages.
 * The kernel's bpf_skb_change_proto() keeps a packet that stands for many (GSO) what it is. There are
 * no calls between functions: some machines with such modems have no JIT for them. Needs Linux 5.8.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "qmap/clat.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct qmap_clat_config clat;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct qmap_clat_stats);
} clat_stats SEC(".maps");

#define V4_LEN	20 /* IPv4 header without options */
#define V6_LEN	40
#define UDP_LEN 8

#define FRAG_MORE   0x2000 /* IPv4: more fragments */
#define FRAG_DF	    0x4000
#define FRAG_OFFSET 0x1fff

/* Every address that RFC 7915 has no IPv4 address for: RFC 7600 */
#define DUMMY_V4 0xc0000008 /* 192.0.0.8 */

/* Verdicts of the functions below. */
#define DROP  (-1)
#define DONE  0
#define OTHER 1 /* not for the translator */

struct fragment {
	__u8 nexthdr, reserved;
	__be16 off; /* in 8 bytes, by 8; bit 0: more fragments */
	__be32 id;
};

struct icmp {
	__u8 type, code;
	__u16 csum;
	__be32 rest;
};

/* The start of an IP packet whose header is written: behind the type of an Ethernet header. */
struct head4 {
	__u16 pad[3], ethertype;
	struct iphdr ip;
} __attribute__((aligned(8)));

struct head6 {
	__u16 pad[3], ethertype;
	struct ipv6hdr ip;
} __attribute__((aligned(8)));

/* --- addresses --- */

#define W(address) ((__be32 *)(address))

static __always_inline void copy_address(__be32 to[4], const volatile __be32 from[4])
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

/* RFC 6052, 2.2. Byte 8 of prefixes below 96 bits stays zero. */
static __always_inline void embed(__be32 v4, __be32 to[4])
{
	__u32 len = clat.prefix_len, host = bpf_ntohl(v4);

	copy_address(to, clat.prefix);
	if (len == 96) {
		to[3] = v4;
	} else if (len == 32) {
		to[1] = v4;
	} else if (len == 64) {
		to[2] |= bpf_htonl(host >> 8);
		to[3] |= bpf_htonl(host << 24);
	} else {
		to[1] |= bpf_htonl(host >> (len - 32));
		to[2] |= bpf_htonl(host << (64 - len) >> 8);
	}
}

/* 0 if @from is not in the prefix. */
static __always_inline int extract(const __be32 from[4], __be32 *v4)
{
	__u32 len = clat.prefix_len, w1 = bpf_ntohl(from[1]), w2 = bpf_ntohl(from[2]);

	if (from[0] != clat.prefix[0])
		return 0;
	if (len == 32) {
		*v4 = from[1];
		return 1;
	}
	if (len >= 64) {
		*v4 = len == 96 ? from[3] : bpf_htonl(w2 << 8 | bpf_ntohl(from[3]) >> 24);
		return from[1] == clat.prefix[1] && (len == 64 || from[2] == clat.prefix[2]);
	}
	*v4 = bpf_htonl(w1 << (len - 32) | w2 << 8 >> (64 - len));
	return (w1 ^ bpf_ntohl(clat.prefix[1])) >> (64 - len) == 0;
}

static __always_inline int is_local6(const __be32 a[4])
{
	return a[3] == clat.local6[3] && a[2] == clat.local6[2] && a[1] == clat.local6[1] &&
	       a[0] == clat.local6[0];
}

/* --- checksums --- */

/* Sums are added up in the packet's byte order, as RFC 1071 allows. */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The same of a few words of 32 bits: the product adds both halves, and the last term their carry. */
static __always_inline __u16 fold_few(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum * 0x10001 + (sum >> 16)) >> 16;
}

/* The pseudo header of IPv6 (RFC 8200, 8.1), as a sum. */
static __always_inline __u64 sum_pseudo(const struct ipv6hdr *ip, __u32 len, __u8 proto)
{
	const __u32 *a = (const __u32 *)&ip->saddr;

	return (__u64)a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7] + bpf_htonl(len) +
	       bpf_htonl(proto);
}

static __always_inline __u32 old_sum(__u16 csum)
{
	return (__u16)~csum;
}

/* Where a protocol has the checksum that covers addresses; 0: it has none. */
static __always_inline __u32 csum_offset(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return 6;
	}
	return 0;
}

/* @diff: sum of the new addresses less that of the old ones. */
static __always_inline int replace_csum(struct __sk_buff *skb, __u32 l4, __u8 proto, __s64 diff)
{
	__u32 off = csum_offset(proto);
	__u64 flags = BPF_F_PSEUDO_HDR;
	__u16 csum;

	if (clat.neutral || !off)
		return 0;
	if (bpf_skb_load_bytes(skb, l4 + off, &csum, sizeof(csum)))
		return DROP;
	if (proto == IPPROTO_UDP) {
		if (!csum)
			return 0;
		flags |= BPF_F_MARK_MANGLED_0;
	}
	return bpf_l4_csum_replace(skb, l4 + off, 0, diff, flags) ? DROP : 0;
}

#define CHUNK 128

/*
 * RFC 7915, 4.5: IPv6 wants a checksum where IPv4 had none. Writes it into the UDP header at @l4,
 * which has @len bytes with its payload.
 */
static __always_inline int make_udp_csum(struct __sk_buff *skb, __u32 l4, __u32 len,
					 const struct ipv6hdr *ip)
{
	__s64 sum = fold(sum_pseudo(ip, len, IPPROTO_UDP));
	__u32 left = len;
	__u64 buf[CHUNK / 8];
	__u16 csum;

	if (len < UDP_LEN)
		return DROP;
	for (int i = 0; i < 65536 / CHUNK && left > CHUNK; i++) {
		if (bpf_skb_load_bytes(skb, l4 + len - left, buf, CHUNK))
			return DROP;
		sum = bpf_csum_diff(NULL, 0, (__be32 *)buf, CHUNK, sum);
		left -= CHUNK;
	}
	/* 1 to CHUNK: from a test for 0, the verifier of Linux 6.1 learns no lower limit */
	left = ((left - 1) & (CHUNK - 1)) + 1;
	__builtin_memset(buf, 0, sizeof(buf));
	if (bpf_skb_load_bytes(skb, l4 + len - left, buf, left))
		return DROP;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)buf, CHUNK, sum);
	csum = ~fold((__u32)sum);
	if (!csum)
		csum = 0xffff;
	return bpf_skb_store_bytes(skb, l4 + 6, &csum, sizeof(csum), 0) ? DROP : 0;
}

/* --- headers --- */

static __always_inline void set_v6(struct ipv6hdr *to, const struct iphdr *from, __u32 payload,
				   __u8 nexthdr)
{
	/* version, traffic class, flow label 0 */
	*(__be32 *)to = bpf_htonl(0x60000000 | (__u32)from->tos << 20);
	to->payload_len = bpf_htons(payload);
	to->nexthdr = nexthdr;
	to->hop_limit = from->ttl;
}

/* Identification and offset of a packet with @payload bytes; @frag: its fragment header, or NULL. */
static __always_inline __be32 second_word(__u32 payload, const struct fragment *frag)
{
	__u32 off = frag ? bpf_ntohs(frag->off) : 0;

	if (frag)
		return bpf_htonl(bpf_ntohl(frag->id) << 16 | (off & 1 ? FRAG_MORE : 0) | off >> 3);
	/* RFC 7915, 5.1: a link behind us may be narrower than IPv6's minimum */
	if (payload + V6_LEN <= 1280)
		return bpf_get_prandom_u32() & bpf_htonl(0xffff0000);
	return bpf_htonl(FRAG_DF);
}

/* A protocol in the high byte, and the time to live in the low one. */
#define KIND(proto, ttl) ((__u32)(proto) << 8 | (ttl))

/* @second: the second word. The addresses are set already. */
static __always_inline void set_v4(struct iphdr *to, const struct ipv6hdr *from, __u32 payload,
				   __u32 kind, __be32 second)
{
	__u32 class = bpf_ntohl(*(const __be32 *)from) >> 4 & 0xff0000;
	__be32 first = bpf_htonl(0x45000000 + (class | (payload + V4_LEN)));
	__be16 third = bpf_htons(__builtin_bswap16(kind));

	W(to)[0] = first;
	W(to)[1] = second;
	*(__be16 *)&to->ttl = third;
	to->check = ~fold_few((__u64)first + second + third + to->saddr + to->daddr);
}

/* @len: bytes of the header, the rest of which is there already */
static __always_inline int write_v6(struct __sk_buff *skb, __u32 l2, struct head6 *head, __u32 len)
{
	head->ethertype = bpf_htons(ETH_P_IPV6);
	if (l2)
		return bpf_skb_store_bytes(skb, l2 - 2, &head->ethertype, len + 2, 0);
	return bpf_skb_store_bytes(skb, 0, &head->ip, len, 0);
}

/* A driver may have summed up the packet (CHECKSUM_COMPLETE). */
static __always_inline int write_v4(struct __sk_buff *skb, __u32 l2, struct head4 *head)
{
	head->ethertype = bpf_htons(ETH_P_IP);
	if (l2 && bpf_skb_store_bytes(skb, l2 - 2, &head->ethertype, 2, 0))
		return DROP;
	return bpf_skb_store_bytes(skb, l2, &head->ip, V4_LEN, BPF_F_RECOMPUTE_CSUM);
}

/* --- ICMP messages --- */

/* RFC 7915, 4.2, figure 3: the pointer of a parameter problem; DROP if nothing corresponds. */
static __always_inline int pointer_to_v6(__u8 pointer)
{
	switch (pointer) {
	case 0:
	case 1:
		return pointer;
	case 2:
	case 3:
		return 4;
	case 8:
		return 7;
	case 9:
		return 6;
	}
	if (pointer >= 12 && pointer < 16)
		return 8;
	return pointer >= 16 && pointer < 20 ? 24 : DROP;
}

/* 5.2, figure 6 */
static __always_inline int pointer_to_v4(__u32 pointer)
{
	switch (pointer) {
	case 0:
	case 1:
		return pointer;
	case 4:
	case 5:
		return 2;
	case 6:
		return 9;
	case 7:
		return 8;
	}
	if (pointer >= 8 && pointer < 24)
		return 12;
	return pointer >= 24 && pointer < 40 ? 16 : DROP;
}

/* RFC 1191, 7.1: an old router does not say its MTU; the next one below the packet's length. */
static __always_inline __u32 plateau(__u32 len)
{
	static const __u16 steps[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

#pragma unroll
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (len > steps[i])
			return steps[i];
	return 68;
}

/* ICMPv4 "destination unreachable". @len: length of the packet in error. */
static __always_inline int unreachable_to_v6(struct icmp *icmp, __u32 len)
{
	__u32 mtu = bpf_ntohl(icmp->rest) & 0xffff;

	icmp->type = 1;
	icmp->rest = 0;
	switch (icmp->code) {
	case 0: /* network */
	case 1: /* host */
	case 5: /* source route */
	case 6:
	case 7:
	case 8:
	case 11:
	case 12:
		icmp->code = 0;
		return DONE;
	case 2: /* protocol: the next header is wrong */
		icmp->type = 4;
		icmp->code = 1;
		icmp->rest = bpf_htonl(6);
		return DONE;
	case 3: /* port */
		icmp->code = 4;
		return DONE;
	case 4: /* fragmentation needed */
		icmp->type = 2;
		icmp->code = 0;
		mtu = (mtu ? mtu : plateau(len)) + V6_LEN - V4_LEN;
		icmp->rest = bpf_htonl(mtu < 1280 ? 1280 : mtu);
		return DONE;
	case 9: /* prohibited */
	case 10:
	case 13:
	case 15:
		icmp->code = 1;
		return DONE;
	}
	return DROP;
}

/* RFC 7915, 4.2. Lengths of extensions (RFC 4884) are cleared, and a pointer is set. */
static __always_inline int error_to_v6(struct icmp *icmp, __u32 len)
{
	int pointer;

	switch (icmp->type) {
	case 3:
		return unreachable_to_v6(icmp, len);
	case 11: /* time exceeded */
		icmp->type = 3;
		icmp->rest = 0;
		return DONE;
	case 12: /* parameter problem */
		pointer = pointer_to_v6(bpf_ntohl(icmp->rest) >> 24);
		if ((icmp->code != 0 && icmp->code != 2) || pointer < 0)
			return DROP;
		icmp->type = 4;
		icmp->code = 0;
		icmp->rest = bpf_htonl(pointer);
		return DONE;
	}
	return DROP;
}

/* RFC 7915, 5.2. @less: bytes by which the packet in error is smaller in IPv4. */
static __always_inline int error_to_v4(struct icmp *icmp, __u32 less)
{
	__u32 rest = bpf_ntohl(icmp->rest);
	int pointer;

	switch (icmp->type) {
	case 1: /* unreachable */
		if (icmp->code > 4)
			return DROP;
		icmp->type = 3;
		icmp->code = icmp->code == 1 ? 10 : icmp->code == 4 ? 3 : 1;
		icmp->rest = 0;
		return DONE;
	case 2: /* too big */
		rest = rest > 0xffff ? 0xffff : rest;
		rest = rest < 68 + less ? 68 : rest - less;
		icmp->type = 3;
		icmp->code = 4;
		icmp->rest = bpf_htonl(rest);
		return DONE;
	case 3: /* time exceeded */
		icmp->type = 11;
		icmp->rest = 0;
		return DONE;
	case 4: /* parameter problem */
		if (icmp->code == 1) {
			icmp->type = 3;
			icmp->code = 2;
			icmp->rest = 0;
			return DONE;
		}
		pointer = pointer_to_v4(rest);
		if (icmp->code || pointer < 0)
			return DROP;
		icmp->type = 12;
		icmp->rest = bpf_htonl((__u32)pointer << 24);
		return DONE;
	}
	return DROP;
}

/* An ICMP error about another packet: its header, that packet's, and the first bytes behind it. */
#define INNER_L4 4
struct error4 {
	struct icmp icmp;
	struct iphdr ip;
	__u8 l4[INNER_L4]; /* behind the options */
};

struct error6 {
	struct icmp icmp;
	struct ipv6hdr ip;
	struct fragment frag; /* or the first bytes behind */
	__u8 l4[INNER_L4];
};

/* A packet in error that is ICMP itself: echoes have another type, and their checksum another value.
 * @pseudo: sum of the pseudo header that IPv6 has; it comes and goes with it. */
static __always_inline int inner_echo(__u8 *l4, int to_v6, __u64 pseudo)
{
	__u16 type = l4[0], word, csum, to;

	if (to_v6 && (type == 8 || type == 0))
		to = type == 8 ? 128 : 129;
	else if (!to_v6 && (type == 128 || type == 129))
		to = type == 128 ? 8 : 0;
	else
		return DROP;
	__builtin_memcpy(&word, l4, 2);
	__builtin_memcpy(&csum, l4 + 2, 2);
	l4[0] = to;
	pseudo = to_v6 ? pseudo : (__u16)~fold(pseudo);
	pseudo += old_sum(csum) + (__u16)~word;
	__builtin_memcpy(&word, l4, 2);
	csum = ~fold(pseudo + word);
	__builtin_memcpy(l4 + 2, &csum, 2);
	return DONE;
}

/* --- IPv4 to IPv6 --- */

/* Bytes of the IPv4 packet at @ip, without padding behind it; 0: its header is not valid. */
static __always_inline __u32 check_v4(const struct __sk_buff *skb, const struct iphdr *ip)
{
	__u32 len = bpf_ntohs(ip->tot_len), hlen = (*(const __u8 *)ip & 15) * 4;

	if (*(const __u8 *)ip >> 4 != 4 || hlen < V4_LEN || len < hlen || !ip->ttl ||
	    len + clat.l2_len > skb->len)
		return 0;
	return len;
}

#define MAX_OPTIONS 40

/*
 * Zero, of which the verifier only knows that it is below @bound, a power of 2: a loop that counts up from
 * it, and stays below it, has few states.
 */
static __always_inline __u32 vague_zero(__u32 any, __u32 bound)
{
	__u32 zero = any;

	asm volatile("%0 -= %1" : "+r"(zero) : "r"(any));
	return zero & (bound - 1);
}

/* Source routes, loose and strict (RFC 791): the pointer stands behind the list at its end. */
static __always_inline int is_unfinished_route(const __u8 option[3])
{
	return (option[0] == 131 || option[0] == 137) && option[2] <= option[1];
}

/* DROP: there is an option that must not be left out (RFC 7915, 4.1), or they are not valid. */
static __always_inline int check_options(struct __sk_buff *skb, __u32 n)
{
	__u32 off = vague_zero(n, 64);

	for (int i = 0; i < MAX_OPTIONS && off < n; i++) {
		__u8 option[3] = {0};
		__u32 step = 1;

		if (bpf_skb_load_bytes(skb, clat.l2_len + V4_LEN + off, option, 1))
			return DROP;
		if (!option[0])
			break;
		if (option[0] != 1) { /* no operation */
			if (off + 2 > n ||
			    bpf_skb_load_bytes(skb, clat.l2_len + V4_LEN + off, option, 3))
				return DROP;
			step = option[1];
			if (step < 2 || off + step > n || is_unfinished_route(option))
				return DROP;
		}
		off = (off + step) & 63;
	}
	return DONE;
}

/* Options are not translated, but removed here. */
static __always_inline int remove_options(struct __sk_buff *skb, struct iphdr *ip, __u32 *len)
{
	__u32 n = (*(__u8 *)ip & 15) * 4 - V4_LEN;

	if (check_options(skb, n) || bpf_skb_adjust_room(skb, -(__s32)n, BPF_ADJ_ROOM_NET, 0))
		return DROP;
	*len -= n;
	return DONE;
}

/* Room for more than bpf_skb_change_proto() makes; without it, the checksum of a driver stays. */
static __always_inline int change(struct __sk_buff *skb, __be16 proto, __s32 more)
{
	if (bpf_skb_change_proto(skb, proto, 0))
		return DROP;
	return more && bpf_skb_adjust_room(skb, more, BPF_ADJ_ROOM_NET, 0) ? DROP : DONE;
}

static __always_inline int fragment_to_v6(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
					  struct head6 *out)
{
	__u16 off = bpf_ntohs(ip->frag_off);
	struct fragment frag = {
		.nexthdr = ip->protocol,
		.off = bpf_htons((off & FRAG_OFFSET) << 3 | (off & FRAG_MORE ? 1 : 0)),
		.id = bpf_htonl(bpf_ntohs(ip->id)),
	};
	__s64 diff = bpf_csum_diff((__be32 *)&ip->saddr, 8, W(&out->ip.saddr), 32, 0);
	__u16 csum;

	if (ip->protocol == IPPROTO_ICMP)
		return DROP;
	/* the whole datagram would be needed for a checksum */
	if (ip->protocol == IPPROTO_UDP && !(off & FRAG_OFFSET) &&
	    (bpf_skb_load_bytes(skb, clat.l2_len + V4_LEN + 6, &csum, 2) || !csum))
		return DROP;
	set_v6(&out->ip, ip, len - V4_LEN + sizeof(frag), IPPROTO_FRAGMENT);
	if (change(skb, bpf_htons(ETH_P_IPV6), sizeof(frag)) ||
	    write_v6(skb, clat.l2_len, out, V6_LEN) ||
	    bpf_skb_store_bytes(skb, clat.l2_len + V6_LEN, &frag, sizeof(frag), 0))
		return DROP;
	if (off & FRAG_OFFSET)
		return DONE;
	return replace_csum(skb, clat.l2_len + V6_LEN + sizeof(frag), ip->protocol, diff);
}

/* Changes type and checksum of an echo. @icmp: as it was. */
static __always_inline int echo_to_v6(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
				      struct icmp *icmp, struct head6 *out)
{
	__u16 word = *(__u16 *)icmp;
	__u64 sum = sum_pseudo(&out->ip, len - V4_LEN, IPPROTO_ICMPV6) + old_sum(icmp->csum);

	icmp->type = icmp->type == 8 ? 128 : 129;
	icmp->csum = ~fold(sum + (__u16)~word + *(__u16 *)icmp);
	set_v6(&out->ip, ip, len - V4_LEN, IPPROTO_ICMPV6);
	if (change(skb, bpf_htons(ETH_P_IPV6), 0) || write_v6(skb, clat.l2_len, out, V6_LEN))
		return DROP;
	return bpf_skb_store_bytes(skb, clat.l2_len + V6_LEN, icmp, 4, 0) ? DROP : DONE;
}

/* The packet in error came from the network: its destination is our address. */
static __always_inline int inner_to_v6(const struct error4 *from, struct error6 *to, __u32 hlen,
				       __u32 *size)
{
	__u16 off = bpf_ntohs(from->ip.frag_off);
	__u32 is_frag = off & (FRAG_MORE | FRAG_OFFSET), len = bpf_ntohs(from->ip.tot_len) - hlen;
	__u8 proto = from->ip.protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6 : from->ip.protocol;
	__u8 *l4 = is_frag ? to->l4 : (__u8 *)&to->frag;

	embed(from->ip.saddr, W(&to->ip.saddr));
	copy_address(W(&to->ip.daddr), clat.local6);
	set_v6(&to->ip, &from->ip, is_frag ? len + sizeof(to->frag) : len,
	       is_frag ? IPPROTO_FRAGMENT : proto);
	*size = sizeof(struct icmp) + V6_LEN + INNER_L4;
	if (is_frag) {
		to->frag = (struct fragment){
			.nexthdr = proto,
			.off = bpf_htons((off & FRAG_OFFSET) << 3 | (off & FRAG_MORE ? 1 : 0)),
			.id = bpf_htonl(bpf_ntohs(from->ip.id)),
		};
		*size += sizeof(to->frag);
	}
	__builtin_memcpy(l4, from->l4, INNER_L4);
	if (proto != IPPROTO_ICMPV6)
		return DONE;
	return is_frag ? DROP : inner_echo(l4, 1, sum_pseudo(&to->ip, len, proto));
}

static __always_inline int error_out(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
				     struct head6 *out)
{
	__u32 l4 = clat.l2_len + V4_LEN, hlen, old, size;
	struct error4 from = {};
	struct error6 to = {};
	__u64 sum;

	if (bpf_skb_load_bytes(skb, l4, &from, 8 + V4_LEN))
		return DROP;
	hlen = (*(__u8 *)&from.ip & 15) * 4;
	old = 8 + hlen + INNER_L4;
	if (*(__u8 *)&from.ip >> 4 != 4 || hlen < V4_LEN || bpf_ntohs(from.ip.tot_len) < hlen ||
	    from.ip.daddr != clat.local4 || len < V4_LEN + old)
		return DROP;
	/* options are removed, as in front of the outer packet */
	hlen -= V4_LEN;
	if (bpf_skb_load_bytes(skb, l4 + 8 + V4_LEN, from.l4, INNER_L4))
		return DROP;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&from, 8 + V4_LEN, 0);
	for (__u32 i = 0; i < MAX_OPTIONS / 4 && i * 4 < hlen; i++) {
		sum += *(__u32 *)from.l4;
		if (bpf_skb_load_bytes(skb, l4 + 8 + V4_LEN + 4 + i * 4, from.l4, INNER_L4))
			return DROP;
	}
	sum += *(__u32 *)from.l4;
	hlen += V4_LEN;
	to.icmp = from.icmp;
	to.icmp.csum = 0;
	if (error_to_v6(&to.icmp, bpf_ntohs(from.ip.tot_len)) ||
	    inner_to_v6(&from, &to, hlen, &size))
		return DROP;
	/* with the old checksum in it, which counts as 0 */
	sum += (__u16)~from.icmp.csum;
	len = len - V4_LEN + size - old;
	sum = (__u16)~fold(sum) + (__u64)old_sum(from.icmp.csum);
	sum += sum_pseudo(&out->ip, len, IPPROTO_ICMPV6);
	sum += fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&to, sizeof(to), 0));
	to.icmp.csum = ~fold(sum);
	set_v6(&out->ip, ip, len, IPPROTO_ICMPV6);
	if (change(skb, bpf_htons(ETH_P_IPV6), (__s32)size - (__s32)old) ||
	    write_v6(skb, clat.l2_len, out, V6_LEN))
		return DROP;
	l4 = clat.l2_len + V6_LEN;
	if (size == sizeof(to))
		return bpf_skb_store_bytes(skb, l4, &to, sizeof(to), 0) ? DROP : DONE;
	return bpf_skb_store_bytes(skb, l4, &to, sizeof(to) - sizeof(to.frag), 0) ? DROP : DONE;
}

static __always_inline int icmp_to_v6(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
				      struct head6 *out)
{
	struct icmp icmp;

	if (len < V4_LEN + sizeof(icmp) ||
	    bpf_skb_load_bytes(skb, clat.l2_len + V4_LEN, &icmp, sizeof(icmp)))
		return DROP;
	if (icmp.type == 8 || icmp.type == 0)
		return echo_to_v6(skb, ip, len, &icmp, out);
	return error_out(skb, ip, len, out);
}

/* Everything but TCP, UDP and other protocols in one piece. */
static __always_inline int special_to_v6(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
					 struct head6 *out)
{
	if (ip->frag_off & bpf_htons(FRAG_MORE | FRAG_OFFSET))
		return fragment_to_v6(skb, ip, len, out);
	return icmp_to_v6(skb, ip, len, out);
}

static __always_inline int plain_to_v6(struct __sk_buff *skb, const struct iphdr *ip, __u32 len,
				       struct head6 *out)
{
	__s64 diff = 0;
	__u16 csum;

	if (ip->protocol == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, clat.l2_len + V4_LEN + 6, &csum, 2))
			return DROP;
		if (!csum && (skb->gso_size ||
			      make_udp_csum(skb, clat.l2_len + V4_LEN, len - V4_LEN, &out->ip)))
			return DROP;
		if (!csum)
			goto done;
	}
	if (!clat.neutral)
		diff = bpf_csum_diff((__be32 *)&ip->saddr, 8, W(&out->ip.saddr), 32, 0);
	if (replace_csum(skb, clat.l2_len + V4_LEN, ip->protocol, diff))
		return DROP;
done:
	set_v6(&out->ip, ip, len - V4_LEN, ip->protocol);
	return change(skb, bpf_htons(ETH_P_IPV6), 0) || write_v6(skb, clat.l2_len, out, V6_LEN)
		       ? DROP
		       : DONE;
}

static __always_inline int to_v6(struct __sk_buff *skb)
{
	struct head6 out;
	struct iphdr ip;
	__u32 len;

	if (bpf_skb_load_bytes(skb, clat.l2_len, &ip, sizeof(ip)))
		return DROP;
	len = check_v4(skb, &ip);
	if (!len || ip.saddr != clat.local4)
		return DROP;
	/* multicast, reserved, broadcast */
	if (bpf_ntohl(ip.daddr) >= 0xe0000000)
		return DROP;
	if (*(__u8 *)&ip != 0x45 && remove_options(skb, &ip, &len))
		return DROP;
	copy_address(W(&out.ip.saddr), clat.local6);
	embed(ip.daddr, W(&out.ip.daddr));
	if (ip.protocol == IPPROTO_ICMP || ip.frag_off & bpf_htons(FRAG_MORE | FRAG_OFFSET))
		return special_to_v6(skb, &ip, len, &out);
	return plain_to_v6(skb, &ip, len, &out);
}

/* --- IPv6 to IPv4 --- */

/* A packet as far as its IPv6 headers are read. */
struct view6 {
	struct ipv6hdr ip;
	struct fragment frag;
	__u32 has_frag;
	__u32 len; /* bytes behind the extension headers */
	__u8 proto;
};

#define MAX_EXTENSIONS 6

/*
 * Extension headers are not translated, but for the fragment header (RFC 7915, 5.1), and removed
 * here. A routing header that is not at its end is an error.
 */
static __always_inline int remove_extensions(struct __sk_buff *skb, struct view6 *v)
{
	__u32 off = 0, n;

	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		__u8 proto = v->proto;
		struct fragment h;

		if (proto != IPPROTO_HOPOPTS && proto != IPPROTO_DSTOPTS &&
		    proto != IPPROTO_ROUTING && proto != IPPROTO_FRAGMENT)
			break;
		if (off + sizeof(h) > v->len || off > 2048 ||
		    bpf_skb_load_bytes(skb, clat.l2_len + V6_LEN + off, &h, sizeof(h)))
			return DROP;
		if (proto == IPPROTO_ROUTING && bpf_ntohs(h.off) & 0xff)
			return DROP;
		if (proto == IPPROTO_FRAGMENT && v->has_frag)
			return DROP;
		n = proto == IPPROTO_FRAGMENT ? 8 : (h.reserved + 1) * 8;
		if (proto == IPPROTO_FRAGMENT) {
			v->frag = h;
			v->has_frag = 1;
		}
		v->proto = h.nexthdr;
		off += n;
		/* what follows is part of the fragment's data */
		if (v->has_frag && bpf_ntohs(v->frag.off) & ~7)
			break;
	}
	if (off > v->len)
		return DROP;
	v->len -= off;
	return bpf_skb_adjust_room(skb, -(__s32)off, BPF_ADJ_ROOM_NET, 0) ? DROP : DONE;
}

static __always_inline int echo_to_v4(struct __sk_buff *skb, const struct view6 *v,
				      struct icmp *icmp, struct head4 *out)
{
	__u16 word = *(__u16 *)icmp;
	__u64 sum = (__u16)~fold(sum_pseudo(&v->ip, v->len, IPPROTO_ICMPV6));

	sum += old_sum(icmp->csum);
	icmp->type = icmp->type == 128 ? 8 : 0;
	icmp->csum = ~fold(sum + (__u16)~word + *(__u16 *)icmp);
	set_v4(&out->ip, &v->ip, v->len, KIND(IPPROTO_ICMP, v->ip.hop_limit),
	       second_word(v->len, NULL));
	if (change(skb, bpf_htons(ETH_P_IP), 0) || write_v4(skb, clat.l2_len, out))
		return DROP;
	return bpf_skb_store_bytes(skb, clat.l2_len + V4_LEN, icmp, 4, BPF_F_RECOMPUTE_CSUM) ? DROP
											     : DONE;
}

/* The packet in error is one of ours, and has a fragment header at most. */
static __always_inline int inner_to_v4(const struct error6 *from, struct error4 *to, __u32 is_frag)
{
	__u8 next = is_frag ? from->frag.nexthdr : from->ip.nexthdr;
	__u8 proto = next == IPPROTO_ICMPV6 ? IPPROTO_ICMP : next;
	const __u8 *l4 = is_frag ? from->l4 : (const __u8 *)&from->frag;
	__u32 len = bpf_ntohs(from->ip.payload_len);
	__be32 second = 0;

	if (!is_local6(W(&from->ip.saddr)) || !extract(W(&from->ip.daddr), &to->ip.daddr))
		return DROP;
	if (is_frag && len < sizeof(from->frag))
		return DROP;
	if (is_frag)
		len -= sizeof(from->frag);
	if (len > 0xffff - V4_LEN)
		return DROP;
	to->ip.saddr = clat.local4;
	/* ours had this identification, if any */
	if (is_frag)
		second = second_word(len, &from->frag);
	else if (len + V6_LEN > 1280)
		second = bpf_htonl(FRAG_DF);
	set_v4(&to->ip, &from->ip, len, KIND(proto, from->ip.hop_limit), second);
	__builtin_memcpy(to->l4, l4, INNER_L4);
	if (proto != IPPROTO_ICMP)
		return DONE;
	return is_frag ? DROP : inner_echo(to->l4, 0, sum_pseudo(&from->ip, len, IPPROTO_ICMPV6));
}

#define ERROR4 (8 + V4_LEN + INNER_L4) /* without options */

static __always_inline int error_in(struct __sk_buff *skb, struct view6 *v, struct head4 *out)
{
	__u32 l4 = clat.l2_len + V6_LEN, old = 8 + V6_LEN + INNER_L4, is_frag, len;
	struct error6 from = {};
	struct error4 to = {};
	__u64 sum;

	if (v->len < old || bpf_skb_load_bytes(skb, l4, &from, 8 + V6_LEN + INNER_L4))
		return DROP;
	is_frag = from.ip.nexthdr == IPPROTO_FRAGMENT;
	if (is_frag) {
		old += sizeof(from.frag);
		if (v->len < old || bpf_skb_load_bytes(skb, l4, &from, sizeof(from)))
			return DROP;
	}
	if (*(__u8 *)&from.ip >> 4 != 6)
		return DROP;
	sum = (__u16)~fold(sum_pseudo(&v->ip, v->len, IPPROTO_ICMPV6));
	sum += old_sum(from.icmp.csum);
	to.icmp = from.icmp;
	from.icmp.csum = 0;
	to.icmp.csum = 0;
	sum += (__u16)~fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&from, sizeof(from), 0));
	if (error_to_v4(&to.icmp, V6_LEN - V4_LEN + (is_frag ? sizeof(from.frag) : 0)) ||
	    inner_to_v4(&from, &to, is_frag))
		return DROP;
	sum += fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&to, ERROR4, 0));
	to.icmp.csum = ~fold(sum);
	len = v->len - old + ERROR4;
	set_v4(&out->ip, &v->ip, len, KIND(IPPROTO_ICMP, v->ip.hop_limit), second_word(len, NULL));
	if (change(skb, bpf_htons(ETH_P_IP), (__s32)ERROR4 - (__s32)old) ||
	    write_v4(skb, clat.l2_len, out))
		return DROP;
	return bpf_skb_store_bytes(skb, clat.l2_len + V4_LEN, &to, ERROR4, BPF_F_RECOMPUTE_CSUM)
		       ? DROP
		       : DONE;
}

/* A router on the way, which may have any address, sends errors, and nothing else. */
static __always_inline int icmp_to_v4(struct __sk_buff *skb, struct view6 *v, int from_prefix,
				      struct head4 *out)
{
	struct icmp icmp;

	if (v->has_frag || v->len < sizeof(icmp) ||
	    bpf_skb_load_bytes(skb, clat.l2_len + V6_LEN, &icmp, sizeof(icmp)))
		return DROP;
	if (icmp.type < 128)
		return error_in(skb, v, out);
	if (from_prefix && (icmp.type == 128 || icmp.type == 129))
		return echo_to_v4(skb, v, &icmp, out);
	return DROP;
}

static __always_inline int plain_to_v4(struct __sk_buff *skb, struct view6 *v, struct head4 *out)
{
	__s64 diff = 0;

	if (!clat.neutral)
		diff = bpf_csum_diff(W(&v->ip.saddr), 32, (__be32 *)&out->ip.saddr, 8, 0);
	if (!(v->has_frag && bpf_ntohs(v->frag.off) & ~7) &&
	    replace_csum(skb, clat.l2_len + V6_LEN, v->proto, diff))
		return DROP;
	set_v4(&out->ip, &v->ip, v->len, KIND(v->proto, v->ip.hop_limit),
	       second_word(v->len, v->has_frag ? &v->frag : NULL));
	return change(skb, bpf_htons(ETH_P_IP), 0) || write_v4(skb, clat.l2_len, out) ? DROP : DONE;
}

/* Sets v->len. A packet that stands for many may be larger than its header can say. */
static __always_inline int check_v6(const struct __sk_buff *skb, struct view6 *v)
{
	__u32 there = skb->len - clat.l2_len - V6_LEN;

	v->proto = v->ip.nexthdr;
	v->has_frag = 0;
	v->len = bpf_ntohs(v->ip.payload_len);
	if (!v->len && skb->gso_size)
		v->len = there;
	return v->len > there || v->len > 0xffff - V4_LEN || !v->ip.hop_limit ? DROP : DONE;
}

static __always_inline int is_extension(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_DSTOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_FRAGMENT;
}

/* qmi_wwan's multiplexer: a redirect to the same netdev puts the MAC header where the packet is. */
static __always_inline int set_mac_header(struct __sk_buff *skb, const struct ipv6hdr *at_data)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET) ||
	    !is_local6(W(&ip.daddr)) || is_local6(W(&at_data->daddr)))
		return TC_ACT_UNSPEC;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

static __always_inline int to_v4(struct __sk_buff *skb, struct view6 *v)
{
	int from_prefix;
	struct head4 out;

	if (*(__u8 *)&v->ip >> 4 != 6 || check_v6(skb, v))
		return DROP;
	from_prefix = extract(W(&v->ip.saddr), &out.ip.saddr);
	if (is_extension(v->proto) && remove_extensions(skb, v))
		return DROP;
	if (v->proto != IPPROTO_ICMPV6 && !from_prefix)
		return DROP;
	if (!from_prefix)
		out.ip.saddr = bpf_htonl(DUMMY_V4);
	out.ip.daddr = clat.local4;
	if (v->proto == IPPROTO_ICMPV6)
		return icmp_to_v4(skb, v, from_prefix, &out);
	return plain_to_v4(skb, v, &out);
}

/* --- counters --- */

/* The key is 0, which the last word of a prefix is: it has 96 bits at most. */
static __always_inline struct qmap_clat_stats *stats(const volatile struct qmap_clat_config *c)
{
	return bpf_map_lookup_elem(&clat_stats, (const void *)&c->prefix[3]);
}

/* --- the fast path: TCP and UDP in one piece, without options and extension headers --- */

/* Hides where a value comes from, so that the compiler computes with it as it is written here. */
#define opaque(value) asm volatile("" : "+r"(value))

/* The protocol is @proto, and the time to live is not 0. */
#define IS(kind, proto) ((kind)-KIND(proto, 1) < 255)

static __always_inline __u64 load_pair(const volatile void *words)
{
	return *(const volatile __u64 *)words;
}

static __always_inline void store_pair(void *words, __u64 pair)
{
	*(__u64 *)words = pair;
}

/*
 * Makes the header, but for the end of the destination: bpf_skb_change_proto() leaves the IPv4 header's
 * there. 0: the packet is not an ordinary one.
 */
static __always_inline int make_v6(struct __sk_buff *skb, const __u32 l2,
				   const volatile struct qmap_clat_config *c, struct ipv6hdr *to)
{
	const struct iphdr *ip = (void *)(long)skb->data + l2;
	const struct udphdr *udp = (const void *)(ip + 1);
	__u64 len, kind, tos;

	if ((const void *)(udp + 1) > (const void *)(long)skb->data_end)
		return 0;
	if (*(const __u8 *)ip != 0x45 || ip->saddr != c->local4 ||
	    *(const __u8 *)&ip->daddr >= 0xe0)
		return 0;
	if (ip->frag_off & ~bpf_htons(FRAG_DF))
		return 0;
	len = bpf_ntohs(ip->tot_len);
	if (skb->len - l2 != len)
		return 0;
	kind = __builtin_bswap16(bpf_ntohs(*(const __u16 *)&ip->ttl));
	if (!IS(kind, IPPROTO_TCP) && !(IS(kind, IPPROTO_UDP) && udp->check))
		return 0;
	tos = ip->tos | 0x600; /* behind the version */
	opaque(tos);
	store_pair(to, bpf_cpu_to_be64(tos << 52 | (len - V4_LEN) << 16 | kind));
	store_pair(&to->saddr, load_pair(c->local6));
	store_pair(W(&to->saddr) + 2, load_pair(c->local6 + 2));
	store_pair(&to->daddr, load_pair(c->prefix));
	W(&to->daddr)[2] = c->prefix[2];
	return 1;
}

/* 0: the packet is not an ordinary one. */
static __always_inline int make_v4(struct __sk_buff *skb, const __u32 l2,
				   const volatile struct qmap_clat_config *c, struct iphdr *to)
{
	const struct ipv6hdr *ip = (void *)(long)skb->data + l2;
	__u64 len, kind;

	if ((const void *)(ip + 1) > (const void *)(long)skb->data_end)
		return 0;
	if (load_pair(W(&ip->daddr) + 2) != load_pair(c->local6 + 2) ||
	    load_pair(&ip->daddr) != load_pair(c->local6) ||
	    load_pair(&ip->saddr) != load_pair(c->prefix) || W(&ip->saddr)[2] != c->prefix[2] ||
	    *(const __u8 *)ip >> 4 != 6)
		return 0;
	len = bpf_ntohs(ip->payload_len);
	if (skb->len - l2 - V6_LEN != len || len > 0xffff - V4_LEN)
		return 0;
	kind = bpf_ntohs(*(const __u16 *)&ip->nexthdr);
	if (!IS(kind, IPPROTO_TCP) && !IS(kind, IPPROTO_UDP))
		return 0;
	to->saddr = W(&ip->saddr)[3];
	to->daddr = c->local4;
	set_v4(to, ip, len, kind, second_word(len, NULL));
	return 1;
}

static __always_inline int write_fast_v6(struct __sk_buff *skb, __u32 l2, struct head6 *head)
{
	return bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0) ||
	       write_v6(skb, l2, head, V6_LEN - 4);
}

static __always_inline int write_fast_v4(struct __sk_buff *skb, __u32 l2, struct head4 *head)
{
	return bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) || write_v4(skb, l2, head);
}

/* --- programs --- */

/* With jumps to the two ends, the fast paths take fewer instructions than with one result for both. */

SEC("tc")
int qmap_clat_out(struct __sk_buff *skb)
{
	const volatile struct qmap_clat_config *c = &clat;
	struct qmap_clat_stats *s;
	struct head6 head;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	opaque(c);
	s = stats(c);
	if (!s)
		return TC_ACT_SHOT;
	if (c->fast == QMAP_CLAT_ETHERNET && make_v6(skb, ETH_HLEN, c, &head.ip)) {
		if (write_fast_v6(skb, ETH_HLEN, &head))
			goto dropped;
	} else if (c->fast == QMAP_CLAT_RAW && make_v6(skb, 0, c, &head.ip)) {
		if (write_fast_v6(skb, 0, &head))
			goto dropped;
	} else if (to_v6(skb)) {
		goto dropped;
	}
	++s->to_v6;
	return TC_ACT_UNSPEC;

dropped:
	++s->dropped_to_v6;
	return TC_ACT_SHOT;
}

SEC("tc")
int qmap_clat_in(struct __sk_buff *skb)
{
	const volatile struct qmap_clat_config *c = &clat;
	struct qmap_clat_stats *s;
	struct head4 head;
	struct view6 v;

	if (skb->protocol != bpf_htons(ETH_P_IPV6))
		return TC_ACT_UNSPEC;
	opaque(c);
	s = stats(c);
	if (!s)
		return TC_ACT_SHOT;
	if (c->fast == QMAP_CLAT_ETHERNET && make_v4(skb, ETH_HLEN, c, &head.ip)) {
		if (write_fast_v4(skb, ETH_HLEN, &head))
			goto dropped;
	} else if (c->fast == QMAP_CLAT_RAW && make_v4(skb, 0, c, &head.ip)) {
		if (write_fast_v4(skb, 0, &head))
			goto dropped;
	} else {
		if (bpf_skb_load_bytes(skb, clat.l2_len, &v.ip, sizeof(v.ip)))
			return TC_ACT_UNSPEC;
		if (!is_local6(W(&v.ip.daddr)))
			return clat.odd_mac ? set_mac_header(skb, &v.ip) : TC_ACT_UNSPEC;
		if (to_v4(skb, &v))
			goto dropped;
	}
	++s->to_v4;
	return TC_ACT_UNSPEC;

dropped:
	++s->dropped_to_v4;
	return TC_ACT_SHOT;
}
