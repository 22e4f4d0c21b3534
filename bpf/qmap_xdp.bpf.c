// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data path `xdp`: splits aggregates on a stock kernel, by broadcast and trim.
 *
 * XDP gives one verdict per run, so a program cannot turn one aggregate into many packets by
 * itself. A broadcast redirect can: it sends one copy to each entry of a device map, and a program
 * attached to the entry runs on each copy. So
 *
 *   trunk  --(tc ingress: qmap_enter)-->  entry device, as if received there
 *          --(generic XDP: qmap_split)-->  device map that holds the split veth n times
 *          --(devmap XDP, per copy: qmap_trim)-->  split veth  ==>  its peer
 *          --(native XDP: qmap_deliver)-->  inner end of the PDN's veth  ==>  lower device, port
 *
 * The entry device, a TUN that no process reads, is needed for drivers that leave the MAC header
 * unset, as qmi_wwan does in pass-through mode (drivers/net/usb/qmi_wwan.c, qmi_wwan_rx_fixup).
 * Generic XDP on such a netdev assumes that packets begin 64 KiB behind their buffer
 * (net/core/dev.c, bpf_prog_run_generic_xdp). A redirect between devices without MAC headers sets
 * the MAC header (net/core/filter.c, __bpf_redirect_no_mac).
 *
 * qmap_split walks the aggregate once and notes the place of each good frame; qmap_trim cuts the
 * i-th copy down to the i-th note. The kernel makes all copies of an aggregate in one go on one
 * CPU, so a per-CPU array can carry the notes. qmap_trim only moves the packet's ends and writes
 * nothing, because the generic path may clone instead of copying (kernel/bpf/devmap.c,
 * dev_map_redirect_clone).
 *
 * Uplink: qmap_uplink, at tc ingress of the inner end, puts the QMAP header in front and sends the
 * frame out of the trunk.
 *
 * Needs 5.18: bpf_loop (5.17), programs that take fragments on a veth with a large MTU (5.18).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "port_stats.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct qmap_config config;

/* The entry device, which receives aggregates from qmap_enter. */
const volatile __u32 entry_ifindex;

/* Inner ends of the ports by mux id: targets of qmap_deliver's redirect. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, QMAP_MAX_MUX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} port_devs SEC(".maps");

/* Mux id by ifindex of the inner end: tells qmap_uplink which PDN a packet belongs to. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, QMAP_MAX_MUX);
	__type(key, __u32);
	__type(value, __u32);
} uplinks SEC(".maps");

/* copies[n]: a device map that holds the split veth n times, each with qmap_trim. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, QMAP_MAX_FRAMES + 1);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_DEVMAP);
			__uint(max_entries, QMAP_MAX_FRAMES);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct bpf_devmap_val));
		});
} copies SEC(".maps");

struct note {
	__u16 start; /* offset of the frame's QMAP header */
	__u16 end;   /* end of its packet, without pad and trailer */
};

struct notes {
	/*
	 * The walk's position. It is kept in the map because the verifier tracks no map values; it
	 * would follow the growing lower bound of a stack slot frame by frame.
	 */
	__u32 off;
	__u32 count;
	__u32 copy; /* index of the note for the next run of qmap_trim */
	struct note note[QMAP_MAX_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct notes);
} notes SEC(".maps");

/*
 * Counts a dropped downlink frame of @mux. Not inlined: drops are rare, and the walk's loop stays
 * small.
 */
static __noinline int drop_rx(struct qmap_trunk_stats *ts, __u32 mux, __u32 reason)
{
	if (ts)
		count_drop_rx(ts, mux, reason);
	return 0;
}

static __always_inline void report_command(const __u8 *p, const __u8 *end, __u32 mux, __u32 len)
{
	struct qmap_event *ev = new_event(mux, len);

	if (!ev)
		return;
	for (__u32 i = 0; i < QMAP_EVENT_BYTES; i++) {
		if (i >= len || p + i + 1 > end)
			break;
		ev->data[i] = p[i];
	}
	bpf_ringbuf_submit(ev, 0);
}

static __noinline int command(struct xdp_md *ctx, struct qmap_trunk_stats *ts, __u32 at, __u32 mux,
			      __u32 len)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u8 *p;

	if (!ts || at > QMAP_MAX_AGGREGATE)
		return 0;
	p = data + at;
	if (p + sizeof(struct qmap_cmd) <= end && take_command(ts, mux, (const struct qmap_cmd *)p))
		report_command(p, end, mux, len);
	return 0;
}

struct walk {
	struct xdp_md *ctx;
	struct notes *notes;
	struct qmap_trunk_stats *ts;
};

