// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of many flows through the xdp data path to a UDP socket, while the kernel spreads what
 * comes out of the port over 1, 2, 4, ... CPUs by flow: receive packet steering (RPS), which any
 * user can set in /sys/class/net/wwan0.1/queues/rx-0/rps_cpus. The splitting itself stays on the
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

enum what {
	WALL,
	CPU,
	ELSEWHERE,
	WHATS
};

struct steering {
	struct world world;
	struct filters filters;
	int socket;
	unsigned int first, cpus; /* CPU of the trunk; CPUs of the machine */
	struct aggregate *aggregates;
	double taken[WHATS]; /* of the last sample */
	char file[128];	     /* rps_cpus of the port */
	bool steered;	     /* the kernel has it (CONFIG_RPS) */
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
	char path[128], mask[FILTERS_CPUS / 32 * 9 + 1];
	int ret;
	FILE *f;

	snprintf(path, sizeof(path), SYSFS "/class/net/%s/queues/rx-0/rps_cpus",
		 s->world.port.name);
	make_mask(s, n > 1 ? n : 0, mask, sizeof(mask));
	f = fopen(path, "we");
	if (!f)
		return -errno;
	ret = fprintf(f, "%s\n", mask) < 0 ? -errno : 0;
	return fclose(f) ? -errno : ret;
}

/* ---- a sample ---- */

static uint64_t wait_for(const struct steering *s, uint64_t wanted)
{
	uint64_t end = clock_ns() + DEADLINE, got;

	while ((got = filters_counted(&s->filters)) < wanted && clock_ns() < end)
		;
	return got;
}

static int measure(struct steering *s, unsigned int cpus, unsigned int aggregates, uint64_t *lost)
{
	uint64_t before = filters_counted(&s->filters), got = before, own, start, cpu = 0, mark;
	uint64_t sent = (uint64_t)aggregates * FRAMES;
	int ret = steer(s, cpus);

	own = s->filters.counts[s->first].packets;
	start = clock_ns();
	for (unsigned int i = 0; i < aggregates && !ret; i++) {
		const struct aggregate *a = &s->aggregates[i % AGGREGATES];

		mark = clock_running_ns();
		ret = world_send_linear(&s->world, a->data, a->len);
		cpu += clock_running_ns() - mark;
		got = wait_for(s, before + i * FRAMES > before + WINDOW
					  ? before + i * FRAMES - WINDOW
					  : before);
	}
	got = wait_for(s, before + sent) - before;
	s->taken[WALL] = (double)(clock_ns() - start) / sent;
	s->taken[CPU] = (double)cpu / sent;
	s->taken[ELSEWHERE] =
		got ? 100 - 100.0 * (s->filters.counts[s->first].packets - own) / got : 0;
	*lost = sent - got;
	return ret;
}

/* The first of the three results of a number of CPUs measures for all. */
static int sample(struct variant *v, double *value)
{
	struct steering *s = v->env;
	uint64_t lost = 0;
	int ret = 0;

	if (v->frames == WALL) {
		ret = measure(s, v->number, v->repeat, &lost);
		v->result.sent += (uint64_t)v->repeat * FRAMES;
		v->result.lost += lost;
	}
	*value = s->taken[v->frames];
	return ret;
}

/* ---- putting it together ---- */

static int add(struct sampling *sampling, struct steering *s, unsigned int cpus, double scale)
{
	static const struct {
		const char *name, *unit, *method, *how;
	} what[WHATS] = {
		{"wall", "ns/packet", METHOD_WALL,
		 "64 flows of UDP, 1400 B, to a socket, spread over CPUs by RPS on the port"},
		{"cpu", "ns/packet", METHOD_CPU_TIME, "the trunk's CPU's share of that"},
		{"elsewhere", "%", METHOD_WALL, "packets that reached the socket on another CPU"},
	};

	for (unsigned int i = 0; i < WHATS; i++) {
		const struct variant v = {
			.result = {.unit = what[i].unit,
				   .method = what[i].method,
				   .how = what[i].how,
				   .factor = i == ELSEWHERE ? NULL : "cpus",
				   .path = i == WALL ? "xdp" : "xdp, trunk's CPU",
				   .x = cpus},
			.sample = sample,
			.env = s,
			.number = cpus,
			.frames = i,
			.repeat = PACKETS / FRAMES * scale,
		};

		if (!sampling_add(sampling, &v, "steering.rps.%s.cpus-%u", what[i].name, cpus))
			return -ENOMEM;
	}
	return 0;
}

static int prepare(struct steering *s)
{
	int ret = mount("sysfs", SYSFS, "sysfs", 0, NULL) ? -errno : 0;

	s->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (s->cpus > FILTERS_CPUS)
		s->cpus = FILTERS_CPUS;
	s->first = sched_getcpu();
	snprintf(s->file, sizeof(s->file), SYSFS "/class/net/%s/queues/rx-0/rps_cpus",
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
