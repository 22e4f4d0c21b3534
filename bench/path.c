// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cost of a packet from the modem's write to a UDP socket, generator included, on one CPU: in
 * aggregates through the data path, and each written alone to a TUN, in turn in the same run.
 *
 * An aggregate arrives linear, as from usbnet (sent through AF_PACKET and tc), or in pages (written
 * to the TUN), which generic XDP must first copy into one piece.
 *
 * The packets end in tc on the device that they come out of ("tc": the cost of getting there, the
 * strictest comparison), in a socket whose filter refuses them all ("drop"), or are received
 * ("recv").
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "qmap/wire.h"
#include "world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PACKET	 1400
#define FRAME	 (sizeof(struct qmap_hdr) + PACKET)
#define MOST	 22	      /* frames of the largest aggregate */
#define PACKETS	 (500 * MOST) /* per sample, at scale 1 */
#define TARGET	 2.0
#define DEADLINE 1000 /* ms for the last packets to arrive */

struct sender {
	const char *name, *how;
	int (*send)(const struct world *w, const void *aggregate, size_t size);
	unsigned int frames; /* of an aggregate; 0: no aggregates */
	double target;	     /* times the cost of plain */
};

#define EVERYWHERE ", 1400 B UDP, one CPU, generator included"

enum {
	PLAIN,
	SENDERS = 6
};

static const struct sender senders[SENDERS] = {
	[PLAIN] = {"plain", "one write() each to a TUN" EVERYWHERE, NULL, 0, 0},
	{"linear", "16 KB aggregates by AF_PACKET and tc" EVERYWHERE, world_send_linear, 11,
	 TARGET},
	{"paged", "16 KB aggregates written to the trunk's TUN" EVERYWHERE, world_send_paged, 11,
	 TARGET},
	{"linear-4k", "4 KB aggregates by AF_PACKET and tc" EVERYWHERE, world_send_linear, 2, 0},
	{"linear-8k", "8 KB aggregates by AF_PACKET and tc" EVERYWHERE, world_send_linear, 5, 0},
	{"linear-31k", "31 KB aggregates by AF_PACKET and tc" EVERYWHERE, world_send_linear, MOST,
	 0},
};

enum sink {
	TC,
	DROP,
	RECV,
	SINKS
};

static const char *const sink_names[SINKS] = {"tc", "drop", "recv"};

struct bench_path {
	struct world world;
	int port_socket, plain_socket;
	uint8_t packet[PACKET];		 /* for the plain TUN */
	uint8_t aggregate[MOST * FRAME]; /* for the trunk, v1 */
	double *samples[SINKS][SENDERS]; /* ns per packet */
	unsigned long long sent[SINKS][SENDERS], lost[SINKS][SENDERS];
	unsigned int packets; /* per sample */
};

static void make_aggregate(uint8_t *p)
{
	const struct qmap_hdr hdr = {.mux_id = WORLD_MUX, .len = htons(PACKET)};

	for (unsigned int i = 0; i < MOST; i++, p += sizeof(hdr) + PACKET) {
		memcpy(p, &hdr, sizeof(hdr));
		world_packet(p + sizeof(hdr), PACKET, WORLD_PORT_ADDR);
	}
}

static int set_filter(int fd, bool on)
{
	struct sock_filter refuse = {.code = BPF_RET | BPF_K, .k = 0};
	struct sock_fprog prog = {.len = 1, .filter = &refuse};
	int unused = 0; /* unused, but the kernel requires it */
	int ret = on ? setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
		     : setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));

	return ret ? -errno : 0;
}

