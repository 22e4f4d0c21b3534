// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "qmap/abi.h"
#include "qmap/wire.h"
#include "tests/modem/pattern.h"

#define IP_HEADER  20
#define UDP_HEADER 8

/*
 * The filler of a payload repeats with its sequence number modulo this. In a ring of so many
 * aggregates the filler therefore stays valid, and only the numbers change from lap to lap.
 */
#define RING PATTERN_MODULUS

struct feed {
	struct feed_options o;
	size_t first, stride; /* offsets of packets in an aggregate */
	uint16_t stream;
	uint64_t sequence; /* of the next aggregate's first packet */
	struct aggregate *ring[RING];
	uint32_t *sums; /* sum of each packet's UDP, without stream, sequence number and checksum */
};

static void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

uint8_t *feed_packet(const struct feed *f, struct aggregate *a, unsigned int i)
{
	return a->data + f->first + i * f->stride;
}

static void make_packet(const struct feed *f, uint8_t *packet, uint64_t sequence, uint32_t *sum)
{
	const struct feed_options *o = &f->o;
	const struct packet_spec spec = {.udp = true,
					 .ttl = 64,
					 .frag = 0x4000,
					 .saddr = o->saddr,
					 .daddr = o->daddr,
					 .sport = o->port,
					 .dport = o->port,
					 .no_csum = true,
					 .payload = o->size - IP_HEADER - UDP_HEADER};
	const struct pattern p = {.sequence = sequence};
	uint8_t *udp = packet + IP_HEADER, *payload = udp + UDP_HEADER;

	packet_make(packet, &spec);
	pattern_fill(payload, spec.payload, &p);
	memset(payload + 8, 0, 8);
	*sum = csum16(packet + 12, 8, IPPROTO_UDP + UDP_HEADER + spec.payload);
	*sum = csum16(udp, UDP_HEADER + spec.payload, *sum);
}

static void number_packet(const struct feed *f, uint8_t *packet, uint64_t sequence, uint32_t sum)
{
	uint8_t *udp = packet + IP_HEADER, *payload = udp + UDP_HEADER;
	uint64_t be = htobe64(sequence);
	uint16_t check;

	put_be16(payload + 4, f->stream);
	memcpy(payload + 8, &be, sizeof(be));
	check = ~csum16(payload + 8, sizeof(be), sum + f->stream);
	put_be16(udp + 6, check ?: 0xffff);
}

static int make_aggregate(struct feed *f, unsigned int at)
{
	struct aggregate *a = calloc(1, sizeof(*a));
	const struct feed_options *o = &f->o;
	uint8_t packet[PACKET_MAX];

	f->ring[at] = a;
	if (!a)
		return -ENOMEM;
	a->version = o->version;
	a->csum_ok = true;
	a->max = AGGREGATE_MAX;
	for (unsigned int i = 0; i < o->frames; i++) {
		uint64_t number = at * o->frames + i;

		make_packet(f, packet, number, &f->sums[number]);
		if (!aggregate_add(a, o->mux, packet, o->size, -o->size & 3))
			return -EINVAL;
	}
	f->stride = a->len / o->frames;
	return 0;
}

int feed_new(struct feed **out, const struct feed_options *o)
{
	struct feed *f = calloc(1, sizeof(*f));
	int ret = 0;

	*out = f;
	if (!f)
		return -ENOMEM;
	f->o = *o;
	f->first =
		sizeof(struct qmap_hdr) + (o->version == QMAP_V5 ? sizeof(struct qmap_v5_hdr) : 0);
	f->sums = calloc((size_t)RING * o->frames, sizeof(*f->sums));
	if (!f->sums || !o->frames || o->size > PACKET_MAX ||
	    o->size < IP_HEADER + UDP_HEADER + PATTERN_HEADER)
		ret = f->sums ? -EINVAL : -ENOMEM;
	for (unsigned int i = 0; i < RING && !ret; i++)
		ret = make_aggregate(f, i);
	if (ret)
		feed_free(out);
	return ret;
}

void feed_free(struct feed **f)
{
	for (unsigned int i = 0; *f && i < RING; i++)
		free((*f)->ring[i]);
	if (*f)
		free((*f)->sums);
	free(*f);
	*f = NULL;
}

void feed_rewind(struct feed *f, uint16_t stream)
{
	f->stream = stream;
	f->sequence = 0;
}

struct aggregate *feed_next(struct feed *f)
{
	unsigned int frames = f->o.frames, at = f->sequence / frames % RING;
	struct aggregate *a = f->ring[at];

	for (unsigned int i = 0; i < frames; i++)
		number_packet(f, feed_packet(f, a, i), f->sequence + i, f->sums[at * frames + i]);
	f->sequence += frames;
	return a;
}
