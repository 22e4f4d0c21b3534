// SPDX-License-Identifier: GPL-2.0-or-later
/* Splitting: packets that do not coalesce reach their port unchanged and in order. */
#include "shim_test.h"

#include <string.h>
#include <unistd.h>

#include "world.h"

#define PORTS	4
#define ROUNDS	60
#define KEPT	64
#define WAIT_MS 30000

struct kept {
	size_t len;
	uint8_t data[PACKET_MAX];
};

static struct kept kept[PORTS + 1][KEPT];

static size_t random_packet(uint8_t *out)
{
	struct packet_spec s = {
		.udp = true,
		.v6 = chance(40),
		.flow = random_in(1, 100),
		.seq = random_u32(),
		.ttl = 64,
		.id = random_u32(),
		.payload = chance(30) ? random_in(0, 40) : random_in(41, 1452),
	};

	return packet_make(out, &s);
}

/* Fills the aggregate; returns the number of frames and records their ports in kept[]. */
static unsigned int fill(struct aggregate *a, unsigned int *n)
{
	unsigned int frames = 0;

	memset(n, 0, (PORTS + 1) * sizeof(*n));
	for (;;) {
		unsigned int port = random_in(1, PORTS);
		struct kept *k = &kept[port][n[port]];

		if (n[port] == KEPT)
			return frames;
		k->len = random_packet(k->data);
		if (!aggregate_add(a, port, k->data, k->len,
				   chance(50) ? -k->len & 3 : random_in(0, 19)))
			return frames;
		n[port]++;
		frames++;
	}
}

static int compare(const int *taps, const unsigned int *n)
{
	static uint8_t buf[PACKET_MAX];
	unsigned int port, i;
	size_t len;

	for (port = 1; port <= PORTS; port++) {
		for (i = 0; i < n[port]; i++) {
			len = world_read(taps[port], buf, sizeof(buf), WAIT_MS);
			if (len != kept[port][i].len || memcmp(buf, kept[port][i].data, len))
				return FAIL("port %u packet %u: %zu bytes, expected %zu", port, i,
					    len, kept[port][i].len);
		}
		if (world_read(taps[port], buf, sizeof(buf), 0))
			return FAIL("port %u: more than was sent", port);
	}
	return 0;
}

static int rounds(const struct world *w, int version, unsigned int most, const int *taps)
{
	static struct aggregate a;
	unsigned int n[PORTS + 1], i;
	uint64_t frames = 0;

	for (i = 0; i < ROUNDS; i++) {
		a = (struct aggregate){.version = version, .max = random_in(2000, most)};
		frames += fill(&a, n);
		if (world_send(w, a.data, a.len) || compare(taps, n))
			return -1;
	}
	if (world_counter_reaches(world_trunk(w), "aggregates", ROUNDS) != ROUNDS ||
	    world_counter(world_trunk(w), "frames") != frames)
		return FAIL("counters: %llu frames, sent %llu",
			    (unsigned long long)world_counter(world_trunk(w), "frames"),
			    (unsigned long long)frames);
	return 0;
}

static int run(const struct world_options *o, unsigned int most)
{
	int taps[PORTS + 1], err = 0;
	struct world w;
	unsigned int i;
	char name[16];

	if (world_new(&w, o))
		return -1;
	for (i = 1; i <= PORTS; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		taps[i] = world_tap(name);
		err |= taps[i];
	}
	world_run(&w);
	err = err < 0 ? -1 : rounds(&w, o->version, most, taps);
	world_configure(&w);
	for (i = 1; i <= PORTS; i++)
		close(taps[i]);
	world_free(&w);
	return err;
}

static int run_tun(int version)
{
	const struct world_options o = {.version = version, .ports = PORTS};

	return run(&o, AGGREGATE_MAX);
}

TEST_VERSIONS(rx, run_tun);

/* By transfers of the shim's own, of the sizes that modems have, at both speeds. */
static int run_usb(int version)
{
	static const uint32_t sizes[] = {4096, 16384, 31744};
	unsigned int i;

	if (!test_has_usb())
		return 0;
	for (i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		const struct world_options o = {.version = version,
						.ports = PORTS,
						.modem = WORLD_USB_OWN,
						.high_speed = i & 1,
						.trunk.rx_bytes = sizes[i / 2]};

		if (run(&o, sizes[i / 2]))
			return FAIL("%u bytes at %s", sizes[i / 2],
				    i & 1 ? "high speed" : "SuperSpeed");
	}
	return 0;
}

TEST_VERSIONS(usb_rx, run_usb);
