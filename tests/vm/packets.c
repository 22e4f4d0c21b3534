// SPDX-License-Identifier: GPL-2.0-or-later
#include "packets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "qmap/wire.h"

static uint64_t state = 88172645463325252ULL;

void random_seed(uint64_t seed)
{
	state = seed * 2862933555777941757ULL + 88172645463325252ULL;
}

/* xorshift64*: repeatable runs matter more here than quality. */
uint32_t random_u32(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717ULL >> 32;
}

unsigned int random_in(unsigned int low, unsigned int high)
{
	return low + random_u32() % (high - low + 1);
}

bool chance(unsigned int percent)
{
	return random_u32() % 100 < percent;
}

uint16_t csum16(const void *data, size_t n, uint32_t sum)
{
	const uint8_t *p = data;

	for (; n > 1; n -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (n)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static size_t make_ip(uint8_t *p, const struct packet_spec *s, size_t l4, uint32_t *pseudo)
{
	uint8_t proto = s->udp ? IPPROTO_UDP : IPPROTO_TCP;
	size_t hlen = s->v6 ? 40 : 20;

	memset(p, 0, hlen);
	if (s->v6) {
		put32(p, 6U << 28 | s->tos << 20 | (s->flow & 0xfffff));
		put16(p + 4, l4);
		p[6] = proto;
		p[7] = s->ttl;
		put32(p + 8, 0x20010db8);
		put32(p + 20, 1);
		put32(p + 24, 0x20010db8);
		put32(p + 36, 0x100 + s->flow);
		*pseudo = csum16(p + 8, 32, proto + l4);
		return hlen;
	}
	p[0] = 0x45;
	p[1] = s->tos;
	put16(p + 2, 20 + l4);
	put16(p + 4, s->id);
	put16(p + 6, s->frag);
	p[8] = s->ttl;
	p[9] = proto;
	put32(p + 12, s->saddr ?: 0x0a000001);
	put32(p + 16, s->daddr ?: 0x0a010000 + s->flow);
	put16(p + 10, ~csum16(p, 20, 0) ^ s->bad_ip_csum);
	*pseudo = csum16(p + 12, 8, proto + l4);
	return hlen;
}

static size_t make_tcp(uint8_t *p, const struct packet_spec *s)
{
	memset(p, 0, 20);
	put16(p, s->sport ?: 5000 + s->flow);
	put16(p + 2, s->dport ?: 80);
	put32(p + 4, s->seq);
	put32(p + 8, s->ack);
	p[12] = (20 + s->options_len) / 4 << 4 | s->ae;
	p[13] = s->flags;
	put16(p + 14, s->window);
	put16(p + 18, s->urgent);
	memcpy(p + 20, s->options, s->options_len);
	return 20 + s->options_len;
}

static size_t make_udp(uint8_t *p, const struct packet_spec *s)
{
	put16(p, s->sport ?: 5000 + s->flow);
	put16(p + 2, s->dport ?: 4000);
	put16(p + 4, 8 + s->payload - (s->bad_length && s->payload));
	put16(p + 6, 0);
	return 8;
}

size_t packet_make(uint8_t *out, const struct packet_spec *s)
{
	size_t l4 = (s->udp ? 8 : 20 + s->options_len) + s->payload, l3, hlen, i;
	uint32_t pseudo, x = s->flow * 7919 + s->seq;
	uint8_t *p;
	uint16_t sum;

	l3 = make_ip(out, s, l4, &pseudo);
	p = out + l3;
	hlen = s->udp ? make_udp(p, s) : make_tcp(p, s);
	for (i = 0; i < s->payload; i++) {
		x = x * 1664525 + 1013904223;
		p[hlen + i] = x >> 24;
	}
	sum = ~csum16(p, l4, pseudo);
	if (s->udp && !sum)
		sum = 0xffff;
	put16(p + (s->udp ? 6 : 16), s->no_csum ? 0 : sum ^ (s->bad_csum ? 0x5555 : 0));
	return l3 + l4;
}

/* Writes the trailer of a modem that has summed the whole packet. */
static void put_trailer(uint8_t *p, const uint8_t *packet, size_t len)
{
	p[1] = QMAP_V4_CSUM_VALID;
	put16(p + 4, len);
	put16(p + 6, ~csum16(packet, len, 0));
}

bool aggregate_add(struct aggregate *a, uint8_t mux, const uint8_t *packet, size_t len,
		   unsigned int pad)
{
	size_t header = a->version == 5 ? 8 : 4, tail = a->version == 4 ? 8 : 0;
	uint8_t *p = a->data + a->len;

	if (a->len + header + len + pad + tail > a->max)
		return false;
	p[0] = pad | (a->version == 5 ? QMAP_FLAG_NEXT_HEADER : 0);
	p[1] = mux;
	put16(p + 2, len + pad);
	if (a->version == 5) {
		p[4] = QMAP_V5_TYPE_CSUM << 1;
		p[5] = a->csum_ok ? QMAP_V5_CSUM : 0;
		put16(p + 6, 0);
	}
	memcpy(p + header, packet, len);
	memset(p + header + len, 0, pad + tail);
	if (a->version == 4 && a->csum_ok)
		put_trailer(p + header + len + pad, packet, len);
	a->len += header + len + pad + tail;
	return true;
}

bool aggregate_add_flow(struct aggregate *a, uint8_t mux, bool enable, uint32_t transaction)
{
	uint8_t *p = a->data + a->len;
	size_t tail = a->version == 4 ? 8 : 0;

	if (a->len + 20 + tail > a->max)
		return false;
	memset(p, 0, 20 + tail);
	p[0] = QMAP_FLAG_COMMAND;
	p[1] = mux;
	put16(p + 2, 16);
	p[4] = enable ? QMAP_CMD_FLOW_ENABLE : QMAP_CMD_FLOW_DISABLE;
	put32(p + 8, transaction);
	a->len += 20 + tail;
	return true;
}
