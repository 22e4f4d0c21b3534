// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of one packet: MAX_SKB_FRAGS fragments of memory, which are single pages if memory is
 * fragmented, and 64 KB. The bytes of any aggregate from the modem leave through a device without
 * segmentation unchanged.
 */
#include "shim_test.h"

#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "proc.h"
#include "world.h"

#define PACKETS	   64
#define MSS	   1400
#define SEGMENTS   44
#define AGGREGATES 1500
#define LARGEST	   65000
#define WAIT_MS	   5000
#define HIGH_ORDER "/proc/sys/net/core/high_order_alloc_disable"

/* One aggregate, and the packets in it. */
static struct {
	struct aggregate a;
	unsigned int n;
	const uint8_t *packets[PACKETS];
	size_t lengths[PACKETS];
	uint8_t data[AGGREGATE_MAX * 2];
	size_t used;
} sent;

static void begin(int version)
{
	sent.a = (struct aggregate){.version = version, .csum_ok = true, .max = LARGEST};
	sent.n = 0;
	sent.used = 0;
}

/* Returns false if it does not fit. */
static bool add(struct packet_spec *s, unsigned int payload)
{
	uint8_t *packet = sent.data + sent.used;
	size_t len;

	if (sent.n == PACKETS || sent.a.len + payload + 128 > sent.a.max)
		return false;
	s->payload = payload;
	len = packet_make(packet, s);
	s->seq += payload;
	s->id++;
	if (!aggregate_add(&sent.a, 1, packet, len, -len & 3))
		return false;
	sent.packets[sent.n] = packet;
	sent.lengths[sent.n++] = len;
	sent.used += len;
	return true;
}

/* Offset of the first byte that differs. */
static size_t differs(const uint8_t *a, const uint8_t *b)
{
	size_t i;

	for (i = 0; a[i] == b[i]; i++)
		;
	return i;
}

static int compare(const uint8_t *buf, size_t len, unsigned int i)
{
	if (len != sent.lengths[i])
		return FAIL("packet %u of %u: %zu bytes, expected %zu", i, sent.n, len,
			    sent.lengths[i]);
	if (memcmp(buf, sent.packets[i], len))
		return FAIL("packet %u of %u: byte %zu differs", i, sent.n,
			    differs(buf, sent.packets[i]));
	return 0;
}

/* Sends the aggregate and expects its packets unchanged. */
static int exchange(const struct world *w)
{
	static uint8_t buf[AGGREGATE_MAX];
	unsigned int i;

	if (world_send(w, sent.a.data, sent.a.len))
		return FAIL("cannot send %zu bytes", sent.a.len);
	for (i = 0; i < sent.n; i++)
		if (compare(buf, world_read(w->second, buf, sizeof(buf), WAIT_MS), i))
			return -1;
	return 0;
}

static int forwarding_world(struct world *w, int version)
{
	const struct world_options o = {.version = version, .ports = 1};

	if (world_new(w, &o))
		return -1;
	if (!world_second(w) && !world_extra(w, w->second_ifindex) &&
	    !world_tc_ingress(w, "port1", "forward"))
		return 0;
	world_free(w);
	return -1;
}

static int fill_chain(struct packet_spec *s)
{
	unsigned int i;

	begin(1);
	for (i = 0; i < SEGMENTS; i++)
		if (!add(s, MSS))
			return FAIL("segment %u does not fit", i);
	return 0;
}

static const struct packet_spec one_flow = {.flow = 1, .ttl = 64, .flags = 0x10, .frag = 0x4000};

static int full_chains(const struct world *w)
{
	struct packet_spec s = one_flow;
	unsigned int i;

	for (i = 0; i < AGGREGATES; i++)
		if (fill_chain(&s) || exchange(w))
			return -1;
	return world_counter("port1", "rx_coalesced") ? 0 : FAIL("nothing was coalesced");
}

/* Payloads of a chain are in single pages, two in each. */
TEST(single_pages)
{
	struct world w;
	int err;

	if (forwarding_world(&w, 1))
		return -1;
	err = proc_write(HIGH_ORDER, "1") ? FAIL("no " HIGH_ORDER) : full_chains(&w);
	proc_write(HIGH_ORDER, "0");
	world_free(&w);
	return err;
}

static uint64_t lost(void)
{
	return world_counter("trunk0", "drop_no_memory");
}

/*
 * The same as far as memory lasts: packets that arrive are those sent, in order, and missing ones
 * are counted. Returns the number of packets that came, or -1.
 */
