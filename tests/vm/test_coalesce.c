// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coalescing is exact: packets leaving through a device without segmentation equal those received,
 * byte for byte, and in order within each flow.
 */
#include "test_coalesce.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim_test.h"
#include "world.h"

#define PORTS	   4
#define FLOWS	   24
#define AGGREGATES 1500
#define KEPT	   4096 /* packets of one flow on their way, power of two */
#define WAIT_MS	   30000
#define WINDOW	   8 /* aggregates sent before reading */

struct flow {
	struct packet_spec next;
	unsigned int port, mss, id_step;
	unsigned int head, tail; /* of kept */
	struct {
		uint16_t len;
		uint8_t *data;
	} kept[KEPT];
};

static struct flow flows[FLOWS + 1];

static void flow_start(struct flow *f, unsigned int number, unsigned int udp)
{
	f->next = (struct packet_spec){
		.flow = number,
		.v6 = number % 3 == 0,
		.udp = number % udp == 0,
		.ttl = random_in(1, 255),
		.tos = chance(30) ? random_u32() & 0xfc : 0,
		.flags = 0x10 | (chance(20) ? 0x40 : 0) | (chance(5) ? 0x80 : 0),
		.ae = chance(20),
		.id = random_u32(),
		.frag = chance(70) ? 0x4000 : 0,
		.window = random_u32(),
		.seq = random_u32(),
		.ack = random_u32(),
	};
	f->id_step = f->next.frag && chance(40) ? 0 : 1;
	f->mss = random_in(100, 1400);
	f->port = random_in(1, PORTS);
	if (chance(70)) {
		memcpy(f->next.options, "\x01\x01\x08\x0a\x11\x22\x33\x44\x55\x66\x77\x88", 12);
		f->next.options_len = 12;
	}
	f->head = f->tail = 0;
}

#define TCP_CHANGES   10
#define IP_CHANGES    8
#define OTHER_CHANGES 7

static void perturb_tcp(struct flow *f, struct packet_spec *s, unsigned int change)
{
	static const uint8_t flags[] = {0x18, 0x11, 0x30, 0x14, 0x12, 0x50, 0x90, 0x19};

	switch (change) {
	case 0:
		s->flags = flags[random_in(0, sizeof(flags) - 1)];
		break;
	case 1:
		s->flags |= 0x08;
		break;
	case 2:
		f->next.ack = s->ack += random_in(1, 5000);
		break;
	case 3:
		f->next.window = s->window = random_u32();
		break;
	case 4:
		s->seq += random_in(1, 4) * f->mss; /* early */
		break;
	case 5:
		s->seq -= f->mss; /* a duplicate */
		break;
	case 6:
		if (s->options_len)
			f->next.options[11] = ++s->options[11];
		break;
	case 7:
		memcpy(s->options, "\x01\x01\x05\x0a\x00\x00\x10\x00\x00\x00\x20\x00", 12);
		s->options_len = 12;
		break;
	case 8:
		s->urgent = 7;
		break;
	case 9:
		s->ae = true;
		break;
	}
}

static void perturb_ip(struct flow *f, struct packet_spec *s, unsigned int change)
{
	switch (change) {
	case 0:
		s->tos ^= 3;
		break;
	case 1:
		s->ttl ^= 1;
		break;
	case 2:
		s->id += random_in(0, 3);
		break;
	case 3:
		f->next.id = s->id = random_u32();
		break;
	case 4:
		f->next.id = s->id = 0xffff - random_in(0, 2); /* about to wrap */
		break;
	case 5:
		f->id_step ^= f->next.v6 ? 0 : 1;
		break;
	case 6:
		s->frag ^= 0x4000;
		break;
	case 7:
		s->frag = random_in(0, 1) ? 0x2000 : 0x0010;
		break;
	}
}

