// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a packet takes from the modem's hand to a UDP socket, through the xdp data path and
 * through a plain TUN, in turn. Each packet carries the time at which its burst was handed over:
 * one transfer is one burst, whatever takes it apart. The socket's filter reads that and the clock,
 * so that no program has to be woken up; what that takes is the same on any netdev.
 *
 * At a modest rate the CPU sleeps between bursts, as a modem's interrupt finds it. Under load
 * bursts come on schedule, and the time that counts is the one at which they should have come: a
 * burst that had to wait for the one before has waited for the data path.
 *
 * An interrupt does not wait for other processes to leave the CPU, but this one does: bursts during
 * which it had to are left out, and the schedule waits as long. Where no burst is without (a quick
 * run on a busy machine), all count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "filters.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "tests/vm/packets.h"
#include "world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PACKET	    1400
#define BURST	    11 /* frames that 16 KB take */
#define HEADER	    (sizeof(struct qmap_hdr) + sizeof(struct qmap_v5_hdr))
#define UDP_HEADERS 28
#define MOST	    (FILTERS_PACKETS / BURST) /* bursts of a sample */
#define DEADLINE    1000000000ull	      /* ns for the last packets to arrive */

struct pace {
	const char *name, *how;
	uint64_t interval; /* ns from burst to burst */
	unsigned int bursts;
	bool schedule; /* the clock runs from when a burst should have come */
};

#define HOW ", from transfer to the filter of a UDP socket; bursts of 11 x 1400 B, one CPU"

static const struct pace paces[] = {
	{"rate", "123 Mbit/s: a burst a millisecond" HOW, 1000000, 200, false},
	{"load", "2.5 Gbit/s: a burst every 50 us" HOW, 50000, 1400, true},
};

enum path {
	PLAIN,
	XDP,
	PATHS
};

static const char *const path_names[PATHS] = {"plain", "xdp"};

/* The last sample of one path at one pace, ascending. */
struct taken {
	uint64_t ns[FILTERS_PACKETS];
	unsigned int sent, arrived, counted;
	bool disturbed[MOST]; /* bursts during which the sender was off the CPU */
};

struct latency {
	struct world world;
	struct filters filters;
	int sockets[PATHS];
	struct aggregate *aggregate;	/* of the burst, for the trunk */
	uint8_t packets[BURST][PACKET]; /* the same, for the plain TUN */
	struct taken taken[ARRAY_SIZE(paces)][PATHS];
};

static const struct percentile {
	const char *name;
	unsigned int per_mille;
} percentiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"max", 1000}};

/* ---- a burst ---- */

static int make_burst(struct latency *l)
{
	struct packet_spec spec = {.udp = true,
				   .ttl = 64,
				   .payload = PACKET - UDP_HEADERS,
				   .sport = 4000,
				   .dport = WORLD_UDP_PORT,
				   .no_csum = true}; /* the stamp would make it wrong */
	uint8_t packet[PACKET];

	l->aggregate = calloc(1, sizeof(*l->aggregate));
	if (!l->aggregate)
		return -ENOMEM;
	l->aggregate->version = QMAP_V5;
	l->aggregate->max = AGGREGATE_MAX;
	for (unsigned int i = 0; i < BURST; i++) {
		spec.saddr = WORLD_PORT_ADDR - 1;
		spec.daddr = WORLD_PORT_ADDR;
		packet_make(packet, &spec);
		if (!aggregate_add(l->aggregate, WORLD_MUX, packet, PACKET, 0))
			return -E2BIG;
		spec.saddr = WORLD_PLAIN_ADDR - 1;
		spec.daddr = WORLD_PLAIN_ADDR;
		packet_make(l->packets[i], &spec);
	}
	return 0;
}

