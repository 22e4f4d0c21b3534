// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets between a port and the modem: no more wait below the aggregator than its limits allow,
 * all losses there are counted, and no packet outlives its port.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "netns.h"
#include "proc.h"
#include "qmap/wire.h"
#include "trace.h"
#include "world.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PACKETS	  4000
#define PAYLOAD	  1000
#define FEW	  300U
#define WAIT_MS	  3000
#define BELOW_MAX (192 << 10) /* 128 KB of a port, and an aggregate that crosses the limit */
#define ROUNDS	  40
#define SEGMENTS  6

/* With its path, because busybox prefers a tc of its own. */
#define TBF(parameters) "/bin/tc qdisc replace dev modem0 root tbf " parameters

static uint32_t host_addr(void)
{
	return 0x0a640101;
}

static int udp_open(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(4000),
				 .sin_addr.s_addr = htonl(host_addr() + 1)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = 32 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
}

/* @n datagrams out of port1. */
static int send_many(unsigned int n, size_t payload)
{
	static const uint8_t data[PAYLOAD];
	int fd = udp_open(), err = fd < 0 ? FAIL("UDP socket") : 0;

	while (!err && n--)
		if (send(fd, data, payload, 0) != (ssize_t)payload && errno != ENOBUFS)
			err = FAIL("send: %s", strerror(errno));
	close(fd);
	return err;
}

static int in_world(const struct nl_trunk *t, int (*work)(const struct world *w))
{
	const struct world_options o = {.version = 1, .ports = 1, .trunk = *t};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	if (world_extra(&w, 0) || nl_add_addr4("port1", htonl(host_addr()), 24) ||
	    nl_wait_running("port1"))
		err = FAIL("port1: %s", nl_error());
	else
		err = work(&w);
	world_free(&w);
	return err;
}

static int in_worlds(int (*work)(const struct world *w))
{
	const struct nl_trunk alone = {}, filled = {.tx_bytes = 16384},
			      timed = {.tx_bytes = 16384, .tx_usecs = 500};

	return in_world(&alone, work) ?: in_world(&filled, work) ?: in_world(&timed, work);
}

/* Bytes in the queue of the modem's netdev, -1 if tc does not report it. */
static long below(void)
{
	static char text[4096];
	char *p;

	if (system("/bin/tc -j -s qdisc show dev modem0 >/tmp/below") ||
	    proc_read("/tmp/below", text, sizeof(text)) < 0)
		return -1;
	p = strstr(text, "\"backlog\":");
	return p ? strtol(p + 10, NULL, 10) : -1;
}

static int measure_below(__attribute__((unused)) const struct world *w)
{
	long bytes;

	if (system(TBF("rate 100kbit burst 20kb limit 20mb")))
		return FAIL("no tbf");
	if (send_many(PACKETS, PAYLOAD))
		return -1;
	bytes = below();
	printf("  %ld bytes wait below the aggregator\n", bytes);
	if (bytes < PAYLOAD)
		return FAIL("nothing waits there");
	return bytes <= BELOW_MAX ? 0 : FAIL("that is more than %d", BELOW_MAX);
}

/* A slow netdev below: packets wait in the queue of their port, which an administrator can see. */
TEST(below)
{
	return in_worlds(measure_below);
}

/* Another size of aggregates changes the lower limit, and leaves the administrator's upper one. */
static int limit_max_stays(__attribute__((unused)) const struct world *w)
{
	static const char path[] = "/sys/class/net/port1/queues/tx-0/byte_queue_limits/limit_max";
	const struct nl_trunk larger = {.tx_bytes = 32768};
	char text[32];

	if (access(path, F_OK)) {
		skipped = "this kernel shows no limits of netdevs that lock by themselves (lltx)";
		return 0;
	}
	if (proc_write(path, "20000"))
		return FAIL("%s cannot be written", path);
	if (nl_change_trunk("trunk0", &larger))
		return FAIL("trunk0: %s", nl_error());
	proc_read(path, text, sizeof(text));
	return atoi(text) == 20000 ? 0 : FAIL("limit_max has become %s", text);
}

