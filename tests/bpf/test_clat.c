// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs of bpf/qmap_clat.bpf.c against a reference: each packet is described once, and built
 * from that description as IPv4 and as IPv6, with all checksums computed over its bytes. A program
 * must turn the one into the other, byte for byte. ICMP types and codes follow the tables of RFC 7915
 * as they are written down here.
 */

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clat/address.h"
#include "count.h"
#include "env.h"
#include "qmap_clat.skel.h"

#define L2    14
#define ROOM  4096
#define ICMP  1
#define TCP   6
#define UDP   17
#define ICMP6 58

/* --- the networks: NAT64 prefixes of every length --- */

static const char *const prefixes[] = {
	"64:ff9b::/96",	     "2001:db8:122:344::/96", "2001:db8::/32",	       "2001:db8:100::/40",
	"2001:db8:122::/48", "2001:db8:122:300::/56", "2001:db8:122:344::/64",
};

#define NETWORKS (sizeof(prefixes) / sizeof(prefixes[0]))

struct network {
	struct qmap_clat *skel;
	struct clat_prefix prefix;
	struct qmap_clat_config config;
};

/* Instructions for an ordinary packet. */
#define MOST_OUT 77
#define MOST_IN	 110

static const char *skip_reason;
static struct network networks[NETWORKS];
static const uint8_t local4[4] = {192, 0, 0, 1};
static const uint8_t remote4[4] = {198, 51, 100, 23};
static const uint8_t own6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0x64, 0, 1, [15] = 2};

/* --- packets --- */

struct icmp_values {
	uint8_t type, code;
	uint32_t rest;
};

struct packet {
	bool to_us;	  /* from the network; otherwise to it */
	bool from_router; /* an address outside the prefix */
	uint8_t tos, ttl, proto;
	bool df;
	bool is_fragment, more, zero_csum;
	bool zero_start; /* the first 4 bytes of the payload of another protocol than these below */
	uint16_t id, frag_off; /* offset in bytes */
	uint32_t frag_len;     /* of the datagram's bytes */
	uint32_t payload;      /* bytes behind the header of TCP, UDP, echo; seed of their values */
	uint8_t seed;
	uint8_t options[40];
	unsigned int noptions; /* IPv4: bytes; IPv6: extension headers */
	struct icmp_values v4, v6;
	const struct packet *inner; /* of an ICMP error */
	unsigned int inner_len;	    /* bytes behind its headers that the error holds */
};