/* Reads pending packets, 32 per call. */
static unsigned int receive(int fd)
{
	static uint8_t data[32][PACKET];
	static struct mmsghdr msgs[32];
	static struct iovec iov[32];
	unsigned int all = 0;
	int n;

	for (unsigned int i = 0; i < 32; i++) {
		iov[i] = (struct iovec){data[i], PACKET};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while ((n = recvmmsg(fd, msgs, 32, MSG_DONTWAIT, NULL)) > 0)
		all += n;
	return all;
}

/* Sends one aggregate, or one packet. */
static int send_one(const struct bench_path *b, const struct sender *sender)
{
	if (sender->send)
		return sender->send(&b->world, b->aggregate, sender->frames * FRAME);
	return write(b->world.plain, b->packet, PACKET) == PACKET ? 0 : -errno;
}

/* The device or socket at which a sender's packets come out. */
struct outlet {
	unsigned int ifindex;
	int socket;
	enum sink sink;
	uint64_t base; /* packets that came out before */
};

static struct outlet outlet_of(const struct bench_path *b, unsigned int sender, enum sink sink)
{
	struct outlet o = {
		.ifindex = b->world.port.ifindex, .socket = b->port_socket, .sink = sink};

	if (sender == PLAIN) {
		o.ifindex = b->world.plain_ifindex;
		o.socket = b->plain_socket;
	}
	o.base = world_received(&b->world, o.ifindex);
	return o;
}

static int set_sink(const struct bench_path *b, const struct outlet *o, bool on)
{
	if (o->sink == TC)
		return world_drop_all(&b->world, o->ifindex, on);
	return o->sink == DROP ? set_filter(o->socket, on) : 0;
}

/* Waits until all packets have arrived, in the socket or at the device. Returns their number. */
static uint64_t wait_for_all(const struct bench_path *b, const struct outlet *o, uint64_t got,
			     uint64_t sent)
{
	uint64_t end = clock_ns() + DEADLINE * 1000000ull;

	while (got < sent && clock_ns() < end) {
		struct pollfd p = {.fd = o->socket, .events = POLLIN};

		if (o->sink == RECV) {
			poll(&p, 1, 1);
			got += receive(o->socket);
		} else {
			got = world_received(&b->world, o->ifindex) - o->base;
		}
	}
	return got;
}

static int sample(struct bench_path *b, enum sink sink, unsigned int sender, double *ns)
{
	unsigned int step = senders[sender].frames ?: 1, sent = 0;
	struct outlet o = outlet_of(b, sender, sink);
	int ret = set_sink(b, &o, true);
	uint64_t start = clock_running_ns(), got = 0;

	if (ret)
		return ret;
	for (; sent < b->packets && !ret; sent += step) {
		ret = send_one(b, &senders[sender]);
		if (sink == RECV && sent % 32 < step)
			got += receive(o.socket);
	}
	if (!ret) {
		b->sent[sink][sender] += sent;
		b->lost[sink][sender] += sent - wait_for_all(b, &o, got, sent);
		*ns = (double)(clock_running_ns() - start) / sent;
	}
	return ret ?: set_sink(b, &o, false);
}

static void report_costs(const struct recorder *r, struct bench_path *b, enum sink sink)
{
	for (unsigned int s = PLAIN; s < SENDERS; s++) {
		struct result res = {
			.unit = "ns/packet",
			.method = METHOD_CPU_TIME,
			.how = senders[s].how,
			.sent = b->sent[sink][s],
			.n = r->rounds,
			.lost = b->lost[sink][s],
			.samples = b->samples[sink][s],
		};
		char name[64];

		snprintf(name, sizeof(name), "path.%s.%s", senders[s].name, sink_names[sink]);
		res.name = name;
		record_add(r, &res);
	}
}

/* Compares round by round, so that a disturbance of a round affects both values. */
static void report_ratio(const struct recorder *r, const struct bench_path *b, enum sink sink,
			 unsigned int s)
{
	double ratios[r->rounds];
	char name[64];
	struct result res = {
		.name = name,
		.unit = "x plain",
		.method = METHOD_CPU_TIME,
		.how = senders[s].how,
		.sent = b->sent[sink][s] + b->sent[sink][PLAIN],
		.target = senders[s].target,
		.n = r->rounds,
		.lost = b->lost[sink][s] + b->lost[sink][PLAIN],
		.samples = ratios,
	};

	for (unsigned int i = 0; i < r->rounds; i++)
		ratios[i] = b->samples[sink][s][i] / b->samples[sink][PLAIN][i];
	snprintf(name, sizeof(name), "path.ratio.%s.%s", senders[s].name, sink_names[sink]);
	record_add(r, &res);
}

static int measure(const struct recorder *r, struct bench_path *b)
{
	for (unsigned int round = 0; round < r->rounds; round++) {
		for (unsigned int i = 0; i < SINKS * SENDERS; i++) {
			enum sink sink = i / SENDERS;
			unsigned int sender = i % SENDERS;
			int ret = sample(b, sink, sender, &b->samples[sink][sender][round]);

			if (ret)
				return ret;
		}
	}
	for (enum sink sink = 0; sink < SINKS; sink++) {
		/* before the samples are sorted */
		for (unsigned int s = PLAIN + 1; s < SENDERS; s++)
			report_ratio(r, b, sink, s);
		report_costs(r, b, sink);
	}
	return 0;
}

static int prepare(const struct recorder *r, struct bench_path *b)
{
	b->packets = PACKETS * r->scale;
	world_packet(b->packet, PACKET, WORLD_PLAIN_ADDR);
	make_aggregate(b->aggregate);
	for (unsigned int i = 0; i < SINKS * SENDERS; i++) {
		b->samples[i / SENDERS][i % SENDERS] = calloc(r->rounds, sizeof(double));
		if (!b->samples[i / SENDERS][i % SENDERS])
			return -ENOMEM;
	}
	b->port_socket = world_socket(WORLD_PORT_ADDR);
	b->plain_socket = world_socket(WORLD_PLAIN_ADDR);
	return b->port_socket < 0 ? b->port_socket : b->plain_socket < 0 ? b->plain_socket : 0;
}

static int run(const struct recorder *r)
{
	struct bench_path b = {.port_socket = -1, .plain_socket = -1};
	struct error err = {0};
	int ret = world_new(&b.world, QMAP_V1, &err);

	if (!ret) {
		ret = prepare(r, &b) ?: measure(r, &b);
		world_free(&b.world);
	}
	for (unsigned int i = 0; i < SINKS * SENDERS; i++)
		free(b.samples[i / SENDERS][i % SENDERS]);
	if (b.port_socket >= 0)
		close(b.port_socket);
	if (b.plain_socket >= 0)
		close(b.plain_socket);
	if (ret)
		fprintf(stderr, "path: %s\n", err.text[0] ? err.text : strerror(-ret));
	return ret;
}

const struct bench bench_path = {
	.name = "path",
	.what = "ns per packet of the xdp data path, against a TUN that is given packets one by "
		"one",
	.run = run,
};
