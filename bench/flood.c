// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Throughput of the xdp data path, and of a plain TUN that gets each packet alone: prepared
 * aggregates into the trunk, datagrams out of the port, and a sink on another CPU that accounts for
 * every packet. A window limits the packets between the two, so the test measures the capacity of
 * the path and not how fast a queue overflows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "feed.h"
#include "qmap/wire.h"
#include "sampling.h"
#include "sink.h"
#include "world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PACKETS	    20000 /* of a sample, at scale 1 */
#define UDP_HEADERS 28
#define HEADER	    (sizeof(struct qmap_hdr) + sizeof(struct qmap_v5_hdr))
#define TUN_INFO    4 /* bytes in front of each read from the trunk's TUN */
#define POLL_MS	    10
#define PATIENCE    200 /* polls without a packet after which the missing ones count as lost */

/* Packets on their way: downlink the socket has room for them, uplink the TUN's queue of 500. */
#define WINDOW_DOWN 4096
#define WINDOW_UP   256

enum path {
	PLAIN,
	XDP,
	PATHS
};

static const struct {
	const char *name;
	uint32_t addr;
} paths[PATHS] = {{"plain", WORLD_PLAIN_ADDR}, {"xdp", WORLD_PORT_ADDR}};

static const struct flood_case {
	const char *name, *how;
	bool up;
	unsigned int frames, size;
	enum sink_check check;
} cases[] = {
	{"down.1400.bytes", "11 x 1400 B an aggregate, every byte compared", false, 11, 1400,
	 SINK_BYTES},
	{"down.1400", "11 x 1400 B an aggregate, sequence numbers compared", false, 11, 1400,
	 SINK_NUMBERS},
	{"down.64", "32 x 64 B an aggregate, sequence numbers compared", false, 32, 64,
	 SINK_NUMBERS},
	{"up.1400.bytes", "1400 B, every byte compared", true, 16, 1400, SINK_BYTES},
	{"up.64", "64 B, sequence numbers compared", true, 16, 64, SINK_NUMBERS},
};

struct flood {
	struct world world;
	int sockets[PATHS];
	struct feed *feeds[ARRAY_SIZE(cases)][PATHS];
	struct sink_stream stream;
	/* Results of the last sample: */
	double packets, bits; /* per second */
	uint64_t sent, lost;
};

/* One sample, shared by its two threads. */
struct run {
	struct flood *f;
	const struct flood_case *c;
	enum path path;
	_Atomic uint64_t got; /* good or bad */
	atomic_bool over;     /* the sink has stopped */
};

/* ---- the sink ---- */

static int source_of(const struct run *r)
{
	if (!r->c->up)
		return r->f->sockets[r->path];
	return r->path == XDP ? r->f->world.trunk : r->f->world.plain;
}

/* Bytes in front of each packet read from a TUN: the TUN's and QMAP's. */
static unsigned int prefix(const struct run *r)
{
	return r->path == XDP ? TUN_INFO + HEADER : 0;
}

/* Reads frames from a TUN, one per read. On the trunk a packet may have a pad. */
static unsigned int drain_tun(const struct run *r, int fd)
{
	unsigned int front = prefix(r) + UDP_HEADERS, n = 0;
	uint8_t buf[2048];
	ssize_t len;

	while ((len = read(fd, buf, sizeof(buf))) > 0) {
		const uint8_t *packet = buf + prefix(r);
		size_t size = len < (ssize_t)front ? 0 : packet[2] << 8 | packet[3];

		/* skip packets that the kernel itself sends there */
		if (size < UDP_HEADERS || packet[0] != 0x45 || packet[9] != IPPROTO_UDP)
			continue;
		if (r->path == XDP && buf[TUN_INFO + 1] != WORLD_MUX)
			size = UDP_HEADERS;
		size -= UDP_HEADERS;
		if (front + size > (size_t)len)
			size = 0;
		sink_judge(&r->f->stream, buf + front, size, r->c->check);
		n++;
	}
	return n;
}

