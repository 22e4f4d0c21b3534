// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of fixtures through qmap_split and qmap_deliver.
 *
 * Each aggregate goes through qmap_split twice: as a packet on a TUN with generic XDP, as in real
 * life, and by BPF_PROG_RUN unless it is too long for that, which also returns the verdict. Each
 * frame that it notes goes on through qmap_deliver by BPF_PROG_RUN, cut out as noted.
 *
 * qmap_trim cannot be run like that: BPF_PROG_RUN refuses programs for device maps
 * (net/bpf/test_run.c, bpf_prog_test_run_xdp). The tests in network namespaces cover it.
 */

#include "tests/unit/test.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "env.h"
#include "fixture_group.h"
#include "qmap/wire.h"

/*
 * Limits of BPF_PROG_RUN: an Ethernet header's length, and a page less headroom and struct
 * skb_shared_info.
 */
#define RUN_MIN 14
#define RUN_MAX 3400

/* As in bpf/qmap_xdp.bpf.c. */
struct notes {
	uint32_t off, count, copy;
	struct {
		uint16_t start, end;
	} note[QMAP_MAX_FRAMES];
};

static const char *skip_reason;
static struct env *envs[QMAP_V5 + 1];

/* Reads this CPU's value: values of a per-CPU map are aligned to 8 bytes. */
static void read_notes(const struct env *env, struct notes *notes)
{
	size_t stride = (sizeof(*notes) + 7) & ~7ul;
	uint8_t *all = calloc(libbpf_num_possible_cpus(), stride);
	uint32_t zero = 0;
	int fd = bpf_map__fd(env->skel->maps.notes);

	assert_non_null(all);
	assert_int_equal(bpf_map__value_size(env->skel->maps.notes), sizeof(*notes));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, all), 0);
	memcpy(notes, all + sched_getcpu() * stride, sizeof(*notes));
	free(all);
}

static void check_notes(const struct env *env, const struct fixture *f)
{
	struct notes notes;

	read_notes(env, &notes);
	assert_int_equal(notes.count, f->npackets);
	assert_int_equal(notes.copy, 0);
	for (unsigned int i = 0; i < f->npackets; i++) {
		const struct fixture_frame *frame = &f->frames[f->packets[i].frame];

		assert_int_equal(notes.note[i].start, frame->at);
		assert_int_equal(notes.note[i].end, frame->payload + frame->len);
	}
}

static void check_events(struct env *env, const struct fixture *f)
{
	env_read_events(env);
	assert_int_equal(env->nevents, f->nevents);
	for (unsigned int i = 0; i < f->nevents; i++) {
		assert_int_not_equal(env->event[i].time, 0);
		env->event[i].time = 0;
		assert_memory_equal(&env->event[i], &f->events[i], sizeof(f->events[i]));
	}
}

static void check_flow(const struct env *env, const struct fixture *f, uint64_t before,
		       uint64_t after)
{
	for (uint32_t mux = 0; mux < QMAP_MAX_MUX; mux++) {
		struct qmap_port port;
		uint64_t until;

		assert_int_equal(
			bpf_map_lookup_elem(bpf_map__fd(env->skel->maps.ports), &mux, &port), 0);
		until = port.flow_off_until;
		if (f->flow[mux] == FIXTURE_FLOW_OFF)
			assert_in_range(until, before + QMAP_FLOW_OFF_MAX_NS,
					after + QMAP_FLOW_OFF_MAX_NS);
		else if (f->flow[mux] == FIXTURE_FLOW_ON)
			assert_int_equal(until, 0);
		else
			assert_int_equal(until, ENV_FLOW_BEFORE);
	}
}

