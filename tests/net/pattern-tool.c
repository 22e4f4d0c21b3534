// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends and receives UDP datagrams with a payload known byte by byte (tests/modem/pattern.h).
 *
 * A stream is a sequence of datagrams 0..COUNT-1 through one device; several devices, each in a
 * network namespace of its own if necessary, are served at once. Results are JSON on stdout. Exit
 * status: 0 all datagrams arrived, once and unchanged (or were sent); 1 not; 2 could not run.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sink.h"
#include "tests/modem/pattern.h"

#define MAX_STREAMS  64
#define BUFFER	     (512 << 20) /* of a receiving socket: all packets of a test, if it gets no CPU */
#define EXIT_TROUBLE 2

struct stream {
	char netns[64];
	char dev[IFNAMSIZ];
	unsigned int id;
	char to[INET6_ADDRSTRLEN];
	int fd;
	struct sink_stream in;
	uint64_t errors, bytes; /* of sending */
};

static struct {
	int family;
	uint16_t port;
	uint64_t count;
	unsigned int min, max; /* bytes of the IP packet */
	uint64_t rate;	       /* packets per second, 0: no limit */
	uint64_t quiet_ms;     /* time without a packet after which the rest counts as lost */
	char **command;
	struct stream streams[MAX_STREAMS];
	unsigned int n;
} opt = {.family = AF_INET, .count = 1000, .min = 1400, .max = 1400, .quiet_ms = 60000};

static volatile sig_atomic_t told_to_end;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static unsigned int headers(void)
{
	return opt.family == AF_INET ? 28 : 48;
}

/* --- sockets --- */

static void enter_netns(const char *name)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(EXIT_TROUBLE, "%s", path);
	close(fd);
}

static socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = opt.family;
	if (opt.family == AF_INET) {
		v4->sin_port = htons(port);
		if (text && inet_pton(AF_INET, text, &v4->sin_addr) != 1)
			errx(EXIT_TROUBLE, "%s is no IPv4 address", text);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	if (text && inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		errx(EXIT_TROUBLE, "%s is no IPv6 address", text);
	return sizeof(*v6);
}

/* A socket belongs to the namespace in which it is created, even if its owner leaves it. */
static void open_stream(struct stream *s)
{
	struct sockaddr_storage any;
	socklen_t len = make_address(NULL, opt.port, &any);
	int one = 1, size = BUFFER;

	if (s->netns[0])
		enter_netns(s->netns);
	s->fd = socket(opt.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		err(EXIT_TROUBLE, "socket");
	if (opt.family == AF_INET6)
		setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, s->dev, strlen(s->dev)))
		err(EXIT_TROUBLE, "%s", s->dev);
	if (bind(s->fd, (struct sockaddr *)&any, len))
		err(EXIT_TROUBLE, "bind to port %u on %s", opt.port, s->dev);
}

static void open_streams(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	for (unsigned int i = 0; i < opt.n; i++) {
		open_stream(&opt.streams[i]);
		if (home < 0 || setns(home, CLONE_NEWNET))
			err(EXIT_TROUBLE, "back to the own namespace");
	}
	close(home);
}

/* --- receive --- */

static bool complete(void)
{
	for (unsigned int i = 0; i < opt.n; i++)
		if (opt.streams[i].in.ok < opt.count)
			return false;
	return true;
}

static uint64_t received(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < opt.n; i++)
		n += opt.streams[i].in.ok;
	return n;
}

static void receive_all(void)
{
	uint64_t end = now_ns() + opt.quiet_ms * 1000000, now, packets = 0, before;
	struct pollfd fds[MAX_STREAMS];

	for (unsigned int i = 0; i < opt.n; i++)
		fds[i] = (struct pollfd){.fd = opt.streams[i].fd, .events = POLLIN};
	while (!complete() && !told_to_end && (now = now_ns()) < end) {
		if (poll(fds, opt.n, (end - now) / 1000000 + 1) < 0 && errno != EINTR)
			err(EXIT_TROUBLE, "poll");
		for (unsigned int i = 0; i < opt.n; i++)
			sink_drain(&opt.streams[i].in, opt.streams[i].fd);
		before = packets;
		packets = received();
		if (packets != before)
			end = now_ns() + opt.quiet_ms * 1000000;
	}
}

