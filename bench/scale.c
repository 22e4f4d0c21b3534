// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the cost of the xdp data path grows, one factor at a time around 11 x 1400 B (16 KB) of one
 * TCP flow of one PDN, v5, dropped at tc on the port. What making and injecting aggregates costs is
 * measured in the same round, on a device that drops them at once, and subtracted.
 *
 * Every variant goes through the same number of frames before it repeats them, so that caches hold
 * as much of one as of another.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "mix.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "tests/modem/tun.h"
#include "world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PDNS	    64
#define FRAMES	    1056 /* of a ring, about: whole aggregates */
#define PACKETS	    10000
#define TCP_HEADERS 40
#define DEADLINE    1000000000ull /* ns for the last packets to arrive */

struct factor {
	const char *name;
	unsigned int x;		  /* the factor; 0: no number */
	unsigned int frames, len; /* of an aggregate, as struct mix */
	unsigned int pdns, flows; /* of each PDN */
};

static const struct factor factors[] = {
	{"aggregate-kb", 4, 2, 1400, 1, 1},
	{"aggregate-kb", 8, 5, 1400, 1, 1},
	{"aggregate-kb", 16, 11, 1400, 1, 1},
	{"aggregate-kb", 31, 22, 1400, 1, 1},
	{"packet-bytes", 40, 64, 40, 1, 1},
	{"packet-bytes", 100, 64, 100, 1, 1},
	{"packet-bytes", 576, 28, 576, 1, 1},
	{"packet-bytes", 1000, 16, 1000, 1, 1},
	{"packet-bytes", 1400, 11, 1400, 1, 1},
	{"packet-bytes", 1500, 10, 1500, 1, 1},
	{"imix", 0, 36, 0, 1, 1},
	{"pdns", 1, 11, 1400, 1, 1},
	{"pdns", 4, 11, 1400, 4, 1},
	{"pdns", 16, 11, 1400, 16, 1},
	{"pdns", 64, 11, 1400, 64, 1},
	{"flows", 1, 11, 1400, 1, 1},
	{"flows", 10, 11, 1400, 1, 10},
	{"flows", 100, 11, 1400, 1, 100},
	{"flows", 1000, 11, 1400, 1, 1000},
};

/* Aggregates one after the other; number i lies from at[i] to at[i + 1]. */
struct ring {
	const struct factor *factor;
	uint8_t *data;
	size_t *at;
	unsigned int aggregates;
	double *base; /* ns per packet, one a round */
	unsigned int rounds;
};

struct scale {
	struct world world;
	struct datapath_port ports[PDNS];
	int base, base_ifindex; /* TUN that takes all */
};

/* ---- rings ---- */

/* PDNs take turns, and the flows of each; a flow's sequence numbers go on through the ring. */
static size_t make_packet(uint8_t *p, const struct factor *f, unsigned int number)
{
	const struct mix mix = {.len = f->len};
	unsigned int payload = mix_packet_len(&mix, number) - TCP_HEADERS;
	unsigned int turn = number / f->pdns;
	const struct packet_spec spec = {.flow = turn % f->flows,
					 .ttl = 64,
					 .frag = 0x4000,
					 .flags = 0x10,
					 .window = 1000,
					 .seq = turn / f->flows * payload,
					 .payload = payload};

	return packet_make(p, &spec);
}

static int fill_ring(struct ring *r, struct aggregate *a)
{
	const struct factor *f = r->factor;
	uint8_t packet[PACKET_MAX], *grown;

	for (unsigned int i = 0; i < r->aggregates; i++) {
		*a = (struct aggregate){.version = QMAP_V5, .csum_ok = true, .max = AGGREGATE_MAX};
		for (unsigned int k = i * f->frames; k < (i + 1) * f->frames; k++)
			if (!aggregate_add(a, WORLD_MUX + k % f->pdns, packet,
					   make_packet(packet, f, k), 0))
				return -E2BIG;
		r->at[i + 1] = r->at[i] + a->len;
		grown = realloc(r->data, r->at[i + 1]);
		if (!grown)
			return -ENOMEM;
		r->data = grown;
		memcpy(r->data + r->at[i], a->data, a->len);
	}
	return 0;
}

static void free_ring(void *data)
{
	struct ring *r = data;

	free(r->data);
	free(r->at);
	free(r->base);
	free(r);
}

static struct ring *make_ring(const struct factor *f, unsigned int rounds)
{
	struct aggregate *scratch = malloc(sizeof(*scratch));
	struct ring *r = calloc(1, sizeof(*r));
	int ret = -ENOMEM;

