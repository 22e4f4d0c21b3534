// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch for coalescing of every port, `ethtool -K PORT rx-gro-hw off`: the shim then leaves
 * packets alone, and the stack's GRO, which has a switch of its own, may merge them.
 */
#include "shim_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_coalesce.h"
#include "world.h"

#define SWITCH	"rx-gro-hw"
#define COUNT	20
#define PAYLOAD 1000
#define LENGTH	(20 + 20 + PAYLOAD)
#define WAIT_MS 30000

/*
 * Only steady flows: GRO lets a packet that it cannot merge, as one with a wrong IP checksum,
 * overtake those that it holds.
 */
TEST(switch_v1)
{
	const struct coalesce_options o = {
		.version = 1, .udp = MOSTLY_TCP, .steady = true, .off = SWITCH};

	return coalesce_run(&o);
}

TEST(switch_v5)
{
	const struct coalesce_options o = {
		.version = 5, .csum_ok = true, .udp = MOSTLY_TCP, .steady = true, .off = SWITCH};

	return coalesce_run(&o);
}

static uint8_t sent[COUNT][PACKET_MAX];

static int send_segments(const struct world *w)
{
	struct packet_spec s = {
		.flow = 1, .ttl = 64, .flags = 0x10, .frag = 0x4000, .payload = PAYLOAD};
	static struct aggregate a;
	unsigned int i;

	a = (struct aggregate){.version = 1, .max = 32768};
	for (i = 0; i < COUNT; i++, s.id++, s.seq += PAYLOAD)
		if (packet_make(sent[i], &s) != LENGTH ||
		    !aggregate_add(&a, 1, sent[i], LENGTH, -LENGTH & 3))
			return FAIL("segment %u cannot be added", i);
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

/* The segments one by one, as they were sent. */
static int expect_singles(int tap)
{
	uint8_t buf[AGGREGATE_MAX];
	unsigned int i;
	size_t len;

	for (i = 0; i < COUNT; i++) {
		len = world_read(tap, buf, sizeof(buf), WAIT_MS);
		if (len != LENGTH || memcmp(buf, sent[i], LENGTH))
			return FAIL("packet %u: %zu bytes, or others than were sent", i, len);
	}
	return world_readable(tap, 0) ? FAIL("more packets than were sent") : 0;
}

/* The segments as one packet: one pair of headers, then all payloads. */
static int expect_one(int tap)
{
	uint8_t buf[AGGREGATE_MAX];
	size_t len = world_read(tap, buf, sizeof(buf), WAIT_MS);
	unsigned int i;

	if (len != LENGTH + (COUNT - 1) * PAYLOAD)
		return FAIL("packet of %zu bytes", len);
	for (i = 0; i < COUNT; i++)
		if (memcmp(buf + 40 + i * PAYLOAD, sent[i] + 40, PAYLOAD))
			return FAIL("payload %u differs", i);
	return world_readable(tap, 0) ? FAIL("more than one packet") : 0;
}

/* Sends; @expect checks the packets received, @coalesced is the number merged by the shim. */
static int round_trip(const struct world *w, int tap, int (*expect)(int), uint64_t coalesced)
{
	uint64_t before = world_counter("port1", "rx_coalesced"), now;

	if (send_segments(w) || expect(tap))
		return -1;
	now = world_counter("port1", "rx_coalesced") - before;
	return now == coalesced ? 0
				: FAIL("%llu packets coalesced, not %llu", (unsigned long long)now,
				       (unsigned long long)coalesced);
}

static int run_in(const struct world *w, int tap)
{
	if (round_trip(w, tap, expect_one, COUNT))
		return FAIL("at the beginning");
	if (world_named_feature("port1", SWITCH, false))
		return FAIL("no " SWITCH);
	/* With the switch off, the stack gets the packets and GRO merges them. */
	if (round_trip(w, tap, expect_one, 0))
		return FAIL(SWITCH " off");
	if (world_named_feature("port1", "gro", false) || round_trip(w, tap, expect_singles, 0))
		return FAIL(SWITCH " and gro off");
	if (world_named_feature("port1", SWITCH, true) || round_trip(w, tap, expect_singles, 0))
		return FAIL("gro off");
	if (world_named_feature("port1", "gro", true) || round_trip(w, tap, expect_one, COUNT))
		return FAIL("both on again");
	return 0;
}

/* Runs @exchange with a tap on the port, which counts the packets that the stack gets. */
static int with_tap(int (*exchange)(const struct world *w, int tap))
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	int tap, err;

	if (world_new(&w, &o))
		return -1;
	tap = world_tap("port1");
	err = tap < 0 ? -1 : exchange(&w, tap);
	close(tap);
	world_free(&w);
	return err;
}

TEST(switch_skbs)
{
	return with_tap(run_in);
}

/* A classifier on the netdev below leaves data of its own in the control block of each aggregate. */
static int filtered(const struct world *w, int tap)
{
	if (system("/bin/tc qdisc replace dev modem0 clsact && "
		   "/bin/tc filter add dev modem0 ingress matchall action pass"))
		return FAIL("no filter");
	return round_trip(w, tap, expect_one, COUNT);
}

TEST(filter_below)
{
	return with_tap(filtered);
}
