// SPDX-License-Identifier: GPL-2.0-or-later
/* Receive programs of other origin: those not written for the shim, and those that redirect. */
#include "shim_test.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "world.h"
#include "qmap/abi.h"
#include "qmap_shim.skel.h"

#define ROUNDS	200U
#define FRAMES	10
#define WAIT_MS 30000

static void fill(struct aggregate *a, unsigned int frames)
{
	struct packet_spec s = {.udp = true, .ttl = 64, .flow = 1};
	uint8_t packet[PACKET_MAX];

	*a = (struct aggregate){.version = 1, .max = AGGREGATE_MAX};
	for (; frames; frames--) {
		s.seq = frames;
		s.payload = random_in(1, 1400);
		aggregate_add(a, 1, packet, packet_make(packet, &s), 0);
	}
}

static int swap_in(const struct world *w, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(w->extra, name);

	return bpf_link__update_program(w->rx, prog) ? FAIL("cannot install %s", name) : 0;
}

/* Waits until a program has seen all of them. */
static int send_rounds(const struct world *w, unsigned int rounds, unsigned int frames)
{
	uint64_t all = world_counter("trunk0", "aggregates") + rounds;
	static struct aggregate a;

	for (; rounds; rounds--) {
		fill(&a, frames);
		if (world_send(w, a.data, a.len))
			return FAIL("cannot send");
	}
	if (world_counter_reaches("trunk0", "aggregates", all) != all)
		return FAIL("not all aggregates have arrived");
	return 0;
}

/* None of them may deliver, send, loop or crash. */
static int each_program(const struct world *w)
{
	static const char *const names[] = {"plain_pass", "plain_tx", "plain_drop",
					    "plain_redirect", "plain_adjust"};
	uint64_t bad, was = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (swap_in(w, names[i]) || send_rounds(w, ROUNDS, FRAMES))
			return -1;
		bad = world_counter("trunk0", "drop_bad_verdict");
		if (bad != was + ROUNDS)
			return FAIL("%s: %llu aggregates refused, not %u", names[i],
				    (unsigned long long)(bad - was), ROUNDS);
		was = bad;
	}
	if (world_counter("port1", "rx_packets"))
		return FAIL("something was delivered");
	if (swap_in(w, "empty_tx") || send_rounds(w, ROUNDS, FRAMES) ||
	    swap_in(w, "empty_redirect") || send_rounds(w, ROUNDS, FRAMES))
		return -1;
	if (world_counter("trunk0", "replies") || world_counter("trunk0", "redirected"))
		return FAIL("packets of no byte were sent");
	return swap_in(w, "plain_garbage") || send_rounds(w, 20 * ROUNDS, 2 * FRAMES);
}

static int ours_again(const struct world *w)
{
	uint64_t before = world_counter("port1", "rx_packets");

	if (bpf_link__update_program(w->rx, w->skel->progs.qmap_shim_rx))
		return FAIL("cannot put the program back");
	if (send_rounds(w, 1, FRAMES))
		return -1;
	if (world_counter_reaches("port1", "rx_packets", before + FRAMES) != before + FRAMES)
		return FAIL("receives nothing any more");
	return 0;
}

TEST(plain_programs)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = world_extra(&w, w.trunk_ifindex) || each_program(&w) || ours_again(&w);
	world_free(&w);
	return err;
}

/* Without any program, and after detaching one. */
TEST(no_program)
{
	const struct world_options o = {.version = 1, .ports = 1, .no_program = true};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = send_rounds(&w, ROUNDS, FRAMES);
	if (!err && world_counter("trunk0", "drop_bad_verdict") != ROUNDS)
		err = FAIL("not counted");
	world_free(&w);
	return err;
}

/* A device map with one entry, veth0, where a program pushes an Ethernet header. */
static int redirect_to_veth(const struct world *w)
{
	struct bpf_devmap_val val = {.ifindex = if_nametoindex("veth0"),
				     .bpf_prog.fd = world_prog(w, "push_ethernet")};
	struct bpf_map *map = bpf_object__find_map_by_name(w->extra, "out");
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(map), &zero, &val, 0))
		return FAIL("device map");
	return swap_in(w, "frames_to_map");
}

