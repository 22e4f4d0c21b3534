// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cost that a modem can cause, by "Limits" in qmap/shim.h: frames and answers of one poll,
 * memory of waiting aggregates and of packets in a slow socket.
 */
#include "shim_test.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/sock_diag.h>

#include "proc.h"
#include "qmap/wire.h"
#include "world.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define WAIT_MS	   20000
#define FRAMES_MAX 256	 /* of one poll */
#define FRAMES	   13000 /* of one aggregate, each of 5 bytes */
#define ANSWERS	   16
#define WAITING_KB (8 << 10)
#define BURST	   400 /* aggregates */
#define PAIRS	   2000
#define FACTOR	   3	/* memory in use per byte charged to a socket */
#define SLACK_KB   4096 /* memory that the rest of a guest needs meanwhile */

/* Polls of the trunk's NAPI as counted by vm.bpf.c. */
struct polls {
	uint64_t polls, frames, most, now;
};

static int read_polls(const struct world *w, struct polls *p)
{
	int fd = bpf_object__find_map_fd_by_name(w->extra, "polls");
	uint32_t zero = 0;

	return bpf_map_lookup_elem(fd, &zero, p) ? FAIL("no map polls") : 0;
}

/* The last aggregate counts from the first of its frames: a thread may still poll it. */
static int read_frames(const struct world *w, struct polls *p, uint64_t frames)
{
	unsigned int i;
	int err = read_polls(w, p);

	for (i = 0; i < WAIT_MS && !err && p->frames < frames; i++) {
		usleep(1000);
		err = read_polls(w, p);
	}
	return err;
}

static void pin_to_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Pins the threads that poll the trunk's queues to the CPU that this thread keeps busy. */
static int pin_polls(void)
{
	char path[280], name[32];
	struct dirent *d;
	cpu_set_t cpus;
	int n = 0;
	DIR *dir = opendir("/proc");

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	while (dir && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		if (proc_read(path, name, sizeof(name)) > 0 && !strncmp(name, "napi/trunk0", 11) &&
		    !sched_setaffinity(atoi(d->d_name), sizeof(cpus), &cpus))
			n++;
	}
	if (dir)
		closedir(dir);
	return n ? 0 : FAIL("no threads of trunk0");
}

/* From here to the end of the hold this thread runs and no poll does. */
static int hold_polls(void)
{
	const struct sched_param first = {.sched_priority = 50};

	pin_to_cpu(0);
	if (proc_write("/sys/class/net/trunk0/threaded", "1") || pin_polls())
		return FAIL("no threads for polls");
	return sched_setscheduler(0, SCHED_FIFO, &first) ? FAIL("no SCHED_FIFO") : 0;
}

static void release_polls(void)
{
	const struct sched_param any = {};

	sched_setscheduler(0, SCHED_OTHER, &any);
}

/* Sends as many aggregates as can wait, at once: @n times @a, or those from @a on if @each. */
static int burst(const struct world *w, const struct aggregate *a, unsigned int n, bool each)
{
	uint64_t done, all = world_counter("trunk0", "aggregates") +
			     world_counter("trunk0", "drop_queue_full") + n;
	int err = 0, i;

	if (hold_polls())
		return -1;
	for (; n && !err; n--, a += each)
		err = world_send(w, a->data, a->len) ? FAIL("cannot send") : 0;
	release_polls();
	for (i = 0; i < WAIT_MS && !err; i++) {
		done = world_counter("trunk0", "aggregates") +
		       world_counter("trunk0", "drop_queue_full");
		if (done >= all)
			return 0;
		usleep(1000);
	}
	return err ?: FAIL("aggregates are neither looked at nor dropped");
}

/* Frames of 5 bytes that are not IP packets: 13,000 in an aggregate. */
static void fill_with_bad_frames(struct aggregate *a)
{
	*a = (struct aggregate){.version = 1, .max = 65000};
	while (aggregate_add(a, 1, (const uint8_t *)"", 1, 0))
		;
}

static int count_frames(const struct world *w)
{
	static struct aggregate a;
	struct bpf_link *tracer;
	struct polls p;
	int err;

	fill_with_bad_frames(&a);
	tracer = bpf_program__attach(bpf_object__find_program_by_name(w->extra, "count_polls"));
	if (!tracer)
		return FAIL("no tracepoint napi_poll");
	err = bpf_xdp_attach(w->trunk_ifindex, world_prog(w, "count_frames"), 0, NULL)
		      ? FAIL("count_frames")
		      : 0;
	err = err ?: burst(w, &a, 8, false) ?: read_frames(w, &p, 8 * FRAMES);
	bpf_link__destroy(tracer);
	if (err)
		return -1;
	printf("  %llu frames in %llu polls, %llu at most in one\n", (unsigned long long)p.frames,
	       (unsigned long long)p.polls, (unsigned long long)p.most);
	if (p.frames < 8 * FRAMES)
		return FAIL("frames are missing");
	return p.most <= FRAMES_MAX ? 0 : FAIL("that is more than %d", FRAMES_MAX);
}