static uint32_t add(uint32_t sum, const uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* RFC 6052, 2.2, table: the position of each byte of the IPv4 address. */
static void embed(const struct network *n, const uint8_t v4[4], uint8_t v6[16])
{
	static const uint8_t at[6][4] = {{4, 5, 6, 7},	 {5, 6, 7, 9},	  {6, 7, 9, 10},
					 {7, 9, 10, 11}, {9, 10, 11, 12}, {12, 13, 14, 15}};
	unsigned int row = n->prefix.len == 96 ? 5 : (n->prefix.len - 32) / 8;

	memcpy(v6, n->prefix.bytes, 16);
	for (unsigned int i = 0; i < 4; i++)
		v6[at[row][i]] = v4[i];
}

/* Addresses of a packet, source first, in either family. Returns their bytes. */
static unsigned int addresses(const struct network *n, const struct packet *p, int family,
			      uint8_t *to)
{
	static const uint8_t dummy4[4] = {192, 0, 0, 8}, router6[16] = {0x20, 0x02, 0x0d, 0xb8, 9};
	unsigned int size = family == 4 ? 4 : 16;
	uint8_t us[16], them[16];

	if (family == 4) {
		memcpy(us, local4, 4);
		memcpy(them, p->from_router ? dummy4 : remote4, 4);
	} else {
		memcpy(us, n->config.local6, 16);
		embed(n, remote4, them);
		if (p->from_router)
			memcpy(them, router6, 16);
	}
	memcpy(to, p->to_us ? them : us, size);
	memcpy(to + size, p->to_us ? us : them, size);
	return 2 * size;
}

static uint32_t pseudo(const struct network *n, const struct packet *p, int family, uint8_t proto,
		       unsigned int len)
{
	uint8_t bytes[40] = {0};
	unsigned int size = addresses(n, p, family, bytes);

	put32(bytes + size, len);
	bytes[size + 7] = proto;
	return add(0, bytes, size + 8);
}

static unsigned int build(const struct network *n, const struct packet *p, int family, uint8_t *to,
			  unsigned int *headers);

static unsigned int build_error(const struct network *n, const struct packet *p, int family,
				uint8_t *to)
{
	const struct icmp_values *v = family == 4 ? &p->v4 : &p->v6;
	uint8_t inner[ROOM];
	unsigned int headers, len = build(n, p->inner, family, inner, &headers);

	put16(to, v->type << 8 | v->code);
	put32(to + 4, v->rest);
	if (len > headers + p->inner_len)
		len = headers + p->inner_len;
	memcpy(to + 8, inner, len);
	return 8 + len;
}

/* The datagram behind the IP header. */
static unsigned int build_datagram(const struct network *n, const struct packet *p, int family,
				   uint8_t *to)
{
	const struct icmp_values *v = family == 4 ? &p->v4 : &p->v6;
	unsigned int header = p->proto == TCP ? 20 : p->proto == UDP || p->proto == ICMP ? 8 : 0;
	unsigned int len = header + p->payload, at = 0;
	uint8_t proto = p->proto == ICMP && family == 6 ? ICMP6 : p->proto;
	uint32_t sum;

	for (unsigned int i = 0; i < len; i++)
		to[i] = p->seed + i * 7;
	switch (p->proto) {
	case TCP:
		at = 16;
		to[12] = 0x50;
		break;
	case UDP:
		at = 6;
		put16(to + 4, len);
		break;
	case ICMP:
		at = 2;
		put16(to, v->type << 8 | v->code);
		if (p->inner)
			len = build_error(n, p, family, to);
		break;
	default:
		if (p->zero_start)
			put32(to, 0);
		return len;
	}
	put16(to + at, 0);
	if (p->zero_csum && family == 4)
		return len;
	sum = p->proto == ICMP && family == 4 ? 0 : pseudo(n, p, family, proto, len);
	sum = (uint16_t)~add(sum, to, len);
	put16(to + at, !sum && p->proto == UDP ? 0xffff : sum);
	return len;
}

static unsigned int build_v4(const struct network *n, const struct packet *p, uint8_t *to,
			     unsigned int len)
{
	unsigned int header = 20 + (p->to_us ? 0 : p->noptions);

	memset(to, 0, 20);
	to[0] = 0x40 | header / 4;
	to[1] = p->tos;
	put16(to + 2, header + len);
	put16(to + 4, p->id);
	put16(to + 6, (p->df ? 0x4000 : 0) | (p->more ? 0x2000 : 0) | p->frag_off / 8);
	to[8] = p->ttl;
	to[9] = p->proto;
	addresses(n, p, 4, to + 12);
	memcpy(to + 20, p->options, header - 20);
	put16(to + 10, (uint16_t)~add(0, to, header));
	return header;
}

static unsigned int build_v6(const struct network *n, const struct packet *p, uint8_t *to,
			     unsigned int len)
{
	unsigned int header = 40, extra = p->to_us ? p->noptions : 0;
	uint8_t proto = p->proto == ICMP ? ICMP6 : p->proto, *next = to + 6;

	memset(to, 0, 40 + extra + 8);
	put32(to, 0x60000000 | (uint32_t)p->tos << 20);
	to[7] = p->ttl;
	addresses(n, p, 6, to + 8);
	if (extra) {
		memcpy(to + header, p->options, extra);
		*next = 60; /* destination options */
		next = to + header;
		header += extra;
	}
	if (p->is_fragment) {
		*next = 44;
		next = to + header;
		put16(to + header + 2, p->frag_off | p->more);
		put32(to + header + 4, p->id);
		header += 8;
	}
	*next = proto;
	put16(to + 4, header - 40 + len);
	return header;
}

/* Returns its bytes; @headers: those in front of the datagram. */
static unsigned int build(const struct network *n, const struct packet *p, int family, uint8_t *to,
			  unsigned int *headers)
{
	static uint8_t store[2][3 * ROOM];
	uint8_t *datagram = store[p->inner ? 0 : 1];
	unsigned int len = build_datagram(n, p, family, datagram), from = 0;

	if (p->is_fragment) {
		from = p->frag_off;
		len = p->frag_len;
	}
	*headers = family == 4 ? build_v4(n, p, to, len) : build_v6(n, p, to, len);
	memcpy(to + *headers, datagram + from, len);
	return *headers + len;
}

/* --- running --- */

struct run {
	uint8_t in[ROOM], out[ROOM], want[ROOM];
	unsigned int in_len, want_len;
	uint32_t out_len;
	int verdict;
};

static void put_link(uint8_t *to, int family)
{
	static const uint8_t macs[12] = {2, 'q', 'm', 'a', 'p', 1, 2, 'q', 'm', 'a', 'p', 0};

	memcpy(to, macs, sizeof(macs));
	put16(to + 12, family == 4 ? 0x0800 : 0x86dd);
}

static void run(const struct network *n, bool to_us, struct run *r)
{
	const struct bpf_program *prog =
		to_us ? n->skel->progs.qmap_clat_in : n->skel->progs.qmap_clat_out;

	r->out_len = sizeof(r->out);
	r->verdict = env_run(prog, r->in, r->in_len, r->out, &r->out_len);
}

/* Builds @p as the program gets it and as it must be afterwards. */
static void prepare(const struct network *n, const struct packet *p, struct run *r)
{
	int from = p->to_us ? 6 : 4, to = p->to_us ? 4 : 6;
	unsigned int headers;

	put_link(r->in, from);
	put_link(r->want, to);
	r->in_len = L2 + build(n, p, from, r->in + L2, &headers);
	r->want_len = L2 + build(n, p, to, r->want + L2, &headers);
}

/* RFC 7915, 5.1: an identification is made up where the packet may be cut further. */
static void take_id(struct run *r)
{
	const uint8_t *out = r->out + L2;
	uint8_t *want = r->want + L2;

	memcpy(want + 4, out + 4, 2);
	put16(want + 10, 0);
	put16(want + 10, (uint16_t)~add(0, want, 20));
}

static void expect_translated(const struct network *n, const struct packet *original)
{
	struct packet p = *original;
	static struct run r;

	if (p.to_us && !p.is_fragment) {
		unsigned int headers;
		static uint8_t bytes[ROOM];

		p.noptions = 0;
		p.df = build(n, &p, 6, bytes, &headers) > 1280;
		p.id = 0;
		p.noptions = original->noptions;
	}
	prepare(n, &p, &r);
	run(n, p.to_us, &r);
	assert_int_equal(r.verdict, TC_ACT_UNSPEC);
	if (p.to_us && !p.is_fragment && !p.df)
		take_id(&r);
	assert_int_equal(r.out_len, r.want_len);
	assert_memory_equal(r.out, r.want, r.want_len);
}

static void expect_dropped(const struct network *n, const struct packet *p)
{
	static struct run r;

	prepare(n, p, &r);
	run(n, p->to_us, &r);
	assert_int_equal(r.verdict, TC_ACT_SHOT);
}

static void expect_passed(const struct network *n, bool to_us, struct run *r)
{
	run(n, to_us, r);
	assert_int_equal(r->verdict, TC_ACT_UNSPEC);
	assert_int_equal(r->out_len, r->in_len);
	assert_memory_equal(r->out, r->in, r->in_len);
}

static void need(void)
{
	if (skip_reason)
		skip();
}

static struct packet datagram(bool to_us, uint8_t proto, unsigned int payload)
{
	struct packet p = {.to_us = to_us,
			   .proto = proto,
			   .ttl = 63,
			   .tos = 0xb9, /* EF, ECT(1) */
			   .payload = payload,
			   .seed = 3};

	if (proto == ICMP) {
		p.v4 = (struct icmp_values){.type = 8};
		p.v6 = (struct icmp_values){.type = 128};
	}
	return p;
}

/* --- tests --- */

static void each_network(void (*fn)(const struct network *n))
{
	need();
	for (unsigned int i = 0; i < NETWORKS; i++)
		fn(&networks[i]);
}

static void datagrams_of(const struct network *n)
{
	static const uint8_t protos[] = {TCP, UDP, 50, 132};
	static const unsigned int sizes[] = {0, 1, 2, 3, 100, 1212, 1220, 1221, 1240, 1241, 1400};

	for (unsigned int way = 0; way < 2; way++)
		for (unsigned int i = 0; i < sizeof(protos); i++)
			for (unsigned int k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
				struct packet p = datagram(way, protos[i], sizes[k]);

				expect_translated(n, &p);
				p.df = true;
				expect_translated(n, &p);
			}
}

TEST(test_datagrams)
{
	each_network(datagrams_of);
}

static void echoes_of(const struct network *n)
{
	for (unsigned int way = 0; way < 2; way++)
		for (unsigned int reply = 0; reply < 2; reply++)
			for (unsigned int size = 0; size < 70; size++) {
				struct packet p = datagram(way, ICMP, size);

				p.v4.type = reply ? 0 : 8;
				p.v6.type = reply ? 129 : 128;
				expect_translated(n, &p);
			}
}

TEST(test_echoes)
{
	each_network(echoes_of);
}

static void zero_checksums_of(const struct network *n)
{
	for (unsigned int size = 0; size < 300; size++) {
		struct packet p = datagram(false, UDP, size);

		p.zero_csum = true;
		expect_translated(n, &p);
	}
	for (unsigned int size = 1300; size < 1472; size += 13) {
		struct packet p = datagram(false, UDP, size);

		p.zero_csum = true;
		p.seed = size;
		expect_translated(n, &p);
	}
}

TEST(test_udp_without_checksum)
{
	each_network(zero_checksums_of);
}

/* What follows in the Ethernet frame is padding: a sum must not be written there. */
TEST(test_udp_without_its_header)
{
	struct packet p = datagram(false, UDP, 60);
	static struct run r;

	need();
	p.zero_csum = true;
	for (unsigned int len = 0; len < 8; len++) {
		prepare(&networks[0], &p, &r);
		put16(r.in + L2 + 2, 20 + len);
		run(&networks[0], false, &r);
		assert_int_equal(r.verdict, TC_ACT_SHOT);
	}
}

/* Each value of the byte that holds DSCP and ECN, and of time to live. */
TEST(test_tos_and_ttl)
{
	need();
	for (unsigned int i = 0; i < 512; i++) {
		struct packet p = datagram(i & 1, TCP, 10);

		p.tos = i / 2;
		p.ttl = i / 2;
		if (p.ttl)
			expect_translated(&networks[0], &p);
		else
			expect_dropped(&networks[0], &p);
	}
}

static void fragments_of(const struct network *n)
{
	static const uint8_t protos[] = {TCP, UDP, 50};

	for (unsigned int i = 0; i < 2 * sizeof(protos); i++)
		for (unsigned int at = 0; at < 3; at++) {
			struct packet p = datagram(i & 1, protos[i / 2], 3000);

			p.is_fragment = true;
			p.id = 0xbeef;
			p.frag_off = at * 1000;
			p.frag_len = at < 2 ? 1000 : 555;
			p.more = at < 2;
			expect_translated(n, &p);
		}
}

TEST(test_fragments)
{
	each_network(fragments_of);
}

/* Without the whole datagram there is no checksum to compute (RFC 7915, 1.2 and 4.5). */
TEST(test_fragments_that_cannot_be)
{
	struct packet p = datagram(false, UDP, 3000);

	need();
	p.is_fragment = p.more = p.zero_csum = true;
	p.frag_len = 1000;
	expect_dropped(&networks[0], &p);
	for (unsigned int way = 0; way < 2; way++) {
		p = datagram(way, ICMP, 3000);
		p.is_fragment = p.more = true;
		p.frag_len = 1000;
		expect_dropped(&networks[0], &p);
	}
}

/* A fragment header on a packet in one piece (RFC 6946). */
TEST(test_atomic_fragment)
{
	struct packet p = datagram(true, TCP, 100);

	need();
	p.is_fragment = true;
	p.id = 0x1234;
	p.frag_len = 120;
	expect_translated(&networks[0], &p);
}

TEST(test_options)
{
	static const uint8_t nops[40] = {1, 1, 1, 0};
	static const uint8_t record[40] = {7, 39, 4};
	static const uint8_t route[40] = {131, 7, 4, 10, 0, 0, 1};
	static const uint8_t ended[40] = {1, 137, 7, 8, 10, 0, 0, 1};

	need();
	for (unsigned int i = 0; i < 3; i++) {
		struct packet p = datagram(false, i == 1 ? ICMP : UDP, 50);

		p.noptions = 4;
		memcpy(p.options, nops, 40);
		expect_translated(&networks[0], &p);
		p.noptions = 40;
		memcpy(p.options, record, 40);
		expect_translated(&networks[0], &p);
		p.noptions = 8;
		memcpy(p.options, route, 40);
		expect_dropped(&networks[0], &p);
		memcpy(p.options, ended, 40);
		expect_translated(&networks[0], &p);
	}
}

TEST(test_extension_headers)
{
	static const uint8_t one[40] = {0, 0, 1, 4};
	static const uint8_t long_one[40] = {0, 4, 1, 36};

	need();
	for (unsigned int i = 0; i < 4; i++) {
		struct packet p = datagram(true, i & 1 ? ICMP : TCP, 50);

		p.noptions = i < 2 ? 8 : 40;
		memcpy(p.options, i < 2 ? one : long_one, 40);
		expect_translated(&networks[0], &p);
	}
}

/* Routing headers (RFC 7915, 5.1): one at its end is skipped; otherwise the packet is dropped. */
TEST(test_routing_header)
{
	static struct run r;
	struct packet p = datagram(true, UDP, 20);

	need();
	p.noptions = 8;
	prepare(&networks[0], &p, &r);
	r.in[L2 + 6] = 43;
	r.in[L2 + 40 + 2] = 4;
	r.in[L2 + 40 + 3] = 0;
	run(&networks[0], true, &r);
	assert_int_equal(r.verdict, TC_ACT_UNSPEC);
	r.in[L2 + 40 + 3] = 1;
	run(&networks[0], true, &r);
	assert_int_equal(r.verdict, TC_ACT_SHOT);
}

/* --- ICMP errors --- */

#define NOT                                                                                        \
	{                                                                                          \
		0, 0, 0                                                                            \
	} /* type 0 is no error */

struct row {
	struct icmp_values from, to;
};

/* clang-format off: rows of tables */

/* RFC 7915, 4.2; the packet in error has 20 + 20 + 100 bytes. */
static const struct row to_v6[] = {
	{{3, 0, 0}, {1, 0, 0}},
	{{3, 1, 0}, {1, 0, 0}},
	{{3, 2, 0}, {4, 1, 6}},
	{{3, 3, 0}, {1, 4, 0}},
	{{3, 4, 1400}, {2, 0, 1420}},
	{{3, 4, 1260}, {2, 0, 1280}},
	{{3, 4, 576}, {2, 0, 1280}},
	{{3, 4, 0}, {2, 0, 1280}},
	{{3, 4, 65535}, {2, 0, 65555}},
	{{3, 5, 0}, {1, 0, 0}},
	{{3, 6, 0}, {1, 0, 0}},
	{{3, 7, 0}, {1, 0, 0}},
	{{3, 8, 0}, {1, 0, 0}},
	{{3, 9, 0}, {1, 1, 0}},
	{{3, 10, 0}, {1, 1, 0}},
	{{3, 11, 0}, {1, 0, 0}},
	{{3, 12, 0}, {1, 0, 0}},
	{{3, 13, 0}, {1, 1, 0}},
	{{3, 14, 0}, NOT},
	{{3, 15, 0}, {1, 1, 0}},
	{{3, 16, 0}, NOT},
	{{4, 0, 0}, NOT},
	{{5, 0, 0}, NOT},
	{{6, 0, 0}, NOT},
	{{9, 0, 0}, NOT},
	{{10, 0, 0}, NOT},
	{{11, 0, 0}, {3, 0, 0}},
	{{11, 1, 0}, {3, 1, 0}},
	{{12, 1, 0}, NOT},
	{{12, 3, 0}, NOT},
	{{13, 0, 0}, NOT},
	{{14, 0, 0}, NOT},
	{{15, 0, 0}, NOT},
	{{16, 0, 0}, NOT},
	{{17, 0, 0}, NOT},
	{{18, 0, 0}, NOT},
	{{40, 0, 0}, NOT},
	{{255, 0, 0}, NOT},
};

/* 5.2 */
static const struct row to_v4[] = {
	{{1, 0, 0}, {3, 1, 0}},
	{{1, 1, 0}, {3, 10, 0}},
	{{1, 2, 0}, {3, 1, 0}},
	{{1, 3, 0}, {3, 1, 0}},
	{{1, 4, 0}, {3, 3, 0}},
	{{1, 5, 0}, NOT},
	{{1, 6, 0}, NOT},
	{{2, 0, 1280}, {3, 4, 1260}},
	{{2, 0, 1500}, {3, 4, 1480}},
	{{2, 0, 0x10000}, {3, 4, 65515}},
	{{2, 0, 20}, {3, 4, 68}},
	{{3, 0, 0}, {11, 0, 0}},
	{{3, 1, 0}, {11, 1, 0}},
	{{4, 1, 6}, {3, 2, 0}},
	{{4, 2, 40}, NOT},
	{{5, 0, 0}, NOT},
	{{100, 0, 0}, NOT},
	{{127, 0, 0}, NOT},
	{{130, 0, 0}, NOT},
	{{131, 0, 0}, NOT},
	{{132, 0, 0}, NOT},
	{{133, 0, 0}, NOT},
	{{134, 0, 0}, NOT},
	{{135, 0, 0}, NOT},
	{{136, 0, 0}, NOT},
	{{137, 0, 0}, NOT},
	{{143, 0, 0}, NOT},
	{{255, 0, 0}, NOT},
};

/* clang-format on */

static void expect_row(const struct network *n, struct packet *p, const struct row *row)
{
	p->v4 = p->to_us ? row->to : row->from;
	p->v6 = p->to_us ? row->from : row->to;
	if (row->to.type)
		expect_translated(n, p);
	else
		expect_dropped(n, p);
}

static void rows_about(const struct network *n, bool to_us, const struct packet *inner,
		       unsigned int inner_len)
{
	unsigned int rows =
		to_us ? sizeof(to_v4) / sizeof(to_v4[0]) : sizeof(to_v6) / sizeof(to_v6[0]);
	struct packet p = {.to_us = to_us,
			   .proto = ICMP,
			   .ttl = 200,
			   .tos = 0xc0,
			   .inner = inner,
			   .inner_len = inner_len};

	for (unsigned int i = 0; i < rows; i++)
		expect_row(n, &p, to_us ? &to_v4[i] : &to_v6[i]);
	/* routers on the way, which no prefix covers */
	p.from_router = to_us;
	for (unsigned int i = 0; i < rows && to_us; i++)
		expect_row(n, &p, &to_v4[i]);
}

/* The checksum in a packet in error is that of its family, where addresses do not change it. */
static bool inner_is_exact(const struct network *n, uint8_t proto)
{
	return n->config.neutral || proto == ICMP || proto == 50;
}

static void errors_of(const struct network *n)
{
	static const uint8_t protos[] = {TCP, UDP, ICMP, 50};
	static const unsigned int lengths[] = {8, 9, 28, 120};

	for (unsigned int way = 0; way < 2; way++)
		for (unsigned int i = 0; i < sizeof(protos); i++)
			for (unsigned int k = 0; k < 4; k++) {
				/* a packet that went the other way; the network sees its MTU */
				struct packet inner = datagram(!way, protos[i], 100);

				/* 8 bytes of TCP hold no checksum */
				if (inner_is_exact(n, protos[i]) ||
				    (protos[i] == TCP && lengths[k] < 17))
					rows_about(n, way, &inner, lengths[k]);
			}
}

TEST(test_errors)
{
	each_network(errors_of);
}

/*
 * The bytes that are replaced can add up to less than the checksum of the error, mostly from Linux 6.13 on:
 * its bpf_csum_diff() returns 16 bits.
 */
TEST(test_error_of_small_sum)
{
	struct packet inner = datagram(true, 50, 100), p = {.proto = ICMP, .ttl = 9};
	const struct row row = {{3, 13, 0}, {1, 1, 0}};

	need();
	inner.zero_start = true;
	p.inner = &inner;
	p.inner_len = 50;
	for (unsigned int i = 0; i < 256; i++) {
		inner.seed = i;
		expect_row(&networks[0], &p, &row);
	}
}

TEST(test_error_pointers)
{
	/* RFC 7915, figures 3 and 6: from, to; -1: dropped */
	static const int v4[][2] = {{0, 0},  {1, 1},  {2, 4},	{3, 4},	  {4, -1},  {5, -1},
				    {6, -1}, {7, -1}, {8, 7},	{9, 6},	  {10, -1}, {11, -1},
				    {12, 8}, {15, 8}, {16, 24}, {19, 24}, {20, -1}, {255, -1}};
	static const int v6[][2] = {{0, 0},   {1, 1},	{2, -1},  {3, -1},  {4, 2},
				    {5, 2},   {6, 9},	{7, 8},	  {8, 12},  {23, 12},
				    {24, 16}, {39, 16}, {40, -1}, {300, -1}};
	struct packet inner = datagram(true, TCP, 30), p = {.proto = ICMP, .ttl = 9};

	need();
	p.inner = &inner;
	p.inner_len = 50;
	for (unsigned int i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		struct row row = {{12, i & 1 ? 0 : 2, (uint32_t)v4[i][0] << 24}, {4, 0, v4[i][1]}};

		row.to.type = v4[i][1] < 0 ? 0 : 4;
		expect_row(&networks[0], &p, &row);
	}
	p.to_us = true;
	inner.to_us = false;
	for (unsigned int i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		struct row row = {{4, 0, v6[i][0]}, {12, 0, (uint32_t)v6[i][1] << 24}};

		row.to.type = v6[i][1] < 0 ? 0 : 12;
		expect_row(&networks[0], &p, &row);
	}
}

/* The MTU that an old router does not tell is a step below the packet's length (RFC 1191, 7.1). */
TEST(test_error_plateau)
{
	static const unsigned int steps[][2] = {
		{1400, 1280}, {1493, 1512}, {2003, 2022}, {3000, 2022}};
	struct packet inner = datagram(true, UDP, 0), p = {.proto = ICMP, .ttl = 9};

	need();
	p.inner = &inner;
	p.inner_len = 20;
	for (unsigned int i = 0; i < 4; i++) {
		struct row row = {{3, 4, 0}, {2, 0, steps[i][1]}};

		inner.payload = steps[i][0] - 28;
		expect_row(&networks[0], &p, &row);
	}
}

/* Packets in error that are fragments: 8 bytes more in IPv6, and the MTU counts them. */
TEST(test_errors_about_fragments)
{
	struct packet inner = datagram(true, UDP, 3000), p = {.proto = ICMP, .ttl = 9};
	const struct row down = {{3, 3, 0}, {1, 4, 0}}, up = {{2, 0, 1280}, {3, 4, 1252}};

	need();
	inner.is_fragment = inner.more = true;
	inner.frag_len = 1400;
	inner.id = 77;
	p.inner = &inner;
	p.inner_len = 64;
	expect_row(&networks[0], &p, &down);
	p.to_us = true;
	inner.to_us = false;
	expect_row(&networks[0], &p, &up);
}

TEST(test_errors_that_cannot_be)
{
	struct packet echo = datagram(true, ICMP, 30);
	struct packet nested = {
		.to_us = true, .proto = ICMP, .ttl = 8, .inner = &echo, .inner_len = 8};
	struct packet p = {.proto = ICMP, .ttl = 9, .inner = &nested, .inner_len = 30};
	static struct run r;

	need();
	for (unsigned int way = 0; way < 2; way++) {
		p.to_us = way;
		nested.to_us = !way;
		p.v4 = nested.v4 = (struct icmp_values){3, 1, 0};
		p.v6 = nested.v6 = (struct icmp_values){1, 0, 0};
		expect_dropped(&networks[0], &p);
	}
	/* about a packet of other addresses */
	p.inner = &echo;
	for (unsigned int way = 0; way < 2; way++) {
		p.to_us = echo.to_us = way;
		expect_dropped(&networks[0], &p);
	}
	/* cut off anywhere in front of the first bytes behind the inner header */
	for (unsigned int way = 0; way < 2; way++) {
		unsigned int ip = way ? 40 : 20;

		p.to_us = way;
		echo.to_us = !way;
		prepare(&networks[0], &p, &r);
		for (unsigned int len = ip; len < 2 * ip + 8 + 4; len++) {
			put16(r.in + L2 + (way ? 4 : 2), way ? len - 40 : len);
			r.in_len = L2 + len;
			run(&networks[0], way, &r);
			assert_int_equal(r.verdict, TC_ACT_SHOT);
		}
	}
}

/* --- packets of others, and broken ones --- */

TEST(test_other_packets_pass)
{
	static struct run r;
	struct packet p = datagram(true, TCP, 60);

	need();
	/* IPv6 of the host itself, in both directions */
	prepare(&networks[0], &p, &r);
	r.in[L2 + 24 + 15] ^= 1;
	expect_passed(&networks[0], true, &r);
	expect_passed(&networks[0], false, &r);
	/* IPv4 that arrives, though the network has none */
	p.to_us = false;
	prepare(&networks[0], &p, &r);
	expect_passed(&networks[0], true, &r);
	/* ARP */
	put16(r.in + 12, 0x0806);
	expect_passed(&networks[0], false, &r);
}

TEST(test_other_addresses_are_dropped)
{
	static const uint8_t not_there[][4] = {
		{224, 0, 0, 1}, {239, 255, 255, 250}, {255, 255, 255, 255}};
	static struct run r;
	struct packet p = datagram(false, UDP, 60);

	need();
	prepare(&networks[0], &p, &r);
	r.in[L2 + 15]++;
	run(&networks[0], false, &r);
	assert_int_equal(r.verdict, TC_ACT_SHOT);
	for (unsigned int i = 0; i < 3; i++) {
		prepare(&networks[0], &p, &r);
		memcpy(r.in + L2 + 16, not_there[i], 4);
		run(&networks[0], false, &r);
		assert_int_equal(r.verdict, TC_ACT_SHOT);
	}
	/* to our address from one outside the prefix */
	for (unsigned int i = 0; i < NETWORKS; i++) {
		p.to_us = true;
		prepare(&networks[i], &p, &r);
		r.in[L2 + 8 + networks[i].prefix.len / 8 - 1] ^= 1;
		run(&networks[i], true, &r);
		assert_int_equal(r.verdict, TC_ACT_SHOT);
	}
}

TEST(test_truncated)
{
	static struct run r;

	need();
	for (unsigned int way = 0; way < 2; way++) {
		struct packet p = datagram(way, UDP, 60);

		prepare(&networks[0], &p, &r);
		while (--r.in_len > L2 + 40) {
			run(&networks[0], way, &r);
			assert_int_equal(r.verdict, TC_ACT_SHOT);
		}
	}
}

/* Padding behind the packet, as Ethernet has it, is not part of it. */
TEST(test_lengths_in_headers)
{
	static const uint8_t bad[] = {0x35, 0x44, 0x40, 0x4f, 0x65};
	static struct run r;
	struct packet p = datagram(false, UDP, 0);

	need();
	for (unsigned int i = 0; i < sizeof(bad); i++) {
		prepare(&networks[0], &p, &r);
		r.in[L2] = bad[i];
		run(&networks[0], false, &r);
		assert_int_equal(r.verdict, TC_ACT_SHOT);
	}
	prepare(&networks[0], &p, &r);
	put16(r.in + L2 + 2, 19);
	run(&networks[0], false, &r);
	assert_int_equal(r.verdict, TC_ACT_SHOT);
}

/* --- many packets --- */

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

static void make_random(uint32_t *s, struct packet *p, struct packet *inner)
{
	static const uint8_t protos[] = {TCP, TCP, UDP, UDP, ICMP, 50, 132, 47};
	bool way = next_random(s) & 1;

	*p = datagram(way, protos[next_random(s) % 8], next_random(s) % 1400);
	p->tos = next_random(s);
	p->ttl = 1 + next_random(s) % 255;
	p->seed = next_random(s);
	p->df = next_random(s) & 1;
	p->zero_csum = !way && p->proto == UDP && next_random(s) % 4 == 0;
	if (p->proto == ICMP && next_random(s) & 1) {
		*inner = datagram(!way, protos[next_random(s) % 8], next_random(s) % 1000);
		inner->seed = next_random(s);
		p->inner = inner;
		p->inner_len = 8 + next_random(s) % 500;
		p->from_router = way && next_random(s) & 1;
		p->v4 = (struct icmp_values){11, next_random(s) & 1, 0};
		p->v6 = (struct icmp_values){3, p->v4.code, 0};
	} else if (p->proto != ICMP && p->payload > 100 && next_random(s) % 4 == 0) {
		p->is_fragment = true;
		p->zero_csum = false;
		p->df = false;
		p->id = next_random(s);
		/* the first one has the whole header */
		p->frag_off =
			next_random(s) & 1 ? 0 : 24 + (next_random(s) % (p->payload - 30) & ~7);
		p->frag_len = 1 + (p->payload - p->frag_off) / 2;
		p->frag_len = p->frag_len < 20 ? 20 : p->frag_len;
		p->more = !p->frag_off || next_random(s) & 1;
	}
}

TEST(test_random_packets)
{
	uint32_t s = 0x2545f491;

	need();
	for (unsigned int i = 0; i < 20000; i++) {
		const struct network *n = &networks[next_random(&s) % NETWORKS];
		struct packet p, inner;

		make_random(&s, &p, &inner);
		if (p.inner && !inner_is_exact(n, inner.proto))
			continue;
		expect_translated(n, &p);
	}
}

/* The addresses of a packet that a program has passed are ours and its header is whole. */
static void check_passed(const struct run *r, bool to_us)
{
	const uint8_t *ip = r->out + L2;

	if (to_us) {
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(add(0, ip, 20), 0xffff);
		assert_true(L2 + (ip[2] << 8 | ip[3]) <= (int)r->out_len);
		assert_memory_equal(ip + 16, local4, 4);
	} else {
		assert_int_equal(ip[0] >> 4, 6);
		assert_true(L2 + 40 + (ip[4] << 8 | ip[5]) <= (int)r->out_len);
		assert_memory_equal(ip + 8, networks[0].config.local6, 16);
	}
}

TEST(test_mutated_packets)
{
	uint32_t s = 0x9e3779b9, passed = 0;
	static struct run r;

	need();
	for (unsigned int i = 0; i < 20000; i++) {
		struct packet p, inner;

		make_random(&s, &p, &inner);
		prepare(&networks[0], &p, &r);
		for (unsigned int k = next_random(&s) % 4 + 1; k; k--)
			r.in[L2 + next_random(&s) % (r.in_len - L2 < 100 ? r.in_len - L2 : 100)] =
				next_random(&s);
		/* BPF_PROG_RUN wants an IP header itself */
		if (next_random(&s) & 1 && r.in_len > L2 + 40)
			r.in_len -= next_random(&s) % (r.in_len - L2 - 40);
		run(&networks[0], p.to_us, &r);
		if (r.verdict == TC_ACT_SHOT ||
		    (r.out_len == r.in_len && !memcmp(r.in, r.out, r.in_len)))
			continue;
		assert_int_equal(r.verdict, TC_ACT_UNSPEC);
		check_passed(&r, p.to_us);
		passed++;
	}
	assert_true(passed > 1000);
}

/* A packet that stands for many keeps the size of these. */
TEST(test_gso)
{
	need();
	for (unsigned int way = 0; way < 2; way++) {
		struct __sk_buff in = {.gso_size = 500, .gso_segs = 3}, out = {};
		static struct run r;
		struct packet p = datagram(way, TCP, 1400);

		prepare(&networks[0], &p, &r);
		DECLARE_LIBBPF_OPTS(
			bpf_test_run_opts, opts, .data_in = r.in, .data_size_in = r.in_len,
			.data_out = r.out, .data_size_out = sizeof(r.out), .ctx_in = &in,
			.ctx_size_in = sizeof(in), .ctx_out = &out, .ctx_size_out = sizeof(out));
		assert_int_equal(
			bpf_prog_test_run_opts(
				bpf_program__fd(way ? networks[0].skel->progs.qmap_clat_in
						    : networks[0].skel->progs.qmap_clat_out),
				&opts),
			0);
		assert_int_equal(opts.retval, (uint32_t)TC_ACT_UNSPEC);
		assert_int_equal(out.gso_size, 500);
		assert_int_equal(opts.data_size_out, r.want_len);
	}
}

/* Runs @p in the interpreter. @r: its bytes as the kernel has translated them on Ethernet. */
static void count_packet(const struct network *n, const struct packet *p, const struct run *r,
			 struct count_result *c)
{
	static struct count_packet packet;
	unsigned int cut = L2 - n->config.l2_len, len = r->out_len - cut;

	packet.len = r->in_len - cut;
	packet.protocol = htons(p->to_us ? 0x86dd : 0x0800);
	memcpy(packet.bytes, r->in + cut, packet.len);
	count_run(p->to_us ? n->skel->progs.qmap_clat_in : n->skel->progs.qmap_clat_out,
		  n->skel->rodata, n->config.l2_len, &packet, c);
	assert_int_equal(c->verdict, TC_ACT_UNSPEC);
	assert_int_equal(packet.len, len);
	if (p->payload) /* otherwise the identification is random */
		assert_memory_equal(packet.bytes, r->out + cut, len);
}

static int load(struct network *n, const char *prefix, unsigned int l2_len);

/*
 * The programs' own instructions for an ordinary packet; a call of a helper is one. The interpreter's
 * packet must be the kernel's. BPF_PROG_RUN has no packets without a link header.
 */
TEST(test_instructions)
{
	static const struct {
		const char *name;
		bool to_us;
		uint8_t proto;
		unsigned int payload, most;
	} rows[] = {
		{"TCP to IPv6", false, TCP, 1400, MOST_OUT},
		{"UDP to IPv6", false, UDP, 1350, MOST_OUT + 5},
		{"TCP to IPv4", true, TCP, 1400, MOST_IN},
		{"UDP to IPv4", true, UDP, 1350, MOST_IN},
		{"TCP ACK to IPv4", true, TCP, 0, MOST_IN + 5},
	};
	struct network raw = {.skel = NULL};

	need();
	assert_int_equal(load(&raw, prefixes[0], 0), 0);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet p = datagram(rows[i].to_us, rows[i].proto, rows[i].payload);
		struct count_result c, of_raw;
		static struct run r;

		prepare(&networks[0], &p, &r);
		run(&networks[0], p.to_us, &r);
		count_packet(&networks[0], &p, &r, &c);
		count_packet(&raw, &p, &r, &of_raw);
		print_message("%s: %u instructions, of which %u call helpers; raw IP: %u\n",
			      rows[i].name, c.instructions, c.calls, of_raw.instructions);
		assert_in_range(c.instructions, 1, rows[i].most);
		assert_in_range(of_raw.instructions, 1, rows[i].most);
	}
	qmap_clat__destroy(raw.skel);
}

