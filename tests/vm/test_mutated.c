// SPDX-License-Identifier: GPL-2.0-or-later
/* Malformed input from the modem: good packets get through afterwards, and no memory is lost. */
#include "shim_test.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"
#include "load.h"
#include "memory.h"
#include "proc.h"
#include "world.h"

#define PORTS	    4
#define AGGREGATES  200000 /* over all versions; SCALE divides */
#define LARGE_ROUND 5000
#define FRAGMENTED  6 /* the round with fragmented memory */
#define DRAIN_EVERY 8
#define CHECK_EVERY 64
#define HIGH_ORDER  "/proc/sys/net/core/high_order_alloc_disable"
#define LEAK_KB	    16384
#define EDGES	    "/sys/module/qmap_shim/parameters/edges"
#define INPUTS	    1024 /* that reached something new */
#define INPUT_MAX   4096
#define REPORT_EACH 5000

static int sink_ports(const struct world *w)
{
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		if (world_tc_ingress(w, name, i == 2 ? "forward" : "drop"))
			return -1;
	}
	return 0;
}

static unsigned long long delivered; /* frames, of all rounds */

/* The packets of a round. */
struct round {
	int version;
	unsigned int aggregates;
	unsigned int usual, largest; /* bytes; one aggregate in twenty has up to @largest */
	bool fragmented;	     /* free memory is single pages */
	const char *failing;	     /* kind of allocations of which 1 to 5 % fail, or NULL */
};

/* Without memory, packets are lost. */
static bool lossy(const struct round *r)
{
	return r->fragmented || r->failing;
}

static void drain(const struct world *w)
{
	static uint8_t buf[PACKET_MAX];

	while (read(w->second, buf, sizeof(buf)) > 0)
		;
	while (world_recv(w, buf, sizeof(buf), 0))
		;
}

/* After whatever came before, a good packet leaves through port 2 with all its bytes. */
static int good_gets_through(const struct world *w, int version)
{
	struct packet_spec s = {.udp = true, .flow = 60, .ttl = 64};
	uint8_t sent[PACKET_MAX], came[PACKET_MAX];
	static struct aggregate a;
	size_t len, n;

	s.seq = random_u32();
	s.payload = random_in(1, 1400);
	len = packet_make(sent, &s);
	a = (struct aggregate){.version = version, .max = AGGREGATE_MAX};
	aggregate_add(&a, 2, sent, len, -len & 3);
	if (world_send(w, a.data, a.len))
		return FAIL("cannot send");
	do
		n = world_read(w->second, came, sizeof(came), 30000);
	while (n && (n != len || memcmp(sent, came, len)));
	return n ? 0 : FAIL("a good packet is lost or changed");
}

static int send_mutated(const struct world *w, const struct round *r)
{
	static struct aggregate a;
	unsigned int largest, i;

	for (i = 1; i <= r->aggregates; i++) {
		largest = chance(5) ? r->largest : r->usual;
		a = (struct aggregate){.version = r->version, .max = random_in(1600, largest)};
		load_fill(&a, PORTS);
		if (chance(70))
			load_mutate(&a);
		if (world_send(w, a.data, a.len) && !lossy(r))
			return FAIL("cannot send");
		if (i % DRAIN_EVERY)
			continue;
		drain(w);
		if (i % CHECK_EVERY == 0 && !lossy(r) && good_gets_through(w, r->version))
			return -1;
	}
	return 0;
}

static int send_with_little_memory(const struct world *w, const struct round *r)
{
	struct memory memory;
	int err;

	if (r->fragmented && memory_fragment(&memory))
		return -1;
	if (r->failing)
		faults_start(r->failing, random_in(1, 5), false);
	err = send_mutated(w, r);
	if (r->failing)
		faults_stop(r->failing);
	if (r->fragmented)
		memory_release(&memory);
	return err;
}

static int mutated_world(struct world *w, int version)
{
	const struct world_options o = {.version = version, .ports = PORTS};

	if (world_new(w, &o))
		return -1;
	if (!world_second(w) && !fcntl(w->second, F_SETFL, O_NONBLOCK) &&
	    !world_extra(w, w->second_ifindex) && !sink_ports(w))
		return 0;
	world_free(w);
	return -1;
}

static int mutated(const struct round *r)
{
	struct world w;
	int err;

	if (mutated_world(&w, r->version))
		return -1;
	err = send_with_little_memory(&w, r);
	if (!err && (!world_counter("trunk0", "drop_length_beyond_aggregate") ||
		     !world_counter("port1", "rx_coalesced")))
		err = FAIL("neither good nor bad frames");
	delivered += world_counter("trunk0", "frames");
	world_free(&w);
	return err;
}

static int leaks(long heads, long kb)
{
	struct timespec pause = {.tv_nsec = 10000000};
	int i;

	/* KASAN keeps other freed objects for a while; kmemleak looks for leaks there. */
	if (is_debug_kernel())
		kb = 0;
	/* RCU frees deleted objects some time after. */
	for (i = 0; i < 500; i++) {
		if (skb_heads() <= heads + 256 && meminfo("MemFree:") >= kb - LEAK_KB)
			return 0;
		nanosleep(&pause, NULL);
	}
	return FAIL("skbs in use: %ld, then %ld; free: %ld KB, then %ld KB", heads, skb_heads(), kb,
		    meminfo("MemFree:"));
}

