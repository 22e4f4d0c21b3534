// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One TCP connection between a file and the network: `listen` or `connect`, then `send` stdin or
 * `receive` to stdout, to the end. A send is done when the peer has closed, so exit status 0 means
 * that the peer has received all of it.
 */
#include <err.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT 600 /* seconds to wait for a peer */

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

static int make_connection(bool listening, const char *address, const char *port)
{
	struct addrinfo *to = resolve(address, port);
	int one = 1, fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = fd;

	if (fd < 0)
		err(EXIT_FAILURE, "socket");
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

static void usage(void)
{
	fputs("Usage: tcp-tool listen|connect send|receive ADDRESS PORT\n", stderr);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	char end;
	int fd;

	if (argc != 5)
		usage();
	alarm(LIMIT);
	fd = make_connection(!strcmp(argv[1], "listen"), argv[3], argv[4]);
	if (!strcmp(argv[2], "receive")) {
		copy(fd, STDOUT_FILENO);
		return EXIT_SUCCESS;
	}
	copy(STDIN_FILENO, fd);
	shutdown(fd, SHUT_WR);
	if (read(fd, &end, 1))
		errx(EXIT_FAILURE, "the peer did not take all of it");
	return EXIT_SUCCESS;
}
