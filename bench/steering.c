// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of many flows through the xdp data path to a UDP socket, while the kernel spreads what
 * comes out of the port over 1, 2, 4, ... CPUs by flow: receive packet steering (RPS), which any
 * user can set in /sys/class/net/wwan0.1p/queues/rx-0/rps_cpus. The splitting itself stays on the
 * trunk's CPU.
 *
 * `wall` is what a user sees, `cpu` what the trunk's CPU has to do, which is what limits
 * throughput.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "filters.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "tests/vm/packets.h"
#include "world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SYSFS	   "/mnt" /* in our own mount namespace: /sys shows the network of who mounted it */
#define PACKET	   1400
#define FRAMES	   11 /* of a 16 KB aggregate */
#define FLOWS	   64
#define AGGREGATES 32 /* built: every flow is in several */
#define PACKETS	   22000
#define WINDOW	   500 /* packets on the way: half of a CPU's backlog (net.core.netdev_max_backlog) */
#define DEADLINE   1000000000ull /* ns */

struct steering {
	struct world world;
	struct filters filters;
	int socket;
	unsigned int first, cpus; /* CPU of the trunk; CPUs of the machine */
	struct aggregate *aggregates;
	double elsewhere; /* percent, in the last sample */
	char file[128];	  /* rps_cpus of the port */
	bool steered;	  /* the kernel has it (CONFIG_RPS) */
};

static int make_aggregates(struct steering *s)
{
	struct packet_spec spec = {.udp = true,
				   .ttl = 64,
				   .payload = PACKET - 28,
				   .saddr = WORLD_PORT_ADDR - 1,
				   .daddr = WORLD_PORT_ADDR,
				   .dport = WORLD_UDP_PORT};
	uint8_t packet[PACKET_MAX];

	s->aggregates = calloc(AGGREGATES, sizeof(*s->aggregates));
	if (!s->aggregates)
		return -ENOMEM;
	for (unsigned int i = 0; i < AGGREGATES * FRAMES; i++) {
		struct aggregate *a = &s->aggregates[i / FRAMES];

		a->version = QMAP_V5;
		a->max = AGGREGATE_MAX;
		spec.sport = 4000 + i % FLOWS;
		if (!aggregate_add(a, WORLD_MUX, packet, packet_make(packet, &spec), 0))
			return -E2BIG;
	}
	return 0;
}

/* ---- which CPUs ---- */

/* CPUs @first, @first + 1, ... as the kernel reads them: groups of 32, the highest first. */
static void make_mask(const struct steering *s, unsigned int n, char *text, size_t size)
{
	unsigned int groups = (s->cpus + 31) / 32;
	size_t at = 0;

	text[0] = 0;
	for (unsigned int g = groups; g-- > 0 && at < size;) {
		uint32_t bits = 0;

		for (unsigned int i = 0; i < n; i++)
			if ((s->first + i) % s->cpus / 32 == g)
				bits |= 1U << (s->first + i) % s->cpus % 32;
		at += snprintf(text + at, size - at, "%08x%s", bits, g ? "," : "");
	}
}

/* @n CPUs; 1: only the trunk's own, which is no steering at all. */
static int steer(const struct steering *s, unsigned int n)
{
	char mask[FILTERS_CPUS / 32 * 9 + 1];
	int ret;
	FILE *f;

	make_mask(s, n > 1 ? n : 0, mask, sizeof(mask));
	f = fopen(s->file, "we");
	if (!f)
		return -errno;
	ret = fprintf(f, "%s\n", mask) < 0 ? -errno : 0;
	return fclose(f) ? -errno : ret;
}

/* ---- a sample ---- */

/* What is left to ksoftirqd or to another CPU needs none of ours. */
static uint64_t wait_for(const struct steering *s, uint64_t wanted)
{
	uint64_t end = clock_ns() + DEADLINE, got;

	while ((got = filters_counted(&s->filters)) < wanted && clock_ns() < end)
		sched_yield();
	return got;
}

