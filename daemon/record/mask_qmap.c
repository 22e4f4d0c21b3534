// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "bpf/walk.h"
#include "mask.h"

/* RFC 1071. */
static uint16_t header_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Masks a header that is whole, as the walker has checked. Returns the bytes that stay. */
static size_t mask_header(struct record_mask *k, uint8_t *p)
{
	struct iphdr v4;
	struct ip6_hdr v6;

	if (p[0] >> 4 == 4) {
		memcpy(&v4, p, sizeof(v4));
		record_alias4(&k->alias, (uint8_t *)&v4.saddr);
		record_alias4(&k->alias, (uint8_t *)&v4.daddr);
		v4.check = 0;
		v4.check = header_sum((uint8_t *)&v4, sizeof(v4));
		memcpy(p, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6, p, sizeof(v6));
	record_alias6(&k->alias, v6.ip6_src.s6_addr);
	record_alias6(&k->alias, v6.ip6_dst.s6_addr);
	memcpy(p, &v6, sizeof(v6));
	return sizeof(v6);
}

/* Masks the frame at @off, which ends at @end. */
static void mask_frame(struct record_mask *k, uint8_t *data, size_t off, size_t end,
		       const struct qmap_frame *f, int version)
{
	size_t from = off + sizeof(struct qmap_hdr), to = end;

	if (f->drop == QMAP_DROP_NONE && f->command) {
		from = f->payload + sizeof(struct qmap_cmd) + sizeof(struct qmap_cmd_flow);
	} else if (f->drop == QMAP_DROP_NONE) {
		from = f->payload + mask_header(k, data + f->payload);
		if (version == QMAP_V4)
			to -= sizeof(struct qmap_v4_trailer);
	}
	if (from < to)
		memset(data + from, 0, to - from);
}

size_t record_mask_qmap(struct record_mask *k, uint8_t *data, size_t len, int version, size_t limit)
{
	size_t off = 0, kept = 0;
	struct qmap_frame f;

	while (!qmap_walk(data, data + len, off, version, &f)) {
		size_t end = f.next ? f.next : len;

		mask_frame(k, data, off, end, &f, version);
		if (end <= limit || !kept)
			kept = end;
		if (end > limit || !f.next)
			break;
		off = end;
	}
	return kept < limit ? kept : limit;
}
