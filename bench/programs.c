// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cost of the BPF programs by BPF_PROG_RUN, with warm caches and trained branches: a lower bound.
 *
 * The kernel only takes as much as a page holds for a program without fragments, so full-size
 * packets are short here for qmap_split. It never reads beyond a packet's first byte, and the same
 * number of frames at other sizes shows that size makes no difference; level `live` has full size.
 * The shim's programs get one frame per run, at full size.
 *
 * Programs that modify their packet for good cannot be repeated on it, and device map programs are
 * refused: qmap_enter, qmap_trim, qmap_deliver and qmap_uplink are left to level `live`.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "mix.h"
#include "qmap/abi.h"
#include "qmap/shim.h"
#include "qmap_shim.skel.h"
#include "sampling.h"
#include "tests/bpf/env.h"
#include "tests/bpf/fixtures.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define FRAMES	       100000 /* walked per sample: about a ms, so that few ticks fall into it */
#define FIXTURE_FRAMES 20000  /* the same for a row of the table of fixtures */
#define FIXTURE_REPEAT 20     /* at least: the first runs have cold caches */
#define RUN_MIN	       14     /* least bytes for BPF_PROG_RUN: an Ethernet header ... */
#define RUN_MAX	       3400   /* ... and most: a page less head and tailroom */

static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};

/* The programs of both data paths, loaded for one version. */
struct programs {
	struct env *xdp;
	struct qmap_shim *shim;
	int taps[2]; /* that hold the shim's programs */
};

/* ---- one run ---- */

static int prog_run(const struct bpf_program *prog, struct bpf_test_run_opts *opts)
{
	if (!opts->repeat)
		opts->repeat = 1;
	return bpf_prog_test_run_opts(bpf_program__fd(prog), opts) ? -errno : 0;
}

/* Sets all ports up, or as the fixtures expect them. */
static int enter_ports(const struct bpf_map *ports, bool fixtures)
{
	int map = bpf_map__fd(ports);

	for (uint32_t mux = 0; mux < QMAP_MAX_MUX; mux++) {
		struct qmap_port port = {.ifindex = 1, .flags = QMAP_PORT_UP};
		enum fixture_port state = fixture_port(mux);

		if (fixtures && state == FIXTURE_PORT_NONE)
			port = (struct qmap_port){0};
		if (fixtures && state == FIXTURE_PORT_DOWN)
			port.flags = 0;
		if (bpf_map_update_elem(map, &mux, &port, 0))
			return -errno;
	}
	return 0;
}

/* ---- qmap_split: whole aggregates ---- */

/* Number of frames delivered, and of those dropped or taken as commands. */
static void count_frames(const struct env *env, uint64_t *delivered, uint64_t *dropped)
{
	struct qmap_trunk_stats sum;

	env_trunk_stats(env, &sum);
	*delivered = sum.frames;
	*dropped = 0;
	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		*dropped += sum.drops[i];
}

static int sample_split(struct variant *v, double *ns)
{
	struct programs *p = v->env;
	const struct aggregate *a = v->data;
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = a->data, .data_size_in = a->len,
			    .repeat = v->repeat);
	uint64_t before, after, dropped, dropped_after;
	int ret = enter_ports(p->xdp->skel->maps.ports, false);

	if (ret)
		return ret;
	count_frames(p->xdp, &before, &dropped);
	ret = prog_run(p->xdp->skel->progs.qmap_split, &opts);
	count_frames(p->xdp, &after, &dropped_after);
	*ns = (double)opts.duration / v->frames;
	v->result.sent += (uint64_t)v->frames * v->repeat;
	v->result.lost += (uint64_t)v->frames * v->repeat - (after - before);
	return ret ?: dropped_after != dropped ? -EPROTO : 0;
}

/* ---- the shim's programs: frame by frame ---- */

/*
 * Runs on one frame at the cursor, with the frame word in front. Returns the verdict; @ns gets the
 * time of one run.
 */
