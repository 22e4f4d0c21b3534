// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real TCP through both directions at once: packets from port 1 are segmented and aggregated,
 * returned by a relay that swaps the mux ids, and split and coalesced for port 2 in another network
 * namespace. Unlike those of packet sockets, the stack's own packets reach the port unsegmented.
 */
#include "shim_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "proc.h"
#include "qmap/wire.h"
#include "trace.h"
#include "world.h"

#define CHUNK	 65536
#define PORT	 7000
#define DEADLINE 60000
#define LARGE	 "1600" /* bytes: above the MTU, so the packet must be segmented */

#define CLIENT4 htonl(0x0a640001)
#define SERVER4 htonl(0x0a640002)

static const struct in6_addr client6 = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
static const struct in6_addr server6 = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}};

struct flow {
	const char *name;
	size_t bytes;
	bool v6;
	int option;   /* IPV6_DSTOPTS and others of the kind: a header in each packet; 0: none */
	uint8_t next; /* its number in the header in front of it */
};

struct link {
	const struct world *w;
	const struct flow *flow;
	atomic_bool stop;
	unsigned int with_header, wrong; /* frames */
	int ready[2], go[2];		 /* pipes: namespace exists; port is in it */
	int server_fd, err;
	pid_t tid; /* of the server's thread */
};

static uint8_t byte_at(size_t i)
{
	return i * 2654435761U >> 24;
}

static unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/*
 * An IPv6 header has the length of the rest of its packet, which a wrong segmentation would
 * miss.
 */
static void look(struct link *l, const uint8_t *frame)
{
	unsigned int len = get16(frame + 2) - (frame[0] & QMAP_PAD_MASK);
	const uint8_t *packet = frame + 4;

	if (packet[0] >> 4 != 6)
		return;
	l->with_header += l->flow->option && packet[6] == l->flow->next;
	l->wrong += get16(packet + 4) + 40 != len;
}

static void *relay(void *arg)
{
	static uint8_t buf[AGGREGATE_MAX];
	struct link *l = arg;
	size_t len, off;

	while (!atomic_load(&l->stop)) {
		len = world_recv(l->w, buf, sizeof(buf), 20);
		for (off = 0; off + 4 <= len; off += 4 + get16(buf + off + 2)) {
			look(l, buf + off);
			buf[off + 1] ^= 3; /* 1 and 2 */
		}
		if (len)
			world_send(l->w, buf, len);
	}
	return NULL;
}

/* The guest's IPv6 is off unless a test needs it. */
static int give_address(const char *port, const struct flow *f, uint32_t addr4,
			const struct in6_addr *addr6)
{
	char path[64];

	if (!f->v6)
		return nl_add_addr4(port, addr4, 24);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", port);
	return proc_write(path, "0") ?: nl_add_addr6(port, addr6, 64);
}

static int tcp_socket(const struct flow *f)
{
	return socket(f->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Address of the server. */
static socklen_t address(const struct flow *f, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (!f->v6) {
		*v4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = SERVER4};
		return sizeof(*v4);
	}
	*v6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = server6};
	return sizeof(*v6);
}

static int receive(int fd, size_t bytes)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	static uint8_t buf[CHUNK];
	size_t done = 0;
	ssize_t n, i;

	while (done < bytes) {
		n = poll(&pfd, 1, DEADLINE) > 0 ? read(fd, buf, sizeof(buf)) : 0;
		if (n <= 0)
			return FAIL("stuck after %zu bytes", done);
		for (i = 0; i < n; i++)
			if (buf[i] != byte_at(done + i))
				return FAIL("byte %zu differs", done + i);
		done += n;
	}
	return 0;
}

