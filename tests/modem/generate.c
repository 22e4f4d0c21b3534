// SPDX-License-Identifier: GPL-2.0-or-later
#include "generate.h"
#include "aggregate.h"
#include "checksum.h"
#include "pattern.h"
#include "usb.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK	 128 /* packets a round, so that the other parts of the modem run, too */
#define HEADERS4 28
#define HEADERS6 48

struct generator {
	struct modem *modem;
	struct timer pace;
	struct generate_request request;
	bool active;
	bool pdn[MAX_PDNS];
	uint64_t sequence; /* of the next packet of each PDN */
	unsigned int next; /* the next PDN */
	uint64_t turns;	   /* packets, including those skipped because their call has ended */
	uint64_t packets;
	uint64_t started, ended;
	uint8_t packet[MAX_TRANSFER];
};

unsigned int generate_min_size(enum family family)
{
	return (family == FAMILY_V4 ? HEADERS4 : HEADERS6) + PATTERN_HEADER;
}

static void fill_v4(const struct pdn *pdn, uint8_t *packet, unsigned int size)
{
	uint16_t sum;

	memset(packet, 0, 20);
	packet[0] = 0x45;
	put_be16(packet + 2, size);
	put_be16(packet + 6, 0x4000);
	packet[8] = 64;
	packet[9] = IPPROTO_UDP;
	memcpy(packet + 12, &pdn->gateway4, 4);
	memcpy(packet + 16, &pdn->host4, 4);
	sum = ~checksum_add(0, packet, 20);
	memcpy(packet + 10, &sum, sizeof(sum));
}

static void fill_v6(const struct pdn *pdn, uint8_t *packet, unsigned int size)
{
	memset(packet, 0, 8);
	packet[0] = 0x60;
	put_be16(packet + 4, size - 40);
	packet[6] = IPPROTO_UDP;
	packet[7] = 64;
	memcpy(packet + 8, &pdn->gateway6, 16);
	memcpy(packet + 24, &pdn->host6, 16);
}

void generate_packet(const struct pdn *pdn, enum family family, uint16_t stream, uint64_t sequence,
		     uint16_t port, uint8_t *packet, unsigned int size)
{
	struct pattern p = {.stream = stream, .sequence = sequence};
	unsigned int udp = family == FAMILY_V4 ? 20 : 40;
	struct transport t;

	if (family == FAMILY_V4)
		fill_v4(pdn, packet, size);
	else
		fill_v6(pdn, packet, size);
	put_be16(packet + udp, port);
	put_be16(packet + udp + 2, port);
	put_be16(packet + udp + 4, size - udp);
	put_be16(packet + udp + 6, 0);
	pattern_fill(packet + udp + 8, size - udp - 8, &p);
	t = checksum_transport(packet, size);
	checksum_fill(packet, &t);
}

/* The timer only ends the sleep; generate_round() computes how many packets are due. */
static void paced(struct timer *timer)
{
}

int generator_new(struct modem *m)
{
	m->generator = calloc(1, sizeof(*m->generator));
	if (!m->generator)
		return -ENOMEM;
	m->generator->modem = m;
	m->generator->pace.fire = paced;
	return 0;
}

void generator_free(struct modem *m)
{
	if (m->generator)
		generate_stop(m);
	free(m->generator);
	m->generator = NULL;
}

int generate_start(struct modem *m, const struct generate_request *request)
{
	struct generator *g = m->generator;
	unsigned int found = 0;

	if (request->size < generate_min_size(request->family) || request->size > PATTERN_MAX_SIZE)
		return -EINVAL;
	generate_stop(m);
	for (unsigned int i = 0; i < MAX_PDNS; i++) {
		const struct pdn *p = &m->pdns[i];

		g->pdn[i] =
			(!request->pdn || request->pdn == p->number) && p->users[request->family];
		found += g->pdn[i];
	}
	if (!found)
		return -ENOTCONN;
	g->request = *request;
	g->sequence = 0;
	g->packets = 0;
	g->turns = 0;
	g->next = 0;
	g->started = g->ended = now_us();
	g->active = request->count > 0;
	return 0;
}

void generate_stop(struct modem *m)
{
	loop_disarm(&m->loop, &m->generator->pace);
	if (m->generator->active)
		m->generator->ended = now_us();
	m->generator->active = false;
}

/* Sends one packet for the next PDN: PDNs alternate, so aggregates mix them. */
static void send_one(struct modem *m)
{
	struct generator *g = m->generator;
	const struct generate_request *r = &g->request;

	while (!g->pdn[g->next])
		g->next++;
	g->turns++;
	if (m->pdns[g->next].users[r->family]) {
		struct pdn *p = &m->pdns[g->next];

		generate_packet(p, r->family, p->number, g->sequence, PATTERN_DL_PORT, g->packet,
				r->size);
		aggregate_add(m, p, g->packet, r->size);
		g->packets++;
	}
	do {
		g->next++;
	} while (g->next < MAX_PDNS && !g->pdn[g->next]);
	if (g->next < MAX_PDNS)
		return;
	g->next = 0;
	if (++g->sequence == r->count)
		generate_stop(m);
}

static uint64_t packets_due(const struct generator *g)
{
	if (!g->request.rate)
		return CHUNK;
	return (now_us() - g->started) * g->request.rate / 1000000 + 1 - g->turns;
}

bool generate_round(struct modem *m)
{
	struct generator *g = m->generator;
	uint64_t due;

	/* the host's next USB request is an event, so this function runs again */
	if (!g->active || usb_transfers_congested(m))
		return false;
	due = packets_due(g);
	for (uint64_t i = 0; i < due && i < CHUNK && g->active; i++)
		send_one(m);
	if (!g->active)
		return false;
	if (due >= CHUNK)
		return true;
	loop_arm(&m->loop, &g->pace, g->started + (g->turns * 1000000) / g->request.rate + 1);
	return false;
}

struct json_object *generate_json(const struct modem *m)
{
	const struct generator *g = m->generator;
	struct json_object *o = json_object_new_object();
	uint64_t until = g->active ? now_us() : g->ended;

	json_object_object_add(o, "active", json_object_new_boolean(g->active));
	json_object_object_add(o, "packets", json_object_new_int64(g->packets));
	json_object_object_add(o, "us", json_object_new_int64(until - g->started));
	return o;
}
