// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qmap_observe in front of rmnet and behind qmi_wwan.
 *
 * Aggregates are written to a TUN, go through the program at tc ingress, and are redirected to a second
 * TUN, from which they are read as rmnet would get them. Then a model of rmnet splits them, an old one
 * that is easily misled: it must read nothing behind the end, stop nowhere, and deliver the packets
 * that the fixture says, which the program has counted.
 *
 * As the program behind qmi_wwan it is run by BPF_PROG_RUN.
 */

#include "tests/unit/test.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "bpf/walk.h"
#include "env.h"
#include "fixture_group.h"
#include "qmap_observe.skel.h"

/* Limits of BPF_PROG_RUN: an Ethernet header's length, and a page less headroom and struct
 * skb_shared_info. */
#define RUN_MIN 14
#define RUN_MAX 3400

#define LARGEST 70000

struct observer {
	struct qmap_observe *skel;
	struct ring_buffer *events;
	struct qmap_event *event; /* since reset() */
	unsigned int nevents;
	int version;
	int trunk, out; /* TUNs; -1 */
};

struct delivery {
	uint8_t mux;
	const uint8_t *bytes;
	uint32_t len;
};

static const char *skip_reason;
static struct observer rmnet[QMAP_V5 + 1], qmimux;
static uint8_t passed[LARGEST];

/* --- rmnet, before it was mended in 2026 (drivers/net/ethernet/qualcomm/rmnet) --- */

#define MODEL_BAD (-1)

/* rmnet_map_deaggregate(): bytes of the frame at @p, of which @left are there; 0: the end. */
static int model_length(const uint8_t *p, uint32_t left, int version)
{
	uint32_t len;

	if (!left)
		return 0;
	if (left < 4)
		return MODEL_BAD; /* read behind the end */
	len = 4 + ((uint32_t)p[2] << 8 | p[3]);
	if (version == QMAP_V4)
		len += 8;
	if (version == QMAP_V5 && !(p[0] & QMAP_FLAG_COMMAND)) {
		if (!(p[0] & QMAP_FLAG_NEXT_HEADER))
			return MODEL_BAD; /* stops before the end */
		len += 4;
	}
	if (len > left || (!p[2] && !p[3]))
		return MODEL_BAD;
	if (version == QMAP_V5 && !(p[0] & QMAP_FLAG_COMMAND) && p[4] >> 1 != QMAP_V5_TYPE_CSUM)
		return MODEL_BAD;
	return len;
}

/* __rmnet_map_ingress_handler(), with links for the ports of the fixtures. How many packets, at most
 * @max; or MODEL_BAD. */
static int model_rmnet(const uint8_t *p, uint32_t size, int version, struct delivery *d, int max)
{
	int n = 0;

	while (size) {
		int len = model_length(p, size, version);
		uint32_t hlen = version == QMAP_V5 ? 8 : 4, pad, packet;

		if (len <= 0)
			return MODEL_BAD;
		pad = p[0] & QMAP_PAD_MASK;
		packet = ((uint32_t)p[2] << 8 | p[3]) - pad;
		if (!(p[0] & QMAP_FLAG_COMMAND) && fixture_port(p[1]) != FIXTURE_PORT_NONE) {
			if (packet < 20 || packet > 65535 || n == max)
				return MODEL_BAD; /* the pad is longer than the frame */
			d[n++] = (struct delivery){p[1], p + hlen, packet};
		}
		p += len;
		size -= len;
	}
	return n;
}

/* --- the observer --- */

static int add_event(void *ctx, void *data, size_t size)
{
	struct observer *o = ctx;

	assert_int_equal(size, sizeof(*o->event));
	o->event = realloc(o->event, (o->nevents + 1) * size);
	assert_non_null(o->event);
	memcpy(&o->event[o->nevents++], data, size);
	return 0;
}

static int load(struct observer *o, int version, bool is_split)
{
	int ret, fd;
	uint32_t zero = 0;

	o->version = version;
	o->trunk = o->out = -1;
	o->skel = qmap_observe__open();
	if (!o->skel)
		return -errno;
	o->skel->rodata->config.dl_version = version;
	o->skel->rodata->is_split = is_split;
	ret = qmap_observe__load(o->skel);
	if (ret)
		return ret;
	fd = bpf_program__fd(o->skel->progs.qmap_observe);
	if (bpf_map_update_elem(bpf_map__fd(o->skel->maps.again), &zero, &fd, 0))
		return -errno;
	o->events = ring_buffer__new(bpf_map__fd(o->skel->maps.events), add_event, o, NULL);
	return o->events ? 0 : -errno;
}

