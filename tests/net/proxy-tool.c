// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A misbehaving client of a qmi-proxy.
 *
 *   proxy-tool DEVICE ACTION...
 *
 * DEVICE is opened through the proxy first ("-": not at all). Actions, in order:
 *   alloc=SERVICE    allocates a client id, and prints it
 *   send=HEX         sends bytes; II stands for the client id allocated last
 *   times=N:HEX      sends them N times, reading nothing
 *   random=N         sends N random bytes
 *   read             prints the next message as hex digits, "closed" if there is none to come
 *   closed           waits until the proxy hangs up
 *   hold             says "holding" and stays
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;
static uint8_t id;

static void die(const char *what)
{
	fprintf(stderr, "proxy-tool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void connect_proxy(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "\0qmi-proxy"};

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&sa, offsetof(struct sockaddr_un, sun_path) + 10))
		die("connect");
}

/* A proxy may hang up at any time; `closed` checks that. */
static void put(const uint8_t *p, size_t len)
{
	if (send(fd, p, len, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		die("send");
}

static size_t hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (; text[0] && text[1] && n < size; text += 2) {
		char digits[3] = {text[0], text[1], 0};

		out[n++] = strncmp(text, "II", 2) ? strtoul(digits, NULL, 16) : id;
	}
	return n;
}

static bool get_all(uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, p, len, 0);

		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* Reads the next message; returns its length, 0: there is none. */
static size_t get(uint8_t buf[65536])
{
	size_t len;

	if (!get_all(buf, 3))
		return 0;
	len = (buf[1] | buf[2] << 8) + 1;
	return len > 3 && get_all(buf + 3, len - 3) ? len : 0;
}

static void ask_ctl(uint8_t transaction, uint16_t message, const void *tlv, uint8_t len)
{
	uint8_t b[300] = {
		1,	 14 + len, 0, 0,  0, 0, 0, transaction, message & 0xff, message >> 8,
		3 + len, 0,	   1, len};

	memcpy(b + 15, tlv, len);
	put(b, 15 + len);
}

static void open_device(const char *path)
{
	uint8_t buf[65536];

	ask_ctl(1, 0xff00, path, strlen(path));
	if (!get(buf))
		die("the proxy does not open the device");
}

static void allocate(uint8_t service)
{
	uint8_t buf[65536];
	size_t len;

	ask_ctl(2, 0x0022, &service, 1);
	while ((len = get(buf)) && (buf[4] || buf[7] != 2))
		;
	for (size_t i = 12; len && i + 5 <= len; i += 3 + (buf[i + 1] | buf[i + 2] << 8))
		if (buf[i] == 1)
			id = buf[i + 4];
	if (!id)
		die("no client id");
	printf("%u\n", id);
}

static void send_times(const char *arg)
{
	const char *what = strchr(arg, ':');
	uint8_t buf[8192];
	size_t len = hex(what ? what + 1 : "", buf, sizeof(buf));

	for (long n = strtol(arg, NULL, 10); n > 0; n--)
		put(buf, len);
}

static void send_random(long n)
{
	for (uint8_t b; n > 0; n--) {
		b = random();
		put(&b, 1);
	}
}

static void show_next(void)
{
	uint8_t buf[65536];
	size_t len = get(buf);

	for (size_t i = 0; i < len; i++)
		printf("%02x", buf[i]);
	puts(len ? "" : "closed");
}

static void wait_closed(void)
{
	uint8_t buf[4096];

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
}

static void act(const char *what, const char *arg)
{
	uint8_t buf[8192];

	if (!strcmp(what, "alloc"))
		allocate(strtoul(arg, NULL, 0));
	else if (!strcmp(what, "send"))
		put(buf, hex(arg, buf, sizeof(buf)));
	else if (!strcmp(what, "times"))
		send_times(arg);
	else if (!strcmp(what, "random"))
		send_random(strtol(arg, NULL, 10));
	else if (!strcmp(what, "read"))
		show_next();
	else if (!strcmp(what, "closed"))
		wait_closed();
	else if (!strcmp(what, "hold"))
		puts("holding");
	else
		die(what);
	fflush(stdout);
	if (!strcmp(what, "hold"))
		pause();
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: proxy-tool DEVICE ACTION...");
	srandom(getpid());
	connect_proxy();
	if (strcmp(argv[1], "-"))
		open_device(argv[1]);
	for (int i = 2; i < argc; i++) {
		char *arg = strchr(argv[i], '=');

		if (arg)
			*arg++ = '\0';
		act(argv[i], arg ? arg : "");
	}
	return 0;
}