TEST(test_counters)
{
	struct packet p = datagram(true, UDP, 60);
	struct qmap_clat_stats before, after;
	int map;

	need();
	map = bpf_map__fd(networks[0].skel->maps.clat_stats);
	env_sum(map, 0, &before, sizeof(before));
	expect_translated(&networks[0], &p);
	p.ttl = 0;
	expect_dropped(&networks[0], &p);
	p.to_us = false;
	expect_dropped(&networks[0], &p);
	p.ttl = 1;
	expect_translated(&networks[0], &p);
	env_sum(map, 0, &after, sizeof(after));
	assert_int_equal(after.to_v4 - before.to_v4, 1);
	assert_int_equal(after.to_v6 - before.to_v6, 1);
	assert_int_equal(after.dropped_to_v4 - before.dropped_to_v4, 1);
	assert_int_equal(after.dropped_to_v6 - before.dropped_to_v6, 1);
}

/* --- prefixes --- */

TEST(test_prefix_text)
{
	static const char *const wrong[] = {"",
					    "64:ff9b::",
					    "64:ff9b::/97",
					    "64:ff9b::1/96",
					    "/96",
					    "::/0",
					    "64:ff9b::/ 96",
					    "64:ff9b::/96x",
					    "2001:db8::/33",
					    "1.2.3.0/24",
					    "2001:db8:0:0:100::/96"};
	char text[CLAT_PREFIX_TEXT];
	struct clat_prefix p;

	for (unsigned int i = 0; i < NETWORKS; i++) {
		assert_true(clat_prefix_parse(prefixes[i], &p));
		assert_string_equal(clat_prefix_text(&p, text), prefixes[i]);
	}
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(clat_prefix_parse(wrong[i], &p));
}

