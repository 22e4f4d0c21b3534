// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each program of the xdp data path costs while real packets go through it: the kernel's run
 * time statistics, cache misses included. So are two readings of the clock per run: `live.base` is
 * a program that does nothing. It is not subtracted, because a clock that is read in a tight loop,
 * as by qmap_deliver, costs less than one read once a system call.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "mix.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "world.h"
#include "xdp_programs.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define AGGREGATES 250 /* per sample */
#define PDNS	   64
#define PACKETS	   4000 /* the same, uplink */

static const struct mix mixes[] = {
	{"21x1400", 21, 1400, 1},   {"11x1400", 11, 1400, 1},	  {"64x40", 64, 40, 1},
	{"64x40.pdns4", 64, 40, 4}, {"64x40.pdns16", 64, 40, 16}, {"64x40.pdns64", 64, 40, 64},
	{"imix", 36, 0, 1},
};

struct live {
	struct world world;
	int version;
	int programs[XDP_PROGS];
	int sender; /* UDP, out of the port */
};

struct run_time {
	uint64_t ns, runs;
};

/* ---- measuring ---- */

static int read_run_time(int prog, struct run_time *t)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &size))
		return -errno;
	*t = (struct run_time){info.run_time_ns, info.run_cnt};
	return 0;
}

static int send_aggregates(struct live *l, const struct aggregate *a, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++)
		ret = world_send_linear(&l->world, a->data, a->len);
	return ret;
}

/* Frames that come out of the trunk, once nothing more comes. */
static unsigned int take_frames(const struct live *l)
{
	uint8_t buf[2048];
	unsigned int n = 0;

	while (read(l->world.trunk, buf, sizeof(buf)) > 0)
		n++;
	return n;
}

static int send_packets(struct live *l, unsigned int n, unsigned int size, unsigned int *got)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(WORLD_PORT_ADDR + 1),
				 .sin_port = htons(WORLD_UDP_PORT)};
	static const uint8_t data[1500];

	*got = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (sendto(l->sender, data, size - 28, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return -errno;
		*got += take_frames(l);
	}
	return 0;
}

/* How often a program must have run for @n aggregates. */
static uint64_t runs_wanted(enum xdp_prog p, const struct mix *m, unsigned int n)
{
	return p == XDP_PROG_ENTER || p == XDP_PROG_SPLIT ? n : (uint64_t)n * m->frames;
}

/* Arrivals are dropped at tc on the port, so that no socket's limit plays a part. */
static int sample_downlink(struct variant *v, double *ns)
{
	struct live *l = v->env;
	const struct mix *m = &mixes[v->number / XDP_PROGS];
	enum xdp_prog p = v->number % XDP_PROGS;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), ret;
	struct run_time before, after;
	uint64_t lost;

	if (stats < 0)
		return -errno;
	ret = read_run_time(l->programs[p], &before)
		      ?: send_aggregates(l, v->data, v->repeat)
		      ?: read_run_time(l->programs[p], &after);
	close(stats);
	if (ret)
		return ret;
	lost = runs_wanted(p, m, v->repeat) - (after.runs - before.runs);
	v->result.sent += runs_wanted(p, m, v->repeat);
	v->result.lost += lost;
	*ns = (double)(after.ns - before.ns) / v->repeat / m->frames;
	return 0;
}

static int sample_uplink(struct variant *v, double *ns)
{
	struct live *l = v->env;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), ret;
	struct run_time before, after;
	unsigned int got = 0;

	if (stats < 0)
		return -errno;
	ret = read_run_time(l->programs[XDP_PROG_UPLINK], &before)
		      ?: send_packets(l, v->repeat, v->number, &got)
		      ?: read_run_time(l->programs[XDP_PROG_UPLINK], &after);
	close(stats);
	if (ret)
		return ret;
	v->result.sent += v->repeat;
	v->result.lost += v->repeat - got;
	*ns = (double)(after.ns - before.ns) / v->repeat;
	return 0;
}