static void *sink(void *arg)
{
	struct run *r = arg;
	struct sink_stream *s = &r->f->stream;
	struct pollfd p = {.fd = source_of(r), .events = POLLIN};
	unsigned int quiet = 0;

	/* count empty polls, not time: a machine that stops for a while loses no packet */
	while (s->ok < s->count && !r->over && quiet < PATIENCE) {
		unsigned int n = 0;

		if (poll(&p, 1, POLL_MS) > 0)
			n = r->c->up ? drain_tun(r, p.fd) : sink_drain(s, p.fd, r->c->check);
		quiet = n ? 0 : quiet + 1;
		r->got += n;
	}
	r->over = true;
	return NULL;
}

/* ---- the generator ---- */

/* When the window is full, waits until half of it is free: sleeping costs CPU time, too. */
static bool wait_for_room(const struct run *r, uint64_t sent, unsigned int n)
{
	unsigned int window = r->c->up ? WINDOW_UP : WINDOW_DOWN;
	const struct timespec moment = {.tv_nsec = 50000};

	if (sent + n > r->got + window)
		while (!r->over && sent > r->got + window / 2)
			nanosleep(&moment, NULL);
	return !r->over;
}

static int send_down(const struct run *r, const struct feed *feed, struct aggregate *a)
{
	if (r->path == XDP)
		return world_send_linear(&r->f->world, a->data, a->len);
	for (unsigned int i = 0; i < r->c->frames; i++)
		if (write(r->f->world.plain, feed_packet(feed, a, i), r->c->size) < 0)
			return -errno;
	return 0;
}

static int send_up(const struct run *r, const struct feed *feed, struct aggregate *a)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(paths[r->path].addr + 1),
				 .sin_port = htons(WORLD_UDP_PORT)};
	struct mmsghdr m[r->c->frames];
	struct iovec iov[r->c->frames];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < r->c->frames; i++) {
		iov[i] = (struct iovec){feed_packet(feed, a, i) + UDP_HEADERS,
					r->c->size - UDP_HEADERS};
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &to,
						    .msg_namelen = sizeof(to),
						    .msg_iov = &iov[i],
						    .msg_iovlen = 1}};
	}
	while (sent < r->c->frames) {
		int n = sendmmsg(r->f->sockets[r->path], m + sent, r->c->frames - sent, 0);

		if (n < 0)
			return -errno;
		sent += n;
	}
	return 0;
}

static int generate(struct run *r, struct feed *feed, uint64_t *sent)
{
	unsigned int frames = r->c->frames;
	int ret = 0;

	feed_rewind(feed, r->f->stream.id);
	for (; *sent < r->f->stream.count && !ret && wait_for_room(r, *sent, frames);
	     *sent += frames)
		ret = r->c->up ? send_up(r, feed, feed_next(feed))
			       : send_down(r, feed, feed_next(feed));
	return ret;
}

/*
 * Moves the sink to another CPU than the sender's, if there is one: the path has one CPU, its user
 * another.
 */
