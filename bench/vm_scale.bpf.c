// SPDX-License-Identifier: GPL-2.0-or-later
/* Steers flows to CPUs, for bench/vm_scale.c. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "qmap/shim.h"
#include "qmap/wire.h"
#include "tests/vm/ethernet.h"
#include "vm_scale.h"

char LICENSE[] SEC("license") = "GPL";

struct scale_shared scale = {};

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, SCALE_CPUS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_cpumap_val));
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} done SEC(".maps");

/*
 * For the shim: sends a v1 frame of UDP over IPv4 to the CPU selected by its addresses and
 * ports.
 */
SEC("xdp")
int steer(struct xdp_md *ctx)
{
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;
	struct qmap_hdr *hdr = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(hdr + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 hash;

	if ((void *)(w + 1) > (void *)hdr || (void *)(udp + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	w->header = sizeof(*hdr);
	w->length = bpf_ntohs(hdr->len);
	w->port = hdr->mux_id;
	hash = (ip->saddr ^ ip->daddr ^ udp->source ^ (udp->dest << 16)) * 0x9e3779b1;
	return bpf_redirect_map(&cpus, (hash >> 16) % (scale.cpus ?: 1), 0);
}

/* Wakes the reader by the awaited packet, without a timer. */
static __always_inline void count(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 *told;

	if (cpu < SCALE_CPUS)
		scale.by_cpu[cpu]++;
	if (__sync_fetch_and_add(&scale.arrived, 1) + 1 != scale.awaited)
		return;
	told = bpf_ringbuf_reserve(&done, sizeof(*told), 0);
	if (!told)
		return;
	*told = scale.awaited;
	bpf_ringbuf_submit(told, BPF_RB_FORCE_WAKEUP);
}

SEC("xdp/cpumap")
int arrive(struct xdp_md *ctx)
{
	count();
	return ethernet_push(ctx);
}

SEC("xdp/cpumap")
int refuse(struct xdp_md *ctx)
{
	count();
	return XDP_DROP;
}
