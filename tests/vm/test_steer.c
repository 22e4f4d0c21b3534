// SPDX-License-Identifier: GPL-2.0-or-later
/* Steering by RPS: all packets of a flow have one hash, in whatever form they reach the stack. */
#include "shim_test.h"

#include <netinet/tcp.h>
#include <string.h>

#include "proc.h"
#include "world.h"

#define RPS_CPUS "/sys/class/net/port1/queues/rx-0/rps_cpus"
#define BACKLOG	 "/proc/sys/net/core/netdev_max_backlog"
#define FLOWS	 8
#define ROUNDS	 50
#define RUN_MAX	 6

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

static int rounds(const struct world *w)
{
	uint64_t sent = 0, hashed = 0;
	static struct aggregate a;
	unsigned int i, j;

	for (i = 0; i < ROUNDS && hashed == sent; i++) {
		a = (struct aggregate){.version = 5, .csum_ok = true, .max = AGGREGATE_MAX};
		for (j = 0; j < 10; j++)
			sent += add_run(&a);
		if (world_send(w, a.data, a.len))
			return FAIL("cannot send");
		hashed = world_seen(w, sent);
	}
	if (hashed != sent)
		return FAIL("%llu of %llu packets have the hash of their flow",
			    (unsigned long long)hashed, (unsigned long long)sent);
	return world_counter("port1", "rx_coalesced") ? 0 : FAIL("nothing was coalesced");
}

/* Runs @fn with a port whose packets are steered to CPU 0, and counted on arrival. */
static int steered(int (*fn)(const struct world *w))
{
	const struct world_options o = {.version = 5, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = proc_write(RPS_CPUS, "1") ? FAIL(RPS_CPUS) : 0;
	err = err || world_extra(&w, 0) || world_tc_ingress(&w, "port1", "count_hashed") || fn(&w);
	world_free(&w);
	return err;
}

TEST(steer_one_hash_a_flow)
{
	return steered(rounds);
}

/* Packets that a full backlog has cost are counted; the others have gone through. */
static int overflow(const struct world *w)
{
	struct packet_spec s = {.flow = 1, .udp = true, .ttl = 64, .payload = 100};
	struct aggregate a = {.version = 5, .csum_ok = true, .max = AGGREGATE_MAX};
	uint64_t sent = 0, seen = 0, dropped = 0;
	uint8_t packet[PACKET_MAX];

	for (; sent < 30; sent++)
		if (!aggregate_add(&a, 1, packet, packet_make(packet, &s), 0))
			return FAIL("no room");
	if (world_send(w, a.data, a.len))
		return FAIL("cannot send");
	world_counter_reaches("port1", "rx_packets", sent);
	for (unsigned int i = 0; i < 100 && seen + dropped != sent; i++) {
		dropped = world_counter("port1", "rx_backlog_dropped");
		seen = world_seen(w, sent - dropped);
	}
	return seen + dropped == sent && dropped
		       ? 0
		       : FAIL("%llu seen and %llu dropped of %llu", (unsigned long long)seen,
			      (unsigned long long)dropped, (unsigned long long)sent);
}

TEST(steer_backlog_is_counted)
{
	int err = proc_write(BACKLOG, "3") ? FAIL(BACKLOG) : steered(overflow);

	proc_write(BACKLOG, "1000");
	return err;
}