TEST(mutated)
{
	static const int versions[] = {1, 4, 5};
	struct round r = {.version = 1, .aggregates = 500, .usual = 9000, .largest = 9000};
	long heads, kb;
	size_t i;

	/* The first round fills the kernel's caches. */
	if (mutated(&r))
		return -1;
	heads = skb_heads();
	kb = meminfo("MemFree:");
	r.aggregates = AGGREGATES / 3 / load_scale();
	for (i = 0; i < 3; i++) {
		r.version = versions[i];
		if (mutated(&r))
			return -1;
	}
	return leaks(heads, kb);
}

/*
 * Lengths up to any possible, small and large packets, and little memory. AGGREGATES=N on the
 * kernel's command line sets the number.
 */
TEST_ON_DEMAND(mutated_large)
{
	static const char *const failing[] = {NULL, "failslab", "fail_page_alloc"};
	static const int versions[] = {1, 4, 5};
	const char *text = getenv("AGGREGATES");
	unsigned int left = text ? strtoul(text, NULL, 0) : 1000000, i;
	struct round r = {.usual = 5000, .largest = AGGREGATE_MAX};
	long heads = 0;

	for (i = 0; left; i++) {
		r.version = versions[i / 3 % 3];
		r.aggregates = left < LARGE_ROUND ? left : LARGE_ROUND;
		r.failing = failing[i % 3];
		r.fragmented = i == FRAGMENTED;
		proc_write(HIGH_ORDER, i & 1 ? "1" : "0");
		if (mutated(&r))
			return -1;
		left -= r.aggregates;
		heads = heads ?: skb_heads();
		printf("  %u aggregates are left, %llu frames were good\n", left, delivered);
	}
	proc_write(HIGH_ORDER, "0");
	return leaks(heads, 0);
}

/* Aggregates that ran a part of the module for the first time; further ones are mutations of these. */
struct corpus {
	unsigned int n;
	struct aggregate *inputs[INPUTS];
};

static long edges(void)
{
	char text[32];

	return proc_read(EDGES, text, sizeof(text)) < 0 ? -1 : strtol(text, NULL, 10);
}

/* Replaces the end of @a, from a random word on, by the same part of @b. */
static void splice_in(struct aggregate *a, const struct aggregate *b)
{
	size_t at = random_in(0, a->len - 1) & ~3;

	if (at >= b->len)
		return;
	memcpy(a->data + at, b->data + at, b->len - at);
	a->len = b->len;
}

static void next_input(const struct corpus *c, struct aggregate *a, int version)
{
	*a = (struct aggregate){.version = version, .max = random_in(1600, INPUT_MAX)};
	if (!c->n || chance(10)) {
		load_fill(a, PORTS);
		return;
	}
	*a = *c->inputs[random_in(0, c->n - 1)];
	if (chance(30))
		splice_in(a, c->inputs[random_in(0, c->n - 1)]);
	load_mutate(a);
}

static void keep(struct corpus *c, const struct aggregate *a)
{
	unsigned int at = c->n < INPUTS ? c->n++ : random_in(0, INPUTS - 1);

	if (!c->inputs[at])
		c->inputs[at] = malloc(sizeof(*a));
	if (c->inputs[at])
		*c->inputs[at] = *a;
	else
		c->n = at;
}

static void free_corpus(struct corpus *c)
{
	for (unsigned int i = 0; i < INPUTS; i++)
		free(c->inputs[i]);
}

static int explore(struct corpus *c, int version, unsigned int aggregates)
{
	static struct aggregate a;
	long before, now = edges();
	struct world w;
	int err = 0;

	if (mutated_world(&w, version))
		return -1;
	for (unsigned int i = 1; i <= aggregates && !err; i++) {
		next_input(c, &a, version);
		before = now;
		if (world_send(&w, a.data, a.len))
			err = FAIL("cannot send");
		now = edges();
		if (now != before)
			keep(c, &a);
		if (i % DRAIN_EVERY == 0)
			drain(&w);
		if (i % CHECK_EVERY == 0 && !err)
			err = good_gets_through(&w, version);
	}
	delivered += world_counter("trunk0", "frames");
	world_free(&w);
	return err;
}

/*
 * Mutates the aggregates that have reached a new part of the module, which COVERAGE=1 builds with
 * counters; AGGREGATES=N on the kernel's command line sets the number.
 */
TEST_ON_DEMAND(explore)
{
	static const int versions[] = {1, 4, 5};
	const char *text = getenv("AGGREGATES");
	unsigned int left = text ? strtoul(text, NULL, 0) : 100000, n, i;
	struct corpus c = {};
	int err = 0;

	if (edges() < 0) {
		skipped = "the module is built without COVERAGE=1";
		return 0;
	}
	for (i = 0; left && !err; i++) {
		n = left < REPORT_EACH ? left : REPORT_EACH;
		err = explore(&c, versions[i % 3], n);
		left -= n;
		printf("  %ld edges by %u inputs, %u aggregates are left, %llu frames were good\n",
		       edges(), c.n, left, delivered);
	}
	free_corpus(&c);
	return err;
}