static int send_burst(struct latency *l, enum path path, unsigned int number, uint64_t time)
{
	struct filters_stamp stamp = {.magic = FILTERS_MAGIC, .time = time};
	uint8_t *payload;

	for (unsigned int i = 0; i < BURST; i++) {
		payload = path == PLAIN ? l->packets[i]
					: l->aggregate->data + i * (HEADER + PACKET) + HEADER;
		stamp.sequence = number * BURST + i;
		memcpy(payload + UDP_HEADERS, &stamp, sizeof(stamp));
	}
	if (path == XDP)
		return world_send_linear(&l->world, l->aggregate->data, l->aggregate->len);
	for (unsigned int i = 0; i < BURST; i++)
		if (write(l->world.plain, l->packets[i], PACKET) != PACKET)
			return -errno;
	return 0;
}

/* ---- a sample ---- */

/* Sleeps where there is time to; spins where a timer would be as long as the interval. */
static void wait_until(uint64_t when, bool spin)
{
	struct timespec ts = {.tv_sec = when / 1000000000, .tv_nsec = when % 1000000000};

	if (!spin)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	while (clock_ns() < when)
		;
}

/* The time at which the next burst's turn has come, put off by what the CPU was not ours since
 * @waited. */
static uint64_t wait_for_turn(uint64_t when, bool spin, uint64_t *waited)
{
	uint64_t before;

	do {
		wait_until(when, spin);
		before = *waited;
		*waited = clock_waited_ns();
		when += *waited - before;
	} while (*waited != before);
	return when;
}

static int send_bursts(struct latency *l, enum path path, const struct pace *p, struct taken *t)
{
	uint64_t start = clock_ns() + p->interval, waited = clock_waited_ns(), before;
	int ret = 0;

	for (unsigned int i = 0; i < t->sent / BURST && !ret; i++) {
		uint64_t when = wait_for_turn(start + i * p->interval, p->schedule, &waited);

		start = when - i * p->interval;
		before = waited;
		ret = send_burst(l, path, i, p->schedule ? when : clock_ns());
		waited = clock_waited_ns();
		t->disturbed[i] = waited != before;
		start += waited - before;
	}
	return ret;
}

/* Waits until all have arrived, or nothing more will. */
static void wait_for_all(const struct filters *f, struct taken *t)
{
	uint64_t end = clock_ns() + DEADLINE;

	t->arrived = 0;
	for (unsigned int i = 0; i < t->sent; i++) {
		while (!f->latencies[i] && clock_ns() < end)
			;
		t->arrived += f->latencies[i] != 0;
	}
}