	if (r && scratch) {
		r->factor = f;
		r->aggregates = FRAMES / f->frames;
		r->at = calloc(r->aggregates + 1, sizeof(*r->at));
		r->base = calloc(rounds, sizeof(*r->base));
		ret = r->at && r->base ? fill_ring(r, scratch) : -ENOMEM;
	}
	free(scratch);
	if (ret && r) {
		free_ring(r);
		r = NULL;
	}
	return r;
}

/* ---- a sample ---- */

static uint64_t received(const struct scale *s, const struct factor *f)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < f->pdns; i++)
		sum += world_received(&s->world, s->ports[i].ifindex);
	return sum;
}

static int send_ring(const struct scale *s, const struct ring *r, int ifindex, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++) {
		unsigned int k = i % r->aggregates;

		ret = world_send_to(&s->world, ifindex, r->data + r->at[k],
				    r->at[k + 1] - r->at[k]);
	}
	return ret;
}

/* The receive path runs in the call that sends; what is left to others is only waited for. */
static uint64_t wait_for_all(const struct scale *s, const struct factor *f, uint64_t before,
			     uint64_t sent)
{
	uint64_t end = clock_ns() + DEADLINE, got;

	do
		got = received(s, f) - before;
	while (got < sent && clock_ns() < end);
	return got;
}

static int sample(struct variant *v, double *ns)
{
	struct scale *s = v->env;
	struct ring *r = v->data;
	uint64_t sent = (uint64_t)v->repeat * r->factor->frames, before = received(s, r->factor);
	uint64_t start = clock_running_ns(), between, end;
	int ret = send_ring(s, r, s->base_ifindex, v->repeat);

	between = clock_running_ns();
	ret = ret ?: send_ring(s, r, s->world.injector_ifindex, v->repeat);
	end = clock_running_ns();
	if (ret)
		return ret;
	v->result.sent += sent;
	v->result.lost += sent - wait_for_all(s, r->factor, before, sent);
	r->base[r->rounds++] = (double)(between - start) / sent;
	*ns = (double)(end - between) / sent - (double)(between - start) / sent;
	return 0;
}

/* ---- putting it together ---- */

static int add_factor(struct sampling *sampling, struct scale *s, const struct factor *f,
		      const struct recorder *rec)
{
	struct ring *r = make_ring(f, rec->rounds);
	struct variant v = {
		.result = {.unit = "ns/packet",
			   .method = METHOD_CPU_TIME,
			   .how = "TCP in aggregates by AF_PACKET and tc, dropped at tc on the "
				  "ports; generator subtracted",
			   .path = "xdp"},
		.sample = sample,
		.env = s,
		.data = r,
		.free_data = free_ring,
		.repeat = PACKETS * rec->scale / f->frames + 1,
	};

	if (!r)
		return -ENOMEM;
	v.result.base = r->base;
	if (!f->x)
		return sampling_add(sampling, &v, "scale.xdp.%s", f->name) ? 0 : -ENOMEM;
	v.result.factor = f->name;
	v.result.x = f->x;
	return sampling_add(sampling, &v, "scale.xdp.%s-%u", f->name, f->x) ? 0 : -ENOMEM;
}

/*
 * What is sent out of it ends there: the generator's cost, without any data path. Taken, not
 * dropped, because AF_PACKET is told of a drop.
 */
static int open_base(struct scale *s)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1,
			    .prog_fd = world_load_verdict("take_all", TC_ACT_STOLEN));
	int ret;

	s->base = tun_open("base", false);
	if (opts.prog_fd < 0 || s->base < 0)
		return opts.prog_fd < 0 ? opts.prog_fd : s->base;
	tun_quiet("base");
	s->base_ifindex = tun_configure("base", 65535, true);
	if (s->base_ifindex < 0)
		return s->base_ifindex;
	hook.ifindex = s->base_ifindex;
	ret = bpf_tc_hook_create(&hook) ?: bpf_tc_attach(&hook, &opts);
	close(opts.prog_fd);
	return ret;
}

static int run(const struct recorder *r)
{
	struct scale s = {.base = -1};
	struct sampling sampling = {0};
	struct error err = {0};
	int ret = world_new(&s.world, QMAP_V5, &err);

	if (!ret) {
		ret = open_base(&s) ?: world_add_pdns(&s.world, s.ports, PDNS, &err);
		for (unsigned int i = 0; i < ARRAY_SIZE(factors) && !ret; i++)
			ret = add_factor(&sampling, &s, &factors[i], r);
		ret = ret ?: sampling_run(&sampling, r);
		sampling_free(&sampling);
		if (s.base >= 0)
			close(s.base);
		world_free(&s.world);
	}
	if (ret)
		fprintf(stderr, "scale: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_scale = {
	.name = "scale",
	.what = "ns per packet of the xdp data path over PDNs, flows, sizes of aggregates and "
		"packets",
	.run = run,
};
