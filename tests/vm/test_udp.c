// SPDX-License-Identifier: GPL-2.0-or-later
/* UDP that is coalesced, if the port has that switched on, and sums in v4's trailers. */
#include "shim_test.h"

#include <unistd.h>

#include "test_coalesce.h"
#include "world.h"

#define FORWARDING "rx-udp-gro-forwarding"

TEST(udp_v1)
{
	const struct coalesce_options o = {.version = 1, .udp = MOSTLY_UDP, .feature = FORWARDING};

	return coalesce_run(&o);
}

TEST(udp_v5)
{
	const struct coalesce_options o = {
		.version = 5, .csum_ok = true, .udp = MOSTLY_UDP, .feature = FORWARDING};

	return coalesce_run(&o);
}

/* The modem's sum proves no more than itself: some checksums are wrong here. */
TEST(trailer_sums)
{
	const struct coalesce_options o = {
		.version = 4, .csum_ok = true, .udp = 2, .feature = FORWARDING};

	return coalesce_run(&o);
}

#define COUNT 20

static int send_udp(const struct world *w)
{
	struct packet_spec s = {.udp = true, .flow = 1, .ttl = 64, .frag = 0x4000, .payload = 1000};
	static struct aggregate a;
	uint8_t packet[PACKET_MAX];
	unsigned int i;

	a = (struct aggregate){.version = 1, .max = 32768};
	for (i = 0; i < COUNT; i++, s.id++)
		if (!aggregate_add(&a, 1, packet, packet_make(packet, &s), 0))
			return FAIL("aggregate is full");
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

/* Have @want of the packets been coalesced, once all have been counted? */
static int expect_coalesced(const struct world *w, uint64_t want)
{
	uint64_t all = world_counter("port1", "rx_packets") + COUNT, coalesced;
	unsigned int tries = 6000;

	if (send_udp(w))
		return -1;
	while (world_counter("port1", "rx_packets") < all && --tries)
		usleep(10000);
	if (!tries)
		return FAIL("packets are missing");
	coalesced = world_counter("port1", "rx_coalesced");
	return coalesced == want ? 0
				 : FAIL("%llu packets coalesced, not %llu",
					(unsigned long long)coalesced, (unsigned long long)want);
}

/* Without the switch, no UDP is coalesced. */
TEST(udp_unasked)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = expect_coalesced(&w, 0);
	if (!err && world_named_feature("port1", FORWARDING, true))
		err = FAIL("no " FORWARDING);
	err = err ?: expect_coalesced(&w, COUNT);
	world_free(&w);
	return err;
}