static int run_at_cursor(const struct programs *p, const uint8_t *frame, size_t left,
			 unsigned int repeat, struct qmap_shim_rx *word, uint32_t *ns)
{
	uint8_t in[sizeof(*word) + RUN_MAX] = {0}, out[sizeof(in)] = {0};
	struct xdp_md ctx = {.data = sizeof(*word)};
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_out = out,
			    .data_size_out = sizeof(out), .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = repeat);
	struct xdp_md ctx_out;
	int ret;

	if (left > RUN_MAX - sizeof(*word))
		left = RUN_MAX - sizeof(*word);
	memcpy(in + sizeof(*word), frame, left);
	opts.data_size_in = ctx.data_end = sizeof(*word) + left;
	opts.ctx_out = &ctx_out;
	opts.ctx_size_out = sizeof(ctx_out);
	ret = prog_run(p->shim->progs.qmap_shim_rx, &opts);
	memcpy(word, out, sizeof(*word));
	*ns = opts.duration;
	return ret ?: (int)opts.retval;
}

struct shim_mix {
	const struct mix *mix;
	struct aggregate *aggregate;
};

static int sample_shim_rx(struct variant *v, double *value)
{
	const struct programs *p = v->env;
	const struct shim_mix *m = v->data;
	const struct aggregate *a = m->aggregate;
	int ret = enter_ports(p->shim->maps.ports, false);
	double sum = 0;

	if (ret)
		return ret;
	for (unsigned int i = 0; i < v->frames; i++) {
		size_t at = mix_frame_at(m->mix, a->version, i);
		struct qmap_shim_rx word;
		uint32_t ns = 0;

		ret = run_at_cursor(p, a->data + at, a->len - at, v->repeat, &word, &ns);

		if (ret < 0)
			return ret;
		v->result.sent++;
		v->result.lost += ret != XDP_PASS || word.length != mix_packet_len(m->mix, i);
		sum += ns;
	}
	*value = sum / v->frames;
	return 0;
}

static int sample_shim_tx(struct variant *v, double *value)
{
	const struct programs *p = v->env;
	uint8_t in[sizeof(struct qmap_shim_tx) + QMAP_SHIM_TX_ROOM + 1500] = {0},
								     out[sizeof(in)] = {0};
	struct qmap_shim_tx *m = (struct qmap_shim_tx *)in;
	struct xdp_md ctx = {.data = sizeof(*m)};
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_out = out,
			    .data_size_out = sizeof(out), .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = v->repeat);
	int ret;

	*m = (struct qmap_shim_tx){.length = v->number,
				   .csum_start = 20,
				   .csum_offset = 6,
				   .port = MIX_MUX,
				   .flags = QMAP_SHIM_TX_CSUM};
	in[sizeof(*m) + QMAP_SHIM_TX_ROOM] = 0x45;
	in[sizeof(*m) + QMAP_SHIM_TX_ROOM + 9] = 17;
	opts.data_size_in = ctx.data_end = sizeof(*m) + QMAP_SHIM_TX_ROOM + v->number;
	ret = prog_run(p->shim->progs.qmap_shim_tx, &opts);
	*value = opts.duration;
	v->result.sent++;
	v->result.lost += opts.retval != XDP_PASS;
	return ret;
}

/* ---- fixtures: unusual traffic ---- */

/* All fixtures of a row, one for each version and length. */
struct row_fixtures {
	struct fixture **f;
	unsigned int n, frames;
};

static void free_row(void *data)
{
	struct row_fixtures *row = data;

	for (unsigned int i = 0; i < row->n; i++)
		fixture_free(&row->f[i]);
	free(row->f);
	free(row);
}

static bool runs(const struct fixture *f)
{
	return f->size >= RUN_MIN && f->size <= RUN_MAX && f->nframes;
}

static struct row_fixtures *read_row(unsigned int number)
{
	struct row_fixtures *row = calloc(1, sizeof(*row));
	struct fixture *f;