/* Sizes and checksums. */
static void perturb_other(struct flow *f, struct packet_spec *s, unsigned int change, bool bad_csum)
{
	switch (change) {
	case 0:
		s->payload = random_in(0, f->mss + 40);
		break;
	case 1:
		s->payload = 0;
		break;
	case 2:
		f->mss = random_in(100, 1400);
		break;
	case 3:
		s->bad_csum = bad_csum;
		break;
	case 4:
		s->bad_ip_csum = true;
		break;
	case 5:
		s->no_csum = s->udp;
		break;
	case 6:
		s->bad_length = s->udp;
		break;
	}
}

/* Changes one property, for this packet alone or from here on; each is as likely as the others. */
static void perturb(struct flow *f, struct packet_spec *s, bool bad_csum)
{
	unsigned int change = random_in(0, TCP_CHANGES + IP_CHANGES + OTHER_CHANGES - 1);

	if (change < TCP_CHANGES)
		perturb_tcp(f, s, change);
	else if (change < TCP_CHANGES + IP_CHANGES)
		perturb_ip(f, s, change - TCP_CHANGES);
	else
		perturb_other(f, s, change - TCP_CHANGES - IP_CHANGES, bad_csum);
}

static bool emit(struct flow *f, struct aggregate *a, bool bad_csum, unsigned int percent)
{
	struct packet_spec s = f->next;
	uint8_t packet[PACKET_MAX], *copy;
	size_t len;

	s.payload = f->mss;
	if (chance(percent))
		perturb(f, &s, bad_csum);
	len = packet_make(packet, &s);
	if (!aggregate_add(a, f->port, packet, len, -len & 3))
		return false;
	f->next.seq = s.seq + s.payload;
	f->next.id = s.id + f->id_step;
	copy = malloc(len);
	memcpy(copy, packet, len);
	f->kept[f->head % KEPT].data = copy;
	f->kept[f->head % KEPT].len = len;
	f->head++;
	return true;
}

static struct flow *flow_of(const uint8_t *packet, size_t len)
{
	unsigned int number = 0;

	if (len >= 40 && packet[0] >> 4 == 6)
		number = (packet[38] << 8 | packet[39]) - 0x100;
	else if (len >= 20 && packet[0] >> 4 == 4)
		number = packet[18] << 8 | packet[19];
	return number && number <= FLOWS ? &flows[number] : NULL;
}

static void dump(const char *what, const uint8_t *p, size_t len)
{
	size_t i;

	printf("  %s (%zu):", what, len);
	for (i = 0; i < len && i < 64; i++)
		printf(" %02x", p[i]);
	putchar('\n');
}

static int check(const uint8_t *packet, size_t len)
{
	struct flow *f = flow_of(packet, len);
	uint8_t *want;
	size_t want_len;
	int err = 0;

	if (!f || f->tail == f->head)
		return FAIL("a packet that nobody sent, %zu bytes", len);
	want = f->kept[f->tail % KEPT].data;
	want_len = f->kept[f->tail % KEPT].len;
	if (len != want_len || memcmp(packet, want, len)) {
		err = FAIL("flow %u differs", f->next.flow);
		dump("sent", want, want_len);
		dump("came", packet, len);
	}
	free(want);
	f->tail++;
	return err;
}