/* bpf_redirect(@ifindex, 0) */
static int redirect_to(uint32_t ifindex)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = 1, .imm = ifindex},
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "to_out", "GPL", insns, 4, NULL);
}

static int attach(uint32_t ifindex, int prog, uint32_t priority)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = priority, .prog_fd = prog);
	int ret = bpf_tc_hook_create(&hook);

	return ret && ret != -EEXIST ? ret : bpf_tc_attach(&hook, &opts);
}

static int wire(struct observer *o)
{
	uint32_t trunk, out;
	char name[16];
	int ret, prog;

	snprintf(name, sizeof(name), "seen%d", o->version);
	o->trunk = env_open_tun(name, IFF_TUN, &trunk);
	snprintf(name, sizeof(name), "out%d", o->version);
	o->out = env_open_tun(name, IFF_TUN | IFF_NO_PI, &out);
	prog = redirect_to(out);
	if (o->trunk < 0 || o->out < 0 || prog < 0)
		return -EINVAL;
	ret = attach(trunk, bpf_program__fd(o->skel->progs.qmap_observe), 1)
		      ?: attach(trunk, prog, 2);
	close(prog);
	return ret;
}

static void reset(struct observer *o)
{
	env_reset_maps(bpf_map__fd(o->skel->maps.ports), bpf_map__fd(o->skel->maps.port_stats),
		       bpf_map__fd(o->skel->maps.trunk_stats));
	assert_true(ring_buffer__consume(o->events) >= 0);
	free(o->event);
	o->event = NULL;
	o->nevents = 0;
}

/* Sends an aggregate and puts the bytes that rmnet would get into passed[]. Returns their number. */
static uint32_t pass(const struct observer *o, const uint8_t *bytes, uint32_t size)
{
	uint8_t info[4] = {0, 0, QMAP_ETHERTYPE >> 8, QMAP_ETHERTYPE & 0xff};
	struct iovec iov[2] = {{info, sizeof(info)}, {(void *)bytes, size}};
	ssize_t n;

	/* written, and it is through: netif_receive_skb() in this thread */
	assert_int_equal(writev(o->trunk, iov, 2), size + sizeof(info));
	n = read(o->out, passed, sizeof(passed));
	assert_true(n > 0 || errno == EAGAIN);
	return n > 0 ? n : 0;
}

/* --- fixtures --- */

/* Returns the verdict that the observer must give. It has no limit of 64 frames, and rmnet takes no v5
 * packet without a v5 header. */
static uint8_t fate(const struct fixture *f, const struct fixture_frame *frame)
{
	if (frame->drop != QMAP_DROP_NONE && frame->drop != QMAP_DROP_TOO_MANY_FRAMES)
		return frame->drop;
	if (f->version == QMAP_V5 && !frame->command && frame->payload == frame->at + 4)
		return QMAP_DROP_NEXT_HEADER;
	return QMAP_DROP_NONE;
}

static void expect(const struct fixture *f, struct qmap_trunk_stats *ts,
		   struct qmap_port_stats port[QMAP_MAX_MUX], struct delivery *d, int *n)
{
	*n = 0;
	*ts = (struct qmap_trunk_stats){.aggregates = 1, .bytes = f->size};
	for (unsigned int i = 0; i < f->nframes; i++) {
		const struct fixture_frame *frame = &f->frames[i];
		struct qmap_port_stats *ps = &port[frame->mux];
		uint8_t drop = fate(f, frame);

		if (drop != QMAP_DROP_NONE) {
			fixture_drop(ts, port, frame->mux, drop);
		} else if (!frame->command) {
			d[(*n)++] = (struct delivery){frame->mux, f->bytes + frame->payload,
						      frame->len};
			ts->frames++;
			ps->rx_packets++;
			ps->rx_bytes += frame->len;
			ps->rx_csum_ok += frame->csum == QMAP_CSUM_VERIFIED;
			ps->rx_csum_none += frame->csum != QMAP_CSUM_VERIFIED;
		}
	}
	/* a command that is refused is a command and a drop */
	ts->commands = f->trunk.commands;
	ts->drops[QMAP_DROP_COMMAND_REFUSED] = f->trunk.drops[QMAP_DROP_COMMAND_REFUSED];
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++)
		port[mux].commands = f->port[mux].commands;
}