static int in_world(int (*work)(const struct world *w), bool no_program)
{
	const struct world_options o = {.version = 1, .ports = 2, .no_program = no_program};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = world_extra(&w, 0) ?: work(&w);
	world_free(&w);
	return err;
}

TEST(poll_frames)
{
	return in_world(count_frames, true);
}

#define IN_TURN	  32 /* flows */
#define WAITING	  8  /* aggregates, of fewer frames than a poll may judge */
#define WAITING_1 40 /* the same of one flow, of more */

/* The next packets of @flows flows in turn, in @n aggregates. Returns the number of packets. */
static unsigned int fill_in_turn(struct aggregate *a, unsigned int n, unsigned int flows)
{
	static uint32_t seq[IN_TURN];
	static uint8_t packet[2048];
	unsigned int packets = 0;

	for (unsigned int i = 0; i < n; i++) {
		a[i] = (struct aggregate){.version = 1, .max = 30000};
		for (;; packets++) {
			unsigned int flow = packets % flows;
			/* scattered, so that some of a hash are close to each other */
			const struct packet_spec s = {.sport = 1024 +
							       flow * (flow + 1) * 7919 % 50021,
						      .ttl = 64,
						      .flags = 0x10,
						      .frag = 0x4000,
						      .id = seq[flow] / 1360,
						      .seq = seq[flow],
						      .payload = 1360};

			if (!aggregate_add(&a[i], 1, packet, packet_make(packet, &s), 0))
				break;
			seq[flow] += s.payload;
		}
	}
	return packets;
}

/*
 * A CPU that is behind takes as many aggregates at once as a poll may judge, so that flows whose packets
 * come in turn are coalesced: a chain counts as one packet against the budget.
 */
static int coalesce_in_turn(const struct world *w)
{
	static struct aggregate a[WAITING_1];
	unsigned int packets = fill_in_turn(a, WAITING, IN_TURN), more;
	uint64_t chains;

	if (world_tc_ingress(w, "port1", "drop") || burst(w, a, WAITING, true))
		return -1;
	chains = world_counter("port1", "rx_chains");
	printf("  %u packets, %llu of them in %llu chains\n", packets,
	       (unsigned long long)world_counter("port1", "rx_coalesced"),
	       (unsigned long long)chains);
	if (chains != IN_TURN || world_counter("port1", "rx_coalesced") != packets)
		return FAIL("that is not a chain for each of %d flows", IN_TURN);
	more = fill_in_turn(a, WAITING_1, 1);
	if (burst(w, a, WAITING_1, true))
		return -1;
	if (world_counter("port1", "rx_packets") != packets + more)
		return FAIL("%llu of %u packets",
			    (unsigned long long)world_counter("port1", "rx_packets"),
			    packets + more);
	return 0;
}

TEST(flows_in_turn)
{
	return in_world(coalesce_in_turn, false);
}

/* An aggregate full of commands: one poll answers a few and counts the rest. */
static int count_answers(const struct world *w)
{
	static struct aggregate a;
	static uint8_t buf[4096];
	unsigned int commands = 0, came = 0;
	uint64_t polls, sent;
	struct bpf_link *tracer =
		bpf_program__attach(bpf_object__find_program_by_name(w->extra, "count_polls"));
	struct polls p;

	a = (struct aggregate){.version = 1, .max = 31000};
	while (aggregate_add_flow(&a, 1, true, commands))
		commands++;
	if (!tracer || burst(w, &a, 1, false) || read_polls(w, &p))
		return FAIL("no polls");
	/* the last poll may still run: its answers come before the counter is read again */
	do {
		sent = world_counter("trunk0", "replies");
		while (world_recv(w, buf, sizeof(buf), 200))
			came++;
	} while (sent != world_counter("trunk0", "replies"));
	bpf_link__destroy(tracer);
	polls = commands / FRAMES_MAX + 2;
	printf("  %u commands, %u answers\n", commands, came);
	if (!came || came > polls * ANSWERS)
		return FAIL("more than %d in one poll, or none", ANSWERS);
	if (came + world_counter("trunk0", "drop_queue_full") != commands)
		return FAIL("%llu are counted as not answered",
			    (unsigned long long)world_counter("trunk0", "drop_queue_full"));
	return 0;
}