static int exchange_some(const struct world *w)
{
	static uint8_t buf[AGGREGATE_MAX];
	uint64_t before = lost();
	unsigned int i = 0;
	int came = 0;
	size_t len;

	if (world_send(w, sent.a.data, sent.a.len))
		return 0;
	while (i < sent.n) {
		len = world_read(w->second, buf, sizeof(buf), lost() == before ? WAIT_MS : 0);
		if (!len)
			break;
		while (i < sent.n - 1 && memcmp(buf + 24, sent.packets[i] + 24, 4))
			i++;
		if (compare(buf, len, i++))
			return -1;
		came++;
	}
	if ((unsigned int)came < sent.n && lost() == before)
		return FAIL("%u packets are lost and not counted", sent.n - came);
	return came;
}

static int in_fragments(const struct world *w)
{
	struct packet_spec s = one_flow;
	unsigned int i, all = 0;
	int n;

	for (i = 0; i < AGGREGATES; i++) {
		n = fill_chain(&s) ? -1 : exchange_some(w);
		if (n < 0)
			return -1;
		all += n;
	}
	printf("  %u of %u packets came; %ld KB free, %ld of them in blocks of 8 pages and more\n",
	       all, i * SEGMENTS, meminfo("MemFree:"), memory_in_blocks(MEMORY_LARGE));
	return all ? 0 : FAIL("nothing came");
}

/* A slow reader holds the larger blocks, so that only single pages are left. */
static int with_slow_reader(const struct world *w)
{
	int tap = world_tap("port1"), err = tap < 0 ? -1 : in_fragments(w);

	close(tap);
	return err;
}

TEST(fragmented_memory)
{
	struct memory memory;
	struct world w;
	int err;

	if (forwarding_world(&w, 1))
		return -1;
	err = memory_fragment(&memory);
	if (!err) {
		err = with_slow_reader(&w);
		memory_release(&memory);
	}
	world_free(&w);
	return err;
}

/* Sizes around those of pages, page fragments (32 KB), packets, and signed integers. */
static const unsigned int sizes[] = {1,	    1000,  4056,  4096,	 9000,	16000, 20000, 31000,
				     32728, 32768, 33000, 40000, 50000, 60000, 64000, 65200};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void next_flow(struct packet_spec *s, bool v6, bool udp)
{
	unsigned int flow = s->flow % 200 + 1;

	*s = (struct packet_spec){
		.flow = flow, .v6 = v6, .udp = udp, .ttl = 64, .frag = 0x4000, .flags = 0x10};
}

/* Sends two sizes in turn, as often as they fit. */
static int pair(const struct world *w, int version, struct packet_spec *s, unsigned int a,
		unsigned int b)
{
	unsigned int i = 0;

	begin(version);
	while (i < 8 && add(s, i & 1 ? b : a))
		i++;
	return !i || !exchange(w) ? 0 : FAIL("payloads of %u and %u bytes", a, b);
}

static int pairs(const struct world *w, int version, bool v6, bool udp)
{
	struct packet_spec s = {};
	size_t i, j;

	for (i = 0; i < SIZES; i++) {
		for (j = 0; j < SIZES; j++) {
			next_flow(&s, v6, udp);
			if (pair(w, version, &s, sizes[i], sizes[j]))
				return FAIL("v%d, %s, IPv%d", version, udp ? "UDP" : "TCP",
					    v6 ? 6 : 4);
		}
	}
	return 0;
}

static int random_sizes(const struct world *w, int version)
{
	struct packet_spec s = {};
	unsigned int i, size = 0, rounds;

	for (rounds = 0; rounds < 200; rounds++) {
		begin(version);
		for (i = 0; i < PACKETS; i++) {
			if (!i || chance(20)) {
				next_flow(&s, chance(50), chance(30));
				size = chance(50) ? random_in(1, 3000) : random_in(1, 65200);
			}
			if (!add(&s, chance(80) ? size : random_in(1, size)))
				break;
		}
		if (sent.n && exchange(w))
			return -1;
	}
	return 0;
}

/* Any payload that fits the 16 bits of a frame's length. */
static int large_payloads(int version)
{
	struct world w;
	int err;

	if (forwarding_world(&w, version))
		return -1;
	err = world_named_feature("port1", "rx-udp-gro-forwarding", true)
		      ? FAIL("no rx-udp-gro-forwarding")
		      : 0;
	err = err ?: pairs(&w, version, false, false);
	err = err ?: pairs(&w, version, true, false);
	err = err ?: pairs(&w, version, false, true);
	err = err ?: pairs(&w, version, true, true);
	err = err ?: random_sizes(&w, version);
	if (!err && !world_counter("port1", "rx_coalesced"))
		err = FAIL("nothing was coalesced");
	world_free(&w);
	return err;
}

TEST_VERSIONS(large_payloads, large_payloads);