static bool print_received(void)
{
	bool good = true;

	printf("[");
	for (unsigned int i = 0; i < opt.n; i++) {
		const struct sink_stream *in = &opt.streams[i].in;

		printf("%s{\"dev\": \"%s\", \"stream\": %u, \"ok\": %" PRIu64 ", \"bad\": %" PRIu64
		       ", \"foreign\": %" PRIu64 ", \"missing\": %" PRIu64
		       ", \"duplicate\": %" PRIu64 ", \"late\": %" PRIu64 ", \"bytes\": %" PRIu64
		       "}",
		       i ? ",\n " : "", opt.streams[i].dev, in->id, in->ok, in->bad, in->foreign,
		       opt.count - in->ok, in->duplicate, in->late, in->bytes + in->ok * headers());
		good = good && sink_is_good(in);
	}
	printf("]\n");
	return good;
}

/* Starts the command when all sockets are open; its output goes to stderr. */
static pid_t start_command(void)
{
	posix_spawn_file_actions_t actions;
	extern char **environ;
	pid_t pid = 0;
	int ret;

	if (!opt.command)
		return 0;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	ret = posix_spawnp(&pid, opt.command[0], &actions, NULL, opt.command, environ);
	if (ret)
		errx(EXIT_TROUBLE, "%s: %s", opt.command[0], strerror(ret));
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void end_command(pid_t pid, bool good)
{
	int status;

	if (!pid)
		return;
	if (!good)
		kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) == pid && status && good)
		errx(EXIT_TROUBLE, "%s failed", opt.command[0]);
}

static void on_signal(int sig)
{
	told_to_end = 1;
}

static int receive(void)
{
	struct sigaction end = {.sa_handler = on_signal};
	pid_t pid;
	bool good;

	sigaction(SIGTERM, &end, NULL);
	for (unsigned int i = 0; i < opt.n; i++) {
		if (sink_start(&opt.streams[i].in, opt.streams[i].id, opt.count))
			errx(EXIT_TROUBLE, "out of memory");
	}
	pid = start_command();
	receive_all();
	good = print_received();
	fflush(stdout);
	end_command(pid, good);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- send --- */

static void aim(struct stream *s)
{
	struct sockaddr_storage to;
	socklen_t len = make_address(s->to, opt.port, &to);

	if (connect(s->fd, (struct sockaddr *)&to, len))
		err(EXIT_TROUBLE, "%s through %s", s->to, s->dev);
}

/*
 * Waits for room in the socket: a datagram dropped here would be missing without a loss on
 * the way.
 */
static ssize_t send_waiting(int fd, const uint8_t *buf, size_t len)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	ssize_t n;

	while ((n = send(fd, buf, len, 0)) < 0 && errno == EAGAIN)
		poll(&pfd, 1, -1);
	return n;
}

/* Ignores errors that the path reports later (a port without a listener). */
static void send_one(struct stream *s, uint64_t sequence)
{
	unsigned int size = opt.min + sequence % (opt.max - opt.min + 1);
	struct pattern p = {.stream = s->id, .sequence = sequence};
	static uint8_t buf[PATTERN_MAX_SIZE];

	pattern_fill(buf, size - headers(), &p);
	if (send_waiting(s->fd, buf, size - headers()) < 0 && errno == ECONNREFUSED)
		s->errors += send_waiting(s->fd, buf, size - headers()) < 0;
	s->bytes += size;
}

