// SPDX-License-Identifier: GPL-2.0-or-later
/* qmap_uplink: the bytes that it adds to a packet, and the packets that it refuses. */

#include "tests/unit/test.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "fixtures.h"

#define LO	1    /* default ifindex of packets in BPF_PROG_RUN */
#define LARGEST 1500 /* limit that the programs are loaded with */

static const char *skip_reason;
static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
static struct env *envs[QMAP_V5 + 1];

struct packet {
	uint8_t bytes[ETH_HLEN + 2048];
	uint32_t size; /* Ethernet header included */
};

static void make_packet(struct packet *p, uint8_t first, uint32_t len)
{
	memset(p->bytes, 0xee, ETH_HLEN);
	p->bytes[12] = first >> 4 == 6 ? 0x86 : 0x08;
	p->bytes[13] = first >> 4 == 6 ? 0xdd : 0x00;
	for (uint32_t i = 0; i < len; i++)
		p->bytes[ETH_HLEN + i] = 7 * i + len;
	p->bytes[ETH_HLEN] = first;
	p->size = ETH_HLEN + len;
}

/* Builds the expected frame for @p. Returns its length without the Ethernet header in front. */
static uint32_t make_frame(const struct packet *p, int version, uint8_t mux, uint8_t *frame)
{
	uint32_t len = p->size - ETH_HLEN, pad = (4 - len % 4) % 4,
		 hlen = version == QMAP_V1 ? 4 : 8;

	memset(frame, 0, hlen + len + pad);
	frame[0] = pad | (version == QMAP_V5 ? 0x40 : 0);
	frame[1] = mux;
	frame[2] = (len + pad) >> 8;
	frame[3] = len + pad;
	if (version == QMAP_V5)
		frame[4] = 0x04;
	memcpy(frame + hlen, p->bytes + ETH_HLEN, len);
	return hlen + len + pad;
}

static void come_from(const struct env *env, uint32_t ifindex, uint32_t mux)
{
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(env->skel->maps.uplinks), &ifindex, &mux, 0), 0);
}

static int run(const struct env *env, const struct packet *p, struct packet *out)
{
	out->size = sizeof(out->bytes);
	return env_run(env->skel->progs.qmap_uplink, p->bytes, p->size, out->bytes, &out->size);
}

static void check_sent(struct env *env, uint8_t first, uint32_t len, uint8_t mux)
{
	struct qmap_port_stats stats, want = {.tx_packets = 1, .tx_bytes = len};
	struct packet in, out;
	uint8_t frame[2048];
	uint32_t size;

	env_reset(env);
	come_from(env, LO, mux);
	make_packet(&in, first, len);
	size = make_frame(&in, env->version, mux, frame);
	assert_int_equal(run(env, &in, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.size, ETH_HLEN + size);
	assert_memory_equal(out.bytes + ETH_HLEN, frame, size);
	env_port_stats(env, mux, &stats);
	assert_memory_equal(&stats, &want, sizeof(want));
}

TEST(test_frames)
{
	static const uint32_t lens[] = {20,  21,   22,	 23,   24,   40,   41,
					576, 1280, 1399, 1497, 1498, 1499, 1500};
	static const uint8_t muxes[] = {0x81, 0x01, 0xfe};

	if (skip_reason)
		skip();
	for (unsigned int i = 0; i < 3 * sizeof(lens) / sizeof(lens[0]); i++) {
		uint32_t len = lens[i / 3];

		check_sent(envs[versions[i % 3]], 0x45, len, muxes[i % 3]);
		if (len >= 40)
			check_sent(envs[versions[i % 3]], 0x60, len, muxes[i % 3]);
	}
}

/* The packet is refused: unchanged, and counted under @reason. */
static void check_dropped(struct env *env, const struct packet *in, uint8_t mux,
			  enum qmap_drop reason)
{
	struct qmap_trunk_stats trunk, want = {0};
	struct qmap_port_stats port, port_want = {.tx_dropped = 1};
	struct packet out;

	want.drops[reason] = 1;
	assert_int_equal(run(env, in, &out), TC_ACT_SHOT);
	assert_int_equal(out.size, in->size);
	assert_memory_equal(out.bytes, in->bytes, in->size);
	env_trunk_stats(env, &trunk);
	env_port_stats(env, mux, &port);
	assert_memory_equal(&trunk, &want, sizeof(want));
	assert_memory_equal(&port, &port_want, sizeof(port_want));
}

static void each_version(void (*check)(struct env *env))
{
	if (skip_reason)
		skip();
	for (unsigned int i = 0; i < 3; i++) {
		env_reset(envs[versions[i]]);
		come_from(envs[versions[i]], LO, 0x81);
		check(envs[versions[i]]);
	}
}

static void check_port_down(struct env *env)
{
	struct packet p;

	come_from(env, LO, 0x84);
	make_packet(&p, 0x45, 40);
	check_dropped(env, &p, 0x84, QMAP_DROP_PORT_DOWN);
}

TEST(test_port_down)
{
	each_version(check_port_down);
}

static void check_oversize(struct env *env)
{
	struct packet p;

	make_packet(&p, 0x45, LARGEST + 1);
	check_dropped(env, &p, 0x81, QMAP_DROP_OVERSIZE);
}

TEST(test_oversize)
{
	each_version(check_oversize);
}

static void check_arp(struct env *env)
{
	struct packet p;

	make_packet(&p, 0x45, 46);
	p.bytes[13] = 0x06;
	check_dropped(env, &p, 0x81, QMAP_DROP_NOT_IP);
}

TEST(test_not_ip)
{
	each_version(check_arp);
}

static void set_flow(const struct env *env, uint32_t mux, int64_t from_now)
{
	int fd = bpf_map__fd(env->skel->maps.ports);
	struct qmap_port port;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	assert_int_equal(bpf_map_lookup_elem(fd, &mux, &port), 0);
	port.flow_off_until = ts.tv_sec * 1000000000ull + ts.tv_nsec + from_now;
	assert_int_equal(bpf_map_update_elem(fd, &mux, &port, 0), 0);
}

static void check_flow(struct env *env)
{
	struct packet p, out;

	make_packet(&p, 0x45, 40);
	set_flow(env, 0x81, QMAP_FLOW_OFF_MAX_NS);
	check_dropped(env, &p, 0x81, QMAP_DROP_FLOW_DISABLED);
	/* another PDN is not affected, and a stop that is over stops nothing */
	come_from(env, LO, 0x82);
	assert_int_equal(run(env, &p, &out), TC_ACT_REDIRECT);
	come_from(env, LO, 0x81);
	set_flow(env, 0x81, -1);
	assert_int_equal(run(env, &p, &out), TC_ACT_REDIRECT);
}

TEST(test_flow_disabled)
{
	each_version(check_flow);
}

/* From a device that is no port: dropped, and nothing else changed. */
static void check_stranger(struct env *env)
{
	struct qmap_trunk_stats trunk, want = {0};
	struct packet p, out;
	uint32_t lo = LO;

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(env->skel->maps.uplinks), &lo), 0);
	make_packet(&p, 0x45, 40);
	assert_int_equal(run(env, &p, &out), TC_ACT_SHOT);
	assert_memory_equal(out.bytes, p.bytes, p.size);
	env_trunk_stats(env, &trunk);
	assert_memory_equal(&trunk, &want, sizeof(want));
}