static void check_counters(const struct observer *o, const struct qmap_trunk_stats *want,
			   const struct qmap_port_stats *port)
{
	struct qmap_trunk_stats ts;
	struct qmap_port_stats ps;

	env_sum(bpf_map__fd(o->skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		assert_int_equal(ts.drops[i], want->drops[i]);
	assert_memory_equal(&ts, want, sizeof(ts));
	for (uint32_t mux = 0; mux < QMAP_MAX_MUX; mux++) {
		env_sum(bpf_map__fd(o->skel->maps.port_stats), mux, &ps, sizeof(ps));
		if (!fixture_port(mux) || mux == 0x84)
			assert_int_equal(ps.rx_dropped, port[mux].rx_dropped);
		else
			assert_int_equal(ps.rx_packets, port[mux].rx_packets);
		assert_int_equal(ps.rx_bytes, port[mux].rx_bytes);
		assert_int_equal(ps.rx_csum_ok, port[mux].rx_csum_ok);
		assert_int_equal(ps.rx_csum_none, port[mux].rx_csum_none);
		assert_int_equal(ps.commands, port[mux].commands);
	}
}

static void check_events(struct observer *o, const struct fixture *f)
{
	assert_true(ring_buffer__consume(o->events) >= 0);
	assert_int_equal(o->nevents, f->nevents);
	for (unsigned int i = 0; i < f->nevents; i++) {
		assert_int_not_equal(o->event[i].time, 0);
		o->event[i].time = 0;
		assert_memory_equal(&o->event[i], &f->events[i], sizeof(f->events[i]));
	}
}

static void check_flow(const struct observer *o, const struct fixture *f)
{
	for (uint32_t mux = 0; mux < QMAP_MAX_MUX; mux++) {
		struct qmap_port port;

		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.ports), &mux, &port),
				 0);
		if (f->flow[mux] == FIXTURE_FLOW_OFF)
			assert_true(port.flow_off_until > QMAP_FLOW_OFF_MAX_NS);
		else
			assert_int_equal(port.flow_off_until,
					 f->flow[mux] == FIXTURE_FLOW_ON ? 0 : ENV_FLOW_BEFORE);
	}
}

static void check_deliveries(const struct delivery *got, int n, const struct delivery *want,
			     int nwant)
{
	assert_int_equal(n, nwant);
	for (int i = 0; i < n; i++) {
		assert_int_equal(got[i].mux, want[i].mux);
		assert_int_equal(got[i].len, want[i].len);
		assert_memory_equal(got[i].bytes, want[i].bytes, got[i].len);
	}
}

/* Broken frames of one aggregate that are looked at: runs of the program by frames a run. */
#define FEWEST_BROKEN (33 * 8)
#define MOST_BROKEN   (34 * 8)