static int serve(struct link *l)
{
	struct sockaddr_storage at;
	socklen_t size = address(l->flow, &at);
	int fd, err;

	if (give_address("port2", l->flow, SERVER4, &server6) || nl_up("port2", true) ||
	    nl_carrier("port2", true) || nl_wait_running("port2"))
		return FAIL("port2: %s", nl_error());
	l->server_fd = tcp_socket(l->flow);
	if (bind(l->server_fd, (struct sockaddr *)&at, size) || listen(l->server_fd, 1) ||
	    write(l->ready[1], "", 1) != 1)
		return FAIL("server: %s", strerror(errno));
	fd = accept4(l->server_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return FAIL("accept: %s", strerror(errno));
	err = receive(fd, l->flow->bytes);
	close(fd);
	return err;
}

static void *server(void *arg)
{
	struct link *l = arg;
	char c;

	l->tid = gettid();
	l->err = unshare(CLONE_NEWNET) || write(l->ready[1], "", 1) != 1 ||
		 read(l->go[0], &c, 1) != 1;
	if (!l->err)
		l->err = serve(l);
	return NULL;
}

/* A header of 8 bytes, all padding, in each packet. */
static int set_option(int fd, const struct flow *f)
{
	static const uint8_t header[8] = {0, 0, 1, 4};

	return f->option ? setsockopt(fd, IPPROTO_IPV6, f->option, header, sizeof(header)) : 0;
}

static int client(const struct flow *f)
{
	struct sockaddr_storage to;
	socklen_t size = address(f, &to);
	static uint8_t buf[CHUNK];
	int fd = tcp_socket(f), err = 0;
	size_t done = 0, i;

	if (set_option(fd, f) || connect(fd, (struct sockaddr *)&to, size))
		err = FAIL("connect: %s", strerror(errno));
	for (; !err && done < f->bytes; done += CHUNK) {
		for (i = 0; i < CHUNK; i++)
			buf[i] = byte_at(done + i);
		if (send(fd, buf, CHUNK, MSG_NOSIGNAL) != CHUNK)
			err = FAIL("send: %s", strerror(errno));
	}
	shutdown(fd, SHUT_WR);
	close(fd);
	return err;
}

/* Moves port2 into the namespace of the server's thread, which then sets it up. */
static int hand_over(const struct link *l)
{
	char path[64], c;
	int ns, err;

	if (read(l->ready[0], &c, 1) != 1)
		return FAIL("no namespace");
	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/net", l->tid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	err = ns < 0 ? -errno : nl_set_u32("port2", IFLA_NET_NS_FD, ns);
	close(ns);
	if (err || write(l->go[1], "", 1) != 1 || read(l->ready[0], &c, 1) != 1)
		return FAIL("namespace: %s %s", strerror(-err), nl_error());
	return 0;
}

static int through(struct link *l)
{
	pthread_t threads[2];
	int err;

	if (pipe(l->ready) || pipe(l->go))
		return FAIL("pipe");
	pthread_create(&threads[0], NULL, relay, l);
	pthread_create(&threads[1], NULL, server, l);
	err = hand_over(l) || give_address("port1", l->flow, CLIENT4, &client6) ||
	      nl_wait_running("port1") || client(l->flow);
	if (err)
		shutdown(l->server_fd, SHUT_RDWR);
	pthread_join(threads[1], NULL);
	atomic_store(&l->stop, true);
	pthread_join(threads[0], NULL);
	close(l->server_fd);
	close(l->ready[0]);
	close(l->ready[1]);
	close(l->go[0]);
	close(l->go[1]);
	return err || l->err;
}

static void count_line(__attribute__((unused)) const char *line, void *arg)
{
	++*(unsigned int *)arg;
}

/* Packets left to the port were segmented correctly, and not before they got there. */
static int expect_headers(const struct link *l, unsigned int large)
{
	printf("  %s: %u frames with the header, %u wrong, cut from %u packets\n", l->flow->name,
	       l->with_header, l->wrong, large);
	if (l->wrong)
		return FAIL("%u frames are not as long as their IPv6 header says", l->wrong);
	if (l->flow->option && (!large || l->with_header < 2 * large))
		return FAIL("nothing was cut");
	return 0;
}

static int run(const struct flow *f)
{
	/* on a slow machine, too, the next frame comes before the time limit of the last transfer ends */
	const struct world_options o = {
		.version = 1, .ports = 2, .trunk = {.tx_bytes = 16384, .tx_usecs = 10000}};
	struct link l = {.flow = f, .server_fd = -1};
	uint64_t frames, transfers;
	unsigned int large = 0;
	struct trace t;
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	l.w = &w;
	err = trace_start(&t, "net/net_dev_queue", "name == \"port1\" && len > " LARGE);
	if (!err) {
		err = through(&l);
		trace_lines(&t, count_line, &large);
		trace_stop(&t);
	}
	frames = world_counter("trunk0", "tx_frames");
	transfers = world_counter("trunk0", "tx_aggregates");
	printf("  %llu frames in %llu transfers\n", (unsigned long long)frames,
	       (unsigned long long)transfers);
	if (!err && frames < 2 * transfers)
		err = FAIL("hardly aggregated");
	if (expect_headers(&l, large))
		err = -1;
	world_free(&w);
	return err;
}

TEST(tcp)
{
	static const struct flow flow = {.name = "IPv4", .bytes = 8 << 20};

	return run(&flow);
}

/* IPv6 with and without a header between its own and that of TCP. */
TEST(tcp6)
{
	static const struct flow flows[] = {
		{"IPv6", 1 << 20, true, 0, 0},
		{"destination options", 1 << 20, true, IPV6_DSTOPTS, 60},
		{"hop-by-hop options", 1 << 20, true, IPV6_HOPOPTS, 0},
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(flows) / sizeof(*flows) && !err; i++)
		err = run(&flows[i]);
	return err;
}
