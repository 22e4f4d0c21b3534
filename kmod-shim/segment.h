/* SPDX-License-Identifier: GPL-2.0-only */
/* Cutting large packets: where the next segment is, and what its headers are. No allocation. */
#ifndef SHIM_SEGMENT_H
#define SHIM_SEGMENT_H

#include <linux/skbuff.h>

#define SEGMENT_HEADERS_MAX 128 /* IP and TCP header of what is cut */

struct segment {
	unsigned int index;
	unsigned int offset; /* of the payload in the large packet */
	unsigned int payload;
	unsigned int headers, l3;
	unsigned int csum_offset; /* from l3 */
};

/* Can the functions below cut this GSO packet? */
bool segment_possible(const struct sk_buff *skb);
void segment_first(const struct sk_buff *skb, struct segment *s);
/* False: that was the last one. */
bool segment_next(const struct sk_buff *skb, struct segment *s);
/* Writes the headers to @to, with the pseudo header's sum where the checksum belongs. */
void segment_headers(const struct sk_buff *skb, const struct segment *s, u8 *to);
/* Fills in the checksum of the complete segment at @packet. */
void segment_checksum(const struct segment *s, u8 *packet);

#endif