TEST(test_prefix_of_answer)
{
	static const uint8_t known[2][4] = {{192, 0, 0, 170}, {192, 0, 0, 171}};
	static const char *const wrong[] = {"2001:db8::1", "64:ff9b::102:304",
					    "2001:db8:c000:aa:0:c0:aa00:0"};
	struct clat_prefix p;
	uint8_t address[16];

	for (unsigned int i = 0; i < 2 * NETWORKS; i++) {
		struct network n = {.skel = NULL};

		assert_true(clat_prefix_parse(prefixes[i / 2], &n.prefix));
		embed(&n, known[i & 1], address);
		assert_true(clat_prefix_of_answer(address, &p));
		assert_memory_equal(&p, &n.prefix, sizeof(p));
	}
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(inet_pton(AF_INET6, wrong[i], address), 1);
		if (i < 2)
			assert_false(clat_prefix_of_answer(address, &p));
	}
}

/* --- the group --- */

static int load(struct network *n, const char *prefix, unsigned int l2_len)
{
	uint32_t v4;

	assert_true(clat_prefix_parse(prefix, &n->prefix));
	memcpy(&v4, local4, 4);
	clat_config_fill(&n->config, &n->prefix, own6, v4);
	clat_config_set_link(&n->config, l2_len);
	/* of the two prefixes that have a fast path, the second one goes without */
	if (n == &networks[1])
		n->config.fast = QMAP_CLAT_HELPERS;
	n->skel = qmap_clat__open();
	if (!n->skel)
		return -errno;
	n->skel->rodata->clat = n->config;
	return qmap_clat__load(n->skel);
}

static int set_up(void **state)
{
	int ret = 0;

	skip_reason = env_start();
	if (skip_reason) {
		print_message("SKIP: %s\n", skip_reason);
		return 0;
	}
	for (unsigned int i = 0; i < NETWORKS && !ret; i++)
		ret = load(&networks[i], prefixes[i], L2);
	if (ret)
		print_error("cannot load the programs: %s\n", strerror(-ret));
	return ret;
}

static int tear_down(void **state)
{
	for (unsigned int i = 0; i < NETWORKS; i++)
		qmap_clat__destroy(networks[i].skel);
	return 0;
}

TEST_GROUP(set_up, tear_down);
