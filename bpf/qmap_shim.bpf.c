// SPDX-License-Identifier: GPL-2.0-only
/*
 * QMAP programs for the kernel shim: one runs per received frame, one per packet sent.
 * include/qmap/shim.h is the contract, walk.h describes the frames.
 *
 * Ports are numbered by mux id, so neither program needs a lookup to name one.
 */
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "qmap/abi.h"
#include "qmap/shim.h"
#include "qmap/wire.h"
#include "ports.h"
#include "walk.h"

/* The loader sets these. */
const volatile struct qmap_config config = {};
/* Avoid transfers whose length is a multiple of this; 0: no such limit. */
const volatile __u32 avoid_multiple = 0;

/*
 * Reports a command to the daemon. Without a reader the ring buffer fills up; the program answers
 * commands all the same.
 */
static __always_inline void report(const __u8 *command, const __u8 *end, const struct qmap_frame *f)
{
	struct qmap_event *e = new_event(f->mux_id, f->len);
	__u32 i;

	if (!e)
		return;
	for (i = 0; i < QMAP_EVENT_BYTES; i++) {
		if (command + i + 1 > end || i >= f->len)
			break;
		e->data[i] = command[i];
	}
	bpf_ringbuf_submit(e, 0);
}

/*
 * Flow control: stops or starts the sending side of one PDN; the frame goes back as its own
 * acknowledgement with the same transaction (kernel rmnet_map_command.c). Other requests go back as
 * unsupported, so that the modem does not wait for an answer. The answer keeps the pad, which the
 * header counts, and loses the v4 trailer.
 */
static __always_inline int command(__u8 *data, const __u8 *end, const struct qmap_frame *f,
				   struct qmap_shim_rx *w)
{
	struct qmap_cmd *cmd = (struct qmap_cmd *)(data + sizeof(struct qmap_hdr));
	__u32 mux = f->mux_id;
	const struct qmap_port *port = bpf_map_lookup_elem(&ports, &mux);

	if ((__u8 *)(cmd + 1) > end || !port)
		return XDP_ABORTED;
	if (!port->ifindex) {
		w->drop = QMAP_DROP_UNKNOWN_MUX;
		return XDP_DROP;
	}
	w->tail = config.dl_version == QMAP_V4 ? sizeof(struct qmap_v4_trailer) : 0;
	w->length = f->next - f->payload - w->tail;
	report((__u8 *)cmd, end, f);
	if ((cmd->type & QMAP_CMD_TYPE_MASK) != QMAP_CMD_TYPE_REQUEST) {
		w->drop = QMAP_DROP_COMMAND_REFUSED;
		return XDP_DROP;
	}
	cmd->type &= ~QMAP_CMD_TYPE_MASK;
	if (cmd->name == QMAP_CMD_FLOW_DISABLE)
		w->flags = QMAP_SHIM_STOP;
	else if (cmd->name == QMAP_CMD_FLOW_ENABLE)
		w->flags = QMAP_SHIM_START;
	cmd->type |= w->flags ? QMAP_CMD_TYPE_ACK : QMAP_CMD_TYPE_UNSUPPORTED;
	return XDP_TX;
}

/*
 * The complement of the sum of @n halfwords. It adds halfwords, because the verifier of a CPU
 * without unaligned access assumes that a packet is aligned to two bytes.
 */
static __always_inline __u32 less(const __u16 *half, __u32 n)
{
	__u32 sum = 0, i;

	for (i = 0; i < n; i++)
		sum += (__u16)~half[i];
	return sum;
}

/*
 * v4: does the sum in the trailer prove the transport checksum right? The sum less the IP header,
 * plus the pseudo header, must be all ones; the addresses are part of both. Like kernel
 * rmnet_map_data.c, it proves nothing about fragments and UDP without a checksum.
 */
