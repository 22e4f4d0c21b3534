/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame walker: what stands at one offset of an aggregate.
 *
 * Pure: no maps, no helpers, no state. The same text is compiled into the BPF programs and, in user
 * space, into unit tests, fuzzers and `qmapctl decode`, so that what the tests see is what runs.
 *
 * Every length is checked against what is left. In BPF the verifier wants its bounds as pointer
 * comparisons against @end right before each access, which is why they are written that way.
 */
#ifndef QMAP_WALK_H
#define QMAP_WALK_H

#include <linux/types.h>

#include "qmap/abi.h"
#include "qmap/wire.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* What the modem says about the packet's checksums. */
enum qmap_csum {
	QMAP_CSUM_NONE,	    /* nothing */
	QMAP_CSUM_VERIFIED, /* v5: verified by the modem */
	QMAP_CSUM_SUM,	    /* v4: a sum over the packet stands in the trailer */
};

struct qmap_frame {
	__u32 payload; /* offset of the IP packet or command */
	__u32 len;     /* its length, pad excluded */
	__u32 next;    /* offset of the next frame; 0: the aggregate ends here (bad length) */
	__u8 mux_id;
	__u8 command; /* not an IP packet but a QMAP command */
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

/* Is this an IP packet as far as its first byte and its length tell? */
static __always_inline int qmap_walk_is_ip(__u8 first, __u32 len)
{
	return ((first >> 4) == 4 && len >= 20) || ((first >> 4) == 6 && len >= 40);
}

/*
 * Looks at the frame at @off of the aggregate [@data, @end).
 *
 * @version: of the downlink (enum qmap_version). Version 4 puts a trailer behind each frame;
 * version 5 gives a meaning to QMAP_FLAG_NEXT_HEADER, which older versions tell to ignore.
 *
 * Returns 0 with @f filled in; f->next == 0 when the walk is over because of a bad length,
 * otherwise the walk is over when f->next == @end - @data. Returns 1 when @off is at or behind the
 * end: there is no frame.
 */
static __always_inline int qmap_walk(const __u8 *data, const __u8 *end, __u64 off, int version,
				     struct qmap_frame *f)
{
	const struct qmap_hdr *hdr;
	__u64 hlen = sizeof(*hdr), len, pad, tail;
	const __u8 *p;

	f->payload = 0;
	f->len = 0;
	f->next = 0;
	f->mux_id = 0;
	f->command = 0;
	f->csum = QMAP_CSUM_NONE;

	if (off > QMAP_MAX_AGGREGATE)
		return 1;
	p = data + off;
	if (p >= end)
		return 1;
	f->drop = QMAP_DROP_TRUNCATED_HEADER;
	if (p + sizeof(*hdr) > end)
		return 0;
	hdr = (const struct qmap_hdr *)p;
	f->mux_id = hdr->mux_id;
	f->command = !!(hdr->flags & QMAP_FLAG_COMMAND);
	len = __builtin_bswap16(hdr->len);
	pad = hdr->flags & QMAP_PAD_MASK;
	if (!len) {
		f->drop = QMAP_DROP_ZERO_LENGTH;
		return 0;
	}

	f->drop = QMAP_DROP_NONE;
	if (version == QMAP_V5 && !f->command && (hdr->flags & QMAP_FLAG_NEXT_HEADER)) {
		if (p + sizeof(*hdr) + sizeof(struct qmap_v5_hdr) > end) {
			f->drop = QMAP_DROP_TRUNCATED_HEADER;
			return 0;
		}
		hlen += qmap_walk_v5((const struct qmap_v5_hdr *)(hdr + 1), f);
	}

	tail = version == QMAP_V4 ? sizeof(struct qmap_v4_trailer) : 0;
	if (p + hlen + len > end) {
		f->drop = QMAP_DROP_LENGTH_BEYOND;
		return 0;
	}
	if (p + hlen + len + tail > end) {
		f->drop = QMAP_DROP_TRUNCATED_TRAILER;
		return 0;
	}
	f->payload = off + hlen;
	f->next = off + hlen + len + tail;
	if (tail &&
	    (((const struct qmap_v4_trailer *)(p + hlen + len))->flags & QMAP_V4_CSUM_VALID))
		f->csum = QMAP_CSUM_SUM;

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
		return 0;
	}
	if (!qmap_walk_is_ip(p[hlen], f->len))
		f->drop = QMAP_DROP_NOT_IP;
	return 0;
}

#endif
