/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame walker: parses the frame at one offset of an aggregate.
 *
 * Pure: no maps, no helpers, no state. The same text is compiled into the BPF programs and, in user
 * space, into unit tests, fuzzers and `qmapctl decode`, so the tests exercise the code that runs.
 *
 * The walker checks every length against the bytes left. The verifier needs its bounds as pointer
 * comparisons against @end right before each access, hence their form.
 */
#ifndef QMAP_WALK_H
#define QMAP_WALK_H

#include <linux/types.h>

#include "qmap/abi.h"
#include "qmap/wire.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* The modem's statement about the packet's checksums. */
enum qmap_csum {
	QMAP_CSUM_NONE,	    /* nothing */
	QMAP_CSUM_VERIFIED, /* v5: verified by the modem */
	QMAP_CSUM_SUM,	    /* v4: the trailer holds a sum over the packet */
};

struct qmap_frame {
	__u32 payload; /* offset of the IP packet or command */
	__u32 len;     /* its length, pad excluded */
	__u32 next;    /* offset of the next frame; 0: the aggregate ends here (bad length) */
	__u8 mux_id;
	__u8 command; /* a QMAP command instead of an IP packet */
	__u8 csum;    /* enum qmap_csum */
	__u8 drop;    /* enum qmap_drop; QMAP_DROP_NONE: a good frame */
};

/* Fixed length of a v5 coalescing header: 4 bytes and six 4-byte descriptors, used or not
 * (Qualcomm rmnet_core, rmnet_map.h). */
#define QMAP_V5_COALESCING_LEN 28

/* Reads the v5 header at @h; returns its length. Sets @f->drop for types that carry no plain
 * packet. */
static __always_inline __u32 qmap_walk_v5(const struct qmap_v5_hdr *h, struct qmap_frame *f)
{
	if (QMAP_V5_TYPE(h->type_next) == QMAP_V5_TYPE_CSUM && !(h->type_next & QMAP_V5_ANOTHER)) {
		if (h->flags & QMAP_V5_CSUM)
			f->csum = QMAP_CSUM_VERIFIED;
		return sizeof(*h);
	}
	f->drop = QMAP_DROP_NEXT_HEADER;
	if (QMAP_V5_TYPE(h->type_next) == QMAP_V5_TYPE_COALESCING)
		return QMAP_V5_COALESCING_LEN;
	return sizeof(*h);
}

/* Can this be an IP packet, judging by its first byte and its length? */
static __always_inline int qmap_walk_is_ip(__u8 first, __u32 len)
{
	return ((first >> 4) == 4 && len >= 20) || ((first >> 4) == 6 && len >= 40);
}

/*
 * Parses the frame at @off of the aggregate [@data, @end).
 *
 * @version: of the downlink (enum qmap_version). Version 4 puts a trailer behind each frame;
 * version 5 gives a meaning to QMAP_FLAG_NEXT_HEADER, which older versions require to be ignored.
 *
 * Returns 0 with @f filled in, 1 if @off is at or behind the end, where no frame starts. The walk
 * ends when f->next == 0 (bad length) or f->next == @end - @data.
 *
 * Lengths are compared as numbers, because the verifier loses its bounds of a packet pointer whose
 * offset may pass 65535; the pointer comparisons before each access only serve the verifier.
 */
static __always_inline int qmap_walk(const __u8 *data, const __u8 *end, __u64 off, int version,
				     struct qmap_frame *f)
{
	__u64 total = end - data, hlen = sizeof(struct qmap_hdr), len, pad, behind;
	const __u8 *p = data + off;
	const __u8 *t;

	*f = (struct qmap_frame){.drop = QMAP_DROP_TRUNCATED_HEADER};
	if (off >= total || off > QMAP_MAX_AGGREGATE)
		return 1;
	if (p + sizeof(struct qmap_hdr) > end)
		return 0;
	f->mux_id = p[1];
	f->command = !!(p[0] & QMAP_FLAG_COMMAND);
	len = (__u32)p[2] << 8 | p[3];
	pad = p[0] & QMAP_PAD_MASK;
	if (!len) {
		f->drop = QMAP_DROP_ZERO_LENGTH;
		return 0;
	}

	if (version == QMAP_V5 &&
	    (p[0] & (QMAP_FLAG_COMMAND | QMAP_FLAG_NEXT_HEADER)) == QMAP_FLAG_NEXT_HEADER) {
		if (p + hlen + sizeof(struct qmap_v5_hdr) > end)
			return 0;
		f->drop = QMAP_DROP_NONE;
		hlen += qmap_walk_v5((const struct qmap_v5_hdr *)(p + hlen), f);
	} else {
		f->drop = QMAP_DROP_NONE;
	}

	behind = off + hlen + len;
	t = data + behind;
	if (behind > total || behind > QMAP_MAX_AGGREGATE) {
		f->drop = QMAP_DROP_LENGTH_BEYOND;
		return 0;
	}
	if (version == QMAP_V4) {
		if (t + sizeof(struct qmap_v4_trailer) > end) {
			f->drop = QMAP_DROP_TRUNCATED_TRAILER;
			return 0;
		}
		if (((const struct qmap_v4_trailer *)t)->flags & QMAP_V4_CSUM_VALID)
			f->csum = QMAP_CSUM_SUM;
		behind += sizeof(struct qmap_v4_trailer);
	}
	f->payload = off + hlen;
	f->next = behind;
	if (f->drop != QMAP_DROP_NONE)
		return 0;
	if (pad >= len) {
		f->drop = QMAP_DROP_PAD_LENGTH;
		return 0;
	}
	f->len = len - pad;
	if (f->command) {
		if (f->len < sizeof(struct qmap_cmd))
			f->drop = QMAP_DROP_SHORT_COMMAND;
	} else if (p + hlen + 1 > end || !qmap_walk_is_ip(p[hlen], f->len)) {
		f->drop = QMAP_DROP_NOT_IP;
	}
	return 0;
}

#endif