	for (unsigned int i = 0; row && (f = fixture_new(number, i)); i++) {
		struct fixture **grown = reallocarray(row->f, row->n + 1, sizeof(*grown));

		if (!grown || !runs(f)) {
			fixture_free(&f);
			row->f = grown ?: row->f;
			continue;
		}
		row->f = grown;
		row->f[row->n++] = f;
		row->frames += f->nframes;
	}
	return row;
}

static int sample_split_row(struct variant *v, double *value)
{
	struct programs *all = v->env;
	const struct row_fixtures *row = v->data;
	uint64_t before, after, dropped, dropped_after;
	double sum = 0;

	for (unsigned int i = 0; i < row->n; i++) {
		const struct fixture *f = row->f[i];
		struct programs *p = &all[f->version];
		DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes,
				    .data_size_in = f->size, .repeat = v->repeat);
		uint64_t frames = (uint64_t)f->nframes * v->repeat, expected = 0, done;
		int ret;

		/* commands are neither delivered nor dropped, except those refused */
		for (unsigned int k = 0; k < f->nframes; k++)
			expected += !f->frames[k].command || f->frames[k].drop != QMAP_DROP_NONE;
		env_reset(p->xdp);
		count_frames(p->xdp, &before, &dropped);
		ret = prog_run(p->xdp->skel->progs.qmap_split, &opts);
		if (ret)
			return ret;
		count_frames(p->xdp, &after, &dropped_after);
		done = after - before + dropped_after - dropped;
		v->result.sent += frames;
		v->result.lost += expected * v->repeat > done ? expected * v->repeat - done : 0;
		sum += opts.duration;
	}
	*value = sum / row->frames;
	return 0;
}

/*
 * The shim has no limit of frames per aggregate, and its program looks no port up: the module drops
 * the packets of ports that are not open.
 */
static bool passed_by_shim(const struct fixture_frame *f)
{
	return !f->command && (f->drop == QMAP_DROP_NONE || f->drop == QMAP_DROP_TOO_MANY_FRAMES ||
			       f->drop == QMAP_DROP_UNKNOWN_MUX || f->drop == QMAP_DROP_PORT_DOWN);
}

static int sample_shim_row(struct variant *v, double *value)
{
	struct programs *all = v->env;
	const struct row_fixtures *row = v->data;
	double sum = 0;

	for (unsigned int i = 0; i < row->n; i++) {
		const struct fixture *f = row->f[i];

		if (enter_ports(all[f->version].shim->maps.ports, true))
			return -errno;
		for (unsigned int k = 0; k < f->nframes; k++) {
			const struct fixture_frame *frame = &f->frames[k];
			size_t left = f->size - frame->at;
			struct qmap_shim_rx word;
			uint32_t ns = 0;
			int ret;

			if (left < RUN_MIN)
				continue;
			ret = run_at_cursor(&all[f->version], f->bytes + frame->at, left, v->repeat,
					    &word, &ns);
			if (ret < 0)
				return ret;
			v->result.sent++;
			v->result.lost += ret == XDP_ABORTED ||
					  (ret == XDP_DROP && word.drop == QMAP_DROP_NONE) ||
					  (ret == XDP_PASS) != passed_by_shim(frame);
			sum += ns;
		}
	}
	*value = sum / row->frames;
	return 0;
}

/* ---- properties of programs ---- */

static int sample_info(struct variant *v, double *value)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(v->env), &info, &size))
		return -errno;
	*value = v->number == 0	  ? info.verified_insns
		 : v->number == 1 ? info.xlated_prog_len / sizeof(struct bpf_insn)
				  : info.jited_prog_len;
	return 0;
}

static int add_infos(struct sampling *s, const struct bpf_object *obj)
{
	static const char *const what[][2] = {
		{"verified", "insns"}, {"translated", "insns"}, {"jited", "bytes"}};
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		for (unsigned int i = 0; i < ARRAY_SIZE(what); i++) {
			const struct variant v = {
				.result = {.unit = what[i][1],
					   .method = METHOD_VERIFIER,
					   .how = "bpf_prog_info, loaded for QMAP v5"},
				.sample = sample_info,
				.env = prog,
				.number = i,
			};

			if (!sampling_add(s, &v, "programs.%s.%s", what[i][0],
					  bpf_program__name(prog)))
				return -ENOMEM;
		}
	}
	return 0;
}

