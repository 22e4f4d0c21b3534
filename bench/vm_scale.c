// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the shim's work spreads over CPUs if a program steers flows to them by a CPU map.
 *
 * Under -icount one host thread runs all CPUs in turn and the guest's clock counts the instructions
 * of all of them: it shows the total cost of a packet, not its duration. The share of each CPU is
 * known: the first CPU splits aggregates and hands packets on, which is measured with a CPU map
 * program that drops them on arrival ("split"); the rest follows the packets, which are counted by
 * CPU. The time that N CPUs need is that of the busiest one.
 */
#include "vm_scale.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vm_bench.h"
#include "vm_cell.h"
#include "vm_generator.h"
#include "vm_scale.skel.h"

#define ROUNDS	 15
#define FLOWS	 256
#define BURST	 10   /* aggregates that fit into a CPU's queue together */
#define QUEUE	 2048 /* packets */
#define PATIENCE 1000 /* ms */

/* 21 x 1400 B of UDP, v1, which steer() parses, of many flows, forwarded. */
static const struct bench_case load = {.name = "cpumap",
				       .version = 1,
				       .udp = true,
				       .frames = 21,
				       .packet = 1400,
				       .ports = 1,
				       .sink = SINK_FORWARD,
				       .flows = FLOWS};

enum what {
	WHOLE, /* forwarded on the CPU that the flow is steered to */
	SPLIT, /* dropped on arrival there */
	WHATS
};

struct scale {
	struct cell cell;
	struct vm_scale *skel;
	struct ring_buffer *done;
	struct generator g;
	unsigned long long sent;
};

static int told(void *ctx, void *data, size_t size)
{
	return 0;
}

static void scale_up(struct scale *s, unsigned int cpus, enum what what)
{
	struct bpf_cpumap_val val = {.qsize = QUEUE};
	uint32_t cpu;

	memset(s, 0, sizeof(*s));
	cell_up(&s->cell, &load, SHIM);
	s->skel = vm_scale__open_and_load();
	if (!s->skel)
		DIE("programs");
	s->skel->bss->scale.cpus = cpus;
	val.bpf_prog.fd =
		bpf_program__fd(what == WHOLE ? s->skel->progs.arrive : s->skel->progs.refuse);
	for (cpu = 0; cpu < cpus; cpu++)
		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.cpus), &cpu, &val, 0))
			DIE("CPU map");
	s->done = ring_buffer__new(bpf_map__fd(s->skel->maps.done), told, NULL, NULL);
	if (!s->done || bpf_link__update_program(s->cell.w.rx, s->skel->progs.steer))
		DIE("steering");
	generator_init(&s->g, &load, 1, 1);
}

static void scale_down(struct scale *s)
{
	ring_buffer__free(s->done);
	vm_scale__destroy(s->skel);
	cell_down(&s->cell);
}

/* Sends, and sleeps until all have arrived, so that only work is counted. */
static void burst(struct scale *s)
{
	struct scale_shared *shared = &s->skel->bss->scale;
	unsigned int i;
	uint64_t end;

	shared->awaited = s->sent + BURST * load.frames;
	for (i = 0; i < BURST; i++) {
		generator_next(&s->g);
		if (world_send(&s->cell.w, s->g.a.data, s->g.a.len))
			DIE("send");
	}
	s->sent += BURST * load.frames;
	/* A wake-up may be left over from the previous burst. */
	end = cell_clock() + PATIENCE * 1000000ULL;
	while (*(volatile __u64 *)&shared->arrived < s->sent && cell_clock() < end)
		ring_buffer__poll(s->done, PATIENCE);
	if (*(volatile __u64 *)&shared->arrived != s->sent)
		DIE("%llu of %llu packets arrived", (unsigned long long)shared->arrived, s->sent);
}

