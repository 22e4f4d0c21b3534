// SPDX-License-Identifier: GPL-2.0-or-later
/* Steering by RPS: all packets of a flow have one hash, in whatever form they reach the stack. */
#include "shim_test.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "world.h"

#define RPS_CPUS "/sys/class/net/port1/queues/rx-0/rps_cpus"
#define FLOWS	 8
#define ROUNDS	 50
#define RUN_MAX	 6

static int steer(void)
{
	int fd = open(RPS_CPUS, O_WRONLY | O_CLOEXEC), err;

	err = fd < 0 || write(fd, "3", 1) != 1;
	if (fd >= 0)
		close(fd);
	return err ? FAIL(RPS_CPUS) : 0;
}

/* Some packets of one flow in a row, of which the shim makes one; others have options, and stay alone. */
static unsigned int add_run(struct aggregate *a)
{
	static uint32_t seq;
	unsigned int flow = random_in(1, FLOWS), n = random_in(1, RUN_MAX), i;
	struct packet_spec s = {.flow = flow,
				.v6 = flow % 4 == 1,
				.udp = flow % 4 == 2,
				.ttl = 64,
				.flags = TH_ACK,
				.window = 1000,
				.id = random_u32(),
				.payload = random_in(1, 1000)};
	uint8_t packet[PACKET_MAX];

	if (!s.v6 && chance(30)) {
		s.options_len = 4;
		memset(s.options, 1, sizeof(s.options)); /* no operation */
	}
	for (i = 0; i < n; i++, s.id++) {
		s.seq = seq += s.payload;
		if (!aggregate_add(a, 1, packet, packet_make(packet, &s), 0))
			break;
	}
	return i;
}

/* Packets by compare_hash(); @which 1: with another hash than their flow. */
static uint64_t compared(const struct world *w, uint32_t which)
{
	struct bpf_map *map = bpf_object__find_map_by_name(w->extra, "hashed_packets");
	uint64_t n = 0;

	bpf_map_lookup_elem(bpf_map__fd(map), &which, &n);
	return n;
}

static bool reaches(const struct world *w, uint64_t all)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	unsigned int tries;

	for (tries = 0; compared(w, 0) < all && tries < 30000; tries++)
		nanosleep(&pause, NULL);
	return compared(w, 0) == all;
}

static int rounds(const struct world *w)
{
	static struct aggregate a;
	unsigned int i, j;
	uint64_t sent = 0;

	for (i = 0; i < ROUNDS; i++) {
		a = (struct aggregate){.version = 5, .csum_ok = true, .max = AGGREGATE_MAX};
		for (j = 0; j < 10; j++)
			sent += add_run(&a);
		if (world_send(w, a.data, a.len) || !reaches(w, sent))
			return FAIL("%llu of %llu packets", (unsigned long long)compared(w, 0),
				    (unsigned long long)sent);
	}
	if (!world_counter("port1", "rx_coalesced"))
		return FAIL("nothing was coalesced");
	return compared(w, 1) ? FAIL("%llu packets have another hash than their flow",
				     (unsigned long long)compared(w, 1))
			      : 0;
}

TEST(steer_one_hash_a_flow)
{
	const struct world_options o = {.version = 5, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = steer() || world_extra(&w, 0) || world_tc_ingress(&w, "port1", "compare_hash") ||
	      rounds(&w);
	world_free(&w);
	return err;
}