/* ---- putting it together ---- */

static void free_shim_mix(void *data)
{
	struct shim_mix *m = data;

	free(m->aggregate);
	free(m);
}

/* Short enough for BPF_PROG_RUN; the shim's programs get one frame at a time. */
static const struct mix split_mixes[] = {
	{"21x148", 21, 148, 1},	    {"21x40", 21, 40, 1},	  {"64x40", 64, 40, 1},
	{"64x40.pdns4", 64, 40, 4}, {"64x40.pdns16", 64, 40, 16}, {"64x40.pdns64", 64, 40, 64},
	{"imix", 8, 0, 1},
};
static const struct mix shim_mixes[] = {
	{"21x1400", 21, 1400, 1},     {"64x40", 64, 40, 1},	    {"64x40.pdns4", 64, 40, 4},
	{"64x40.pdns16", 64, 40, 16}, {"64x40.pdns64", 64, 40, 64}, {"imix", 36, 0, 1},
};

static int add_split(struct sampling *s, struct programs *p, int version, double scale)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(split_mixes); i++) {
		const struct mix *m = &split_mixes[i];
		const struct variant v = {
			.result = {.unit = "ns/frame",
				   .method = METHOD_PROG_RUN,
				   .how = "whole aggregate, repeated",
				   .target = i ? 0 : 20},
			.sample = sample_split,
			.env = p,
			.data = mix_make(m, version),
			.free_data = free,
			.frames = m->frames,
			.repeat = FRAMES / m->frames * scale,
		};

		if (!v.data ||
		    !sampling_add(s, &v, "programs.run.qmap_split.v%d.%s", version, m->name))
			return -ENOMEM;
	}
	return 0;
}

static int add_shim_rx(struct sampling *s, struct programs *p, int version, double scale)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shim_mixes); i++) {
		struct shim_mix *m = calloc(1, sizeof(*m));
		const struct variant v = {
			.result = {.unit = "ns/frame",
				   .method = METHOD_PROG_RUN,
				   .how = "one frame at the cursor, each of the aggregate's "
					  "repeated"},
			.sample = sample_shim_rx,
			.env = p,
			.data = m,
			.free_data = free_shim_mix,
			.frames = shim_mixes[i].frames,
			.repeat = FRAMES / shim_mixes[i].frames * scale,
		};

		if (!m)
			return -ENOMEM;
		*m = (struct shim_mix){&shim_mixes[i], mix_make(&shim_mixes[i], version)};
		if (!m->aggregate || !sampling_add(s, &v, "programs.run.qmap_shim_rx.v%d.%s",
						   version, shim_mixes[i].name))
			return -ENOMEM;
	}
	return 0;
}

static int add_shim_tx(struct sampling *s, struct programs *p, int version, double scale)
{
	static const int sizes[] = {40, 1400};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct variant v = {
			.result = {.unit = "ns/packet",
				   .method = METHOD_PROG_RUN,
				   .how = "one packet, checksum offload asked for, repeated"},
			.sample = sample_shim_tx,
			.env = p,
			.number = sizes[i],
			.repeat = FRAMES * scale,
		};

		if (!sampling_add(s, &v, "programs.run.qmap_shim_tx.v%d.%d", version, sizes[i]))
			return -ENOMEM;
	}
	return 0;
}

/* Replaces spaces and commas, which names must not contain. */
static void make_name(char *name, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		if (*from == ' ' || *from == ',' || *from == '.') {
			if (n && name[n - 1] != '-')
				name[n++] = '-';
		} else {
			name[n++] = *from;
		}
	}
	name[n] = 0;
}