static void leave_cpu(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_CONF) && i < CPU_SETSIZE; i++)
		if (i != (long)cpu)
			CPU_SET(i, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static int run_threads(struct run *r, struct feed *feed, uint64_t *sent)
{
	pthread_t thread;
	int ret = -pthread_create(&thread, NULL, sink, r);

	if (ret)
		return ret;
	leave_cpu(thread, sched_getcpu());
	ret = generate(r, feed, sent);
	if (ret)
		r->over = true;
	pthread_join(thread, NULL);
	return ret;
}

/* ---- samples ---- */

/* A packet that differs from the one sent is lost; a duplicate does not count. */
static int measure(struct variant *v, unsigned int number, enum path path)
{
	struct flood *f = v->env;
	const struct flood_case *c = &cases[number];
	struct run r = {.f = f, .c = c, .path = path};
	unsigned int aggregates = v->repeat / c->frames + 1;
	uint64_t sent = 0, start;
	double seconds;
	int ret = sink_start(&f->stream, f->stream.id + 1, (uint64_t)aggregates * c->frames);

	if (ret)
		return ret;
	start = clock_ns();
	ret = run_threads(&r, f->feeds[number][path], &sent);
	seconds = (clock_ns() - start) / 1e9;
	f->packets = f->stream.ok / seconds;
	f->bits = (f->stream.bytes + f->stream.ok * UDP_HEADERS) * 8 / seconds;
	f->sent = sent;
	f->lost = sent - f->stream.ok + f->stream.duplicate;
	return ret;
}

/* Number of a variant: case, path, unit. The first unit measures for both. */
static int sample(struct variant *v, double *value)
{
	struct flood *f = v->env;
	int ret = 0;

	if (v->number % 2 == 0)
		ret = measure(v, v->number / 2 / PATHS, v->number / 2 % PATHS);
	v->result.sent += f->sent;
	v->result.lost += f->lost;
	*value = v->number % 2 ? f->bits / 1e6 : f->packets;
	return ret;
}

static int add_case(struct sampling *s, struct flood *f, unsigned int number, double scale)
{
	static const char *const units[] = {"packets/s", "Mbit/s"};
	const struct flood_case *c = &cases[number];

	for (unsigned int i = 0; i < PATHS * ARRAY_SIZE(units); i++) {
		const struct variant v = {
			.result = {.unit = units[i % 2], .method = METHOD_WALL, .how = c->how},
			.sample = sample,
			.env = f,
			.number = number * PATHS * 2 + i,
			.repeat = PACKETS * scale,
		};

		if (!sampling_add(s, &v, "flood.%s.%s%s", paths[i / 2].name, c->name,
				  i % 2 ? ".bits" : ""))
			return -ENOMEM;
	}
	return 0;
}

static int make_feeds(struct flood *f, unsigned int number)
{
	const struct flood_case *c = &cases[number];
	int ret = 0;

	for (unsigned int p = 0; p < PATHS && !ret; p++) {
		const struct feed_options o = {.version = QMAP_V5,
					       .mux = WORLD_MUX,
					       .saddr = paths[p].addr + 1,
					       .daddr = paths[p].addr,
					       .port = WORLD_UDP_PORT,
					       .frames = c->frames,
					       .size = c->size};

		ret = feed_new(&f->feeds[number][p], &o);
	}
	return ret;
}

static int prepare(struct flood *f, struct sampling *s, double scale)
{
	int ret = 0;

	for (unsigned int p = 0; p < PATHS && !ret; p++) {
		f->sockets[p] = world_socket(paths[p].addr);
		ret = f->sockets[p] < 0 ? f->sockets[p] : 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(cases) && !ret; i++)
		ret = make_feeds(f, i) ?: add_case(s, f, i, scale);
	return ret;
}

static void clean_up(struct flood *f)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cases) * PATHS; i++)
		feed_free(&f->feeds[i / PATHS][i % PATHS]);
	for (unsigned int p = 0; p < PATHS; p++)
		if (f->sockets[p] >= 0)
			close(f->sockets[p]);
	sink_free(&f->stream);
	world_free(&f->world);
}

static int run(const struct recorder *r)
{
	struct flood f = {.sockets = {-1, -1}};
	struct sampling s = {0};
	struct error err = {0};
	int ret = world_new(&f.world, QMAP_V5, &err);

	if (!ret) {
		ret = prepare(&f, &s, r->scale) ?: sampling_run(&s, r);
		sampling_free(&s);
		clean_up(&f);
	}
	if (ret)
		fprintf(stderr, "flood: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_flood = {
	.name = "flood",
	.what = "packets and bits a second through the xdp data path and a plain TUN, all "
		"accounted "
		"for",
	.run = run,
};
