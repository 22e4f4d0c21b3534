// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams to the modem, from send() to its read(): cost and latency of one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmap/wire.h"
#include "vm_cell.h"
#include "vm_mark.h"

#define SEGMENTS 40 /* of a super-packet */
#define BARE	 "/dev/usb_bare"
#define FLUSHED	 10 /* ms after which an aggregator has sent all its frames */

struct source {
	struct cell cell;
	int *sock; /* used in turn */
	unsigned int socks, next;
	unsigned int size, segments; /* bytes of a datagram's payload; datagrams per send() */
	bool stamped;
	unsigned long long sent, transfers, frames;
	/* base on USB: transfers that hold as many frames as an aggregator's */
	int bare;
	unsigned int due, per_transfer, frame; /* packets that have not left; bytes of one */
	struct seen *seen;
};

static int open_socket(unsigned int port, unsigned int flow, int segment)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000 + flow),
				 .sin_addr.s_addr = htonl(0x0a000002 + (port << 16))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment))))
		DIE("UDP socket");
	return fd;
}

/* Prepares the transfer of the base: frames as the modem reads them. */
static void bare_up(struct source *s)
{
	static uint8_t data[AGGREGATE_MAX];
	unsigned int length = s->cell.c->packet, i;

	s->frame = 8 + (length + 3) / 4 * 4;
	s->per_transfer = (s->cell.c->tx_bytes ?: 16384) / s->frame;
	for (i = 0; i < s->per_transfer; i++) {
		uint8_t *p = data + i * s->frame;

		p[0] = 0x40 | (s->frame - 8 - length);
		p[2] = length >> 8;
		p[3] = length;
		p[4] = 0x04;
		p[8] = 0x45;
	}
	s->bare = open(BARE, O_WRONLY | O_CLOEXEC);
	if (s->bare < 0 || write(s->bare, data, s->per_transfer * s->frame) < 0)
		DIE(BARE);
}

/* The transfers in which @packets more would leave. */
static void bare_send(struct source *s, unsigned int packets)
{
	for (s->due += packets; s->due >= s->per_transfer; s->due -= s->per_transfer)
		if (ioctl(s->bare, 0, (unsigned long)s->per_transfer * s->frame))
			DIE("transfer by " BARE);
}

static void source_up(struct source *s, const struct bench_case *c, enum path path)
{
	const struct rlimit many = {.rlim_cur = 2048, .rlim_max = 2048};
	unsigned int i;

	memset(s, 0, sizeof(*s));
	setrlimit(RLIMIT_NOFILE, &many);
	cell_up(&s->cell, c, path);
	s->size = c->packet - case_headers(c);
	s->segments = c->sink == SINK_SEND_GSO ? SEGMENTS : 1;
	s->bare = -1;
	if (path == BASE && c->usb)
		bare_up(s);
	s->socks = c->flows > c->ports ? c->flows : c->ports;
	s->sock = calloc(s->socks, sizeof(*s->sock));
	for (i = 0; i < s->socks; i++)
		s->sock[i] = open_socket(1 + i % c->ports, i, s->segments > 1 ? s->size : 0);
}

static void source_down(struct source *s)
{
	unsigned int i;

	for (i = 0; i < s->socks; i++)
		close(s->sock[i]);
	free(s->sock);
	if (s->bare >= 0)
		close(s->bare);
	cell_down(&s->cell);
}

static void read_stamp(struct seen *seen, const uint8_t *payload, uint64_t now)
{
	uint64_t then;

	memcpy(&then, payload, sizeof(then));
	if (seen->n < seen->packets)
		seen->latency[seen->n++] = now - then;
}

/* Counts the frames of a transfer. */
static void look_at(struct source *s, const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len, *packet;
	uint64_t now = s->stamped ? cell_time() : 0;

	s->transfers++;
	while ((packet = cell_frame(&at, end))) {
		if (s->stamped)
			read_stamp(s->seen, packet + 28, now);
		s->frames++;
	}
}

static void take(struct source *s, int ms)
{
	static uint8_t buf[AGGREGATE_MAX];
	size_t n;

	while ((n = cell_recv(&s->cell, buf, sizeof(buf), ms)))
		look_at(s, buf, n);
}

static void send_next(struct source *s)
{
	static uint8_t data[65536];
	size_t bytes = s->size * s->segments;
	uint64_t now;
	unsigned int i;

	if (s->stamped) {
		now = cell_time();
		for (i = 0; i < s->segments; i++)
			memcpy(data + i * s->size, &now, sizeof(now));
	}
	if (send(s->sock[s->next++ % s->socks], data, bytes, 0) != (ssize_t)bytes)
		DIE("send");
	s->sent += s->segments;
	if (s->bare >= 0)
		bare_send(s, s->segments);
	take(s, 0);
}

/* The cost without the silence, which the clock counts, too. */
static double cost_of_sparse(struct source *s, const struct effort *e)
{
	unsigned int sends = e->sends / s->segments, i;
	uint64_t spent = 0, start;

	for (i = 0; i < sends; i++) {
		usleep(s->cell.c->pause);
		start = cell_clock();
		send_next(s);
		spent += cell_clock() - start;
	}
	return (double)spent / (sends * s->segments);
}

static double cost(struct source *s, const struct effort *e)
{
	unsigned int sends = e->sends / s->segments, i;
	uint64_t start = 0;

	if (s->cell.c->pause)
		return cost_of_sparse(s, e);
	for (i = 0; i < sends + sends / 4; i++) {
		if (i == sends / 4) {
			VM_MARK(VM_MARK_BEGIN);
			start = cell_clock();
		}
		send_next(s);
	}
	start = cell_clock() - start;
	VM_MARK(VM_MARK_END);
	cell_profiled(sends * s->segments);
	return (double)start / (sends * s->segments);
}

/* Sends datagrams: in an aggregator, one without silence before it waits for the others. */
static void look(struct source *s, const struct effort *e, struct seen *seen)
{
	unsigned int sends = (e->probed * 20 + s->segments - 1) / s->segments, i;
	unsigned long long transfers, frames;

	take(s, FLUSHED);
	transfers = s->transfers;
	frames = s->frames;
	s->stamped = true;
	s->seen = seen;
	seen->packets = sends * s->segments;
	seen->latency = calloc(seen->packets + 1, sizeof(*seen->latency));
	for (i = 0; i < sends; i++) {
		if (s->cell.c->pause)
			usleep(s->cell.c->pause);
		send_next(s);
	}
	take(s, FLUSHED);
	seen->units = s->transfers - transfers;
	seen->packets = s->frames - frames;
}

struct sample vm_uplink(const struct bench_case *c, enum path path, const struct effort *e)
{
	struct source s;
	struct sample found = {};

	source_up(&s, c, path);
	found.cost = cost(&s, e);
	if (e->probed && path != BASE)
		look(&s, e, &found.seen);
	take(&s, FLUSHED);
	found.sent = s.sent;
	found.lost = path == BASE ? 0 : s.sent - s.frames;
	found.drops = cell_drops(&s.cell);
	source_down(&s);
	return found;
}
