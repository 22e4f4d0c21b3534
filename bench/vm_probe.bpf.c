// SPDX-License-Identifier: GPL-2.0-or-later
/* Examines packets that come out of ports, for bench/vm_probe.c; not while costs are counted. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "vm_probe.h"

char LICENSE[] SEC("license") = "GPL";

struct probe_shared shared = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_LATENCIES);
	__type(key, __u32);
	__type(value, __u64);
} latencies SEC(".maps");

/*
 * Loads the stamp of one packet, in network byte order. The helper that counts from the network
 * header only reads the linear part; the other one counts from the MAC header, which qmi_wwan
 * leaves unset.
 */
static __always_inline int load(struct __sk_buff *skb, __u32 offset, __u64 *stamp)
{
	if (!bpf_skb_load_bytes_relative(skb, offset, stamp, sizeof(*stamp), BPF_HDR_START_NET))
		return 0;
	return bpf_skb_load_bytes(skb, shared.mac + offset, stamp, sizeof(*stamp));
}

static __always_inline void one(struct __sk_buff *skb, __u32 offset, __u64 now)
{
	__u32 i = shared.stamps;
	__u64 stamp, *at;

	shared.packets++;
	if (load(skb, offset, &stamp))
		return;
	at = bpf_map_lookup_elem(&latencies, &i);
	if (!at)
		return;
	*at = now - bpf_be64_to_cpu(stamp);
	shared.stamps++;
}

/* A coalesced packet has one stamp for each packet in it. */
SEC("tc")
int probe_packets(struct __sk_buff *skb)
{
	__u32 i, segments = skb->gso_segs ?: 1, size = skb->gso_size;
	__u64 now = bpf_ktime_get_ns();

	shared.skbs++;
	for (i = 0; i < PROBE_SEGMENTS && i < segments; i++)
		one(skb, shared.headers + i * size, now);
	return TC_ACT_UNSPEC; /* on to the program that drops them, or to the stack */
}

/* The needed part of the kernel's struct; BTF has the offsets in this kernel. */
struct net_device {
	int ifindex;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct net_device *dev;
	unsigned int truesize;
} __attribute__((preserve_access_index));

SEC("tp_btf/netif_receive_skb")
int probe_memory(__u64 *ctx)
{
	const struct sk_buff *skb = (const void *)ctx[0];
	__u32 ifindex = skb->dev->ifindex;

	if (ifindex >= shared.first && ifindex <= shared.last)
		shared.truesize += skb->truesize;
	return 0;
}
