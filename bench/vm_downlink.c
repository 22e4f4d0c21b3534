// SPDX-License-Identifier: GPL-2.0-or-later
/* Aggregates from the modem: the cost of a packet and then, without counting, its properties. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/vm/observe.h"
#include "vm_cell.h"
#include "vm_generator.h"
#include "vm_lan.h"
#include "vm_mark.h"
#include "vm_probe.h"

struct stream {
	struct cell cell;
	struct generator g;
	struct lan lan;	    /* of SINK_LAN */
	int listener, sock; /* -1: none */
	unsigned long long before, aggregates, missing;
	unsigned long long
		observed; /* frames that the observer had counted before the first aggregate */
};

#define PATIENCE 20000000 /* time after which missing packets count as lost */

static int listen_on(int family, uint16_t port)
{
	/* the port is in the same place in both families */
	struct sockaddr_in6 at = {.sin6_family = family, .sin6_port = htons(port)};
	socklen_t len = family == AF_INET6 ? sizeof(at) : sizeof(struct sockaddr_in);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), size = 8 << 20, on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, 1))
		DIE("listen");
	return fd;
}

/* Opens a connection to the generator. Returns the acknowledgement number to use. */
static uint32_t handshake(struct stream *st, uint32_t seq)
{
	const struct bench_case *c = st->cell.c;
	struct packet_spec s = {.v6 = c->v6,
				.flow = 1,
				.sport = generator_sport(1),
				.ttl = 64,
				.flags = 0x02,
				.window = 0xffff,
				.seq = seq,
				.options = "\x02\x04\x05\x50",
				.options_len = 4};
	const struct linger at_once = {.l_onoff = 1};
	uint8_t buf[4096], *tcp;
	size_t len;

	st->listener = listen_on(c->v6 ? AF_INET6 : AF_INET, 80);
	cell_send(&st->cell, &s);
	len = cell_recv(&st->cell, buf, sizeof(buf), 1000);
	/* A checksum header does not begin with an IP version. */
	tcp = buf + 4 + (buf[4] >> 4 ? 0 : 4) + case_ip_header(c);
	if (len < 8 + case_headers(c) || tcp[13] != 0x12)
		DIE("%s: no SYN-ACK but %zu bytes", path_names[st->cell.path], len);
	s.ack = (tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7]) + 1;
	s.seq++;
	s.flags = 0x10;
	s.options_len = 0;
	cell_send(&st->cell, &s);
	st->sock = accept4(st->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (st->sock < 0)
		DIE("accept");
	/* Closing must leave no state that would answer the next cell's SYN. */
	setsockopt(st->sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	/* Drop its acknowledgements, which are not part of the receive path. */
	if (world_tc_egress(&st->cell.w, st->cell.port[1], "drop"))
		DIE("tc egress");
	return s.ack;
}

/* Waits for the packets sent, so that they do not pile up. Discards without copying. */
static void read_socket(const struct stream *st)
{
	struct pollfd pfd = {.fd = st->sock, .events = POLLIN};
	size_t want = st->g.c->frames * (st->g.c->packet - case_headers(st->g.c));
	ssize_t n;

	while (want) {
		n = recv(st->sock, NULL, want, MSG_TRUNC | MSG_DONTWAIT);
		/* A softirq may have been left to its thread. */
		if (n < 0 && errno == EAGAIN && poll(&pfd, 1, 1000) == 1)
			continue;
		if (n <= 0)
			DIE("socket is short of %zu bytes", want);
		want -= n;
	}
}

/*
 * Waits until the packets sent have come out of the ports, or no more come: packets still on their
 * way, as in a backlog left to ksoftirqd, would cost nothing. A redirected packet never reaches a
 * port.
 */
static void drain(struct stream *st)
{
	unsigned long long want = st->before + st->aggregates * st->g.c->frames - st->missing, got,
			   last = 0;
	uint64_t since = cell_clock();

	if (st->cell.path == BASE || st->g.c->sink == SINK_VETH)
		return;
	while ((got = cell_received(&st->cell)) < want) {
		if (got != last)
			since = cell_clock();
		else if (cell_clock() - since > PATIENCE)
			break;
		last = got;
		sched_yield();
	}
	st->missing += want - got;
}

/*
 * Number of packets not forwarded, whether or not a port has received them. Waits for those on
 * their way.
 */
static unsigned long long not_forwarded(const struct stream *st)
{
	unsigned long long each = generator_payload(&st->g), want = st->aggregates * each, got;
	uint64_t since = cell_clock();

	while ((got = cell_forwarded(&st->cell)) < want && cell_clock() - since < PATIENCE)
		sched_yield();
	if (got > want)
		DIE("%llu forwarded, but %llu sent", got, want);
	return ((want - got) * st->g.c->frames + each - 1) / each;
}

static unsigned long long lost(const struct stream *st)
{
	unsigned long long forwarded;

	if (st->cell.path == BASE || (st->g.c->sink != SINK_FORWARD && st->g.c->sink != SINK_LAN))
		return st->missing;
	forwarded = not_forwarded(st);
	return forwarded > st->missing ? forwarded : st->missing;
}

/* Whatever the kernel's driver did with them. */
static void observer_has_all(const struct stream *st)
{
	unsigned long long sent = st->aggregates * st->g.c->frames, seen;

	if (!st->cell.observe)
		return;
	seen = observer_frames(st->cell.observe) - st->observed;
	if (seen != sent)
		DIE("the observer has counted %llu of %llu frames", seen, sent);
}

static void send_next(struct stream *st)
{
	if (world_send(&st->cell.w, st->g.a.data, st->g.a.len))
		DIE("send");
	st->aggregates++;
	if (st->sock >= 0)
		read_socket(st);
	if (st->g.c->sink == SINK_LAN)
		lan_answer(&st->lan);
}

static void stream_up(struct stream *st, const struct bench_case *c, enum path path)
{
	uint32_t ack = 1;

	memset(st, 0, sizeof(*st));
	st->listener = st->sock = -1;
	cell_up(&st->cell, c, path);
	if (c->sink == SINK_SOCKET && path != BASE)
		ack = handshake(st, 1000);
	if (c->sink == SINK_LAN)
		lan_open(&st->lan, &st->cell);
	if (path != BASE && (c->sink == SINK_LAN || c->sink == SINK_FORWARD))
		cell_start(&st->cell);
	generator_init(&st->g, c, 1001, ack);
	st->before = cell_received(&st->cell);
	st->observed = st->cell.observe ? observer_frames(st->cell.observe) : 0;
}

static void stream_down(struct stream *st)
{
	if (st->sock >= 0)
		close(st->sock);
	if (st->listener >= 0)
		close(st->listener);
	if (st->g.c->sink == SINK_LAN)
		lan_close(&st->lan);
	cell_down(&st->cell);
}

/*
 * Keeps the thread that polls the TUN from the CPU, or leaves it the CPU until all aggregates that wait have
 * left the router: it and ksoftirqd go before an idle process.
 */
static void hold_polls(bool hold)
{
	const struct sched_param p = {.sched_priority = hold};

	if (sched_setscheduler(0, hold ? SCHED_FIFO : SCHED_IDLE, &p))
		DIE("scheduler");
}

static void send_burst(struct stream *st)
{
	unsigned int burst = st->g.c->burst;

	if (burst)
		hold_polls(true);
	for (unsigned int i = 0; i < (burst ?: 1); i++) {
		generator_next(&st->g);
		send_next(st);
	}
	if (burst)
		hold_polls(false);
}

static double cost(struct stream *st, const struct effort *e)
{
	unsigned int burst = st->g.c->burst ?: 1, frames = burst * st->g.c->frames,
		     enough = (e->packets + frames - 1) / frames,
		     measured = e->measured > enough ? e->measured : enough,
		     packets = measured * (frames + burst * st->g.c->host_packets), i;
	uint64_t start = 0;

	for (i = 0; i < e->warm + measured; i++) {
		if (i == e->warm) {
			drain(st);
			VM_MARK(VM_MARK_BEGIN);
			start = cell_clock();
		}
		send_burst(st);
	}
	drain(st);
	start = cell_clock() - start;
	VM_MARK(VM_MARK_END);
	cell_profiled(packets);
	return (double)start / packets;
}

/* Each aggregate meets an idle path, so its latency includes no other aggregate. */
static void look(struct stream *st, const struct effort *e, struct seen *seen)
{
	unsigned int i;

	world_configure(&st->cell.w);
	probe_start(st->cell.port + 1, st->cell.ports, st->cell.xdp ? ETHER_HDR_LEN : 0,
		    case_stamp(st->g.c));
	world_run(&st->cell.w);
	for (i = 0; i < e->probed; i++) {
		generator_next(&st->g);
		generator_stamp(&st->g, cell_time());
		send_next(st);
		drain(st);
	}
	probe_stop(seen);
}

struct sample vm_downlink(const struct bench_case *c, enum path path, const struct effort *e)
{
	static struct stream st;
	struct sample s = {};

	stream_up(&st, c, path);
	s.cost = cost(&st, e);
	if (e->probed && path != BASE && c->sink != SINK_VETH)
		look(&st, e, &s.seen);
	s.lost = lost(&st) + (c->sink == SINK_LAN ? lan_lost(&st.lan) : 0);
	s.sent = st.aggregates * c->frames + st.lan.sent;
	s.drops = cell_drops(&st.cell);
	observer_has_all(&st);
	stream_down(&st);
	return s;
}
