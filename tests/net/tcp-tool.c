// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One TCP connection between a file and the network: `listen` or `connect`, then `send` stdin or
 * `receive` to stdout, to the end. A send is done when the peer has closed, so exit status 0 means
 * that the peer has received all of it. With -w, `send` prints what the kernel knows about the connection
 * (TCP_INFO), a line of JSON every millisecond; -c selects the congestion control.
 */
#include <err.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT	600  /* seconds to wait for a peer */
#define TICK_US 1000 /* between two lines of -w */

struct options {
	bool watch;
	const char *congestion; /* NULL: the system's */
};

/* The times of -w count from @start. */
struct watch {
	uint64_t start, next;
};

static struct addrinfo *resolve(const char *address, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int ret = getaddrinfo(address, port, &hints, &found);

	if (ret)
		errx(EXIT_FAILURE, "%s port %s: %s", address, port, gai_strerror(ret));
	return found;
}

static int make_socket(int family, const char *congestion)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(EXIT_FAILURE, "socket");
	if (congestion &&
	    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, strlen(congestion)))
		err(EXIT_FAILURE, "congestion control %s", congestion);
	return fd;
}

static int make_connection(bool listening, const char *address, const char *port,
			   const char *congestion)
{
	struct addrinfo *to = resolve(address, port);
	int one = 1, fd = make_socket(to->ai_family, congestion), peer = fd;

	if (listening) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, to->ai_addr, to->ai_addrlen) || listen(fd, 1))
			err(EXIT_FAILURE, "listen on %s port %s", address, port);
		peer = accept(fd, NULL, NULL);
		close(fd);
	} else if (connect(fd, to->ai_addr, to->ai_addrlen)) {
		err(EXIT_FAILURE, "connect to %s port %s", address, port);
	}
	freeaddrinfo(to);
	if (peer < 0)
		err(EXIT_FAILURE, "accept");
	return peer;
}

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0)
			err(EXIT_FAILURE, "write");
		buf += n;
		len -= n;
	}
}

static void copy(int from, int to)
{
	static char buf[1 << 16];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		write_all(to, buf, n);
	if (n < 0)
		err(EXIT_FAILURE, "read");
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static void print_info(int fd, uint64_t us)
{
	struct tcp_info i = {};
	socklen_t len = sizeof(i);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len))
		err(EXIT_FAILURE, "TCP_INFO");
	printf("{\"us\":%llu,\"acked\":%llu,\"sent\":%u,\"delivered\":%u,\"acks\":%u,\"cwnd\":%u,"
	       "\"ssthresh\":%u,\"retrans\":%u,\"rwnd_limited\":%llu}\n",
	       (unsigned long long)us, (unsigned long long)i.tcpi_bytes_acked, i.tcpi_data_segs_out,
	       i.tcpi_delivered, i.tcpi_segs_in, i.tcpi_snd_cwnd, i.tcpi_snd_ssthresh,
	       i.tcpi_total_retrans, (unsigned long long)i.tcpi_rwnd_limited);
}

/* Waits until @fd is ready, and prints meanwhile. */
static void watch(int fd, short events, struct watch *w)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	uint64_t now;

	do {
		now = now_us();
		if (now < w->next)
			continue;
		print_info(fd, now - w->start);
		w->next = now + TICK_US;
	} while (poll(&pfd, 1, 1) <= 0);
}

static void copy_watched(int from, int to)
{
	struct watch w = {.start = now_us()};
	static char buf[1 << 16];
	ssize_t n, left, sent;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (left = n; left; left -= sent) {
			watch(to, POLLOUT, &w);
			sent = send(to, buf + n - left, left, MSG_DONTWAIT);
			if (sent < 0)
				err(EXIT_FAILURE, "send");
		}
	shutdown(to, SHUT_WR);
	watch(to, POLLIN, &w);
	print_info(to, now_us() - w.start);
}

static void usage(void)
{
	fputs("Usage: tcp-tool [-w] [-c CONGESTION] listen|connect send|receive ADDRESS PORT\n",
	      stderr);
	exit(EXIT_FAILURE);
}

static struct options parse(int argc, char **argv)
{
	struct options o = {0};
	int c;

	while ((c = getopt(argc, argv, "wc:")) != -1) {
		if (c == 'w')
			o.watch = true;
		else if (c == 'c')
			o.congestion = optarg;
		else
			usage();
	}
	if (argc - optind != 4)
		usage();
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	char end;
	int fd;

	alarm(LIMIT);
	argv += optind;
	fd = make_connection(!strcmp(argv[0], "listen"), argv[2], argv[3], o.congestion);
	if (!strcmp(argv[1], "receive")) {
		copy(fd, STDOUT_FILENO);
		return EXIT_SUCCESS;
	}
	if (o.watch)
		copy_watched(STDIN_FILENO, fd);
	else
		copy(STDIN_FILENO, fd);
	shutdown(fd, SHUT_WR);
	if (read(fd, &end, 1))
		errx(EXIT_FAILURE, "the peer did not take all of it");
	return EXIT_SUCCESS;
}
