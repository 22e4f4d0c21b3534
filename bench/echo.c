// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread sends, one counts. Returned packets are read from a packet socket, before IP: a modem
 * that loops packets unchanged sends us our own source address, which IP refuses.
 */
#include "echo.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/modem/pattern.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define BATCH	  32
#define MAX_SIZE  9216
#define SNAP	  64	     /* bytes read of a packet that is only counted */
#define SINK_ROOM (64 << 20) /* buffer of each socket: the sockets must not lose packets */
#define STALL_MS  200	     /* slower than any aggregation timer or radio frame */

struct echo {
	const struct echo_options *o;
	struct echo_counts n;
	int senders[ECHO_PORTS], sinks[ECHO_PORTS];
	pthread_mutex_t lock;
	pthread_cond_t news; /* packets have arrived, or the test has ended */
	uint64_t expected;   /* packets to come back so far */
	uint64_t settled;    /* packets arrived or given up */
	bool sending, over;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned int headers(const struct echo_port *p)
{
	return p->to.sa.sa_family == AF_INET ? 28 : 48;
}

/* --- sockets --- */

static int sender_open(const struct echo_port *p)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &none};
	struct timeval wait = {.tv_usec = STALL_MS * 1000};
	struct echo_port from = {.to.sa.sa_family = p->to.sa.sa_family};
	socklen_t len = p->to.sa.sa_family == AF_INET ? sizeof(p->to.v4) : sizeof(p->to.v6);
	int fd = socket(p->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	if (len == sizeof(p->to.v4))
		from.to.v4.sin_port = htons(ECHO_PORT);
	else
		from.to.v6.sin6_port = htons(ECHO_PORT);
	/*
	 * If the modem swaps the addresses, packets arrive at this socket: no ICMP error is
	 * sent.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, p->name, strlen(p->name)) ||
	    bind(fd, &from.to.sa, len) || connect(fd, &p->to.sa, len)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

/* UDP to ECHO_PORT, in IP packets without options or extension headers; at most @snap bytes. */
static int set_filter(int fd, bool v4, unsigned int snap)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, v4 ? 9 : 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, v4 ? 22 : 42),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ECHO_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, snap),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {.len = ARRAY_SIZE(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ? -errno : 0;
}

static int sink_open(const struct echo_port *p, bool check)
{
	bool v4 = p->to.sa.sa_family == AF_INET;
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(v4 ? ETH_P_IP : ETH_P_IPV6),
				 .sll_ifindex = if_nametoindex(p->name)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), ret;
	int room = SINK_ROOM;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	ret = set_filter(fd, v4, check ? MAX_SIZE : SNAP);
	if (!ret && bind(fd, (struct sockaddr *)&at, sizeof(at)))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static void close_all(struct echo *e)
{
	for (unsigned int i = 0; i < e->o->nports; i++) {
		if (e->senders[i] >= 0)
			close(e->senders[i]);
		if (e->sinks[i] >= 0)
			close(e->sinks[i]);
	}
}

static int open_all(struct echo *e)
{
	memset(e->senders, -1, sizeof(e->senders));
	memset(e->sinks, -1, sizeof(e->sinks));
	for (unsigned int i = 0; i < e->o->nports; i++) {
		const struct echo_port *p = &e->o->ports[i];
		int ret;

		e->sinks[i] = ret = sink_open(p, e->o->check);
		if (ret >= 0)
			e->senders[i] = ret = sender_open(p);
		if (ret < 0) {
			fprintf(stderr, "%s: no socket: %s\n", p->name, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

/* --- the sink --- */

static bool is_good(const struct echo *e, unsigned int port, const uint8_t *packet, size_t len)
{
	unsigned int n = headers(&e->o->ports[port]);
	struct pattern p;

	return !e->o->check || (len == e->o->size && pattern_check(packet + n, len - n, &p));
}

static void settle(struct echo *e, uint64_t good, uint64_t bad)
{
	pthread_mutex_lock(&e->lock);
	e->n.arrived += good;
	e->n.bad += bad;
	e->settled += good + bad;
	pthread_cond_signal(&e->news);
	pthread_mutex_unlock(&e->lock);
}

static bool take_batch(struct echo *e, unsigned int port)
{
	static uint8_t buf[BATCH][MAX_SIZE];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH] = {0};
	uint64_t bad = 0;
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){buf[i], MAX_SIZE};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(e->sinks[port], m, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		bad += !is_good(e, port, buf[i], m[i].msg_len);
	if (n > 0)
		settle(e, n - bad, bad);
	return n == BATCH;
}

/* Counts missing packets as lost and opens the window again. True when the test is over. */
static bool give_up(struct echo *e)
{
	bool over;

	pthread_mutex_lock(&e->lock);
	over = !e->sending;
	if (!over && e->settled < e->expected) {
		e->n.stalls++;
		e->settled = e->expected;
		pthread_cond_signal(&e->news);
	}
	pthread_mutex_unlock(&e->lock);
	return over;
}

static bool all_came(struct echo *e)
{
	bool all;

	pthread_mutex_lock(&e->lock);
	all = !e->sending && e->settled >= e->expected;
	pthread_mutex_unlock(&e->lock);
	return all;
}

static void count_unread(struct echo *e)
{
	for (unsigned int i = 0; i < e->o->nports; i++) {
		struct tpacket_stats s = {0};
		socklen_t len = sizeof(s);

		if (!getsockopt(e->sinks[i], SOL_PACKET, PACKET_STATISTICS, &s, &len))
			e->n.unread += s.tp_drops;
	}
}

static void *sink(void *arg)
{
	struct echo *e = arg;
	struct pollfd fds[ECHO_PORTS];

	for (unsigned int i = 0; i < e->o->nports; i++)
		fds[i] = (struct pollfd){.fd = e->sinks[i], .events = POLLIN};
	while (!all_came(e)) {
		int n = poll(fds, e->o->nports, STALL_MS);

		if (!n && give_up(e))
			break;
		for (unsigned int i = 0; i < e->o->nports && n > 0; i++)
			while (fds[i].revents && take_batch(e, i))
				;
	}
	count_unread(e);
	return NULL;
}

/* --- the generator --- */

/* Waits for room in the window and returns the number of packets that fit. */
static unsigned int room(struct echo *e, double end)
{
	unsigned int n = 0;

	pthread_mutex_lock(&e->lock);
	while (!*e->o->stop && now() < end) {
		uint64_t out = e->expected > e->settled ? e->expected - e->settled : 0;
		struct timespec until;

		if (out + e->o->factor <= e->o->window) {
			n = (e->o->window - out) / e->o->factor;
			break;
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&e->news, &e->lock, &until);
	}
	pthread_mutex_unlock(&e->lock);
	return n < BATCH ? n : BATCH;
}

static int send_batch(struct echo *e, unsigned int port, unsigned int n)
{
	unsigned int size = e->o->size - headers(&e->o->ports[port]);
	static uint8_t buf[BATCH][MAX_SIZE];
	static uint64_t sequence;
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH] = {0};
	int sent;

	for (unsigned int i = 0; i < n; i++) {
		struct pattern p = {.stream = port, .sequence = sequence + i};

		if (e->o->check || !sequence)
			pattern_fill(buf[i], size, &p);
		iov[i] = (struct iovec){buf[i], size};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	/* Count before sending: packets may be back before sendmmsg() is. */
	pthread_mutex_lock(&e->lock);
	e->expected += (uint64_t)n * e->o->factor;
	pthread_mutex_unlock(&e->lock);
	sent = sendmmsg(e->senders[port], m, n, 0);
	if (sent < 0)
		sent = errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
	pthread_mutex_lock(&e->lock);
	e->expected -= (uint64_t)(n - (sent < 0 ? 0 : sent)) * e->o->factor;
	pthread_mutex_unlock(&e->lock);
	if (sent > 0) {
		sequence += sent;
		e->n.sent += sent;
	}
	return sent;
}

static int generate(struct echo *e)
{
	double start = now(), end = start + e->o->seconds;
	unsigned int port = 0, n;
	int ret = 0;

	while (ret >= 0 && (n = room(e, end))) {
		ret = send_batch(e, port, n);
		port = (port + 1) % e->o->nports;
	}
	e->n.seconds = now() - start;
	pthread_mutex_lock(&e->lock);
	e->sending = false;
	pthread_mutex_unlock(&e->lock);
	if (ret < 0)
		fprintf(stderr, "%s: cannot send: %s\n", e->o->ports[port].name, strerror(-ret));
	return ret < 0 ? ret : 0;
}

static int run(struct echo *e)
{
	pthread_t thread;
	int ret;

	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->news, NULL);
	e->sending = true;
	ret = -pthread_create(&thread, NULL, sink, e);
	if (!ret) {
		ret = generate(e);
		pthread_join(thread, NULL);
	}
	pthread_cond_destroy(&e->news);
	pthread_mutex_destroy(&e->lock);
	return ret;
}

int echo_run(const struct echo_options *o, struct echo_counts *out)
{
	struct echo e = {.o = o};
	int ret = open_all(&e);

	if (!ret)
		ret = run(&e);
	close_all(&e);
	*out = e.n;
	return ret;
}
