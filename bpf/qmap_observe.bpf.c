// SPDX-License-Identifier: GPL-2.0-only
/*
 * The observer of the kernel's own drivers, rmnet and the multiplexer of qmi_wwan: tc ingress on
 * the trunk. It counts frames and drops, which the drivers do not, and takes QMAP commands.
 *
 * rmnet splits aggregates in the trunk's receive handler, which runs behind tc ingress
 * (net/core/dev.c, __netif_receive_skb_core()). The observer therefore sees each aggregate first,
 * and guards: a frame that rmnet would misread or stop at is cut off or becomes a QMAP command,
 * which rmnet skips. rmnet then delivers exactly the frames that have been counted as good.
 *
 * qmi_wwan splits an aggregate before it hands it to the stack all the same (qmimux_rx_fixup(),
 * then usbnet_skb_return()). The observer sees it afterwards, when usbnet has taken its first bytes
 * for an Ethernet header, counts, and drops it. An aggregate that qmi_wwan gives up half way does
 * not arrive here; the trunk's rx_errors count it.
 *
 * The program has neither calls between functions nor callbacks: they need a JIT that some machines
 * with such modems do not have (arm, mips). It needs Linux 5.8 (ring buffer).
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "port_stats.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct qmap_config config;

/* The driver has split the aggregate already (qmimux): nothing is guarded, the aggregate ends here. */
const volatile __u32 is_split;

/*
 * Frames that one run looks at: usual ones, and from the first unusual one on so many of any kind.
 * The next run goes on where this one stopped; the kernel allows 33 (MAX_TAIL_CALL_CNT).
 */
#define RUN_USUAL 64
#define RUN_ANY	  8

/* Bytes behind a packet and its pad. */
#define TAIL (config.dl_version == QMAP_V4 ? sizeof(struct qmap_v4_trailer) : 0)

/* This program, as entry 0. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} again SEC(".maps");

#define NO_MUX QMAP_MAX_MUX

/*
 * The position in the walk of one aggregate. It is kept in a map because the verifier tracks no map
 * values; it would follow the growing lower bound of a stack slot frame by frame.
 */
struct walk {
	__u32 off;   /* of the next frame, from skb->data on */
	__u32 start; /* of the first one */
	__u32 last;  /* of the last one that rmnet may see */
	__u32 state; /* STATE_*: how far the aggregate has come */
	__u32 mux;   /* of the good frames below, which its counters do not have yet; NO_MUX */
	__u64 packets, bytes, csum_ok;
	struct qmap_frame frame; /* found by any_frame() */
};

/* Makes the compiler read the map again: for the verifier one path goes on, not one per kind of
 * frame. */
#define FORGET() asm volatile("" ::: "memory")

#define STATE_DONE 0 /* nothing is under way */
#define STATE_MORE 1 /* another run goes on */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

/* Adds the good frames of one PDN that stood one behind the other to its counters. */
static __always_inline void add_counters(struct qmap_trunk_stats *ts, struct walk *w)
{
	__u32 mux = w->mux;
	struct qmap_port_stats *ps;

	w->mux = NO_MUX;
	ps = mux < QMAP_MAX_MUX ? port_stats_of(mux) : NULL;
	if (ps) {
		ts->frames += w->packets;
		ps->rx_packets += w->packets;
		ps->rx_bytes += w->bytes;
		ps->rx_csum_ok += w->csum_ok;
		ps->rx_csum_none += w->packets - w->csum_ok;
	}
	w->packets = 0;
	w->bytes = 0;
	w->csum_ok = 0;
}

/* Counts frames of PDN @mux from now on. Returns 0 if there is none, or it is not up. */
static __always_inline int change_mux(struct qmap_trunk_stats *ts, struct walk *w, __u32 mux)
{
	if (judge_port(mux) != QMAP_DROP_NONE)
		return 0;
	add_counters(ts, w);
	w->mux = mux;
	return 1;
}

#define V5_PLAIN (QMAP_V5_TYPE_CSUM << 1) /* a checksum header, and none behind it */

/*
 * Nearly every frame is a packet of 40 bytes or more for a PDN that is up. any_frame() would decide the
 * same way, but takes several times as many instructions, and this runs once per packet. Returns 0 if
 * it is another kind of frame.
 */
