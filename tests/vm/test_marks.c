// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Marks of congestion are neither lost nor made: coalescing leaves each packet its own ECN bits (RFC 3168,
 * and ECT(1) of L4S, RFC 9331) and its own flags ECE, CWR and AE (AccECN). test_offload.c has the uplink; that
 * xdp changes no byte of a packet is tested by the fixtures.
 */
#include "shim_test.h"

#include <string.h>

#include "world.h"

#define PAYLOAD 500
#define WAIT_MS 30000
#define ACK	0x10
#define ECE	0x40
#define CWR	0x80

struct mark {
	char letter; /* in the pattern */
	const char *name;
	uint8_t ecn, flags;
	bool ae;
};

/* Datagrams have the ECN bits alone; the first row that fits a packet is its mark. */
static const struct mark marks[] = {
	{'-', "Not-ECT", 0, 0, false},
	{'0', "ECT(0)", 2, 0, false},
	{'1', "ECT(1)", 1, 0, false},
	{'C', "CE", 3, 0, false},
	{'E', "ECT(0) and ECE", 2, ECE, false},
	{'W', "ECT(0) and CWR", 2, CWR, false},
	{'A', "ECT(1) and AE", 1, 0, true},
	{'7', "ECT(1), AE, CWR and ECE", 1, ECE | CWR, true},
	{'5', "ECT(1), AE and ECE", 1, ECE, true},
};

#define MARKS (sizeof(marks) / sizeof(*marks))

/* Segments of one flow in one aggregate. */
static const char pattern[] = "0000C000CC0EEEE00WW0--C--1111C11AAA1771555551CCC";

#define SEGMENTS (sizeof(pattern) - 1)

struct shape {
	const char *name;
	bool v6, udp;
};

struct packets {
	unsigned int n;
	size_t len[SEGMENTS];
	uint8_t data[SEGMENTS][PACKET_MAX];
};

static const struct mark *mark_by_letter(char letter)
{
	const struct mark *m = marks;

	while (m->letter != letter)
		m++;
	return m;
}

/* Reads a packet's mark; MARKS if no row has it. */
static unsigned int mark_read(const struct shape *s, const uint8_t *packet)
{
	const uint8_t *tcp = packet + (s->v6 ? 40 : 20);
	uint8_t ecn = (s->v6 ? packet[1] >> 4 : packet[1]) & 3;
	uint8_t flags = s->udp ? 0 : tcp[13] & (ECE | CWR);
	bool ae = !s->udp && tcp[12] & 1;
	unsigned int i;

	for (i = 0; i < MARKS; i++)
		if (marks[i].ecn == ecn && marks[i].flags == flags && marks[i].ae == ae)
			break;
	return i;
}

static void make(struct packets *p, const struct shape *s)
{
	const struct mark *m;
	unsigned int i;

	for (i = 0; i < SEGMENTS; i++) {
		m = mark_by_letter(pattern[i]);
		p->len[i] = packet_make(p->data[i], &(struct packet_spec){
							    .v6 = s->v6,
							    .udp = s->udp,
							    .flow = 1,
							    .tos = m->ecn,
							    .ttl = 64,
							    .flags = ACK | m->flags,
							    .ae = m->ae,
							    .id = i,
							    .frag = 0x4000,
							    .window = 1000,
							    .seq = i * PAYLOAD,
							    .payload = PAYLOAD,
						    });
	}
	p->n = SEGMENTS;
}

/* Neighbours of one mark are coalesced, unless they have CWR, which GSO does not repeat. */
static unsigned int may_be_coalesced(const struct shape *s, const struct packets *p)
{
	unsigned int i, first = 0, n = 0;

	for (i = 1; i <= p->n; i++) {
		unsigned int mark = mark_read(s, p->data[first]);
		bool repeats = !(marks[mark].flags & CWR);

		if (i < p->n && repeats && mark_read(s, p->data[i]) == mark)
			continue;
		n += i - first > 1 ? i - first : 0;
		first = i;
	}
	return n;
}

static int compare_counts(const struct shape *s, const struct packets *sent,
			  const struct packets *came)
{
	unsigned int a[MARKS + 1] = {0}, b[MARKS + 1] = {0}, i;
	int err = 0;

	for (i = 0; i < SEGMENTS; i++) {
		a[mark_read(s, sent->data[i])]++;
		b[mark_read(s, came->data[i])]++;
	}
	for (i = 0; i < MARKS; i++)
		if (a[i] != b[i])
			err = FAIL("%s: %s: %u packets sent, %u came", s->name, marks[i].name, a[i],
				   b[i]);
	return err;
}

static int compare_bytes(const struct shape *s, const struct packets *sent,
			 const struct packets *came)
{
	unsigned int i;

	for (i = 0; i < SEGMENTS; i++)
		if (came->len[i] != sent->len[i] ||
		    memcmp(came->data[i], sent->data[i], sent->len[i]))
			return FAIL("%s: packet %u (%c) differs", s->name, i, pattern[i]);
	return 0;
}

static int send_all(const struct world *w, const struct packets *p, int version)
{
	static struct aggregate a;
	unsigned int i;

	a = (struct aggregate){.version = version, .csum_ok = version == 5, .max = 32768};
	for (i = 0; i < p->n; i++)
		if (!aggregate_add(&a, 1, p->data[i], p->len[i], -p->len[i] & 3))
			return FAIL("the aggregate is full");
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

static int pass(const struct world *w, const struct shape *s, int version)
{
	uint64_t before = world_counter("port1", "rx_coalesced"), coalesced;
	static struct packets sent, came;
	unsigned int expected;

	make(&sent, s);
	if (send_all(w, &sent, version))
		return -1;
	for (came.n = 0; came.n < SEGMENTS; came.n++) {
		came.len[came.n] = world_read(w->second, came.data[came.n], PACKET_MAX, WAIT_MS);
		if (!came.len[came.n])
			return FAIL("%s: %u packets of %zu came", s->name, came.n, SEGMENTS);
	}
	if (compare_counts(s, &sent, &came) || compare_bytes(s, &sent, &came))
		return -1;
	expected = may_be_coalesced(s, &sent);
	coalesced = world_counter("port1", "rx_coalesced") - before;
	if (coalesced != expected)
		return FAIL("%s: %llu packets coalesced, not %u", s->name,
			    (unsigned long long)coalesced, expected);
	return 0;
}

/* The second netdev does no segmentation, so the stack cuts what the port has coalesced. */
static int run(int version)
{
	static const struct shape shapes[] = {
		{"TCP", false, false},
		{"TCP over IPv6", true, false},
		{"UDP", false, true},
		{"UDP over IPv6", true, true},
	};
	const struct world_options o = {.version = version, .ports = 1};
	struct world w;
	size_t i;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = world_second(&w) || world_extra(&w, w.second_ifindex) ||
	      world_tc_ingress(&w, "port1", "forward") ||
	      world_named_feature("port1", "rx-udp-gro-forwarding", true);
	for (i = 0; i < sizeof(shapes) / sizeof(*shapes) && !err; i++)
		err = pass(&w, &shapes[i], version);
	world_free(&w);
	return err;
}

TEST_VERSIONS(marks, run);