/* A packet socket on @dev receives the bytes that were in the frames. */
static int redirect_bytes(const struct world *w, const char *dev)
{
	static struct aggregate a;
	static uint8_t buf[PACKET_MAX];
	uint8_t *p = a.data;
	int tap = world_tap(dev), err = 0;
	size_t len;

	if (tap < 0)
		return -1;
	fill(&a, FRAMES);
	if (world_send(w, a.data, a.len))
		err = FAIL("cannot send");
	for (; !err && p < a.data + a.len; p += 4 + len) {
		len = p[2] << 8 | p[3];
		if (world_read(tap, buf, sizeof(buf), WAIT_MS) != len || memcmp(buf, p + 4, len))
			err = FAIL("a packet differs");
	}
	close(tap);
	return err;
}

static int redirect_in(const struct world *w)
{
	struct bpf_program *sink = bpf_object__find_program_by_name(w->extra, "count_and_drop");
	struct bpf_program *pass = bpf_object__find_program_by_name(w->extra, "plain_pass");
	struct bpf_link *link;
	uint64_t all = ROUNDS * FRAMES, n;
	int err;

	/* veth only takes XDP frames if its peer has a program. */
	link = bpf_program__attach_xdp(pass, if_nametoindex("veth1"));
	if (!link)
		return FAIL("no XDP on veth");
	err = redirect_to_veth(w) || redirect_bytes(w, "veth1");
	if (!err && bpf_link__update_program(link, sink))
		err = FAIL("update");
	err = err || send_rounds(w, ROUNDS, FRAMES);
	n = err ? 0 : world_seen(w, all);
	bpf_link__destroy(link);
	if (!err && n != all)
		err = FAIL("%llu of %llu arrived", (unsigned long long)n, (unsigned long long)all);
	if (!err && world_counter_reaches("trunk0", "redirected", (ROUNDS + 1) * FRAMES) !=
			    (ROUNDS + 1) * FRAMES)
		err = FAIL("counter");
	return err;
}

TEST(redirect)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = world_extra(&w, 0) || nl_add_veth("veth0", "veth1") || nl_up("veth0", true) ||
	      nl_up("veth1", true) || nl_wait_running("veth0") || redirect_in(&w);
	nl_del("veth0");
	world_free(&w);
	return err;
}

static uint64_t arrived_on(const struct world *w, uint32_t cpu)
{
	struct bpf_map *map = bpf_object__find_map_by_name(w->extra, "arrived");
	uint64_t n = UINT64_MAX;

	bpf_map_lookup_elem(bpf_map__fd(map), &cpu, &n);
	return n;
}

/* The shim runs on the first CPU, and the packets continue on the second. */
static int redirect_to_cpu(const struct world *w)
{
	struct bpf_cpumap_val val = {.qsize = 2048, .bpf_prog.fd = world_prog(w, "arrive")};
	struct bpf_map *map = bpf_object__find_map_by_name(w->extra, "cpus");
	uint32_t second = 1;
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		return FAIL("cannot stay on the first CPU");
	if (bpf_map_update_elem(bpf_map__fd(map), &second, &val, 0))
		return FAIL("CPU map");
	return swap_in(w, "frames_to_cpu");
}

static int cpumap_in(const struct world *w)
{
	unsigned int i;
	int err = redirect_to_cpu(w);

	for (i = 0; !err && i < ROUNDS; i++)
		err = redirect_bytes(w, "trunk0");
	if (err)
		return err;
	if (arrived_on(w, 1) != ROUNDS * FRAMES || arrived_on(w, 0))
		return FAIL("%llu packets on the first CPU, %llu on the second, sent %u",
			    (unsigned long long)arrived_on(w, 0),
			    (unsigned long long)arrived_on(w, 1), ROUNDS * FRAMES);
	if (world_counter_reaches("trunk0", "redirected", ROUNDS * FRAMES) != ROUNDS * FRAMES ||
	    world_counter("trunk0", "drop_redirect_failed"))
		return FAIL("counters");
	return 0;
}

TEST(cpumap)
{
	const struct world_options o = {.version = 1, .ports = 1};
	cpu_set_t all;
	struct world w;
	int err;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skipped = "needs two CPUs";
		return 0;
	}
	if (sched_getaffinity(0, sizeof(all), &all) || world_new(&w, &o))
		return -1;
	err = world_extra(&w, 0) || cpumap_in(&w);
	sched_setaffinity(0, sizeof(all), &all);
	world_free(&w);
	return err;
}
