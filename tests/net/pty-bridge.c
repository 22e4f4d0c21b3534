// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A character device for the software modem: a pseudo terminal connected with its unix socket, for
 * programs that only open devices (libqmi's qmi-proxy). Prints the device's path.
 */
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int connect_modem(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -1 : fd;
}

/* Returns false when either side is at its end. */
static bool copy(int from, int to)
{
	char buf[8192];
	ssize_t n = read(from, buf, sizeof(buf));

	return n > 0 && write(to, buf, n) == n;
}

/*
 * While no program has the device open, poll() reports a hangup at once each time, so check the
 * device at intervals. Messages from the modem wait in its socket meanwhile.
 */
static int bridge(int device, int modem)
{
	struct pollfd p[] = {{.fd = device, .events = POLLIN}, {.fd = modem, .events = POLLIN}};

	while (poll(p, 2, -1) > 0) {
		if (p[0].revents & POLLIN && !copy(device, modem))
			return 1;
		if (p[0].revents & POLLHUP)
			poll(NULL, 0, 10);
		else if (p[1].revents && !copy(modem, device))
			return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct termios raw = {0};
	int device, user, modem;
	char name[64];

	cfmakeraw(&raw);
	modem = argc == 2 ? connect_modem(argv[1]) : -1;
	if (modem < 0 || openpty(&device, &user, name, &raw, NULL)) {
		fprintf(stderr, "usage: pty-bridge SOCKET (of a modem that listens)\n");
		return 1;
	}
	close(user);
	puts(name);
	fflush(stdout);
	return bridge(device, modem);
}