static __always_inline int usual_frame(struct qmap_trunk_stats *ts, struct walk *w,
				       const __u8 *data, const __u8 *end, __u32 header, __u32 tail)
{
	__u64 off = w->off, len, behind;
	const __u8 *p;
	__u32 pad, mux;

	if (off > QMAP_MAX_AGGREGATE)
		return 0;
	/* the verifier of Linux 6.1 knows the limit of the register that was compared only */
	asm volatile("" : "+r"(off));
	p = data + off;
	if (p + header + 1 > end)
		return 0;
	len = (__u32)p[2] << 8 | p[3];
	pad = p[0] & QMAP_PAD_MASK;
	mux = p[1];
	behind = off + header + len + tail;
	if (p[0] & QMAP_FLAG_COMMAND || (p[header] & 0xd0) != 0x40 || len < pad + 40 ||
	    behind > (__u64)(end - data) || behind > QMAP_MAX_AGGREGATE)
		return 0;
	if (config.dl_version == QMAP_V5 && (!(p[0] & QMAP_FLAG_NEXT_HEADER) || p[4] != V5_PLAIN))
		return 0;
	if (mux != w->mux && !change_mux(ts, w, mux))
		return 0;
	w->last = off;
	w->off = behind;
	w->packets++;
	w->bytes += len - pad;
	if (header > sizeof(struct qmap_hdr) && p[5] & QMAP_V5_CSUM)
		w->csum_ok++;
	return 1;
}

/* The lengths are constants for the compiler, and only one of the three remains in the kernel. */
static __always_inline int usual_frame_of_version(struct qmap_trunk_stats *ts, struct walk *w,
						  const __u8 *data, const __u8 *end)
{
	if (config.dl_version == QMAP_V5)
		return usual_frame(ts, w, data, end, 2 * sizeof(struct qmap_hdr), 0);
	if (config.dl_version == QMAP_V4)
		return usual_frame(ts, w, data, end, sizeof(struct qmap_hdr),
				   sizeof(struct qmap_v4_trailer));
	return usual_frame(ts, w, data, end, sizeof(struct qmap_hdr), 0);
}

static __always_inline void report_command(struct __sk_buff *skb, const struct qmap_frame *f)
{
	__u32 less = (f->len < QMAP_EVENT_BYTES ? f->len : QMAP_EVENT_BYTES) - 1;
	struct qmap_event *ev = new_event(f->mux_id, f->len);

	if (!ev)
		return;
	/* for the verifier; a command has 8 bytes at least, and the compiler knows the limit */
	asm volatile("%0 &= 0x3f" : "+r"(less));
	bpf_skb_load_bytes(skb, f->payload, ev->data, less + 1);
	bpf_ringbuf_submit(ev, 0);
}

/*
 * Makes [@off, @behind) a command, which rmnet skips, because its links are made without
 * RMNET_FLAGS_INGRESS_MAP_COMMANDS. 0, or a negative errno.
 */
static __always_inline long blank(struct __sk_buff *skb, __u32 off, __u32 behind)
{
	struct qmap_hdr h = {
		.flags = QMAP_FLAG_COMMAND,
		.len = bpf_htons(behind - off - sizeof(h) - TAIL),
	};

	return bpf_skb_store_bytes(skb, off, &h, sizeof(h), 0);
}

/*
 * Adds the bytes behind the last frame to its pad; v4's trailer moves to the end. Gives the frame up
 * where a header cannot tell so much pad.
 */
static __always_inline long lengthen_last(struct __sk_buff *skb, const struct walk *w)
{
	__u32 rest = skb->len - w->off;
	struct qmap_v4_trailer t;
	struct qmap_hdr h;
	long ret = bpf_skb_load_bytes(skb, w->last, &h, sizeof(h));

	if (!ret && TAIL)
		ret = bpf_skb_load_bytes(skb, w->off - TAIL, &t, sizeof(t))
			      ?: bpf_skb_store_bytes(skb, skb->len - TAIL, &t, sizeof(t), 0);
	if (ret)
		return ret;
	if (!(h.flags & QMAP_FLAG_COMMAND)) {
		if ((h.flags & QMAP_PAD_MASK) + rest > QMAP_PAD_MASK)
			return blank(skb, w->last, skb->len);
		h.flags += rest;
	}
	h.len = bpf_htons(bpf_ntohs(h.len) + rest);
	return bpf_skb_store_bytes(skb, w->last, &h, sizeof(h), 0);
}

/*
 * Hides the bytes behind the last frame. The kernel cuts no packet that stays longer than
 * SKB_MAX_ALLOC, about 16,000 bytes (net/core/filter.c, bpf_skb_change_tail()).
 */
static __always_inline long hide_rest(struct __sk_buff *skb, const struct walk *w)
{
	if (skb->len - w->off > sizeof(struct qmap_hdr) + TAIL)
		return blank(skb, w->off, skb->len);
	if (!bpf_skb_change_tail(skb, w->off, 0))
		return 0;
	return lengthen_last(skb, w);
}

/*
 * Tells whether the frame is a packet without a v5 header, at which rmnet ends the aggregate
 * (rmnet_map_validate_packet_len()).
 */
static __always_inline int lacks_v5(const struct walk *w)
{
	return config.dl_version == QMAP_V5 && !w->frame.command &&
	       w->frame.payload == w->off + sizeof(struct qmap_hdr);
}