static void count(const struct filters *f, struct taken *t, bool disturbed_too)
{
	t->counted = 0;
	for (unsigned int i = 0; i < t->sent; i++)
		if (f->latencies[i] && (disturbed_too || !t->disturbed[i / BURST]))
			t->ns[t->counted++] = f->latencies[i];
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int measure(struct latency *l, unsigned int pace, enum path path, unsigned int bursts)
{
	struct taken *t = &l->taken[pace][path];
	int ret;

	memset((void *)l->filters.latencies, 0, FILTERS_PACKETS * sizeof(t->ns[0]));
	t->sent = bursts * BURST;
	ret = send_bursts(l, path, &paces[pace], t);
	wait_for_all(&l->filters, t);
	count(&l->filters, t, false);
	if (!t->counted)
		count(&l->filters, t, true);
	qsort(t->ns, t->counted, sizeof(t->ns[0]), ascending);
	return ret ?: t->counted ? 0 : -ETIMEDOUT;
}

/* Microseconds. */
static double percentile_of(const struct taken *t, const struct percentile *p)
{
	return t->ns[(t->counted * p->per_mille + 999) / 1000 - 1] / 1e3;
}

/* Numbers of a variant: pace, path, percentile. The first percentile measures for all. */
static int sample(struct variant *v, double *us)
{
	unsigned int pace = v->number / PATHS / ARRAY_SIZE(percentiles),
		     path = v->number / ARRAY_SIZE(percentiles) % PATHS,
		     which = v->number % ARRAY_SIZE(percentiles);
	struct latency *l = v->env;
	const struct taken *t = &l->taken[pace][path];
	int ret = which ? 0 : measure(l, pace, path, v->repeat);

	if (ret)
		return ret;
	v->result.sent += t->sent;
	v->result.lost += t->sent - t->arrived;
	*us = percentile_of(t, &percentiles[which]);
	return 0;
}

/* Of the two samples of this round. */
static int sample_added(struct variant *v, double *us)
{
	unsigned int pace = v->number / ARRAY_SIZE(percentiles);
	const struct percentile *p = &percentiles[v->number % ARRAY_SIZE(percentiles)];
	struct latency *l = v->env;
	const struct taken *t = l->taken[pace];

	*us = percentile_of(&t[XDP], p) - percentile_of(&t[PLAIN], p);
	v->result.sent += t[XDP].sent + t[PLAIN].sent;
	v->result.lost += t[XDP].sent - t[XDP].arrived + t[PLAIN].sent - t[PLAIN].arrived;
	return 0;
}

/* ---- putting it together ---- */

static int add_pace(struct sampling *s, struct latency *l, unsigned int pace, double scale)
{
	struct variant v = {
		.result = {.unit = "us", .method = METHOD_WALL, .how = paces[pace].how},
		.env = l,
		.repeat = paces[pace].bursts * scale,
	};

	_Static_assert(1400 <= MOST, "a sample's packets can be told apart");
	for (unsigned int i = 0; i < PATHS * ARRAY_SIZE(percentiles); i++) {
		v.sample = sample;
		v.number = pace * PATHS * ARRAY_SIZE(percentiles) + i;
		if (!sampling_add(s, &v, "latency.%s.%s.%s",
				  path_names[i / ARRAY_SIZE(percentiles)], paces[pace].name,
				  percentiles[i % ARRAY_SIZE(percentiles)].name))
			return -ENOMEM;
	}
	/* but not of the maxima, each of which is an accident of its own */
	for (unsigned int i = 0; i < ARRAY_SIZE(percentiles) - 1; i++) {
		v.sample = sample_added;
		v.number = pace * ARRAY_SIZE(percentiles) + i;
		if (!sampling_add(s, &v, "latency.added.%s.%s", paces[pace].name,
				  percentiles[i].name))
			return -ENOMEM;
	}
	return 0;
}

static int prepare(struct latency *l)
{
	int ret;

	l->sockets[PLAIN] = world_socket(WORLD_PLAIN_ADDR);
	l->sockets[XDP] = world_socket(WORLD_PORT_ADDR);
	ret = filters_load(&l->filters) ?: make_burst(l);
	for (unsigned int i = 0; i < PATHS && !ret; i++)
		ret = l->sockets[i] < 0 ? l->sockets[i] : filters_stamp(&l->filters, l->sockets[i]);
	return ret;
}

static int run(const struct recorder *r)
{
	struct latency *l = calloc(1, sizeof(*l));
	struct sampling s = {0};
	struct error err = {0};
	int ret = l ? world_new(&l->world, QMAP_V5, &err) : -ENOMEM;

	if (!ret) {
		ret = prepare(l);
		for (unsigned int i = 0; i < ARRAY_SIZE(paces) && !ret; i++)
			ret = add_pace(&s, l, i, r->scale);
		ret = ret ?: sampling_run(&s, r);
		sampling_free(&s);
		for (unsigned int i = 0; i < PATHS; i++)
			if (l->sockets[i] >= 0)
				close(l->sockets[i]);
		filters_unload(&l->filters);
		free(l->aggregate);
		world_free(&l->world);
	}
	free(l);
	if (ret)
		fprintf(stderr, "latency: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_latency = {
	.name = "latency",
	.what = "us from transfer to socket, through the xdp data path and a plain TUN",
	.run = run,
};
