// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory: what a packet takes of a socket's receive buffer that nobody reads (truesize, by which
 * the kernel limits queues: a path that charges more for a packet fills them earlier), through the
 * xdp data path and through a plain TUN; and what maps and programs take, whatever the traffic.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "mix.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "world.h"
#include "xdp_programs.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Few enough for half of the socket's buffer: from there on UDP makes packets smaller
 * (net/ipv4/udp.c, skb_condense). */
#define PACKETS	     1000
#define AGGREGATE    16384
#define MAPS	     256
#define FRAME_HEADER (sizeof(struct qmap_hdr) + sizeof(struct qmap_v5_hdr))

enum path {
	PLAIN,
	LINEAR,
	PAGED,
	PATHS
};

static const char *const path_names[PATHS] = {"plain", "xdp-linear", "xdp-paged"};
static const unsigned int sizes[] = {40, 576, 1400};

struct memory {
	struct world world;
	int programs[XDP_PROGS];
	int sockets[PATHS]; /* both of the data path's are the same */
	unsigned int ids[MAPS], nids;
};

/* ---- packets in a socket ---- */

static int send_plain(const struct memory *m, unsigned int len, unsigned int n)
{
	uint8_t packet[PACKET_MAX];

	world_packet(packet, len, WORLD_PLAIN_ADDR);
	for (unsigned int i = 0; i < n; i++)
		if (write(m->world.plain, packet, len) != (ssize_t)len)
			return -errno;
	return 0;
}

/* As many frames as fit 16 KB. Returns how many packets are on the way, or a negative errno. */
static int send_aggregates(const struct memory *m, enum path path, unsigned int len, unsigned int n)
{
	struct aggregate *a = calloc(1, sizeof(*a));
	uint8_t packet[PACKET_MAX];
	unsigned int frames = 0, sent = 0;
	int ret = 0;

	if (!a)
		return -ENOMEM;
	*a = (struct aggregate){.version = QMAP_V5, .max = AGGREGATE};
	world_packet(packet, len, WORLD_PORT_ADDR);
	while (frames < QMAP_MAX_FRAMES && aggregate_add(a, WORLD_MUX, packet, len, 0))
		frames++;
	for (; sent < n && !ret; sent += frames)
		ret = path == LINEAR ? world_send_linear(&m->world, a->data, a->len)
				     : world_send_paged(&m->world, a->data, a->len);
	free(a);
	return ret ?: (int)sent;
}

static int memory_of(int fd, uint32_t *bytes)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size))
		return -errno;
	*bytes = info[SK_MEMINFO_RMEM_ALLOC];
	return 0;
}

static unsigned int drain(int fd)
{
	unsigned int n = 0;
	char byte;

	while (recv(fd, &byte, 1, MSG_TRUNC) >= 0)
		n++;
	return n;
}

/* The packets are there when the call that sends them returns: the receive path runs in it. */
static int sample_truesize(struct variant *v, double *bytes)
{
	struct memory *m = v->env;
	enum path path = v->number % PATHS;
	unsigned int len = sizes[v->number / PATHS], got;
	uint32_t before, after;
	int fd = m->sockets[path], sent = v->repeat, ret;

	ret = memory_of(fd, &before);
	if (ret)
		return ret;
	if (path == PLAIN)
		ret = send_plain(m, len, v->repeat);
	else
		sent = send_aggregates(m, path, len, v->repeat);
	ret = ret ?: sent < 0 ? sent : memory_of(fd, &after);
	if (ret)
		return ret;
	got = drain(fd);
	v->result.sent += sent;
	v->result.lost += sent - got;
	if (!got)
		return -ETIMEDOUT;
	*bytes = (double)(after - before) / got;
	return 0;
}

/* ---- maps and programs ---- */

/* What the kernel has charged for a map or program. */
static int memlock_of(int fd, double *bytes)
{
	char path[64], line[128];
	unsigned long long value;
	int ret = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &value) == 1)
			ret = 0;
	fclose(f);
	if (!ret)
		*bytes += value;
	return ret;
}

static int sample_programs(struct variant *v, double *bytes)
{
	const struct memory *m = v->env;
	int ret = 0;

	*bytes = 0;
	for (unsigned int i = 0; i < XDP_PROGS && !ret; i++)
		ret = memlock_of(m->programs[i], bytes);
	return ret;
}

static int add_map(struct memory *m, unsigned int id, double *bytes);

/* The maps in a map of maps; each of copies[] is one. */
static int add_inner(struct memory *m, int fd, unsigned int entries, double *bytes)
{
	int ret = 0;

	for (uint32_t i = 0, id; i < entries && !ret; i++)
		if (!bpf_map_lookup_elem(fd, &i, &id))
			ret = add_map(m, id, bytes);
	return ret;
}