/* Tells whether rmnet itself leaves out the frame that any_frame() has found, and goes on. */
static __always_inline int rmnet_skips(const struct walk *w)
{
	return w->frame.command || (w->frame.drop == QMAP_DROP_UNKNOWN_MUX && !lacks_v5(w));
}

/* Returns why the frame that any_frame() has found is not for a port, or QMAP_DROP_NONE. */
static __always_inline __u32 judge_frame(const struct walk *w)
{
	__u32 drop = judge(&w->frame);

	if (!is_split && drop == QMAP_DROP_NONE && lacks_v5(w))
		return QMAP_DROP_NEXT_HEADER;
	return drop;
}

static __always_inline void take_frame(struct __sk_buff *skb, struct qmap_trunk_stats *ts,
				       struct walk *w)
{
	const struct qmap_frame *f = &w->frame;

	if (f->command) {
		struct qmap_cmd cmd;

		if (!bpf_skb_load_bytes(skb, f->payload, &cmd, sizeof(cmd)) &&
		    take_command(ts, f->mux_id, &cmd))
			report_command(skb, f);
		return;
	}
	w->mux = f->mux_id;
	w->packets = 1;
	w->bytes = f->len;
	w->csum_ok = f->csum == QMAP_CSUM_VERIFIED;
}

/* Any frame, by the walker's rules. Returns 1 at the end of the walk. */
static __always_inline int any_frame(struct __sk_buff *skb, struct qmap_trunk_stats *ts,
				     struct walk *w)
{
	const __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct qmap_frame *f = &w->frame;

	if (qmap_walk(data, end, w->off, config.dl_version, f))
		return 1;
	add_counters(ts, w);
	FORGET();
	if (!f->command || f->drop != QMAP_DROP_NONE)
		f->drop = judge_frame(w);
	FORGET();
	if (f->drop == QMAP_DROP_NONE) {
		take_frame(skb, ts, w);
	} else {
		count_drop_rx(ts, f->mux_id, f->drop);
		if (is_split && f->drop == QMAP_DROP_ZERO_LENGTH)
			f->next = w->off + sizeof(struct qmap_hdr); /* where qmi_wwan goes on */
		if (!f->next || (!is_split && !rmnet_skips(w) && blank(skb, w->off, f->next)))
			return 1;
	}
	w->last = w->off;
	w->off = f->next;
	return 0;
}

/*
 * Where the aggregate starts. Drivers that leave the MAC header unset (qmi_wwan in pass-through mode)
 * make the kernel show a made-up one to tc ingress, of as many bytes as the packet is longer than it
 * was when the hook began (net/core/skbuff.h, skb_reset_mac_len(); net/sched/cls_bpf.c).
 */
static __always_inline __u32 start_of(struct __sk_buff *skb)
{
	return is_split ? 0 : skb->len - skb->wire_len;
}

static __always_inline int begin(struct __sk_buff *skb, struct qmap_trunk_stats *ts, struct walk *w)
{
	w->start = start_of(skb);
	w->off = w->start;
	w->mux = NO_MUX;
	w->packets = 0;
	w->bytes = 0;
	w->csum_ok = 0;
	ts->aggregates++;
	ts->bytes += skb->len - w->start;
	if (skb->data_end - skb->data < skb->len && bpf_skb_pull_data(skb, skb->len)) {
		count_drop(ts, QMAP_DROP_NO_MEMORY);
		return -1;
	}
	w->state = STATE_MORE;
	return 0;
}

static __always_inline int finish(struct __sk_buff *skb, struct walk *w)
{
	w->state = STATE_DONE;
	if (is_split)
		return TC_ACT_STOLEN;
	if (w->off >= skb->len)
		return TC_ACT_UNSPEC;
	if (w->off == w->start || hide_rest(skb, w))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int qmap_observe(struct __sk_buff *skb)
{
	struct qmap_trunk_stats *ts = trunk_stats_here();
	__u32 zero = 0, i;
	struct walk *w = bpf_map_lookup_elem(&walks, &zero);

	if (!ts || !w)
		return TC_ACT_UNSPEC;
	if (!is_split && skb->protocol != bpf_htons(QMAP_ETHERTYPE))
		return TC_ACT_UNSPEC;
	if (w->state == STATE_DONE && begin(skb, ts, w))
		return TC_ACT_SHOT;
	for (i = 0; i < RUN_USUAL; i++) {
		const __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

		if (!usual_frame_of_version(ts, w, data, end))
			break;
	}
	for (i = 0; i < RUN_ANY; i++)
		if (any_frame(skb, ts, w))
			break;
	add_counters(ts, w);
	if (i == RUN_ANY) {
		bpf_tail_call(skb, &again, 0);
		count_drop(ts, QMAP_DROP_TOO_MANY_FRAMES);
	}
	return finish(skb, w);
}
