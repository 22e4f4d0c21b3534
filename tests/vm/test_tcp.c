// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real TCP through both directions at once: what port 1 sends is cut and aggregated, handed back by
 * a relay that swaps the mux ids, and split and coalesced for port 2 in another network namespace.
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
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "world.h"
#include "qmap/wire.h"

#define BYTES	 (8 << 20)
#define CHUNK	 65536
#define PORT	 7000
#define DEADLINE 60000

#define CLIENT htonl(0x0a640001)
#define SERVER htonl(0x0a640002)

struct link {
	const struct world *w;
	atomic_bool stop;
	int ready[2], go[2]; /* pipes: namespace exists; port is in it */
	int server_fd, err;
	pid_t tid; /* of the server's thread */
};

static uint8_t byte_at(size_t i)
{
	return i * 2654435761U >> 24;
}

static void *relay(void *arg)
{
	static uint8_t buf[AGGREGATE_MAX];
	struct link *l = arg;
	size_t len, off;

	while (!atomic_load(&l->stop)) {
		len = world_recv(l->w, buf, sizeof(buf), 20);
		for (off = 0; off + 4 <= len; off += 4 + (buf[off + 2] << 8 | buf[off + 3]))
			buf[off + 1] ^= 3; /* 1 and 2 */
		if (len)
			world_send(l->w, buf, len);
	}
	return NULL;
}

static int serve(struct link *l)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	static uint8_t buf[CHUNK];
	size_t done = 0;
	ssize_t n, i;
	int fd;

	if (nl_add_addr4("port2", SERVER, 24) || nl_up("port2", true) ||
	    nl_carrier("port2", true) || nl_wait_running("port2"))
		return FAIL("port2: %s", nl_error());
	l->server_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(l->server_fd, (struct sockaddr *)&at, sizeof(at)) || listen(l->server_fd, 1) ||
	    write(l->ready[1], "", 1) != 1)
		return FAIL("server: %s", strerror(errno));
	fd = accept4(l->server_fd, NULL, NULL, SOCK_CLOEXEC);
	while (fd >= 0 && done < BYTES) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};

		n = poll(&pfd, 1, DEADLINE) > 0 ? read(fd, buf, sizeof(buf)) : 0;
		if (n <= 0)
			return FAIL("stuck after %zu bytes", done);
		for (i = 0; i < n; i++)
			if (buf[i] != byte_at(done + i))
				return FAIL("byte %zu differs", done + i);
		done += n;
	}
	close(fd);
	return fd < 0 ? FAIL("accept: %s", strerror(errno)) : 0;
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

static int client(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = SERVER};
	static uint8_t buf[CHUNK];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
	size_t done = 0, i;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err = FAIL("connect: %s", strerror(errno));
	for (; !err && done < BYTES; done += CHUNK) {
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
	err = hand_over(l) || nl_add_addr4("port1", CLIENT, 24) || nl_wait_running("port1") ||
	      client();
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

int test_tcp(void)
{
	const struct world_options o = {
		.version = 1, .ports = 2, .trunk = {.tx_bytes = 16384, .tx_usecs = 200}};
	struct link l = {.server_fd = -1};
	struct world w;
	uint64_t frames, transfers;
	int err;

	if (world_new(&w, &o))
		return -1;
	l.w = &w;
	err = through(&l);
	frames = world_counter("trunk0", "tx_frames");
	transfers = world_counter("trunk0", "tx_aggregates");
	printf("  %llu frames in %llu transfers\n", (unsigned long long)frames,
	       (unsigned long long)transfers);
	if (!err && frames < 2 * transfers)
		err = FAIL("hardly aggregated");
	world_free(&w);
	return err;
}
