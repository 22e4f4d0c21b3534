// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aligned packets: a CPU that traps on an unaligned access leaves it to the kernel, which counts
 * it; reading an IP header that way costs several traps per packet.
 */
#include "shim_test.h"

#include <unistd.h>

#include "packets.h"
#include "world.h"

#define COUNTER "/sys/kernel/debug/mips/unaligned_instructions"
#define ROUNDS	50
#define FRAMES	20

static unsigned long long traps(void)
{
	FILE *f = fopen(COUNTER, "re");
	unsigned long long n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* Sends lengths and pads as modems do: each frame begins at a multiple of four. */
static int send_packets(const struct world *w, bool udp)
{
	struct packet_spec s = {.udp = udp, .ttl = 64, .flags = 0x10, .frag = 0x4000};
	static struct aggregate a;
	static uint8_t packet[PACKET_MAX];
	unsigned int i;
	size_t len;

	a = (struct aggregate){.version = 1, .max = 32768};
	for (i = 0; i < FRAMES; i++, s.id++) {
		s.flow = random_u32() % 4;
		s.payload = random_in(1, 1000);
		len = packet_make(packet, &s);
		if (!aggregate_add(&a, 1, packet, len, -len & 3))
			return FAIL("frame %u cannot be added", i);
	}
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

static int count_traps(const struct world *w)
{
	unsigned long long before = traps(), n;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		if (send_packets(w, i & 1))
			return -1;
	if (world_counter_reaches("port1", "rx_packets", ROUNDS * FRAMES) != ROUNDS * FRAMES)
		return FAIL("packets are missing");
	n = traps() - before;
	printf("  %llu traps for %d packets\n", n, ROUNDS * FRAMES);
	return n < ROUNDS * FRAMES / 10 ? 0 : FAIL("packets are not aligned");
}

TEST(alignment)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = count_traps(&w);
	world_free(&w);
	if (!err && access(COUNTER, R_OK))
		skipped = "this kernel does not count unaligned accesses";
	return err;
}