TEST(limit_max)
{
	const struct nl_trunk filled = {.tx_bytes = 16384};

	return in_world(&filled, limit_max_stays);
}

static unsigned int count_frames(const uint8_t *p, size_t len)
{
	unsigned int n = 0;
	size_t frame;

	for (; len > 4; n++) {
		frame = 4 + (p[2] << 8 | p[3]);
		if (frame > len)
			break;
		p += frame;
		len -= frame;
	}
	return n;
}

/* Reads frames until no more arrive. */
static unsigned int take_frames(const struct world *w, unsigned int *transfers)
{
	static uint8_t buf[AGGREGATE_MAX];
	unsigned int n = 0;
	size_t len;

	while ((len = world_recv(w, buf, sizeof(buf), WAIT_MS))) {
		n += count_frames(buf, len);
		++*transfers;
	}
	return n;
}

/* ---- time in the netdev below ---- */

#define TEN_MS	(10000000 / 8 / 100) /* bytes at 10 Mbit/s */
#define SETTLED 1500 /* frames of PAYLOAD bytes after which the speed is known: 1.2 s */
#define SAMPLES 40
#define TRIES	8  /* times SAMPLES */
#define BETWEEN 20 /* frames */

/* Sends through port1 until it is killed. */
static pid_t flood(void)
{
	static const uint8_t data[PAYLOAD];
	pid_t child = fork();
	int fd;

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = udp_open();
	fcntl(fd, F_SETFL, 0); /* waits for room */
	while (send(fd, data, sizeof(data), 0) == sizeof(data) || errno == ENOBUFS)
		;
	_exit(1);
}