/* Reads until all packets sent have arrived. */
static int drain(const struct world *w, unsigned int *left)
{
	static uint8_t buf[PACKET_MAX];
	size_t len;

	while (*left) {
		len = world_read(w->second, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("%u packets are missing", *left);
		if (!flow_of(buf, len))
			continue; /* the kernel's own IPv6 */
		if (check(buf, len))
			return -1;
		--*left;
	}
	return 0;
}

static int exchange(const struct world *w, const struct coalesce_options *o)
{
	bool bad_csum = o->version != 5 || !o->csum_ok;
	static struct aggregate a;
	unsigned int i, left = 0;
	struct flow *f = &flows[1];

	for (i = 0; i < AGGREGATES; i++) {
		unsigned int percent = o->steady || i % 3 == 0 ? 0 : random_in(1, 30);
		unsigned int stay = random_in(1, 100);

		a = (struct aggregate){.version = o->version,
				       .csum_ok = o->csum_ok,
				       .max = random_in(1600, 32768)};
		do {
			if (!chance(stay))
				f = &flows[random_in(1, FLOWS)];
		} while (emit(f, &a, bad_csum, percent) && ++left);
		if (world_send(w, a.data, a.len))
			return FAIL("cannot send");
		if (i % WINDOW == 0 && drain(w, &left))
			return -1;
	}
	return drain(w, &left);
}

/* Polls in a thread: aggregates queue up, chains run across them. */
static int set_threaded(void)
{
	int fd, err;

	fd = open("/sys/class/net/trunk0/threaded", O_WRONLY | O_CLOEXEC);
	err = fd < 0 || write(fd, "1", 1) != 1;
	close(fd);
	return err;
}

/* Sums a counter over the ports. */
static uint64_t ports_counter(const char *counter)
{
	uint64_t sum = 0;
	char name[16];
	unsigned int i;

	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		sum += world_counter(name, counter);
	}
	return sum;
}

static int run_in(struct world *w, const struct coalesce_options *o)
{
	char name[16];
	unsigned int i;

	if (world_second(w) || world_extra(w, w->second_ifindex))
		return -1;
	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (world_tc_ingress(w, name, "forward"))
			return -1;
		if (o->feature && world_named_feature(name, o->feature, true))
			return FAIL("%s: no %s", name, o->feature);
		if (o->off && world_named_feature(name, o->off, false))
			return FAIL("%s: %s cannot be switched off", name, o->off);
	}
	for (i = 1; i <= FLOWS; i++)
		flow_start(&flows[i], i, o->udp);
	if (exchange(w, o))
		return -1;
	if (set_threaded())
		return FAIL("no threaded NAPI");
	return exchange(w, o);
}

/*
 * There is one queue per CPU that delivers. A modem delivers on one CPU, and so must this process:
 * the aggregates of a queue wait until ksoftirqd or a thread polls it.
 */
static int run_on_one_cpu(struct world *w, const struct coalesce_options *o)
{
	cpu_set_t all, first;
	int err;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_getaffinity(0, sizeof(all), &all) || sched_setaffinity(0, sizeof(first), &first))
		return FAIL("cannot stay on the first CPU");
	err = run_in(w, o);
	sched_setaffinity(0, sizeof(all), &all);
	return err;
}

int coalesce_run(const struct coalesce_options *o)
{
	const struct world_options wo = {.version = o->version, .ports = PORTS};
	struct world w;
	uint64_t chains, packets;
	int err;

	if (world_new(&w, &wo))
		return -1;
	err = run_on_one_cpu(&w, o);
	chains = ports_counter("rx_chains");
	packets = ports_counter("rx_coalesced");
	if (o->csum_ok && !err && !ports_counter("rx_csum_ok"))
		err = FAIL("no checksum counts as verified");
	printf("  %llu packets, %llu of them in %llu chains\n",
	       (unsigned long long)ports_counter("rx_packets"), (unsigned long long)packets,
	       (unsigned long long)chains);
	if (!err && o->off && (packets || chains))
		err = FAIL("coalesced with %s off", o->off);
	if (!err && !o->off && packets < 10000)
		err = FAIL("hardly anything was coalesced");
	world_free(&w);
	return err;
}

TEST(coalesce_v1)
{
	const struct coalesce_options o = {.version = 1, .udp = MOSTLY_TCP};

	return coalesce_run(&o);
}

TEST(coalesce_v5)
{
	const struct coalesce_options o = {.version = 5, .csum_ok = true, .udp = MOSTLY_TCP};

	return coalesce_run(&o);
}

/* With GRO off, no packet is coalesced. */
TEST(no_coalesce)
{
	const struct coalesce_options o = {
		.version = 5, .csum_ok = true, .udp = MOSTLY_TCP, .off = "gro"};

	return coalesce_run(&o);
}