static void pace(uint64_t start, uint64_t sequence)
{
	uint64_t at = start + sequence * 1000000000ULL / (opt.rate ?: 1);
	struct timespec t = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};

	if (opt.rate && at > now_ns())
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int transmit(void)
{
	uint64_t start = now_ns(), bad = 0, bytes = 0;

	for (unsigned int i = 0; i < opt.n; i++)
		aim(&opt.streams[i]);
	for (uint64_t sequence = 0; sequence < opt.count; sequence++) {
		pace(start, sequence);
		for (unsigned int i = 0; i < opt.n; i++)
			send_one(&opt.streams[i], sequence);
	}
	for (unsigned int i = 0; i < opt.n; i++) {
		bad += opt.streams[i].errors;
		bytes += opt.streams[i].bytes;
	}
	printf("{\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"errors\": %" PRIu64 "}\n",
	       opt.count * opt.n, bytes, bad);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- options --- */

static void usage(void)
{
	fputs("Usage: pattern-tool receive [OPTION]... [NETNS/]DEV=STREAM... [-- COMMAND...]\n"
	      "       pattern-tool send [OPTION]... [NETNS/]DEV=STREAM@ADDRESS...\n\n"
	      "  -6        IPv6\n"
	      "  -c COUNT  datagrams per stream (1000)\n"
	      "  -p PORT   UDP port (receive 7001, send 7002)\n"
	      "  -t MS     receive: give up after so long without a packet (60000), or on SIGTERM\n"
	      "  -s SIZE   send: bytes of the IP packet, or MIN-MAX in turn (1400)\n"
	      "  -r RATE   send: datagrams per second and stream (0: no limit)\n",
	      stderr);
	exit(EXIT_TROUBLE);
}

static void parse_stream(const char *text, bool sending)
{
	struct stream *s = &opt.streams[opt.n++];
	const char *slash = strchr(text, '/');
	int fields;

	if (opt.n > MAX_STREAMS)
		errx(EXIT_TROUBLE, "too many streams");
	if (slash) {
		snprintf(s->netns, sizeof(s->netns), "%.*s", (int)(slash - text), text);
		text = slash + 1;
	}
	fields = sscanf(text, "%15[^=]=%u@%45s", s->dev, &s->id, s->to);
	if (fields != (sending ? 3 : 2))
		usage();
}

static void parse_sizes(const char *text)
{
	int fields = sscanf(text, "%u-%u", &opt.min, &opt.max);

	if (fields == 1)
		opt.max = opt.min;
}

static void parse_option(int letter)
{
	switch (letter) {
	case '6':
		opt.family = AF_INET6;
		break;
	case 'c':
		opt.count = strtoull(optarg, NULL, 0);
		break;
	case 'p':
		opt.port = atoi(optarg);
		break;
	case 't':
		opt.quiet_ms = strtoull(optarg, NULL, 0);
		break;
	case 's':
		parse_sizes(optarg);
		break;
	case 'r':
		opt.rate = strtoull(optarg, NULL, 0);
		break;
	default:
		usage();
	}
}

static void check_sizes(void)
{
	if (opt.min < headers() + PATTERN_HEADER || opt.max < opt.min ||
	    opt.max - headers() > PATTERN_MAX_SIZE)
		errx(EXIT_TROUBLE, "packets of %u to %u bytes cannot be made", opt.min, opt.max);
}

/* argv[0] is the command; getopt permutes nothing ("+"), so that COMMAND keeps its own options. */
static void parse(int argc, char **argv, bool sending)
{
	int letter;

	opt.port = sending ? PATTERN_UL_PORT : PATTERN_DL_PORT;
	while ((letter = getopt(argc, argv, "+6c:p:t:s:r:")) != -1)
		parse_option(letter);
	for (; optind < argc && strcmp(argv[optind], "--"); optind++)
		parse_stream(argv[optind], sending);
	if (optind + 1 < argc)
		opt.command = argv + optind + 1;
	if (!opt.n || !opt.count || (sending && opt.command))
		usage();
	if (sending)
		check_sizes();
}

int main(int argc, char **argv)
{
	bool sending = argc > 1 && !strcmp(argv[1], "send");

	if (argc < 2 || (!sending && strcmp(argv[1], "receive")))
		usage();
	parse(argc - 1, argv + 1, sending);
	open_streams();
	return sending ? transmit() : receive();
}