static double cost(struct scale *s, const struct effort *e)
{
	unsigned int warm = (e->warm + BURST - 1) / BURST,
		     bursts = (e->measured + BURST - 1) / BURST;
	uint64_t start = 0;
	unsigned int i;

	for (i = 0; i < warm + bursts; i++) {
		if (i == warm)
			start = cell_clock();
		burst(s);
	}
	return (double)(cell_clock() - start) / (bursts * BURST * load.frames);
}

static double base(const struct effort *e)
{
	return vm_downlink(&load, BASE, e).cost;
}

/*
 * Load of the busiest CPU: the first splits, the others (or the first, if it is alone) do the
 * rest.
 */
static double critical(double whole, double split, const __u64 *by_cpu, unsigned int cpus)
{
	double all = 0, most = 0, load_of;
	unsigned int i;

	for (i = 0; i < cpus; i++)
		all += by_cpu[i];
	for (i = 0; i < cpus; i++) {
		load_of = (whole - split) * by_cpu[i] / all + (i ? 0 : split);
		most = load_of > most ? load_of : most;
	}
	return most;
}

static void print(unsigned int cpus, const char *unit, const double *whole, const double *split,
		  unsigned int rounds, const struct scale_shared *seen)
{
	double most = critical(whole[rounds - 1], split[rounds - 1], seen->by_cpu, cpus);
	struct utsname u;
	unsigned int i;

	uname(&u);
	printf("DATA {\"name\": \"vm.cpumap.%u\", \"case\": \"cpumap-%u\", \"path\": \"shim\", "
	       "\"quantity\": \"cost\", \"unit\": \"%s\", \"kernel\": \"%s\", \"method\": \"%s\", "
	       "\"direction\": \"steered over CPUs\", \"factor\": \"cpus\", \"x\": %u, "
	       "\"split\": %.3f, \"busiest_cpu\": %.3f, \"speed_up_bound\": %.3f, "
	       "\"sent\": %llu, \"lost\": 0, \"packets_by_cpu\": [",
	       cpus, cpus, unit, u.release, strcmp(unit, "insns") ? "guest clock" : "icount", cpus,
	       split[rounds - 1], most, whole[rounds - 1] / most,
	       (unsigned long long)seen->arrived);
	for (i = 0; i < cpus; i++)
		printf("%s%llu", i ? ", " : "", (unsigned long long)seen->by_cpu[i]);
	printf("], \"samples\": [");
	for (i = 0; i < rounds; i++)
		printf("%s%.3f", i ? ", " : "", whole[i]);
	printf("]}\n");
}

static double measure(unsigned int cpus, enum what what, const struct effort *e,
		      struct scale_shared *seen)
{
	struct scale s;
	double found;

	snprintf(vm_bench_at, sizeof(vm_bench_at), "cpumap.%u.%s", cpus,
		 what == WHOLE ? "whole" : "split");
	scale_up(&s, cpus, what);
	found = cost(&s, e);
	*seen = s.skel->bss->scale;
	scale_down(&s);
	return found;
}

/* Keeps the generator, and so the shim, on the first CPU. */
static void stay(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		DIE("affinity");
}

void vm_scale(const struct effort *e, unsigned int rounds, const char *unit)
{
	unsigned int online = sysconf(_SC_NPROCESSORS_ONLN), cpus, r;
	double cost_of[WHATS][ROUNDS], idle;
	struct scale_shared seen, unused;

	rounds = rounds < ROUNDS ? rounds : ROUNDS;
	stay();
	for (cpus = 1; cpus <= online && cpus <= SCALE_CPUS; cpus *= 2) {
		for (r = 0; r < rounds; r++) {
			idle = base(e);
			cost_of[SPLIT][r] = measure(cpus, SPLIT, e, &unused) - idle;
			cost_of[WHOLE][r] = measure(cpus, WHOLE, e, &seen) - idle;
		}
		print(cpus, unit, cost_of[WHOLE], cost_of[SPLIT], rounds, &seen);
	}
}