static int pass_frames(const struct world *w, unsigned int n)
{
	static uint8_t buf[AGGREGATE_MAX];
	size_t len;

	for (unsigned int i = 0; i < n; i += count_frames(buf, len)) {
		len = world_recv(w, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("nothing comes");
	}
	return 0;
}

/* 1: more waits than leaves in 10 ms. */
static int sample_below(const struct world *w)
{
	unsigned int i, over = 0;
	long bytes, most = 0;

	if (pass_frames(w, SETTLED))
		return -1;
	for (i = 0; i < SAMPLES; i++) {
		if (pass_frames(w, BETWEEN))
			return -1;
		bytes = below();
		if (bytes < 0)
			return FAIL("no backlog is reported");
		most = bytes > most ? bytes : most;
		over += bytes > TEN_MS;
	}
	printf("  at most %ld bytes wait below, more than %d in %u of %d samples\n", most, TEN_MS,
	       over, SAMPLES);
	if (most < PAYLOAD)
		return FAIL("nothing waits there");
	return over > SAMPLES / 10;
}

/* Kbit/s that the sender reaches without a bottleneck; 0 with a message. */
static unsigned int rate_alone(const struct world *w)
{
	uint64_t start = world_ms(), ms;
	pid_t sender;
	int err;

	fflush(stdout);
	sender = flood();
	err = pass_frames(w, SETTLED);
	ms = world_ms() - start;
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	return err ? 0 : SETTLED * PAYLOAD * 8 / (ms ? ms : 1);
}

static int measure_delay(const struct world *w)
{
	unsigned int alone = rate_alone(w);
	pid_t sender;
	int err = 1;

	if (!alone)
		return -1;
	if (alone < 20000) {
		printf("  the sender reaches %u kbit/s\n", alone);
		skipped = "nothing waits below a link of 10 Mbit/s: a sender of this machine is no "
			  "faster";
		return 0;
	}
	if (system(TBF("rate 10mbit burst 20kb limit 1mb")))
		return FAIL("no tbf");
	fflush(stdout);
	sender = flood();
	/*
	 * The clock of a guest without CPU goes on, and tbf then passes a burst, which the port takes
	 * for the modem's speed until it has measured it again.
	 */
	for (unsigned int i = 0; i < TRIES && err > 0; i++)
		err = sample_below(w);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	return err > 0 ? FAIL("they take longer than 10 ms") : err;
}

/* On a link of 10 Mbit/s packets wait below for 10 ms at most. */
TEST(delay_below)
{
	return in_worlds(measure_delay);
}

static uint64_t interface_dropped(void)
{
	char text[32] = "";

	proc_read("/sys/class/net/port1/statistics/tx_dropped", text, sizeof(text));
	return strtoull(text, NULL, 10);
}

static int expect_account(const struct world *w)
{
	unsigned int transfers = 0, came = take_frames(w, &transfers);
	uint64_t dropped = world_counter("port1", "tx_dropped"), all = interface_dropped();

	printf("  %u of %u frames came, %llu dropped\n", came, FEW, (unsigned long long)dropped);
	if (came + dropped != FEW || dropped != all)
		return FAIL("%u sent, ip -s says %llu", FEW, (unsigned long long)all);
	return dropped && world_counter("trunk0", "drop_queue_full") == dropped
		       ? 0
		       : FAIL("the trunk counts %llu",
			      (unsigned long long)world_counter("trunk0", "drop_queue_full"));
}

static int refused_below(const struct world *w)
{
	if (world_tc_egress(w, "modem0", "drop") || send_many(FEW, PAYLOAD))
		return -1;
	return expect_account(w);
}

/* The queue of the port itself drops nothing. */
static int overflow_below(const struct world *w)
{
	if (system(TBF("rate 8mbit burst 20kb limit 3kb")) ||
	    system("/bin/tc qdisc replace dev port1 root pfifo limit 1000"))
		return FAIL("no tbf");
	return send_many(FEW, PAYLOAD) ?: expect_account(w);
}

/* Packets that the netdev below refuses are counted. */
TEST(drops_below)
{
	return in_worlds(refused_below) ?: in_worlds(overflow_below);
}

static int flow(const struct world *w, bool enable)
{
	static struct aggregate a;
	uint8_t answer[64];

	a = (struct aggregate){.version = 1, .max = 64};
	aggregate_add_flow(&a, 1, enable, 1);
	if (world_send(w, a.data, a.len))
		return FAIL("cannot send");
	return enable || world_recv(w, answer, sizeof(answer), WAIT_MS) ? 0 : FAIL("no answer");
}

/* Packets gathered in the port's queue leave in aggregates although no frame waits for others. */
static int bulk(const struct world *w)
{
	unsigned int transfers = 0, frames;

	if (flow(w, false) || send_many(FEW, 100) || flow(w, true))
		return -1;
	frames = take_frames(w, &transfers) - 1; /* one is an answer */
	printf("  %u frames in %u transfers\n", frames, transfers - 1);
	if (frames != FEW)
		return FAIL("%u were sent", FEW);
	return frames >= 4 * (transfers - 1) ? 0 : FAIL("hardly aggregated");
}

TEST(bulk)
{
	const struct nl_trunk filled = {.tx_bytes = 16384};

	return in_world(&filled, bulk);
}

static int set_segment(int fd, int size)
{
	return setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
}

/* Sends one packet that is segmented into @n datagrams, which begin with @number and the next ones. */
static int send_numbers(int fd, uint32_t number, unsigned int n)
{
	uint8_t data[SEGMENTS * PAYLOAD] = {};
	unsigned int i;

	for (i = 0; i < n; i++)
		memcpy(data + i * PAYLOAD, &(uint32_t){number + i}, 4);
	if (set_segment(fd, n > 1 ? PAYLOAD : 0))
		return FAIL("UDP_SEGMENT: %s", strerror(errno));
	return send(fd, data, n * PAYLOAD, 0) == (ssize_t)(n * PAYLOAD)
		       ? 0
		       : FAIL("send: %s", strerror(errno));
}

static int take_number(const uint8_t *frame, uint32_t *next)
{
	uint32_t number;

	memcpy(&number, frame + 4 + 28, 4);
	return number == (*next)++ ? 0 : FAIL("%u came in the place of %u", number, *next - 1);
}

static int take_numbers(const struct world *w, uint32_t n)
{
	static uint8_t buf[AGGREGATE_MAX];
	uint32_t next = 0;
	size_t len, at;

	while (next < n) {
		len = world_recv(w, buf, sizeof(buf), WAIT_MS);
		if (!len)
			return FAIL("%u of %u frames came", next, n);
		for (at = 0; at < len; at += 4 + (buf[at + 2] << 8 | buf[at + 3]))
			if (take_number(buf + at, &next))
				return -1;
	}
	return 0;
}

/* A queue that sorts by hashes gets single frames and aggregates of one flow in turn. */
static int hashed_below(const struct world *w)
{
	int fd = udp_open(), err = fd < 0 ? FAIL("UDP socket") : 0;
	uint32_t number;

	if (system("/bin/tc qdisc replace dev modem0 root handle 1: tbf rate 8mbit burst 20kb "
		   "limit 1mb") ||
	    system("/bin/tc qdisc replace dev modem0 parent 1:1 fq") ||
	    system("/bin/tc qdisc replace dev port1 root pfifo limit 1000"))
		err = FAIL("no fq");
	err = err ?: world_tc_egress(w, "port1", "hashed");
	for (number = 0; number < ROUNDS * (SEGMENTS + 1) && !err; number += SEGMENTS + 1)
		err = send_numbers(fd, number, SEGMENTS) ?: send_numbers(fd, number + SEGMENTS, 1);
	close(fd);
	return err ?: take_numbers(w, number);
}

/* The packets of a flow keep their order below the aggregator. */
TEST(order_below)
{
	const struct nl_trunk alone = {}, filled = {.tx_bytes = 16384};

	return in_world(&filled, hashed_below) ?: in_world(&alone, hashed_below);
}

static int send_segment(const struct world *w, uint32_t seq)
{
	struct packet_spec s = {.flow = 1,
				.ttl = 64,
				.flags = 0x10,
				.frag = 0x4000,
				.seq = seq,
				.payload = PAYLOAD};
	static struct aggregate a;
	uint8_t packet[PACKET_MAX];

	a = (struct aggregate){.version = 1, .max = 4096};
	aggregate_add(&a, 1, packet, packet_make(packet, &s), 0);
	return world_send(w, a.data, a.len) ? FAIL("cannot send") : 0;
}

/* The number of a port is free again as soon as the port is gone, and belongs to the new one. */
static int replace_port(struct world *w, uint32_t seq)
{
	uint8_t buf[PACKET_MAX];
	int tap, err;

	bpf_link__destroy(w->tx[1]);
	w->tx[1] = NULL;
	if (nl_del("port1") || world_port(w, 1, true))
		return FAIL("port1: %s", nl_error());
	world_named_feature("port1", "rx-gro-hw", false);
	tap = world_tap("port1");
	err = tap < 0 || send_segment(w, seq);
	if (!err && !world_read(tap, buf, sizeof(buf), WAIT_MS))
		err = FAIL("the new port gets nothing");
	close(tap);
	return err;
}

/* @dev's NAPI keeps for two seconds what GRO has. */
static void gro_keeps(const char *dev)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/napi_defer_hard_irqs", dev);
	proc_write(path, "10");
	snprintf(path, sizeof(path), "/sys/class/net/%s/gro_flush_timeout", dev);
	proc_write(path, "2000000000");
}