/* Returns 1 at the end of the walk. */
static __always_inline long one_frame(struct walk *w)
{
	const __u8 *data = (void *)(long)w->ctx->data, *end = (void *)(long)w->ctx->data_end;
	struct notes *n = w->notes;
	struct qmap_frame f;
	__u64 off = n->off;
	__u32 drop, at;

	if (qmap_walk(data, end, off, config.dl_version, &f))
		return 1;
	n->off = f.next;
	if (f.command && f.drop == QMAP_DROP_NONE) {
		command(w->ctx, w->ts, f.payload, f.mux_id, f.len);
		return 0;
	}
	drop = judge(&f);
	at = n->count;
	if (drop == QMAP_DROP_NONE && at >= QMAP_MAX_FRAMES)
		drop = QMAP_DROP_TOO_MANY_FRAMES;
	if (drop != QMAP_DROP_NONE) {
		drop_rx(w->ts, f.mux_id, drop);
		return !f.next;
	}
	n->note[at & (QMAP_MAX_FRAMES - 1)].start = off;
	n->note[at & (QMAP_MAX_FRAMES - 1)].end = f.payload + f.len;
	n->count = at + 1;
	return 0;
}

/*
 * bpf_loop callback. It walks four frames per call, because on kernels that guard returns a call
 * and its return cost as much as the walk of a frame (Documentation/admin-guide/hw-vuln/srso.rst).
 */
static long four_frames(__u32 index, void *arg)
{
	return one_frame(arg) ?: one_frame(arg) ?: one_frame(arg) ?: one_frame(arg);
}

/* Upper bound of the frames in an aggregate, good and bad: the smallest takes 5 bytes. */
#define MAX_WALK (QMAP_MAX_AGGREGATE / 5)

/* Must not read the packet: without a MAC header its start is arbitrary. */
SEC("tc")
int qmap_enter(struct __sk_buff *skb)
{
	if (skb->protocol != bpf_htons(QMAP_ETHERTYPE))
		return TC_ACT_OK;
	return bpf_redirect(entry_ifindex, BPF_F_INGRESS);
}

SEC("xdp")
int qmap_split(struct xdp_md *ctx)
{
	struct walk w = {.ctx = ctx};
	__u32 zero = 0, count;
	void *copies_n;

	w.notes = bpf_map_lookup_elem(&notes, &zero);
	w.ts = trunk_stats_here();
	if (!w.notes || !w.ts)
		return XDP_ABORTED;
	w.notes->off = 0;
	w.notes->count = 0;
	w.notes->copy = 0;
	w.ts->aggregates++;
	w.ts->bytes += ctx->data_end - ctx->data;

	bpf_loop((MAX_WALK + 3) / 4, four_frames, &w, 0);

	count = w.notes->count;
	if (!count)
		return XDP_DROP;
	w.ts->frames += count;
	copies_n = bpf_map_lookup_elem(&copies, &count);
	if (!copies_n)
		return XDP_ABORTED;
	return bpf_redirect_map(copies_n, 0, BPF_F_BROADCAST);
}

/* Cuts copy i of the aggregate down to frame i: [QMAP header ... end of packet). */
SEC("xdp/devmap")
int qmap_trim(struct xdp_md *ctx)
{
	__u32 zero = 0, copy, len = ctx->data_end - ctx->data;
	struct notes *n = bpf_map_lookup_elem(&notes, &zero);
	struct note note;

	if (!n)
		return XDP_ABORTED;
	copy = n->copy++;
	if (copy >= n->count || copy >= QMAP_MAX_FRAMES)
		return XDP_ABORTED;
	note = n->note[copy];
	if (note.end > len || note.start >= note.end)
		return XDP_ABORTED;
	if (bpf_xdp_adjust_tail(ctx, (int)note.end - (int)len))
		return XDP_ABORTED;
	if (bpf_xdp_adjust_head(ctx, note.start))
		return XDP_ABORTED;
	return XDP_PASS;
}

