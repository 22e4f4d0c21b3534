// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What qmap_split costs per frame.
 *
 * By BPF_PROG_RUN, all data in one page: the kernel takes no more for a program without fragments,
 * so full-size packets are short here. The program never looks behind a packet's first byte, and
 * the same number of frames at other sizes shows that size makes no difference to it.
 *
 * By run time statistics of the program on a trunk that real aggregates are written to: generic XDP
 * makes them linear, as they come from USB. This counts cache misses too, and two readings of the
 * clock per aggregate.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "qmap/wire.h"
#include "tests/bpf/env.h"
#include "tests/bpf/fixtures.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROG_RUN "qmap_split by BPF_PROG_RUN, repeated, whole program"
#define LIVE	 "qmap_split on a trunk with generic XDP, BPF run time statistics"
#define FRAMES	 400000 /* walked per sample by BPF_PROG_RUN */
#define WRITES	 1000	/* aggregates per sample on a trunk */

struct mix {
	const char *name;
	unsigned int frames, len; /* len 0: IMIX */
	bool live;
	double target; /* ns per frame */
};

static const struct mix mixes[] = {
	{"21x148", 21, 148, false, 20},	 {"21x40", 21, 40, false, 0},
	{"64x40", 64, 40, false, 0},	 {"imix", 8, 0, false, 0},
	{"21x1400", 21, 1400, true, 20}, {"21x148", 21, 148, true, 0},
	{"64x40", 64, 40, true, 0},	 {"imix", 32, 0, true, 0},
};

static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};

struct variant {
	const struct mix *mix;
	struct env *env;
	struct fixture *fixture;
	double *samples;
	unsigned int repeat; /* aggregates by BPF_PROG_RUN */
	unsigned int writes; /* aggregates on a trunk */
};

#define VARIANTS (ARRAY_SIZE(mixes) * ARRAY_SIZE(versions))

static int prog_fd(const struct env *env)
{
	return bpf_program__fd(env->skel->progs.qmap_split);
}

static int sample_prog_run(const struct variant *v, double *ns)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = v->fixture->bytes,
			    .data_size_in = v->fixture->size, .repeat = v->repeat);

	if (bpf_prog_test_run_opts(prog_fd(v->env), &opts))
		return -errno;
	*ns = (double)opts.duration / v->mix->frames;
	return 0;
}

static int run_time(const struct env *env, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd(env), &info, &size))
		return -errno;
	*ns = info.run_time_ns;
	*runs = info.run_cnt;
	return 0;
}

static int write_aggregates(const struct variant *v)
{
	uint8_t info[4] = {0, 0, QMAP_ETHERTYPE >> 8, QMAP_ETHERTYPE & 0xff};
	struct iovec iov[2] = {{info, sizeof(info)}, {v->fixture->bytes, v->fixture->size}};

	for (unsigned int i = 0; i < v->writes; i++)
		if (writev(v->env->tun, iov, 2) < 0)
			return -errno;
	return 0;
}

static int sample_live(const struct variant *v, double *ns)
{
	uint64_t ns0 = 0, ns1 = 0, runs0 = 0, runs1 = 0;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), ret;

	if (stats < 0)
		return -errno;
	ret = run_time(v->env, &ns0, &runs0) ?: write_aggregates(v) ?: run_time(v->env, &ns1, &runs1);
	close(stats);
	if (ret)
		return ret;
	if (runs1 - runs0 != v->writes)
		return -EPROTO;
	*ns = (double)(ns1 - ns0) / v->writes / v->mix->frames;
	return 0;
}

static struct fixture *make_fixture(const struct mix *mix, int version)
{
	return mix->len ? fixture_uniform(version, mix->frames, mix->len)
			: fixture_imix(version, mix->frames);
}

static void report_variant(const struct recorder *r, const struct variant *v)
{
	char name[64];
	struct result res = {
		.name = name,
		.unit = "ns/frame",
		.method = v->mix->live ? METHOD_RUN_TIME : METHOD_PROG_RUN,
		.how = v->mix->live ? LIVE : PROG_RUN,
		.target = v->mix->target,
		.samples = v->samples,
		.n = r->rounds,
	};

	snprintf(name, sizeof(name), "split.%s.v%d.%s", v->mix->live ? "live" : "prog_run",
		 v->env->version, v->mix->name);
	record_add(r, &res);
}

static int measure(const struct recorder *r, struct variant *variants)
{
	for (unsigned int round = 0; round < r->rounds; round++) {
		for (unsigned int i = 0; i < VARIANTS; i++) {
			const struct variant *v = &variants[i];
			double *sample = &v->samples[round];
			int ret =
				v->mix->live ? sample_live(v, sample) : sample_prog_run(v, sample);

			if (ret)
				return ret;
		}
	}
	for (unsigned int i = 0; i < VARIANTS; i++)
		report_variant(r, &variants[i]);
	return 0;
}

static int run(const struct recorder *r)
{
	struct env *envs[ARRAY_SIZE(versions)] = {0};
	struct variant variants[VARIANTS] = {0};
	const char *reason = env_start();
	int ret = reason ? -EOPNOTSUPP : 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(versions) && !ret; i++)
		ret = env_new(&envs[i], versions[i], 1500);
	for (unsigned int i = 0; i < VARIANTS && !ret; i++) {
		variants[i].mix = &mixes[i / ARRAY_SIZE(versions)];
		variants[i].env = envs[i % ARRAY_SIZE(versions)];
		variants[i].fixture = make_fixture(variants[i].mix, variants[i].env->version);
		variants[i].repeat = FRAMES / variants[i].mix->frames * r->scale;
		variants[i].writes = WRITES * r->scale;
		variants[i].samples = calloc(r->rounds, sizeof(double));
		ret = variants[i].samples ? 0 : -ENOMEM;
	}
	if (!ret)
		ret = measure(r, variants);
	for (unsigned int i = 0; i < VARIANTS; i++) {
		fixture_free(&variants[i].fixture);
		free(variants[i].samples);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(versions); i++)
		env_free(&envs[i]);
	if (ret)
		fprintf(stderr, "split: %s\n", reason ?: strerror(-ret));
	return ret;
}

const struct bench bench_split = {
	.name = "split",
	.what = "ns per frame of the program that splits aggregates",
	.run = run,
};