static int add_row(struct sampling *s, struct programs *all, unsigned int number, bool shim,
		   double scale)
{
	struct row_fixtures *row = read_row(number);
	struct variant v = {
		.result = {.unit = "ns/frame",
			   .method = METHOD_PROG_RUN,
			   .how = "all fixtures of this row that fit, each repeated"},
		.sample = shim ? sample_shim_row : sample_split_row,
		.env = all,
		.data = row,
		.free_data = free_row,
	};
	char name[40];

	if (!row)
		return -ENOMEM;
	if (!row->frames) {
		free_row(row);
		return 0;
	}
	v.repeat = FIXTURE_FRAMES / row->frames;
	if (v.repeat < FIXTURE_REPEAT)
		v.repeat = FIXTURE_REPEAT;
	v.repeat = v.repeat * scale + 1;
	make_name(name, sizeof(name), fixture_row_name(number));
	return sampling_add(s, &v, "programs.fixture.%s.%s", shim ? "qmap_shim_rx" : "qmap_split",
			    name)
		       ? 0
		       : -ENOMEM;
}

static int add_all(struct sampling *s, struct programs *all, double scale)
{
	int ret = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(versions) && !ret; i++) {
		int version = versions[i];

		ret = add_split(s, &all[version], version, scale)
			      ?: add_shim_rx(s, &all[version], version, scale)
			      ?: add_shim_tx(s, &all[version], version, scale);
	}
	for (unsigned int i = 0; i < fixture_rows() && !ret; i++)
		ret = add_row(s, all, i, false, scale) ?: add_row(s, all, i, true, scale);
	return ret	 ?: add_infos(s, all[QMAP_V5].xdp->skel->obj)
			 ?: add_infos(s, all[QMAP_V5].shim->obj);
}

/*
 * Attaches @prog to a TAP without a user. BPF_PROG_RUN enters an unattached program into the XDP
 * dispatcher and removes it again, and waits for RCU both times (kernel/bpf/dispatcher.c): tens of
 * ms for each of thousands of runs on a busy machine. Env holds qmap_split in the same way.
 */
static int hold(const struct bpf_program *prog, const char *name, int version, int *tap)
{
	char dev[IFNAMSIZ];
	uint32_t ifindex;

	snprintf(dev, sizeof(dev), "%s%d", name, version);
	*tap = env_open_tap(dev, &ifindex);
	if (*tap < 0)
		return *tap;
	return bpf_xdp_attach(ifindex, bpf_program__fd(prog), XDP_FLAGS_SKB_MODE, NULL);
}

static int load(struct programs *p, int version)
{
	int ret = env_new(&p->xdp, version, 1500);

	p->taps[0] = p->taps[1] = -1;

	if (ret)
		return ret;
	p->shim = qmap_shim__open();
	if (!p->shim)
		return -errno;
	p->shim->rodata->config.dl_version = version;
	p->shim->rodata->config.ul_version = version;
	p->shim->rodata->config.ul_max_packet = 1500;
	return qmap_shim__load(p->shim)
		       ?: hold(p->shim->progs.qmap_shim_rx, "rx", version, &p->taps[0])
		       ?: hold(p->shim->progs.qmap_shim_tx, "tx", version, &p->taps[1]);
}

static void unload(struct programs *p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(p->taps); i++)
		if (p->taps[i] > 0)
			close(p->taps[i]);
	env_free(&p->xdp);
	qmap_shim__destroy(p->shim);
}

static int run(const struct recorder *r)
{
	struct programs all[QMAP_V5 + 1] = {0};
	struct sampling s = {0};
	const char *reason = env_start();
	int ret = reason ? -EOPNOTSUPP : 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(versions) && !ret; i++)
		ret = load(&all[versions[i]], versions[i]);
	if (!ret)
		ret = add_all(&s, all, r->scale) ?: sampling_run(&s, r);
	sampling_free(&s);
	for (unsigned int i = 0; i < ARRAY_SIZE(versions); i++)
		unload(&all[versions[i]]);
	if (ret)
		fprintf(stderr, "programs: %s\n", reason ?: strerror(-ret));
	return ret;
}

const struct bench bench_programs = {
	.name = "programs",
	.what = "ns per frame of the BPF programs by BPF_PROG_RUN, and their size",
	.run = run,
};
