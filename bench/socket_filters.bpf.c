// SPDX-License-Identifier: GPL-2.0-only
/* Filters of UDP sockets that refuse every packet, see filters.h. They start at the UDP header. */
#include <linux/bpf.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>

#include "bench/filters.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FILTERS_CPUS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct filters_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FILTERS_PACKETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} latencies SEC(".maps");

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct filters_count *c = bpf_map_lookup_elem(&counts, &cpu);

	if (c)
		c->packets++;
	return 0;
}

SEC("socket")
int stamp(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_ns(), *latency;
	struct filters_stamp s;
	__u32 key;

	if (bpf_skb_load_bytes(skb, sizeof(struct udphdr), &s, sizeof(s)) ||
	    s.magic != FILTERS_MAGIC)
		return 0;
	key = s.sequence;
	latency = bpf_map_lookup_elem(&latencies, &key);
	if (latency)
		*latency = now - s.time;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