/* Replaces the QMAP header by an Ethernet header, which veth needs for delivery. */
static __always_inline int set_ethernet(struct xdp_md *ctx, __u32 hlen,
					const struct qmap_port *port)
{
	struct ethhdr *eth;
	__u8 *packet;

	if (bpf_xdp_adjust_head(ctx, (int)hlen - (int)sizeof(*eth)))
		return -1;
	eth = (void *)(long)ctx->data;
	packet = (__u8 *)(eth + 1);
	if (packet + 1 > (__u8 *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(eth->h_dest, port->mac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, port->mac, ETH_ALEN);
	eth->h_proto = (*packet >> 4) == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	return 0;
}

/*
 * Delivers one frame that qmap_split has judged; its header is at data.
 *
 * Accepts fragments for the sake of veth's MTU, which must be that of an aggregate and is limited
 * to a page otherwise. A packet that is larger than a page comes in fragments, too.
 */
SEC("xdp.frags")
int qmap_deliver(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct qmap_trunk_stats *ts = trunk_stats_here();
	__u32 len = bpf_xdp_get_buff_len(ctx), hlen = sizeof(struct qmap_hdr), mux;
	struct qmap_port_stats *ps;
	struct qmap_port *port;
	int verified = 0;

	if (!ts || data + 8 > end)
		return XDP_ABORTED;
	mux = ((struct qmap_hdr *)data)->mux_id;
	if (config.dl_version == QMAP_V5 && data[0] & QMAP_FLAG_NEXT_HEADER) {
		hlen += sizeof(struct qmap_v5_hdr);
		verified = data[5] & QMAP_V5_CSUM;
	}
	port = bpf_map_lookup_elem(&ports, &mux);
	ps = port_stats_of(mux);
	if (!port || !ps || set_ethernet(ctx, hlen, port)) {
		drop_rx(ts, mux, QMAP_DROP_REDIRECT);
		return XDP_DROP;
	}
	if (bpf_redirect_map(&port_devs, mux, XDP_DROP) != XDP_REDIRECT) {
		drop_rx(ts, mux, QMAP_DROP_REDIRECT);
		return XDP_DROP;
	}
	ps->rx_packets++;
	ps->rx_bytes += len - hlen;
	if (verified)
		ps->rx_csum_ok++;
	else
		ps->rx_csum_none++;
	return XDP_REDIRECT;
}

/* Returns why the packet must not go, or QMAP_DROP_NONE. */
static __always_inline __u32 judge_uplink(struct __sk_buff *skb, const struct qmap_port *port,
					  __u32 len)
{
	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return QMAP_DROP_NOT_IP;
	if (!(port->flags & QMAP_PORT_UP))
		return QMAP_DROP_PORT_DOWN;
	if (len > config.ul_max_packet)
		return QMAP_DROP_OVERSIZE;
	if (port->flow_off_until && bpf_ktime_get_ns() < port->flow_off_until)
		return QMAP_DROP_FLOW_DISABLED;
	return QMAP_DROP_NONE;
}

/* Pushes the header and appends the pad. Returns the header's length or a negative errno. */
static __always_inline long push_header(struct __sk_buff *skb, __u8 mux, __u32 len)
{
	__u32 pad = -len & (QMAP_ALIGN - 1);
	__u32 hlen = sizeof(struct qmap_hdr);
	/* v4 and v5 have four more bytes behind the header. In v4, zero requests no offload. */
	struct {
		struct qmap_hdr hdr;
		struct qmap_v5_hdr v5;
	} h = {.hdr = {.flags = pad, .mux_id = mux, .len = bpf_htons(len + pad)}};

	if (config.ul_version == QMAP_V5) {
		h.hdr.flags |= QMAP_FLAG_NEXT_HEADER;
		h.v5.type_next = QMAP_V5_TYPE_CSUM << 1;
	}
	if (config.ul_version != QMAP_V1)
		hlen += sizeof(h.v5);
	if (bpf_skb_adjust_room(skb, hlen, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	if (pad && bpf_skb_change_tail(skb, skb->len + pad, 0))
		return -1;
	if (config.ul_version == QMAP_V1)
		return bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h.hdr), 0);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0);
}

static __noinline int drop_tx(__u32 mux, __u32 reason)
{
	struct qmap_trunk_stats *ts = trunk_stats_here();
	struct qmap_port_stats *ps = port_stats_of(mux & 0xff);

	if (ts)
		count_drop(ts, reason);
	if (ps)
		ps->tx_dropped++;
	return TC_ACT_SHOT;
}

SEC("tc")
int qmap_uplink(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex, len = skb->len - ETH_HLEN, reason;
	__u32 *mux = bpf_map_lookup_elem(&uplinks, &ifindex);
	struct qmap_port_stats *ps;
	struct qmap_port *port;

	if (!mux)
		return TC_ACT_SHOT;
	port = bpf_map_lookup_elem(&ports, mux);
	ps = port_stats_of(*mux);
	if (!port || !ps)
		return TC_ACT_SHOT;
	reason = judge_uplink(skb, port, len);
	if (reason != QMAP_DROP_NONE)
		return drop_tx(*mux, reason);
	if (push_header(skb, *mux, len))
		return drop_tx(*mux, QMAP_DROP_NO_MEMORY);
	ps->tx_packets++;
	ps->tx_bytes += len;
	return bpf_redirect(config.trunk_ifindex, 0);
}