TEST(test_stranger)
{
	each_version(check_stranger);
}

/* Reads the next frame with our mux id from the trunk, without TUN's packet information. */
static uint32_t read_frame(const struct env *env, uint8_t mux, uint8_t *frame, size_t room)
{
	uint8_t buf[4 + 2048];
	ssize_t n;

	do {
		n = read(env->tun, buf, sizeof(buf));
		assert_true(n > 4 && n - 4 <= (ssize_t)room);
	} while (buf[5] != mux); /* IPv6 sends packets on every new link */
	memcpy(frame, buf + 4, n - 4);
	return n - 4;
}

/* A TAP replaces the inner end of a port. */
static int attach_tap(const struct env *env)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts,
			    .prog_fd = bpf_program__fd(env->skel->progs.qmap_uplink));
	uint32_t ifindex;
	int tap = env_open_tap("port", &ifindex);

	assert_true(tap >= 0);
	hook.ifindex = ifindex;
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	come_from(env, ifindex, 0x81);
	return tap;
}

/*
 * The whole path, with buffers that held other data before. The kernel clears the bytes that
 * bpf_skb_change_tail() adds (net/core/filter.c, bpf_skb_grow_rcsum); if it did not, pad would
 * carry kernel memory over the air.
 */
static void check_clean_pad(struct env *env)
{
	int tap = attach_tap(env);
	uint8_t frame[2048], want[2048];
	struct packet p;

	for (unsigned int i = 0; i < 400; i++) {
		uint32_t len = i < 200 ? LARGEST : 21 + i % 3, size;

		make_packet(&p, 0x45, len);
		if (i < 200)
			memset(p.bytes + ETH_HLEN + 1, 0xff, len - 1);
		size = make_frame(&p, env->version, 0x81, want);
		assert_int_equal(write(tap, p.bytes, p.size), p.size);
		assert_int_equal(read_frame(env, 0x81, frame, sizeof(frame)), size);
		assert_memory_equal(frame, want, size);
	}
	close(tap);
}

TEST(test_clean_pad)
{
	each_version(check_clean_pad);
}

static int set_up(void **state)
{
	int ret = 0;

	skip_reason = env_start();
	if (skip_reason) {
		print_message("SKIP: %s\n", skip_reason);
		return 0;
	}
	for (unsigned int i = 0; i < 3 && !ret; i++)
		ret = env_new(&envs[versions[i]], versions[i], LARGEST);
	if (ret)
		print_error("cannot load the programs: %s\n", strerror(-ret));
	return ret;
}

static int tear_down(void **state)
{
	for (unsigned int i = 0; i < 3; i++)
		env_free(&envs[versions[i]]);
	return 0;
}

TEST_GROUP(set_up, tear_down);