/* What the statistics themselves take, on the plain TUN. */
static int sample_base(struct variant *v, double *ns)
{
	struct live *l = v->env;
	const struct aggregate *a = v->data;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), ret;
	struct run_time before, after;

	if (stats < 0)
		return -errno;
	ret = read_run_time(l->world.drop_all, &before);
	for (unsigned int i = 0; i < v->repeat && !ret; i++)
		if (write(l->world.plain, a->data + 4, a->len - 4) < 0)
			ret = -errno;
	ret = ret ?: read_run_time(l->world.drop_all, &after);
	close(stats);
	if (ret)
		return ret;
	v->result.sent += v->repeat;
	v->result.lost += v->repeat - (after.runs - before.runs);
	*ns = (double)(after.ns - before.ns) / v->repeat;
	return 0;
}

/* ---- putting it together ---- */

static int open_sender(struct live *l)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(WORLD_PORT_ADDR)};

	l->sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->sender < 0 || bind(l->sender, (struct sockaddr *)&from, sizeof(from)))
		return -errno;
	return 0;
}

static int add_base(struct sampling *s, struct live *l, double scale)
{
	static const struct mix small = {"base", 1, 60, 1};
	const struct variant v = {
		.result = {.unit = "ns/run",
			   .method = METHOD_RUN_TIME,
			   .how = "a tc program that does nothing: what all others include"},
		.sample = sample_base,
		.env = l,
		.data = mix_make(&small, 1),
		.free_data = free,
		.repeat = PACKETS * scale,
	};

	if (!v.data || !sampling_add(s, &v, "live.base.v%d", l->version))
		return -ENOMEM;
	return world_drop_all(&l->world, l->world.plain_ifindex, true);
}

static int add_downlink(struct sampling *s, struct live *l, double scale)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(mixes) * XDP_PROGS; i++) {
		const struct mix *m = &mixes[i / XDP_PROGS];
		const struct variant v = {
			.result = {.unit = "ns/frame",
				   .method = METHOD_RUN_TIME,
				   .how = "16 to 31 KB aggregates by AF_PACKET and tc, dropped at "
					  "tc on the port"},
			.sample = sample_downlink,
			.env = l,
			.data = i % XDP_PROGS == XDP_PROG_UPLINK ? NULL : mix_make(m, l->version),
			.free_data = free,
			.number = i,
			.repeat = AGGREGATES * scale,
		};

		if (i % XDP_PROGS == XDP_PROG_UPLINK)
			continue;
		if (!v.data || !sampling_add(s, &v, "live.%s.v%d.%s", xdp_prog_names[i % XDP_PROGS],
					     l->version, m->name))
			return -ENOMEM;
	}
	return 0;
}

static int add_uplink(struct sampling *s, struct live *l, double scale)
{
	static const int sizes[] = {40, 1400};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct variant v = {
			.result = {.unit = "ns/packet",
				   .method = METHOD_RUN_TIME,
				   .how = "UDP sent on the port, read from the trunk"},
			.sample = sample_uplink,
			.env = l,
			.number = sizes[i],
			.repeat = PACKETS * scale,
		};

		if (!sampling_add(s, &v, "live.qmap_uplink.v%d.%d", l->version, sizes[i]))
			return -ENOMEM;
	}
	return 0;
}

static int run_version(const struct recorder *r, int version)
{
	struct live l = {.version = version, .sender = -1};
	struct datapath_port ports[PDNS];
	struct sampling s = {0};
	struct error err = {0};
	int ret = world_new(&l.world, version, &err);

	if (ret)
		goto out;
	ret = xdp_programs_find(&l.world, l.programs) ?: open_sender(&l) ?: add_base(&s, &l, r->scale);
	if (!ret)
		ret = world_add_pdns(&l.world, ports, PDNS, &err)
			      ?: add_downlink(&s, &l, r->scale)
			      ?: add_uplink(&s, &l, r->scale)
			      ?: sampling_run(&s, r);
	sampling_free(&s);
	xdp_programs_close(l.programs);
	if (l.sender >= 0)
		close(l.sender);
	world_free(&l.world);
out:
	if (ret)
		fprintf(stderr, "live: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

static int run(const struct recorder *r)
{
	return run_version(r, QMAP_V1) ?: run_version(r, QMAP_V4) ?: run_version(r, QMAP_V5);
}

const struct bench bench_live = {
	.name = "live",
	.what = "ns per frame of each program of the xdp data path while traffic runs",
	.run = run,
};
