/* SPDX-License-Identifier: GPL-2.0-only */
/* For BPF programs on a devmap or cpumap: the kernel requires an Ethernet header there. */
#ifndef VM_ETHERNET_H
#define VM_ETHERNET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Pushes a broadcast header in front of an IPv4 packet. XDP_PASS, or XDP_DROP without room. */
static __always_inline int ethernet_push(struct xdp_md *ctx)
{
	struct ethhdr *eth;

	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*eth)))
		return XDP_DROP;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memset(eth->h_dest, 0xff, ETH_ALEN);
	__builtin_memset(eth->h_source, 2, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);
	return XDP_PASS;
}

#endif