static int send_all(const struct steering *s, unsigned int n, uint64_t before)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++) {
		const struct aggregate *a = &s->aggregates[i % AGGREGATES];
		uint64_t sent = (uint64_t)i * FRAMES;

		if (sent > WINDOW)
			wait_for(s, before + sent - WINDOW);
		ret = world_send_linear(&s->world, a->data, a->len);
	}
	return ret;
}

static int sample(struct variant *v, double *ns)
{
	struct steering *s = v->env;
	const volatile struct filters_count *own = &s->filters.counts[s->first];
	uint64_t before = filters_counted(&s->filters), sent = (uint64_t)v->repeat * FRAMES;
	uint64_t own_before = own->packets, start, got;
	int ret = steer(s, v->number);

	start = clock_running_ns();
	ret = ret ?: send_all(s, v->repeat, before);
	got = wait_for(s, before + sent) - before;
	*ns = (double)(clock_running_ns() - start) / sent;
	s->elsewhere = got ? 100 - 100.0 * (own->packets - own_before) / got : 0;
	v->result.sent += sent;
	v->result.lost += sent - got;
	return ret;
}

/* Of the sample just taken. */
static int sample_elsewhere(struct variant *v, double *percent)
{
	const struct steering *s = v->env;

	*percent = s->elsewhere;
	return 0;
}

/* ---- putting it together ---- */

static int add(struct sampling *sampling, struct steering *s, unsigned int cpus, double scale)
{
	const struct variant cost = {
		.result = {.unit = "ns/packet",
			   .method = METHOD_CPU_TIME,
			   .how = "64 flows of UDP, 1400 B, to a socket, spread over CPUs "
				  "by RPS on the port",
			   .factor = "cpus",
			   .path = "xdp",
			   .x = cpus},
		.sample = sample,
		.env = s,
		.number = cpus,
		.repeat = PACKETS / FRAMES * scale,
	};
	const struct variant elsewhere = {
		.result = {.unit = "%",
			   .method = METHOD_COUNT,
			   .how = "packets that reached the socket on another "
				  "CPU than the trunk's"},
		.sample = sample_elsewhere,
		.env = s,
	};

	return sampling_add(sampling, &cost, "steering.rps.cost.cpus-%u", cpus) &&
			       sampling_add(sampling, &elsewhere, "steering.rps.elsewhere.cpus-%u",
					    cpus)
		       ? 0
		       : -ENOMEM;
}

static int prepare(struct steering *s)
{
	int ret = mount("sysfs", SYSFS, "sysfs", 0, NULL) ? -errno : 0;

	s->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (s->cpus > FILTERS_CPUS)
		s->cpus = FILTERS_CPUS;
	s->first = sched_getcpu();
	/* The veth end below the port: a macvlan gives packets on without a look at its own. */
	snprintf(s->file, sizeof(s->file), SYSFS "/class/net/%sp/queues/rx-0/rps_cpus",
		 s->world.port.name);
	s->steered = !access(s->file, W_OK);
	if (!s->steered) {
		fprintf(stderr, "steering: this kernel has no RPS: one CPU only\n");
		s->cpus = 1;
	}
	s->socket = world_socket(WORLD_PORT_ADDR);
	return ret ?: s->socket < 0 ? s->socket
				    : filters_load(&s->filters)
					      ?: filters_count(&s->filters, s->socket)
					      ?: make_aggregates(s);
}

static int run(const struct recorder *r)
{
	struct steering s = {.socket = -1};
	struct sampling sampling = {0};
	struct error err = {0};
	int ret = world_new(&s.world, QMAP_V5, &err);

	if (!ret) {
		ret = prepare(&s);
		for (unsigned int n = 1; n <= s.cpus && !ret; n *= 2)
			ret = add(&sampling, &s, n, r->scale);
		ret = ret ?: sampling_run(&sampling, r);
		sampling_free(&sampling);
		filters_unload(&s.filters);
		free(s.aggregates);
		if (s.socket >= 0)
			close(s.socket);
		world_free(&s.world);
	}
	if (ret)
		fprintf(stderr, "steering: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_steering = {
	.name = "steering",
	.what = "ns per packet of the xdp data path, its ports' packets spread over CPUs by RPS",
	.run = run,
};
