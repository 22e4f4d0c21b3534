// SPDX-License-Identifier: GPL-2.0-or-later
#include "mix.h"

#include <stdlib.h>

#define UDP_HEADERS 28

unsigned int mix_packet_len(const struct mix *m, unsigned int i)
{
	return m->len ?: packet_imix(i);
}

static unsigned int pad_of(unsigned int len)
{
	return -len & 3;
}

size_t mix_frame_at(const struct mix *m, int version, unsigned int i)
{
	size_t at = 0;

	for (unsigned int k = 0; k < i; k++) {
		unsigned int len = mix_packet_len(m, k);

		at += len + pad_of(len) + (version == 1 ? 4 : version == 4 ? 12 : 8);
	}
	return at;
}

struct aggregate *mix_make(const struct mix *m, int version)
{
	struct aggregate *a = calloc(1, sizeof(*a));
	struct packet_spec spec = {.udp = true, .flow = 1, .ttl = 64, .frag = 0x4000};
	uint8_t packet[PACKET_MAX];

	if (!a)
		return NULL;
	a->version = version;
	a->csum_ok = true;
	a->max = AGGREGATE_MAX;
	for (unsigned int i = 0; i < m->frames; i++) {
		unsigned int len = mix_packet_len(m, i);

		spec.payload = len - UDP_HEADERS;
		spec.id = i;
		packet_make(packet, &spec);
		if (aggregate_add(a, MIX_MUX + i % m->pdns, packet, len, pad_of(len)))
			continue;
		free(a);
		return NULL;
	}
	return a;
}