/* Once each: programs share maps. */
static int add_map(struct memory *m, unsigned int id, double *bytes)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd, ret;

	for (unsigned int i = 0; i < m->nids; i++)
		if (m->ids[i] == id)
			return 0;
	if (m->nids == MAPS)
		return -E2BIG;
	m->ids[m->nids++] = id;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	ret = memlock_of(fd, bytes);
	if (!ret && bpf_obj_get_info_by_fd(fd, &info, &size))
		ret = -errno;
	if (!ret && info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		ret = add_inner(m, fd, info.max_entries, bytes);
	close(fd);
	return ret;
}

static int sample_maps(struct variant *v, double *bytes)
{
	struct memory *m = v->env;
	int ret = 0;

	*bytes = 0;
	m->nids = 0;
	for (unsigned int p = 0; p < XDP_PROGS && !ret; p++) {
		uint32_t ids[16], size = sizeof(struct bpf_prog_info);
		struct bpf_prog_info info = {.nr_map_ids = ARRAY_SIZE(ids),
					     .map_ids = (uintptr_t)ids};

		if (bpf_obj_get_info_by_fd(m->programs[p], &info, &size))
			ret = -errno;
		else if (info.nr_map_ids > ARRAY_SIZE(ids))
			ret = -E2BIG;
		for (unsigned int i = 0; i < info.nr_map_ids && !ret; i++)
			ret = add_map(m, ids[i], bytes);
	}
	return ret;
}

/* The pinned map in which the daemon keeps its state, which no program uses. */
static int sample_meta(struct variant *v, double *bytes)
{
	const struct memory *m = v->env;

	*bytes = 0;
	return memlock_of(m->world.pins.meta, bytes);
}

/* ---- putting it together ---- */

static int add_truesizes(struct sampling *s, struct memory *m, double scale)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes) * PATHS; i++) {
		const struct variant v = {
			.result = {.unit = "bytes/packet",
				   .method = METHOD_MEMORY,
				   .how = "SO_MEMINFO of a UDP socket that nobody reads, "
					  "divided by the packets in it; 16 KB aggregates"},
			.sample = sample_truesize,
			.env = m,
			.number = i,
			.repeat = PACKETS * scale,
		};

		if (!sampling_add(s, &v, "memory.truesize.%s.%u", path_names[i % PATHS],
				  sizes[i / PATHS]))
			return -ENOMEM;
	}
	return 0;
}

static int add_fixed(struct sampling *s, struct memory *m)
{
	static const struct {
		const char *name, *how;
		int (*sample)(struct variant *v, double *bytes);
	} fixed[] = {
		{"programs", "memlock of the five programs", sample_programs},
		{"maps", "memlock of the maps that the programs use; grows with CPUs, not PDNs",
		 sample_maps},
		{"meta", "memlock of the pinned map with the daemon's state", sample_meta},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++) {
		const struct variant v = {
			.result = {.unit = "bytes", .method = METHOD_MEMORY, .how = fixed[i].how},
			.sample = fixed[i].sample,
			.env = m,
		};

		if (!sampling_add(s, &v, "memory.xdp.%s", fixed[i].name))
			return -ENOMEM;
	}
	return 0;
}

static int prepare(struct memory *m)
{
	m->sockets[PLAIN] = world_socket(WORLD_PLAIN_ADDR);
	m->sockets[LINEAR] = m->sockets[PAGED] = world_socket(WORLD_PORT_ADDR);
	for (unsigned int i = 0; i < PATHS; i++)
		if (m->sockets[i] < 0)
			return m->sockets[i];
	return xdp_programs_find(&m->world, m->programs);
}

static int run(const struct recorder *r)
{
	struct memory m = {.programs = {0}};
	struct sampling s = {0};
	struct error err = {0};
	int ret = world_new(&m.world, QMAP_V5, &err);

	if (!ret) {
		ret = prepare(&m)
			      ?: add_truesizes(&s, &m, r->scale)
			      ?: add_fixed(&s, &m)
			      ?: sampling_run(&s, r);
		sampling_free(&s);
		xdp_programs_close(m.programs);
		if (m.sockets[PLAIN] >= 0)
			close(m.sockets[PLAIN]);
		if (m.sockets[LINEAR] >= 0)
			close(m.sockets[LINEAR]);
		world_free(&m.world);
	}
	if (ret)
		fprintf(stderr, "memory: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_memory = {
	.name = "memory",
	.what = "truesize of a packet in a socket; bytes of the xdp data path's maps and programs",
	.run = run,
};