/* @delivered: the packets have gone through qmap_deliver, too. */
static void check_counters(const struct env *env, const struct fixture *f, bool delivered)
{
	struct qmap_port_stats port, want;
	struct qmap_trunk_stats trunk;

	env_trunk_stats(env, &trunk);
	assert_memory_equal(&trunk, &f->trunk, sizeof(trunk));
	for (uint32_t mux = 0; mux < QMAP_MAX_MUX; mux++) {
		want = f->port[mux];
		if (!delivered)
			want = (struct qmap_port_stats){.rx_dropped = want.rx_dropped,
							.commands = want.commands};
		env_port_stats(env, mux, &port);
		assert_memory_equal(&port, &want, sizeof(port));
	}
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void write_to_trunk(const struct env *env, const struct fixture *f)
{
	uint8_t info[4] = {0, 0, QMAP_ETHERTYPE >> 8, QMAP_ETHERTYPE & 0xff};
	struct iovec iov[2] = {{info, sizeof(info)}, {f->bytes, f->size}};

	assert_int_equal(writev(env->tun, iov, 2), f->size + sizeof(info));
}

static void run_split(const struct env *env, const struct fixture *f)
{
	int verdict = env_run(env->skel->progs.qmap_split, f->bytes, f->size, NULL, NULL);

	assert_int_equal(verdict, f->npackets ? XDP_REDIRECT : XDP_DROP);
}

static void split(struct env *env, const struct fixture *f,
		  void (*how)(const struct env *env, const struct fixture *f))
{
	uint64_t before = now();

	env_reset(env);
	how(env, f);
	check_notes(env, f);
	check_events(env, f);
	check_flow(env, f, before, now());
	check_counters(env, f, false);
}

static void deliver(const struct env *env, const struct fixture *f,
		    const struct fixture_packet *packet)
{
	const struct fixture_frame *frame = &f->frames[packet->frame];
	uint32_t size = frame->payload + frame->len - frame->at, out_size = 2048;
	uint8_t out[2048], want[ETH_HLEN];

	env_mac(frame->mux, want);
	env_mac(frame->mux, want + ETH_ALEN);
	want[12] = packet->bytes[0] >> 4 == 4 ? 0x08 : 0x86;
	want[13] = packet->bytes[0] >> 4 == 4 ? 0x00 : 0xdd;
	assert_int_equal(
		env_run(env->skel->progs.qmap_deliver, f->bytes + frame->at, size, out, &out_size),
		XDP_REDIRECT);
	assert_int_equal(out_size, ETH_HLEN + packet->len);
	assert_memory_equal(out, want, ETH_HLEN);
	assert_memory_equal(out + ETH_HLEN, packet->bytes, packet->len);
}

static void check(struct env *env, const struct fixture *f)
{
	split(env, f, write_to_trunk);
	if (f->size >= RUN_MIN && f->size <= RUN_MAX)
		split(env, f, run_split);
	for (unsigned int i = 0; i < f->npackets; i++)
		deliver(env, f, &f->packets[i]);
	check_counters(env, f, true);
}

static void test_row(void **state)
{
	unsigned int row = (uintptr_t)*state;
	struct fixture *f;

	if (skip_reason)
		skip();
	for (unsigned int i = 0; (f = fixture_new(row, i)); i++) {
		check(envs[f->version], f);
		fixture_free(&f);
	}
}

TEST_ROWS(test_row);

/* The ring buffer wraps: bytes of a long command must not appear in a short one's event. */
TEST(test_event_is_clean)
{
	/* BPF_PROG_RUN requires 14 bytes: two more behind the short one */
	uint8_t lengthy[4 + 80] = {0x80, 0x81, 0, 80}, brief[14] = {0x80, 0x81, 0, 8, 1};
	static const uint8_t zeroes[QMAP_EVENT_BYTES];
	struct env *env = envs[QMAP_V1];
	const struct bpf_program *prog;

	if (skip_reason)
		skip();
	prog = env->skel->progs.qmap_split;
	memset(lengthy + 5, 0x5c, sizeof(lengthy) - 5);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(env_run(prog, lengthy, sizeof(lengthy), NULL, NULL), XDP_DROP);
		env_read_events(env);
	}
	env_reset(env);
	assert_int_equal(env_run(prog, brief, sizeof(brief), NULL, NULL), XDP_DROP);
	env_read_events(env);
	assert_int_equal(env->nevents, 1);
	assert_int_equal(env->event[0].len, 8);
	assert_memory_equal(env->event[0].data, brief + 4, 8);
	assert_memory_equal(env->event[0].data + 8, zeroes, QMAP_EVENT_BYTES - 8);
}

/* Without a device map for this many copies nothing is redirected. */
TEST(test_no_copies)
{
	struct fixture *f;
	struct env *env = envs[QMAP_V1];
	uint32_t three = 3;

	if (skip_reason)
		skip();
	f = fixture_uniform(QMAP_V1, 3, 40);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(env->skel->maps.copies), &three), 0);
	env_reset(env);
	assert_int_equal(env_run(env->skel->progs.qmap_split, f->bytes, f->size, NULL, NULL),
			 XDP_ABORTED);
	fixture_free(&f);
}

/* A port whose device has gone: counted, not lost. */
TEST(test_no_device)
{
	struct fixture *f;
	struct env *env = envs[QMAP_V1];
	struct qmap_trunk_stats trunk;
	struct qmap_port_stats port;
	uint32_t mux = 0x81;

	if (skip_reason)
		skip();
	f = fixture_uniform(QMAP_V1, 1, 40);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(env->skel->maps.port_devs), &mux), 0);
	env_reset(env);
	assert_int_equal(env_run(env->skel->progs.qmap_deliver, f->bytes, f->size, NULL, NULL),
			 XDP_DROP);
	env_trunk_stats(env, &trunk);
	env_port_stats(env, mux, &port);
	assert_int_equal(trunk.drops[QMAP_DROP_REDIRECT], 1);
	assert_int_equal(port.rx_dropped, 1);
	assert_int_equal(port.rx_packets, 0);
	fixture_free(&f);
}

static int set_up(void **state)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	int ret = 0;

	skip_reason = env_start();
	if (skip_reason) {
		print_message("SKIP: %s\n", skip_reason);
		return 0;
	}
	for (unsigned int i = 0; i < 3 && !ret; i++)
		ret = env_new(&envs[versions[i]], versions[i], 1500);
	if (ret)
		print_error("cannot load the programs: %s\n", strerror(-ret));
	return ret;
}

static int tear_down(void **state)
{
	for (unsigned int i = 0; i <= QMAP_V5; i++)
		env_free(&envs[i]);
	return 0;
}

TEST_GROUP(set_up, tear_down);