/* GRO has a packet of the port when the port goes: in the trunk's NAPI, or in one of the port's. */
TEST(held_by_gro)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct world w;
	uint32_t i;
	int err = 0;

	if (world_new(&w, &o))
		return -1;
	world_named_feature("port1", "rx-gro-hw", false);
	gro_keeps("trunk0");
	for (i = 0; i < ROUNDS && !err; i++) {
		gro_keeps("port1");
		err = send_segment(&w, i * 10000) ?: replace_port(&w, i * 10000 + 5000);
	}
	world_free(&w);
	return err;
}

#define STAMPS 400 /* more than the receive buffer of a socket holds */

/* As an NTP client does it: asks the kernel for the time at which each datagram leaves. */
static int send_stamped(const struct world *w)
{
	int on = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int fd = udp_open(), err = fd < 0 ? FAIL("UDP socket") : 0;
	uint8_t buf[PACKET_MAX];
	unsigned int i;

	if (!err && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &on, sizeof(on)))
		err = FAIL("SO_TIMESTAMPING: %s", strerror(errno));
	for (i = 0; i < STAMPS && !err; i++)
		if (send(fd, buf, 48, 0) != 48 || !world_recv(w, buf, sizeof(buf), WAIT_MS))
			err = FAIL("datagram %u", i);
	close(fd);
	return err;
}

