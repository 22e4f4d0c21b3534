// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_generator.h"

#define ACKNOWLEDGED 1360 /* bytes of a segment of the other direction */

/* TCP headers do not fit in the smallest packets of the mix: these get 20 bytes more. */
static unsigned int packet_len(const struct bench_case *c, unsigned int i)
{
	unsigned int len = c->packet ?: packet_imix(i);

	return !c->packet && !c->udp && len < 60 ? 60 : len;
}

/* One to one on 16 bits, so that no two flows are one. */
uint16_t generator_sport(unsigned int flow)
{
	uint16_t x = flow;

	x ^= x >> 8;
	x *= 0x88b5;
	x ^= x >> 7;
	x *= 0xdb2d;
	return x ^ x >> 9;
}

void generator_init(struct generator *g, const struct bench_case *c, uint32_t seq, uint32_t ack)
{
	struct packet_spec s = {.udp = c->udp,
				.v6 = c->v6,
				.flow = 1,
				.sport = generator_sport(1),
				.daddr = case_destination(c),
				.ttl = 64,
				.flags = 0x10,
				.frag = 0x4000,
				.window = 0xffff,
				.seq = seq,
				.ack = ack};
	uint8_t packet[PACKET_MAX];
	unsigned int i;

	memset(g, 0, sizeof(*g));
	g->c = c;
	g->a.version = c->version;
	g->a.max = AGGREGATE_MAX;
	g->a.csum_ok = true;
	g->ack = ack;
	for (i = 0; i < GENERATOR_STREAMS; i++)
		g->seq[i] = seq;
	for (i = 0; i < c->frames; i++) {
		struct generator_slot *slot = &g->slots[i];

		slot->port = 1 + i % c->ports;
		slot->flow = 1;
		slot->payload = s.payload = packet_len(c, i) - case_headers(c);
		slot->packet = g->a.data + g->a.len + (c->version == 5 ? 8 : 4);
		if (!aggregate_add(&g->a, slot->port, packet, packet_make(packet, &s), 0))
			DIE("aggregate");
	}
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* RFC 1624: updates a checksum after 16 bits have changed. */
static void fix(uint8_t *sum, uint16_t old, uint16_t new)
{
	uint32_t s = (uint16_t)~get16(sum) + (uint16_t)~old + new;

	s = (s & 0xffff) + (s >> 16);
	put16(sum, ~((s & 0xffff) + (s >> 16)));
}

/* Sets 16 bits at @at to @value and updates the sum that covers them. */
static void set16(uint8_t *at, uint16_t value, uint8_t *sum)
{
	fix(sum, get16(at), value);
	put16(at, value);
}

/* Returns the checksum of the transport header. */
static uint8_t *l4_sum(const struct generator *g, const struct generator_slot *s)
{
	return s->packet + case_ip_header(g->c) + (g->c->udp ? 6 : 16);
}

/* Sets addresses as packet_make() does, and the port of a flow; behind a NAT only ports differ. */
static void set_flow(const struct generator *g, struct generator_slot *s, unsigned int flow)
{
	uint8_t *p = s->packet, *sum = l4_sum(g, s);

	if (g->c->v6) {
		put16(p + 2, flow); /* flow label: no checksum covers it */
		set16(p + 38, 0x100 + flow, sum);
	} else if (!case_destination(g->c)) {
		fix(sum, get16(p + 18), flow);
		set16(p + 18, flow, p + 10);
	}
	set16(p + case_ip_header(g->c), generator_sport(flow), sum);
	s->flow = flow;
}

static void set32(uint8_t *at, uint32_t value, uint8_t *sum)
{
	set16(at, value >> 16, sum);
	set16(at + 2, value, sum);
}

/* Makes the next segment of its stream; one without payload acknowledges two more. */
static void next_segment(struct generator *g, struct generator_slot *s, unsigned int stream)
{
	uint8_t *tcp = s->packet + case_ip_header(g->c), *sum = l4_sum(g, s);

	if (case_is_ack(g->c)) {
		g->ack += 2 * ACKNOWLEDGED;
		set32(tcp + 8, g->ack, sum);
	}
	set32(tcp + 4, g->seq[stream], sum);
	g->seq[stream] += s->payload;
}

void generator_next(struct generator *g)
{
	unsigned int i, stream, flows = g->c->flows;

	for (i = 0; i < g->c->frames; i++) {
		struct generator_slot *s = &g->slots[i];

		if (flows > 1)
			set_flow(g, s, 1 + g->next_flow++ % flows);
		stream = flows > 1 ? s->flow : s->port;
		if (!g->c->v6)
			set16(s->packet + 4, g->id[stream]++, s->packet + 10);
		if (!g->c->udp)
			next_segment(g, s, stream);
	}
}

unsigned long long generator_payload(const struct generator *g)
{
	unsigned long long sum = 0;
	unsigned int i;

	for (i = 0; i < g->c->frames; i++)
		sum += case_is_ack(g->c) ? 1 : g->slots[i].payload;
	return sum;
}

void generator_stamp(struct generator *g, uint64_t time)
{
	unsigned int i, word, at = case_stamp(g->c);

	for (i = 0; i < g->c->frames; i++) {
		struct generator_slot *s = &g->slots[i];

		for (word = 0; word < 4; word++)
			set16(s->packet + at + 2 * word, time >> (48 - 16 * word), l4_sum(g, s));
	}
}