/* The frames behind them are hidden and counted once. */
static void check_cut(const struct observer *o)
{
	struct qmap_trunk_stats ts;

	env_sum(bpf_map__fd(o->skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	assert_in_range(ts.drops[QMAP_DROP_NOT_IP], FEWEST_BROKEN, MOST_BROKEN);
	assert_int_equal(ts.drops[QMAP_DROP_TOO_MANY_FRAMES], 1);
}

static void check(struct observer *o, const struct fixture *f)
{
	struct delivery *got = calloc(f->nframes + 1, sizeof(*got)),
			*want = calloc(f->nframes + 1, sizeof(*want));
	struct qmap_port_stats port[QMAP_MAX_MUX] = {0};
	struct qmap_trunk_stats ts;
	int n, nwant;
	uint32_t size;

	assert_true(got && want);
	reset(o);
	size = pass(o, f->bytes, f->size);
	expect(f, &ts, port, want, &nwant);
	n = model_rmnet(passed, size, f->version, got, f->nframes);
	check_deliveries(got, n, want, nwant);
	if (f->nframes > MOST_BROKEN) {
		check_cut(o);
	} else {
		check_counters(o, &ts, port);
		check_events(o, f);
		check_flow(o, f);
	}
	free(got);
	free(want);
}

static void test_row(void **state)
{
	unsigned int row = (uintptr_t)*state;
	struct fixture *f;

	if (skip_reason)
		skip();
	for (unsigned int i = 0; (f = fixture_new(row, i)); i++) {
		check(&rmnet[f->version], f);
		fixture_free(&f);
	}
}

TEST_ROWS(test_row);

/* --- aggregates spoilt at random --- */

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

/* Headers more often than packets: there is where lengths are. */
static void spoil(struct fixture *f)
{
	for (unsigned int i = draw(4); i; i--) {
		const struct fixture_frame *frame = &f->frames[draw(f->nframes)];
		uint32_t at = draw(4) ? frame->at + draw(9) : draw(f->size);

		if (at < f->size)
			f->bytes[at] = draw(2) ? draw(256) : f->bytes[at] ^ 1u << draw(8);
	}
	if (!draw(4))
		f->size -= draw(f->size > 40 ? 40 : f->size);
}

/* Runs the walker on the host and applies the ports. Returns how many packets are delivered. */
static int walk_host(const struct fixture *f, struct qmap_trunk_stats *ts, struct delivery *d)
{
	struct qmap_frame q;
	uint32_t off = 0;
	int n = 0;

	*ts = (struct qmap_trunk_stats){.aggregates = 1, .bytes = f->size};
	while (!qmap_walk(f->bytes, f->bytes + f->size, off, f->version, &q)) {
		const struct fixture_frame frame = {
			.at = off, .payload = q.payload, .drop = q.drop, .command = q.command};
		uint8_t drop = fate(f, &frame);
		enum fixture_port port = fixture_port(q.mux_id);

		if (drop == QMAP_DROP_NONE && port != FIXTURE_PORT_UP && !q.command)
			drop = port ? QMAP_DROP_PORT_DOWN : QMAP_DROP_UNKNOWN_MUX;
		/* the rest of commands is the fixtures' matter */
		if (q.command && q.drop == QMAP_DROP_NONE)
			ts->commands += !!port;
		else if (drop == QMAP_DROP_NONE)
			d[n++] = (struct delivery){q.mux_id, f->bytes + q.payload, q.len};
		else
			ts->drops[q.drop == QMAP_DROP_NONE && port != FIXTURE_PORT_UP
					  ? (port ? QMAP_DROP_PORT_DOWN : QMAP_DROP_UNKNOWN_MUX)
					  : drop]++;
		if (!q.next)
			break;
		off = q.next;
	}
	ts->frames = n;
	return n;
}

static void check_spoilt(struct observer *o, const struct fixture *f)
{
	static struct delivery got[LARGEST / 5], want[LARGEST / 5];
	struct qmap_trunk_stats ts, expected;
	uint32_t size;
	int n, nwant = walk_host(f, &expected, want);

	reset(o);
	size = pass(o, f->bytes, f->size);
	n = model_rmnet(passed, size, f->version, got, LARGEST / 5);
	check_deliveries(got, n, want, nwant);
	env_sum(bpf_map__fd(o->skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	assert_int_equal(ts.frames, expected.frames);
	assert_int_equal(ts.commands, expected.commands);
	for (unsigned int i = 0; i < QMAP_DROP_COMMAND_REFUSED; i++)
		assert_int_equal(ts.drops[i],
				 expected.drops[i] + (i == QMAP_DROP_UNKNOWN_MUX
							      ? ts.drops[i] - expected.drops[i]
							      : 0));
}

TEST(test_spoilt)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	unsigned int count = atoi(getenv("AGGREGATES") ?: "3000");

	if (skip_reason)
		skip();
	seed = strtoul(getenv("SEED") ?: "1", NULL, 0) ?: 1;
	for (unsigned int i = 0; i < count; i++) {
		struct fixture *f = fixture_imix(versions[i % 3], 1 + draw(100));

		spoil(f);
		check_spoilt(&rmnet[f->version], f);
		fixture_free(&f);
	}
}

/* --- behind qmi_wwan --- */

static void check_split(struct observer *o, const struct fixture *f)
{
	struct delivery *want = calloc(f->nframes + 1, sizeof(*want));
	struct qmap_port_stats port[QMAP_MAX_MUX] = {0};
	struct qmap_trunk_stats ts;
	int n;

	assert_non_null(want);
	reset(o);
	assert_int_equal(env_run(o->skel->progs.qmap_observe, f->bytes, f->size, NULL, NULL),
			 TC_ACT_STOLEN);
	expect(f, &ts, port, want, &n);
	check_counters(o, &ts, port);
	check_events(o, f);
	check_flow(o, f);
	free(want);
}

/* qmi_wwan goes on behind a header of length zero, where the walker ends. */
static bool goes_on(const struct fixture *f)
{
	const struct fixture_frame *last = &f->frames[f->nframes - 1];

	return last->drop == QMAP_DROP_ZERO_LENGTH && last->at + 4 < f->size;
}

TEST(test_split)
{
	struct fixture *f;

	if (skip_reason)
		skip();
	for (unsigned int row = 0; row < fixture_rows(); row++)
		for (unsigned int i = 0; (f = fixture_new(row, i)); i++) {
			if (f->version == QMAP_V1 && f->size >= RUN_MIN && f->size <= RUN_MAX &&
			    f->nframes && !goes_on(f))
				check_split(&qmimux, f);
			fixture_free(&f);
		}
}

TEST(test_split_goes_on)
{
	struct fixture *f;
	struct qmap_trunk_stats ts;

	if (skip_reason)
		skip();
	f = fixture_uniform(QMAP_V1, 3, 40);
	reset(&qmimux);
	/* the second frame becomes eleven headers without a length */
	memset(f->bytes + 44, 0, 44);
	assert_int_equal(env_run(qmimux.skel->progs.qmap_observe, f->bytes, f->size, NULL, NULL),
			 TC_ACT_STOLEN);
	env_sum(bpf_map__fd(qmimux.skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	assert_int_equal(ts.frames, 2);
	assert_int_equal(ts.drops[QMAP_DROP_ZERO_LENGTH], 11);
	fixture_free(&f);
}

/* --- no memory --- */

/*
 * The kernel puts the end of so large an aggregate into pages, and has no buffer that takes all of it:
 * kmalloc() gives 4 MiB at most.
 */
#define BEYOND_KMALLOC ((4 << 20) + (100 << 10))

/* The next aggregate begins anew. */
TEST(test_no_memory)
{
	struct observer *o = &rmnet[QMAP_V1];
	struct qmap_trunk_stats ts;
	struct fixture *f;
	uint8_t *huge;
	ssize_t sent;

	if (skip_reason)
		skip();
	reset(o);
	huge = calloc(1, BEYOND_KMALLOC);
	assert_non_null(huge);
	huge[2] = QMAP_ETHERTYPE >> 8;
	huge[3] = QMAP_ETHERTYPE & 0xff;
	sent = write(o->trunk, huge, BEYOND_KMALLOC);
	free(huge);
	if (sent < 0)
		skip(); /* nor has it such a buffer for the beginning */
	f = fixture_uniform(QMAP_V1, 3, 40);
	assert_int_equal(read(o->out, passed, sizeof(passed)), -1);
	assert_int_equal(pass(o, f->bytes, f->size), f->size);
	env_sum(bpf_map__fd(o->skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	assert_int_equal(ts.drops[QMAP_DROP_NO_MEMORY], 1);
	assert_int_equal(ts.frames, 3);
	assert_int_equal(ts.aggregates, 2);
	fixture_free(&f);
}

/* --- packets that are no aggregates --- */

TEST(test_other_protocols)
{
	uint8_t packet[4 + 20] = {0, 0, 0x08, 0x00, 0x45};
	struct observer *o = &rmnet[QMAP_V1];
	struct qmap_trunk_stats ts;

	if (skip_reason)
		skip();
	reset(o);
	assert_int_equal(write(o->trunk, packet, sizeof(packet)), sizeof(packet));
	assert_int_equal(read(o->out, passed, sizeof(passed)), 20);
	assert_memory_equal(passed, packet + 4, 20);
	env_sum(bpf_map__fd(o->skel->maps.trunk_stats), 0, &ts, sizeof(ts));
	assert_int_equal(ts.aggregates, 0);
}

/* The kernel itself sends nothing out of the TUNs. */
static void be_quiet(void)
{
	FILE *f = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "we");

	if (!f) /* a kernel without IPv6 */
		return;
	fputs("1", f);
	fclose(f);
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
	be_quiet();
	for (unsigned int i = 0; i < 3 && !ret; i++)
		ret = load(&rmnet[versions[i]], versions[i], false) ?: wire(&rmnet[versions[i]]);
	ret = ret ?: load(&qmimux, QMAP_V1, true);
	if (ret)
		print_error("cannot load the programs: %s\n", strerror(-ret));
	return ret;
}

static void unload(struct observer *o)
{
	ring_buffer__free(o->events);
	qmap_observe__destroy(o->skel);
	free(o->event);
	if (o->skel && o->trunk >= 0)
		close(o->trunk);
	if (o->skel && o->out >= 0)
		close(o->out);
}

static int tear_down(void **state)
{
	for (unsigned int i = 0; i <= QMAP_V5; i++)
		unload(&rmnet[i]);
	unload(&qmimux);
	return 0;
}

TEST_GROUP(set_up, tear_down);
