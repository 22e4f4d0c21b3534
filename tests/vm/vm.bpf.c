// SPDX-License-Identifier: GPL-2.0-only
/* BPF programs of the tests: some misbehave, some replace programs behind the shim. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "qmap/shim.h"
#include "ethernet.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 redirect_to = 0;

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} out SEC(".maps");

/* Number of packets that count_and_drop() or count_hashed() has counted. Not atomic: x86-32 refuses that. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_cpumap_val));
} cpus SEC(".maps");

/* Number of packets that arrive() has run for, by CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

/* Programs not written for the shim. */
SEC("xdp")
int plain_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int plain_tx(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp")
int plain_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int plain_redirect(struct xdp_md *ctx)
{
	return bpf_redirect(redirect_to, 0);
}

/* Moves both ends of the packet. */
SEC("xdp")
int plain_adjust(struct xdp_md *ctx)
{
	bpf_xdp_adjust_head(ctx, -4);
	bpf_xdp_adjust_head(ctx, 8);
	bpf_xdp_adjust_meta(ctx, -8);
	bpf_xdp_adjust_tail(ctx, 64);
	bpf_xdp_adjust_tail(ctx, -16);
	return XDP_PASS;
}

static __always_inline int empty_frame(struct xdp_md *ctx, int verdict)
{
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;

	if ((__u8 *)(w + 1) > (__u8 *)(long)ctx->data)
		return XDP_ABORTED;
	__builtin_memset(w, 0, sizeof(*w));
	w->tail = 100;
	return verdict;
}

/* Answers with nothing. */
SEC("xdp")
int empty_tx(struct xdp_md *ctx)
{
	return empty_frame(ctx, XDP_TX);
}

/* Redirects nothing. */
SEC("xdp")
int empty_redirect(struct xdp_md *ctx)
{
	bpf_redirect(redirect_to, 0);
	return empty_frame(ctx, XDP_REDIRECT);
}

/* Random words and verdicts; every other word is one of a short packet without a header. */
SEC("xdp")
int plain_garbage(struct xdp_md *ctx)
{
	__u32 a = bpf_get_prandom_u32(), b = bpf_get_prandom_u32();
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;
	__u8 *data = (void *)(long)ctx->data;

	if ((__u8 *)(w + 1) > data)
		return XDP_ABORTED;
	w->length = a;
	w->header = a >> 16;
	w->tail = a >> 24;
	w->port = b;
	w->flags = b >> 8;
	w->drop = b >> 16;
	w->reserved = b >> 24;
	if (bpf_get_prandom_u32() & 1) {
		w->length = a & 0x7f;
		w->header = 0;
	}
	return bpf_get_prandom_u32() & 7;
}

/* Sends each packet behind a v1 header, and falsifies all facts that the shim has given it. */
SEC("xdp")
int tx_lies(struct xdp_md *ctx)
{
	struct qmap_shim_tx *m = (void *)(long)ctx->data_meta;
	__u8 *data = (void *)(long)ctx->data, *header = data + QMAP_SHIM_TX_ROOM - 4;
	__u8 *packet = header + 4, *end = (void *)(long)ctx->data_end, pad;

	if ((__u8 *)(m + 1) > data || packet + 20 > end)
		return XDP_ABORTED;
	pad = -m->length & 3;
	header[0] = pad;
	header[1] = m->port;
	header[2] = (m->length + pad) >> 8;
	header[3] = m->length + pad;
	*m = (struct qmap_shim_tx){.length = 1,
				   .offset = 0xffff,
				   .csum_start = 0xffff,
				   .csum_offset = 0xffff,
				   .port = 77,
				   .flags = 0xfe,
				   .header = 4,
				   .pad = pad,
				   .drop = 0xff};
	return XDP_PASS;
}

/* The packet is everything behind a v1 header. */
static __always_inline int packet_of(struct xdp_md *ctx)
{
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if ((__u8 *)(w + 1) > data || data + 4 > end)
		return -1;
	w->header = 4;
	w->tail = data[0] & 0x3f;
	w->length = (data[2] << 8 | data[3]) - w->tail;
	w->port = data[1];
	return 0;
}

/* Polls of the NAPI that count_frames() runs in, and the frames of each. */
struct polls {
	__u64 polls, frames, most, now;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polls);
} polls SEC(".maps");

SEC("xdp")
int count_frames(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct polls *p = bpf_map_lookup_elem(&polls, &zero);

	if (!p || packet_of(ctx))
		return XDP_ABORTED;
	p->frames++;
	p->now++;
	return XDP_DROP;
}

/* Runs at the end of each poll of any NAPI; polls of other NAPIs have counted nothing. */
SEC("tracepoint/napi/napi_poll")
int count_polls(void *ctx)
{
	__u32 zero = 0;
	struct polls *p = bpf_map_lookup_elem(&polls, &zero);

	if (!p || !p->now)
		return 0;
	p->polls++;
	if (p->now > p->most)
		p->most = p->now;
	p->now = 0;
	return 0;
}

/* Redirects every packet to the one entry of the map. */
SEC("xdp")
int frames_to_map(struct xdp_md *ctx)
{
	return packet_of(ctx) ? XDP_ABORTED : bpf_redirect_map(&out, 0, 0);
}

/* Redirects every packet to the second CPU. */
SEC("xdp")
int frames_to_cpu(struct xdp_md *ctx)
{
	return packet_of(ctx) ? XDP_ABORTED : bpf_redirect_map(&cpus, 1, 0);
}

SEC("xdp/devmap")
int push_ethernet(struct xdp_md *ctx)
{
	return ethernet_push(ctx);
}

SEC("xdp/cpumap")
int arrive(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 *n = bpf_map_lookup_elem(&arrived, &cpu);

	if (n)
		++*n;
	return ethernet_push(ctx);
}

SEC("xdp")
int count_and_drop(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&seen, &zero);

	if (n)
		++*n;
	return XDP_DROP;
}

SEC("xdp")
int xdp_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* tc: passes every packet to another device unchanged. */
SEC("tc")
int forward(struct __sk_buff *skb)
{
	return bpf_redirect(redirect_to, 0);
}

SEC("tc")
int drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

/* Sets the hash of the packet's flow, as network adapters and TCP do. */
SEC("tc")
int hashed(struct __sk_buff *skb)
{
	bpf_set_hash(skb, 0xc0ffee00);
	return TC_ACT_UNSPEC;
}

struct flow {
	__u32 ports;
	__u16 version, protocol;
};

/* The hash of each flow, as its first packet had it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct flow);
	__type(value, __u32);
} hashes SEC(".maps");

/* tc: counts the packets that have the hash of their flow, for which no one has asked here. */
SEC("tc")
int count_hashed(struct __sk_buff *skb)
{
	__u32 zero = 0, hash = skb->hash, *first;
	__u64 *n = bpf_map_lookup_elem(&seen, &zero);
	struct flow flow = {};
	__u8 ip[20];

	if (!n || bpf_skb_load_bytes(skb, 0, ip, sizeof(ip)))
		return TC_ACT_SHOT;
	flow.version = ip[0] >> 4;
	flow.protocol = flow.version == 6 ? ip[6] : ip[9];
	if (bpf_skb_load_bytes(skb, flow.version == 6 ? 40 : (ip[0] & 0xf) * 4, &flow.ports, 4))
		return TC_ACT_SHOT;
	first = bpf_map_lookup_elem(&hashes, &flow);
	if (!first)
		bpf_map_update_elem(&hashes, &flow, &hash, BPF_ANY);
	if (!first || *first == hash)
		*n += skb->gso_segs ?: 1;
	return TC_ACT_SHOT;
}