/* The netdev below reports the time to the owner of the packet: nothing is left behind with that. */
TEST(timestamps_below)
{
	const struct nl_trunk alone = {};
	long before, after;

	if (in_world(&alone, send_stamped))
		return -1;
	before = skb_heads();
	if (in_world(&alone, send_stamped))
		return -1;
	after = skb_heads();
	printf("  %ld skbs, then %ld\n", before, after);
	return after <= before + STAMPS / 8 ? 0 : FAIL("%ld skbs are left", after - before);
}

#define TRACK                                                                                      \
	"/bin/tc qdisc replace dev port1 clsact && "                                               \
	"/bin/tc filter add dev port1 egress protocol ip matchall action ct"

/* In a namespace that tracks connections. */
static int send_tracked(void)
{
	if (nl_up("port1", true) || nl_carrier("port1", true) ||
	    nl_add_addr4("port1", htonl(host_addr()), 24) || nl_wait_running("port1"))
		return FAIL("port1: %s", nl_error());
	if (system(TRACK)) {
		skipped = "this kernel has no act_ct";
		return 0;
	}
	/* none stays in the queue of the port, where it would keep the socket, and that the namespace */
	return send_many(6, PAYLOAD);
}

/* The namespace of a port ends while packets of its connections wait below. */
static int tracked_below(__attribute__((unused)) const struct world *w)
{
	int here = netns_here(), there = netns_new(), err;

	if (system(TBF("rate 80bit burst 2kb limit 1mb")))
		err = FAIL("no tbf");
	else
		err = netns_move("port1", here, there);
	netns_enter(there);
	err = err ?: send_tracked();
	netns_enter(here);
	if (!err && !skipped && below() < PAYLOAD)
		err = FAIL("nothing waits there");
	if (netns_end(&there, 1))
		err = -1;
	close(here);
	return err;
}

TEST(conntrack_below)
{
	const struct nl_trunk alone = {};

	return in_world(&alone, tracked_below);
}

static void keep_line(const char *line, void *arg)
{
	snprintf(arg, 256, "%s", line);
}

/* `dropwatch` reports no drops for good traffic, and a reason for each real drop. */
static int trace_drops(const struct world *w, struct trace *t)
{
	char line[256] = "";
	uint32_t i;
	int n;

	for (i = 0; i < 100; i++)
		if (send_segment(w, i * PAYLOAD))
			return -1;
	if (world_counter("trunk0", "frames") != 100)
		return FAIL("frames are missing");
	n = trace_lines(t, keep_line, line);
	if (n)
		return FAIL("%d drops of 100 good aggregates: %s", n, line);
	if (nl_up("trunk0", false) || send_segment(w, 0))
		return FAIL("trunk0: %s", nl_error());
	n = trace_lines(t, keep_line, line);
	if (n != 1 || strstr(line, "NOT_SPECIFIED"))
		return FAIL("%d drops of one, the last: %s", n, line);
	return 0;
}

TEST(drop_monitor)
{
	const struct world_options o = {.version = 1, .ports = 1};
	struct trace t;
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = trace_start(&t, "skb/kfree_skb", "protocol==0xf9");
	if (!err) {
		err = trace_drops(&w, &t);
		trace_stop(&t);
	}
	world_free(&w);
	return err;
}