static __always_inline int sum_is_right(const __u8 *packet, const __u8 *end, __u64 len, __u64 pad)
{
	const struct qmap_v4_trailer *t;
	const __u16 *half = (const void *)packet;
	__u64 behind = len + pad;
	__u32 l3, proto, sum;

	if (behind > 0x7fff || packet + sizeof(struct iphdr) + sizeof(struct udphdr) > end)
		return 0;
	/* the verifier needs it; the compiler would drop it */
	asm volatile("%0 &= 0x7fff" : "+r"(behind));
	t = (const void *)(packet + behind);
	if ((const __u8 *)(t + 1) > end || !(t->flags & QMAP_V4_CSUM_VALID))
		return 0;
	sum = (__u16)~t->csum;
	if (packet[0] == 0x45) {
		l3 = sizeof(struct iphdr);
		proto = packet[9];
		sum += less(half, offsetof(struct iphdr, saddr) / 2);
		if (half[1] != bpf_htons(len) || half[3] & bpf_htons(0x3fff))
			return 0;
		half += sizeof(struct iphdr) / 2;
	} else {
		l3 = sizeof(struct ipv6hdr);
		proto = packet[6];
		if (packet[0] >> 4 != 6 || packet + l3 + sizeof(struct udphdr) > end ||
		    half[2] != bpf_htons(len - l3))
			return 0;
		sum += less(half, offsetof(struct ipv6hdr, saddr) / 2);
		half += sizeof(struct ipv6hdr) / 2;
	}
	if (proto != IPPROTO_TCP &&
	    (proto != IPPROTO_UDP || half[2] != bpf_htons(len - l3) || !half[3]))
		return 0;
	sum += bpf_htons(proto) + bpf_htons(len - l3);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/*
 * Handles any frame by the walker's rules. Not inlined, so that usual_frame() does not pay for its
 * stack and registers.
 */
static __noinline int any_frame(struct xdp_md *ctx)
{
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;
	struct qmap_frame f;

	if ((__u8 *)(w + 1) > data)
		return XDP_ABORTED;
	if (qmap_walk(data, end, 0, config.dl_version, &f))
		return XDP_ABORTED;
	*w = (struct qmap_shim_rx){.port = f.mux_id, .drop = f.drop};
	if (!f.next) {
		w->flags = QMAP_SHIM_LAST;
		return XDP_DROP;
	}
	w->header = f.payload;
	if (f.drop != QMAP_DROP_NONE) {
		w->length = f.next - f.payload;
		return XDP_DROP;
	}
	w->length = f.len;
	w->tail = f.next - f.payload - f.len;
	if (f.command)
		return command(data, end, &f, w);
	if (f.csum == QMAP_CSUM_VERIFIED ||
	    (f.csum == QMAP_CSUM_SUM && sum_is_right(data + sizeof(struct qmap_hdr), end, f.len,
						     w->tail - sizeof(struct qmap_v4_trailer))))
		w->flags = QMAP_SHIM_CSUM_OK;
	return XDP_PASS;
}

/*
 * The common frame: a packet of 40 bytes or more. It decides as any_frame() would, in a quarter of
 * the instructions, once per packet. @header and @tail are constants, so that the compiler folds
 * them.
 */
static __always_inline int usual_frame(struct xdp_md *ctx, struct qmap_shim_rx *w, const __u8 *data,
				       const __u8 *end, __u32 header, __u32 tail)
{
	__u32 pad = data[0] & QMAP_PAD_MASK, len = bpf_ntohs(*(const __be16 *)(data + 2));

	if ((data[header] & 0xd0) != 0x40 || len < pad + sizeof(struct ipv6hdr) ||
	    header + len + tail > (__u64)(end - data))
		return any_frame(ctx);
	w->length = len - pad;
	w->header = header;
	w->tail = pad + tail;
	w->port = data[1];
	if (tail && sum_is_right(data + header, end, len - pad, pad))
		w->flags = QMAP_SHIM_CSUM_OK;
	return XDP_PASS;
}

#define V5_PLAIN (QMAP_V5_TYPE_CSUM << 1) /* a checksum header, the last one */

_Static_assert(QMAP_V5_CSUM >> 7 == QMAP_SHIM_CSUM_OK, "one bit becomes the other");

SEC("xdp")
int qmap_shim_rx(struct xdp_md *ctx)
{
	struct qmap_shim_rx *w = (void *)(long)ctx->data_meta;
	const __u8 *data = (void *)(long)ctx->data;
	const __u8 *end = (void *)(long)ctx->data_end;

	if ((__u8 *)(w + 1) > data || data + 2 * sizeof(struct qmap_hdr) + 1 > end)
		return any_frame(ctx);
	if (config.dl_version == QMAP_V5) {
		if ((data[0] & ~QMAP_PAD_MASK) != QMAP_FLAG_NEXT_HEADER || data[4] != V5_PLAIN)
			return any_frame(ctx);
		w->flags = data[5] >> 7; /* QMAP_V5_CSUM */
		return usual_frame(ctx, w, data, end, 2 * sizeof(struct qmap_hdr), 0);
	}
	if (data[0] & QMAP_FLAG_COMMAND)
		return any_frame(ctx);
	if (config.dl_version == QMAP_V4)
		return usual_frame(ctx, w, data, end, sizeof(struct qmap_hdr),
				   sizeof(struct qmap_v4_trailer));
	return usual_frame(ctx, w, data, end, sizeof(struct qmap_hdr), 0);
}

/* Pad for a packet of @length bytes behind @header bytes. */
static __always_inline __u32 padding(__u32 header, __u32 length, __u32 offset)
{
	__u32 pad = -length & (QMAP_ALIGN - 1);
	__u32 total = header + length + pad, i;

	if (!avoid_multiple)
		return pad;
	for (i = 0; i < 2; i++) {
		if (total % avoid_multiple && (offset + total) % avoid_multiple)
			break;
		total += QMAP_ALIGN;
		pad += QMAP_ALIGN;
	}
	return pad;
}

static __always_inline int is_udp(const __u8 *packet, const __u8 *end)
{
	if (packet + sizeof(struct ipv6hdr) > end)
		return packet + sizeof(struct iphdr) <= end && packet[9] == IPPROTO_UDP;
	return packet[(packet[0] >> 4) == 6 ? 6 : 9] == IPPROTO_UDP;
}

/*
 * Can the modem find the checksum by itself? It looks for TCP or UDP right behind the IP header, so
 * not inside a tunnel and not behind IPv6 extension headers.
 */
static __always_inline int modem_can_sum(const struct qmap_shim_tx *m, const __u8 *packet,
					 const __u8 *end)
{
	__u8 proto = 0;

	if (packet + sizeof(struct iphdr) > end)
		return 0;
	if (m->csum_start == sizeof(struct ipv6hdr) && packet[0] >> 4 == 6)
		proto = packet[6];
	else if (m->csum_start == (packet[0] & 0xf) * 4 && packet[0] >> 4 == 4)
		proto = packet[9];
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/*
 * v4: describes where the sum starts and goes. The modem expects the complement of the pseudo
 * header's sum (kernel rmnet_map_data.c). If the field cannot be reached, the header stays zero and
 * the shim computes the checksum.
 */
static __always_inline void checksum_v4(struct qmap_v4_ul_hdr *h, struct qmap_shim_tx *m,
					__u8 *packet, __u8 *end)
{
	__u64 at = m->csum_start + m->csum_offset;
	__u16 info = m->csum_offset | QMAP_V4_UL_ENABLE;
	__u8 *sum;

	h->csum_start = 0;
	h->csum_info = 0;
	if (!(m->flags & QMAP_SHIM_TX_CSUM))
		return;
	sum = packet + at;
	if (at > 0xfff || sum + 2 > end) {
		m->flags = 0;
		return;
	}
	sum[0] ^= 0xff;
	sum[1] ^= 0xff;
	if (is_udp(packet, end))
		info |= QMAP_V4_UL_UDP;
	h->csum_start = bpf_htons(m->csum_start);
	h->csum_info = bpf_htons(info);
}

SEC("xdp")
int qmap_shim_tx(struct xdp_md *ctx)
{
	struct qmap_shim_tx *m = (void *)(long)ctx->data_meta;
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;
	__u32 header = sizeof(struct qmap_hdr), pad;
	struct qmap_v5_hdr *v5;
	struct qmap_hdr *hdr;

	if ((__u8 *)(m + 1) > data || data + QMAP_SHIM_TX_ROOM > end)
		return XDP_ABORTED;
	if (config.ul_version == QMAP_V5 || config.ul_version == QMAP_V4)
		header += sizeof(*v5);
	pad = padding(header, m->length, m->offset);
	if (m->length + pad > QMAP_MAX_LEN ||
	    (config.ul_max_packet && m->length > config.ul_max_packet)) {
		m->drop = QMAP_DROP_OVERSIZE;
		return XDP_DROP;
	}
	m->header = header;
	m->pad = pad;

	hdr = (struct qmap_hdr *)(data + QMAP_SHIM_TX_ROOM - sizeof(*hdr));
	if (header > sizeof(*hdr))
		hdr--;
	hdr->flags = pad;
	hdr->mux_id = m->port;
	hdr->len = bpf_htons(m->length + pad);
	if (m->flags && !modem_can_sum(m, data + QMAP_SHIM_TX_ROOM, end))
		m->flags = 0;
	if (config.ul_version == QMAP_V5) {
		hdr->flags |= QMAP_FLAG_NEXT_HEADER;
		v5 = (struct qmap_v5_hdr *)(hdr + 1);
		v5->type_next = QMAP_V5_TYPE_CSUM << 1;
		v5->flags = m->flags & QMAP_SHIM_TX_CSUM ? QMAP_V5_CSUM : 0;
		v5->reserved = 0;
	} else if (config.ul_version == QMAP_V4) {
		checksum_v4((struct qmap_v4_ul_hdr *)(hdr + 1), m, data + QMAP_SHIM_TX_ROOM, end);
	} else {
		m->flags = 0;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