TEST(answers)
{
	return in_world(count_answers, false);
}

/*
 * Each CPU keeps freed pages in lists, which /proc/meminfo does not count as free: up to a share of
 * all memory, 0 is the kernel's choice. This keeps them short.
 */
static int cpu_lists(const char *fraction)
{
	return proc_write("/proc/sys/vm/percpu_pagelist_high_fraction", fraction)
		       ? FAIL("cannot limit the page lists of CPUs")
		       : 0;
}

/* Aggregates of 64 KB wait while the CPU is busy. */
static int hold_aggregates(const struct world *w)
{
	static struct aggregate a;
	long before, most = 0, used;
	uint64_t dropped;
	unsigned int i;

	fill_with_bad_frames(&a);
	if (cpu_lists("100000") || hold_polls())
		return -1;
	before = meminfo("MemFree:");
	for (i = 0; i < BURST; i++) {
		if (world_send(w, a.data, a.len))
			break;
		used = before - meminfo("MemFree:");
		most = used > most ? used : most;
	}
	release_polls();
	cpu_lists("0");
	dropped = world_counter("trunk0", "drop_queue_full");
	printf("  %ld KB in use for %u aggregates, %llu dropped\n", most, i,
	       (unsigned long long)dropped);
	if (i < BURST || !dropped)
		return FAIL("nothing had to wait");
	return most <= WAITING_KB + SLACK_KB ? 0 : FAIL("that is more than %d KB", WAITING_KB);
}

TEST(waiting)
{
	return in_world(hold_aggregates, false);
}

/*
 * Sends two segments for port 1, which become one packet, and packets for port 2 that fill the
 * memory in between.
 */
static int send_pair(const struct world *w, struct packet_spec *s, struct packet_spec *filler)
{
	static struct aggregate a;
	uint8_t packet[PACKET_MAX];
	size_t len;
	int i;

	a = (struct aggregate){.version = 1, .max = 32768};
	for (i = 0; i < 2; i++) {
		len = packet_make(packet, s);
		s->seq += s->payload;
		s->id++;
		aggregate_add(&a, 1, packet, len, -len & 3);
	}
	do {
		len = packet_make(packet, filler);
		filler->seq += filler->payload;
		filler->id++;
	} while (aggregate_add(&a, 2, packet, len, -len & 3));
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

/* KB free, after freed memory has arrived there. */
static long settled_memory(void)
{
	long now = meminfo("MemFree:"), before;
	int i;

	for (i = 0; i < 100; i++) {
		before = now;
		usleep(50000);
		now = meminfo("MemFree:");
		if (now - before < 256 && before - now < 256)
			break;
	}
	return now;
}

/* A socket without a reader holds packets: it is charged for the memory that they use. */
static int charge(const struct world *w, unsigned int payload)
{
	struct packet_spec s = {.flow = 1, .ttl = 64, .flags = 0x10, .frag = 0x4000};
	struct packet_spec filler = s;
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t size = sizeof(info);
	int tap = world_tap("port1"), i;
	long before = settled_memory(), used;

	s.payload = payload;
	filler.flow = 2;
	filler.payload = 1400;
	for (i = 0; i < PAIRS; i++) {
		if (send_pair(w, &s, &filler)) {
			close(tap);
			return -1;
		}
	}
	used = before - meminfo("MemFree:");
	if (tap < 0 || getsockopt(tap, SOL_SOCKET, SO_MEMINFO, info, &size))
		return FAIL("SO_MEMINFO: %s", strerror(errno));
	close(tap);
	printf("  pairs of %u bytes: charged %u KB, in use %ld KB\n", payload,
	       info[SK_MEMINFO_RMEM_ALLOC] >> 10, used);
	if (!info[SK_MEMINFO_RMEM_ALLOC])
		return FAIL("nothing came");
	return used <= SLACK_KB + FACTOR * (long)(info[SK_MEMINFO_RMEM_ALLOC] >> 10)
		       ? 0
		       : FAIL("that is more than it is charged for");
}

static int charge_pairs(const struct world *w)
{
	if (world_tc_ingress(w, "port2", "drop"))
		return -1;
	/* the first run makes the kernel's one-time allocations */
	return charge(w, 1400) ?: charge(w, 1) ?: charge(w, 200) ?: charge(w, 700) ?: charge(w, 1400);
}

TEST(truesize)
{
	return in_world(charge_pairs, false);
}
