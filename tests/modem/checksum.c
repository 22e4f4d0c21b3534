// SPDX-License-Identifier: GPL-2.0-or-later
#include "checksum.h"
#include "util.h"

#include <netinet/in.h>

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t checksum_add(uint16_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t total = sum;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		total += (word & 0xffffffff) + (word >> 32);
	}
	if (len) {
		uint64_t word = 0;

		memcpy(&word, p, len);
		total += (word & 0xffffffff) + (word >> 32);
	}
	return fold(total);
}

static uint16_t pseudo_sum(const uint8_t *addresses, size_t size, uint8_t protocol, size_t len)
{
	uint8_t tail[8] = {0, 0, 0, 0, 0, 0, 0, protocol};

	put_be32(tail, len);
	return checksum_add(checksum_add(0, addresses, size), tail, sizeof(tail));
}

static size_t field_offset(uint8_t protocol, size_t len)
{
	if (protocol == IPPROTO_TCP && len >= 20)
		return 16;
	if (protocol == IPPROTO_UDP && len >= 8)
		return 6;
	return 0;
}

struct transport checksum_transport(const uint8_t *packet, size_t len)
{
	struct transport t = {0};
	size_t field, size = 32;
	bool v4 = len && packet[0] >> 4 == 4;
	const uint8_t *addresses = packet + 8;

	if (len < (v4 ? 20 : 40))
		return t;
	if (v4) {
		t.offset = (packet[0] & 15) * 4u;
		t.protocol = packet[9];
		addresses = packet + 12;
		size = 8;
		if (t.offset < 20 || t.offset > len || get_be16(packet + 6) & 0x3fff)
			return t;
	} else {
		t.offset = 40;
		t.protocol = packet[6];
	}
	t.len = len - t.offset;
	field = field_offset(t.protocol, t.len);
	if (!field)
		return t;
	t.checked = true;
	t.field = t.offset + field;
	t.pseudo = pseudo_sum(addresses, size, t.protocol, t.len);
	t.none = v4 && t.protocol == IPPROTO_UDP && !get_be16(packet + t.field);
	return t;
}

bool checksum_good(const uint8_t *packet, const struct transport *t)
{
	if (packet[0] >> 4 == 4 && checksum_add(0, packet, t->offset) != 0xffff)
		return false;
	if (t->none)
		return true;
	return checksum_add(t->pseudo, packet + t->offset, t->len) == 0xffff;
}

void checksum_fill(uint8_t *packet, const struct transport *t)
{
	uint16_t sum;

	memset(packet + t->field, 0, 2);
	sum = ~checksum_add(t->pseudo, packet + t->offset, t->len);
	if (!sum && t->protocol == IPPROTO_UDP)
		sum = 0xffff; /* RFC 768: zero would mean that there is no checksum */
	memcpy(packet + t->field, &sum, sizeof(sum));
}
