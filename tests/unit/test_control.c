// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket with well-behaved and with hostile clients. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "daemon/control/control.h"
#include "daemon/control/client.h"
#include "daemon/control/server.h"
#include "daemon/util/clock.h"
#include "daemon/util/loop.h"

#define BIG_REPLY (1 << 20) /* more than a socket holds */
#define NOBODY	  65534

struct fixture {
	char dir[64], path[96];
	struct event_base *base;
	struct control_server *server;
	struct control_request *held;  /* kept by "hold", answered later */
	struct control_stream *stream; /* opened by "monitor"; NULL: closed */
	unsigned int changes;
	/* Requests "work" that were answered; every hundredth asks "show" on @asker, and @waited is
	 * how many more of them came before that at most. */
	unsigned int worked, asked_at, waited, shown;
	int asker;
	unsigned int descriptors; /* of this process, at the last "show" */
};

static unsigned int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void do_echo(struct control_request *req, struct json_object *args, void *arg)
{
	struct fixture *f = arg;

	f->shown++;
	f->descriptors = count_descriptors();
	if (f->worked - f->asked_at > f->waited)
		f->waited = f->worked - f->asked_at;
	control_reply(req, json_object_get(args));
}

static void do_fail(struct control_request *req, struct json_object *args, void *arg)
{
	struct error e = {0};

	error_set(&e, -ENODEV, "there is no device %s", control_args_string(args, "dev"));
	error_hint(&e, "plug it in");
	control_reply_error(req, &e);
}

static void do_hold(struct control_request *req, struct json_object *args, void *arg)
{
	struct fixture *f = arg;

	f->held = req;
}

static void do_change(struct control_request *req, struct json_object *args, void *arg)
{
	struct fixture *f = arg;

	f->changes++;
	control_reply(req, NULL);
}

static void do_work(struct control_request *req, struct json_object *args, void *arg)
{
	struct fixture *f = arg;

	control_reply(req, NULL);
	if (f->worked++ % 100)
		return;
	f->asked_at = f->worked;
	assert_int_equal(send(f->asker, "{\"command\":\"show\"}\n", 19, 0), 19);
}

static void do_big(struct control_request *req, struct json_object *args, void *arg)
{
	char *text = malloc(BIG_REPLY);

	assert_non_null(text);
	memset(text, 'x', BIG_REPLY);
	control_reply(req, json_object_new_string_len(text, BIG_REPLY));
	free(text);
}

static void stream_closed(void *arg)
{
	struct fixture *f = arg;

	assert_non_null(f->stream);
	f->stream = NULL;
}

static void do_monitor(struct control_request *req, struct json_object *args, void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(control_stream_open(&f->stream, req, stream_closed, f), 0);
}

static void do_raw(struct control_request *req, struct json_object *args, void *arg)
{
	control_reply(req, json_object_new_string("\x1b[31m\x9bm\xff"));
}

static const struct control_command commands[] = {
	{"show", false, do_echo}, {"stats", false, do_fail},   {"hold", false, do_hold},
	{"big", false, do_big},	  {"attach", true, do_change}, {"monitor", false, do_monitor},
	{"raw", false, do_raw},	  {"work", false, do_work},    {NULL, false, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	strcpy(f->dir, "/tmp/qmap-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
	f->base = loop_new();
	assert_non_null(f->base);
	assert_int_equal(control_server_new(&f->server, f->base, f->path, commands, f, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	control_server_free(&f->server);
	event_base_free(f->base);
	assert_int_equal(rmdir(f->dir), 0); /* the directory must be empty */
	free(f);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void turn(struct fixture *f)
{
	event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Writes all of @len while the server reads. */
static void put(struct fixture *f, int fd, const char *buf, size_t len)
{
	double end = now() + 5;

	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		assert_true(now() < end);
		assert_true(n > 0 || errno == EAGAIN);
		if (n > 0) {
			buf += n;
			len -= n;
		}
		turn(f);
	}
}

/* Reads one line without its newline; -1 at the end of the connection. */
static int get(struct fixture *f, int fd, char *buf, size_t size)
{
	double end = now() + 5;
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, buf + len, 1, 0);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return -1;
		if (n == 1 && buf[len] == '\n')
			break;
		if (n == 1)
			len++;
		else
			turn(f);
		assert_true(len < size);
		assert_true(now() < end);
	}
	buf[len] = '\0';
	return len;
}

static void expect_line(struct fixture *f, int fd, const char *want)
{
	char line[4096];

	assert_true(get(f, fd, line, sizeof(line)) >= 0);
	assert_string_equal(line, want);
}

static void expect_error(struct fixture *f, int fd, const char *symbol)
{
	struct json_object *o, *v;
	char line[4096];
	const char *why;
	int len = get(f, fd, line, sizeof(line));

	assert_true(len > 0);
	o = control_parse(line, len, &why);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "ok", &v));
	assert_false(json_object_get_boolean(v));
	assert_true(json_object_object_get_ex(o, "errno", &v));
	assert_string_equal(json_object_get_string(v), symbol);
	json_object_put(o);
}

static void expect_end(struct fixture *f, int fd)
{
	char c[16];

	assert_int_equal(get(f, fd, c, sizeof(c)), -1);
	close(fd);
}

static void say(struct fixture *f, int fd, const char *line)
{
	put(f, fd, line, strlen(line));
}

/* ---- behaving ---- */

TEST(answers)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd, "{\"command\":\"show\",\"dev\":\"wwan0\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\",\"dev\":\"wwan0\"}}");
	say(f, fd, "{\"command\":\"attach\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":null}");
	assert_int_equal(f->changes, 1);
	say(f, fd, "{\"command\":\"stats\",\"dev\":\"wwan7\"}\n");
	expect_line(f, fd,
		    "{\"error\":\"there is no device wwan7\",\"errno\":\"ENODEV\","
		    "\"hint\":\"plug it in\",\"exit\":4,\"ok\":false}");
	close(fd);
}

TEST(several_at_once)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd,
	    "{\"command\":\"show\",\"n\":1}\n{\"command\":\"nonsense\"}\n"
	    "{\"command\":\"show\",\"n\":2}\n");
	shutdown(fd, SHUT_WR);
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\",\"n\":1}}");
	expect_error(f, fd, "EINVAL");
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\",\"n\":2}}");
	expect_end(f, fd);
}

/* `printf %s REQUEST | socat - UNIX:...`: the end of the input ends the last line. */
TEST(last_line_without_newline)
{
	static const char *const before[] = {"", "{\"command\":\"show\",\"n\":1}\n"};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		int fd = dial(f);

		say(f, fd, before[i]);
		say(f, fd, "{\"command\":\"show\",\"n\":2}");
		shutdown(fd, SHUT_WR);
		if (i)
			expect_line(f, fd,
				    "{\"ok\":true,\"result\":{\"command\":\"show\",\"n\":1}}");
		expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\",\"n\":2}}");
		expect_end(f, fd);
	}
}

/* In one piece, so that the end comes while the first line is answered. */
TEST(half_a_line)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd, "{\"command\":\"attach\"}\n{\"command\":\"att");
	shutdown(fd, SHUT_WR);
	expect_line(f, fd, "{\"ok\":true,\"result\":null}");
	expect_error(f, fd, "EBADMSG");
	expect_end(f, fd);
	assert_int_equal(f->changes, 1);
}

TEST(unknown_command)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd, "{\"command\":\"shaw\"}\n");
	expect_line(f, fd,
		    "{\"error\":\"unknown command \\\"shaw\\\"\",\"errno\":\"EINVAL\","
		    "\"hint\":\"did you mean \\\"show\\\"?\",\"exit\":1,\"ok\":false}");
	say(f, fd, "{}\n");
	expect_error(f, fd, "EINVAL");
	say(f, fd, "{\"command\":5}\n");
	expect_error(f, fd, "EINVAL");
	say(f, fd, "{\"command\":\"show\\u0000\"}\n");
	expect_error(f, fd, "EINVAL");
	close(fd);
}

/* No JSON parser accepts invalid UTF-8, so none may come in or go out. */
TEST(utf8)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd, "{\"command\":\"show\",\"dev\":\"\xc3\xbc\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\",\"dev\":\"\xc3\xbc\"}}");
	say(f, fd, "{\"command\":\"raw\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":\"\\u001b[31m?m?\"}");
	say(f, fd, "{\"command\":\"show\",\"dev\":\"\xff\"}\n");
	expect_error(f, fd, "EBADMSG");
	expect_end(f, fd);
}

/* An open request does not block other clients, and its client still gets the answer after EOF. */
TEST(later)
{
	struct fixture *f = *state;
	int fd = dial(f), other = dial(f);

	say(f, fd, "{\"command\":\"hold\"}\n{\"command\":\"show\"}\n");
	shutdown(fd, SHUT_WR);
	while (!f->held)
		turn(f);
	say(f, other, "{\"command\":\"show\"}\n");
	expect_line(f, other, "{\"ok\":true,\"result\":{\"command\":\"show\"}}");
	control_reply(f->held, json_object_new_int(7));
	expect_line(f, fd, "{\"ok\":true,\"result\":7}");
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\"}}");
	expect_end(f, fd);
	close(other);
}

TEST(client_leaves)
{
	struct fixture *f = *state;
	int fd = dial(f), other;

	say(f, fd, "{\"command\":\"hold\"}\n");
	while (!f->held)
		turn(f);
	close(fd);
	turn(f);
	other = dial(f);
	say(f, other, "{\"command\":\"show\"}\n");
	expect_line(f, other, "{\"ok\":true,\"result\":{\"command\":\"show\"}}");
	control_reply(f->held, json_object_new_int(7));
	turn(f);
	close(other);
}

TEST(server_ends_first)
{
	struct fixture *f = *state;
	struct error e = {0};
	int fd = dial(f);

	say(f, fd, "{\"command\":\"hold\"}\n");
	while (!f->held)
		turn(f);
	control_server_free(&f->server);
	assert_null(f->server);
	expect_end(f, fd);
	error_set(&e, -ECANCELED, "over");
	control_reply_error(f->held, &e);
}

/* ---- streams ---- */

static int open_stream(struct fixture *f)
{
	int fd = dial(f);

	say(f, fd, "{\"command\":\"monitor\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":null}");
	assert_non_null(f->stream);
	return fd;
}

static void stream_number(struct fixture *f, int n)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "n", json_object_new_int(n));
	control_stream_send(f->stream, o);
}

TEST(stream)
{
	struct fixture *f = *state;
	int fd = open_stream(f);

	stream_number(f, 1);
	expect_line(f, fd, "{\"n\":1}");
	say(f, fd, "{\"command\":\"show\"}\n"); /* the server reads no more requests */
	stream_number(f, 2);
	stream_number(f, 3);
	expect_line(f, fd, "{\"n\":2}");
	expect_line(f, fd, "{\"n\":3}");
	close(fd);
	while (f->stream)
		turn(f);
}

TEST(stream_ends_with_the_server)
{
	struct fixture *f = *state;
	int fd = open_stream(f);

	stream_number(f, 1);
	control_server_free(&f->server);
	assert_null(f->stream);
	while (get(f, fd, (char[64]){0}, 64) >= 0)
		;
	close(fd);
}

/* The client has left before the stream began. */
TEST(stream_to_nobody)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(f, fd, "{\"command\":\"hold\"}\n");
	while (!f->held)
		turn(f);
	close(fd);
	for (int i = 0; i < 5; i++)
		turn(f);
	/*
	 * A client that has only closed its sending side gets its answer, so it may still get the
	 * stream.
	 */
	if (!control_stream_open(&f->stream, f->held, stream_closed, f))
		for (int i = 0; i < 1000 && f->stream; i++) {
			stream_number(f, i);
			turn(f);
		}
	assert_null(f->stream);
}

/* With `socat`, whose end is noticed all the same, if later. */
TEST(stream_of_a_client_that_has_said_all)
{
	static const char *const ends[] = {"\n", ""};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		double end = now() + 60;
		int fd = dial(f);

		say(f, fd, "{\"command\":\"monitor\"}");
		say(f, fd, ends[i]);
		shutdown(fd, SHUT_WR);
		expect_line(f, fd, "{\"ok\":true,\"result\":null}");
		for (int j = 0; j < 5; j++)
			turn(f);
		assert_non_null(f->stream);
		stream_number(f, 5);
		expect_line(f, fd, "{\"n\":5}");
		close(fd);
		while (f->stream && now() < end)
			turn(f);
		assert_null(f->stream);
	}
}

static int number_of(const char *line, const char *key)
{
	const char *why;
	struct json_object *o = control_parse(line, strlen(line), &why), *v;
	int n = -1;

	assert_non_null(o);
	if (json_object_object_get_ex(o, key, &v))
		n = json_object_get_int(v);
	json_object_put(o);
	return n;
}

/*
 * Lines that a slow reader misses are counted, the others are in order; the daemon queues
 * little.
 */
TEST(slow_reader_of_a_stream)
{
	enum {
		LINES = 200000
	};
	struct fixture *f = *state;
	int fd = open_stream(f), got = 0, missed = 0, gaps = 0, gap, n;
	char line[256];

	for (int i = 0; i < LINES; i++) {
		stream_number(f, i);
		if (i % 100 == 0)
			turn(f);
	}
	while (got + missed < LINES) {
		assert_true(get(f, fd, line, sizeof(line)) > 0);
		gap = number_of(line, "gap");
		n = number_of(line, "n");
		if (gap > 0) {
			missed += gap;
			gaps++;
		} else {
			assert_int_equal(n, got + missed);
			got++;
		}
	}
	assert_true(gaps >= 1);
	assert_true(missed > 0 && got > 100);
	stream_number(f, LINES);
	expect_line(f, fd, "{\"n\":200000}");
	close(fd);
	while (f->stream)
		turn(f);
}

/* ---- misbehaving ---- */

TEST(garbage)
{
	static const struct {
		const char *bytes;
		size_t len;
	} table[] = {
		{"hello\n", 6},
		{"\n", 1},
		{"[]\n", 3},
		{"42\n", 3},
		{"null\n", 5},
		{"{\"command\":\"show\"\n", 18},
		{"{\"command\":\"show\"} x\n", 21},
		{"{'command':'show'}\n", 19},
		{"{\"command\":\"show\"}\0\n", 20},
		{"\xff\xfe\x00\x01\n", 5},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int fd = dial(f);

		put(f, fd, table[i].bytes, table[i].len);
		expect_error(f, fd, "EBADMSG");
		expect_end(f, fd);
	}
}

TEST(deep)
{
	struct fixture *f = *state;
	char line[2 * 5000 + 32];
	int fd = dial(f);

	memset(line, '[', 5000);
	strcpy(line + 5000, "\n");
	say(f, fd, line);
	expect_error(f, fd, "EBADMSG");
	expect_end(f, fd);
}

/* The longest line accepted, and one byte more. */
TEST(long_lines)
{
	static const char head[] = "{\"command\":\"attach\",\"x\":\"", tail[] = "\"}\n";
	struct fixture *f = *state;
	char *line = malloc(CONTROL_MAX_REQUEST + 1);
	int fd = dial(f);

	assert_non_null(line);
	memset(line, 'x', CONTROL_MAX_REQUEST + 1);
	memcpy(line, head, strlen(head));
	memcpy(line + CONTROL_MAX_REQUEST - strlen(tail), tail, strlen(tail));
	put(f, fd, line, CONTROL_MAX_REQUEST);
	expect_line(f, fd, "{\"ok\":true,\"result\":null}");

	memset(line + CONTROL_MAX_REQUEST - strlen(tail), 'x', strlen(tail) + 1);
	put(f, fd, line, CONTROL_MAX_REQUEST);
	expect_error(f, fd, "EMSGSIZE");
	expect_end(f, fd);
	assert_int_equal(f->changes, 1);
	free(line);
}

/*
 * A client that takes longer for its reply than the limit has the whole of it, as it never pauses so
 * long.
 */
TEST(slow_reader)
{
	struct fixture *f = *state;
	double began = now(), next = 0;
	size_t total = 0;
	ssize_t n = 1;
	int fd = dial(f);
	char sip[20000];

	say(f, fd, "{\"command\":\"big\"}\n");
	while (n && total < BIG_REPLY) {
		struct timespec pause = {.tv_nsec = 10000000};

		turn(f);
		nanosleep(&pause, NULL);
		if (now() < next)
			continue;
		next = now() + 0.15;
		n = recv(fd, sip, sizeof(sip), 0);
		assert_true(n > 0 || errno == EAGAIN);
		total += n > 0 ? n : 0;
	}
	assert_true(now() - began > 5);
	close(fd);
}

/* Two looks at a reader that takes 5 KB in between, a third of the most that libevent writes at once. */
TEST(slow_reader_of_little)
{
	struct fixture *f = *state;
	double began = now(), next = 0;
	int fd = dial(f);
	struct pollfd hung_up = {.fd = fd};

	say(f, fd, "{\"command\":\"big\"}\n");
	while (now() - began < 11) {
		struct timespec pause = {.tv_nsec = 10000000};
		char sip[300];

		turn(f);
		nanosleep(&pause, NULL);
		assert_int_equal(poll(&hung_up, 1, 0), 0);
		if (now() < next)
			continue;
		next = now() + 0.3;
		assert_true(recv(fd, sip, sizeof(sip), 0) > 0 || errno == EAGAIN);
	}
	close(fd);
}

/*
 * Clients that send half a line, send it byte by byte, or do not read: all are disconnected in the
 * end.
 */
TEST(slow)
{
	struct fixture *f = *state;
	int half = dial(f), drip = dial(f), deaf = dial(f), good;
	double end = now() + 300, next = 0;
	char line[256];
	bool open = true;

	say(f, half, "{\"command\":");
	say(f, deaf, "{\"command\":\"big\"}\n");
	turn(f);
	good = dial(f);
	say(f, good, "{\"command\":\"show\"}\n");
	assert_true(get(f, good, line, sizeof(line)) > 0);
	close(good);
	while (open && now() < end) {
		struct timespec pause = {.tv_nsec = 10000000};

		turn(f);
		if (now() > next) {
			open = send(drip, " ", 1, MSG_NOSIGNAL) == 1;
			next = now() + 0.2;
		}
		nanosleep(&pause, NULL);
	}
	assert_false(open);
	close(drip);
	expect_end(f, half);
	/* The socket's buffer arrives, the rest of the megabyte does not. */
	struct pollfd hung_up = {.fd = deaf};

	while (!poll(&hung_up, 1, 0) && now() < end)
		turn(f);
	size_t total = 0;
	ssize_t n;

	while ((n = recv(deaf, line, sizeof(line), 0)) > 0)
		total += n;
	assert_true(n == 0 || errno == ECONNRESET);
	assert_true(total > 0 && total < BIG_REPLY);
	close(deaf);
}

TEST(many)
{
	struct fixture *f = *state;
	int fds[100], served = 0, refused = 0;
	char line[256];

	for (int i = 0; i < 100; i++) {
		fds[i] = dial(f);
		turn(f);
	}
	for (int i = 0; i < 100; i++) {
		send(fds[i], "{\"command\":\"show\"}\n", 19, MSG_NOSIGNAL);
		assert_true(get(f, fds[i], line, sizeof(line)) > 0);
		if (strstr(line, "\"ok\":true"))
			served++;
		else if (strstr(line, "EAGAIN"))
			refused++;
	}
	assert_int_equal(served, 64);
	assert_int_equal(refused, 36);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	turn(f);
	fds[0] = dial(f);
	say(f, fds[0], "{\"command\":\"show\"}\n");
	expect_line(f, fds[0], "{\"ok\":true,\"result\":{\"command\":\"show\"}}");
	close(fds[0]);
}

/*
 * A connection that cannot be accepted for want of a descriptor waits, and the loop does not
 * spin.
 */
TEST(no_descriptors)
{
	struct fixture *f = *state;
	struct rlimit old, tight;
	int fd = dial(f), turns = 0;
	double end;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (end = now() + 0.3; now() < end; turns++) {
		struct timeval tv = {.tv_usec = 100000};

		event_base_loopexit(f->base, &tv);
		event_base_loop(f->base, EVLOOP_ONCE);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_in_range(turns, 1, 10);
	say(f, fd, "{\"command\":\"show\"}\n");
	expect_line(f, fd, "{\"ok\":true,\"result\":{\"command\":\"show\"}}");
	close(fd);
}

/* ---- permissions ---- */

/* Runs @fn in a child process while the server serves; returns its exit code. */
static int in_child(struct fixture *f, int (*fn)(const struct fixture *f))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn(f));
	while (waitpid(pid, &status, WNOHANG) == 0)
		turn(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int call(const struct fixture *f, const char *command, struct error *err)
{
	struct json_object *req, *result = NULL;
	int ret, fd = control_connect(f->path, 60, err);

	if (fd < 0)
		return fd;
	req = json_object_new_object();
	json_object_object_add(req, "command", json_object_new_string(command));
	ret = control_call(fd, req, &result, 60, err);
	json_object_put(req);
	json_object_put(result);
	close(fd);
	return ret;
}

static int become_nobody(void)
{
	return setgid(NOBODY) || setuid(NOBODY);
}

static int stranger(const struct fixture *f)
{
	struct error err = {0};

	if (become_nobody() || call(f, "show", &err) != -EACCES)
		return 1;
	if (err.exit != EXIT_PERMISSION || !strstr(err.hint, "root"))
		return 2;
	return 0;
}

static int member(const struct fixture *f)
{
	struct error err = {0};

	if (become_nobody() || call(f, "show", NULL))
		return 1;
	if (call(f, "attach", &err) != -EPERM || err.exit != EXIT_PERMISSION)
		return 2;
	return strcmp(err.text, "only root may attach") ? 3 : 0;
}

static int root(const struct fixture *f)
{
	return call(f, "show", NULL) || call(f, "attach", NULL);
}

TEST(permissions)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(in_child(f, root), 0);
	assert_int_equal(f->changes, 1);
	if (geteuid()) {
		print_message("SKIP: changing the user needs root\n");
		skip();
	}
	assert_int_equal(in_child(f, stranger), 0);
	/* Replaces membership in the group: this user gets past the socket's mode. */
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(in_child(f, member), 0);
	assert_int_equal(f->changes, 1);
}

/* ---- a user who takes all that the server has ---- */

#define FLOODERS 30
#define FLOOD	 50 /* requests of each: their replies fit into the socket */

/* Runs @fn as user nobody in a child, which keeps its connections until the parent closes @pipe_end. */
static pid_t flooder(struct fixture *f, int *pipe_end,
		     void (*fn)(const struct fixture *f, int ready))
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ready), 0);
	pid = fork();
	if (!pid) {
		close(ready[0]);
		if (become_nobody())
			_exit(1);
		fn(f, ready[1]);
		recv(ready[1], &c, 1, 0);
		_exit(0);
	}
	close(ready[1]);
	*pipe_end = ready[0];
	return pid;
}

static void wait_for_flooder(int pipe_end)
{
	char c;

	assert_int_equal(recv(pipe_end, &c, 1, 0), 1);
}

static void end_flooder(struct fixture *f, pid_t pid, int pipe_end)
{
	close(pipe_end);
	while (waitpid(pid, NULL, WNOHANG) == 0)
		turn(f);
}

/* First all connections, for which the parent turns the loop, then all requests. */
static void flood_requests(const struct fixture *f, int ready)
{
	static const char line[] = "{\"command\":\"work\"}\n";
	char lines[FLOOD * sizeof(line)] = "", c;
	int fds[FLOODERS];

	for (int n = 0; n < FLOOD; n++)
		strcat(lines, line);
	for (int i = 0; i < FLOODERS; i++)
		fds[i] = dial(f);
	send(ready, "c", 1, 0);
	recv(ready, &c, 1, 0);
	for (int i = 0; i < FLOODERS; i++)
		send(fds[i], lines, strlen(lines), MSG_NOSIGNAL);
	send(ready, "r", 1, 0);
}

static void connect_many(const struct fixture *f, int ready)
{
	for (int i = 0; i < 500; i++)
		dial(f);
	send(ready, "c", 1, 0);
}

/* A request of root is answered before those of other users that came earlier. */
TEST(root_before_others)
{
	struct fixture *f = *state;
	char replies[4096];
	int pipe_end;
	pid_t pid;

	if (geteuid()) {
		print_message("SKIP: changing the user needs root\n");
		skip();
	}
	assert_int_equal(chmod(f->path, 0666), 0);
	f->asker = dial(f);
	pid = flooder(f, &pipe_end, flood_requests);
	wait_for_flooder(pipe_end);
	turn(f);
	assert_int_equal(send(pipe_end, "g", 1, 0), 1);
	wait_for_flooder(pipe_end);
	turn(f);
	assert_int_equal(f->worked, FLOODERS * FLOOD);
	assert_int_equal(f->shown, FLOODERS * FLOOD / 100);
	assert_in_range(f->waited, 0, 2);
	assert_true(recv(f->asker, replies, sizeof(replies), 0) > 0);
	end_flooder(f, pid, pipe_end);
	close(f->asker);
}

/* Requests are read between two connections of a user who connects as fast as possible. */
TEST(connections_one_by_one)
{
	struct fixture *f = *state;
	unsigned int before;
	int pipe_end;
	pid_t pid;

	if (geteuid()) {
		print_message("SKIP: changing the user needs root\n");
		skip();
	}
	assert_int_equal(chmod(f->path, 0666), 0);
	f->asker = dial(f);
	turn(f);
	pid = flooder(f, &pipe_end, connect_many);
	wait_for_flooder(pipe_end);
	before = count_descriptors();
	assert_int_equal(send(f->asker, "{\"command\":\"show\"}\n", 19, 0), 19);
	turn(f);
	assert_int_equal(f->shown, 1);
	assert_in_range(f->descriptors, 1, before + 4);
	end_flooder(f, pid, pipe_end);
	close(f->asker);
}

/* ---- the socket in the file system ---- */

TEST(second_server)
{
	struct fixture *f = *state;
	struct control_server *second = NULL;
	struct error err = {0};

	assert_int_equal(control_server_new(&second, f->base, f->path, commands, f, &err),
			 -EADDRINUSE);
	assert_null(second);
	assert_int_equal(err.exit, EXIT_REFUSED);
	assert_int_equal(in_child(f, root), 0);
}

TEST(stale_socket)
{
	struct fixture *f = *state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	control_server_free(&f->server);
	assert_int_equal(access(f->path, F_OK), -1);
	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(call(f, "show", NULL), -ECONNREFUSED);
	assert_int_equal(control_server_new(&f->server, f->base, f->path, commands, f, NULL), 0);
	assert_int_equal(in_child(f, root), 0);
}

TEST(no_socket)
{
	struct fixture *f = *state;
	struct error err = {0};
	int fd;

	control_server_free(&f->server);
	fd = open(f->path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "data", 4), 4);
	close(fd);
	assert_int_equal(control_server_new(&f->server, f->base, f->path, commands, f, &err),
			 -EEXIST);
	assert_int_equal(access(f->path, F_OK), 0);
	unlink(f->path);
}

TEST(paths)
{
	struct fixture *f = *state;
	struct control_server *s = NULL;
	char buf[108], path[200];

	unsetenv("RUNTIME_DIRECTORY");
	assert_int_equal(control_path(NULL, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/run/qmapd/control");
	setenv("RUNTIME_DIRECTORY", "/run/elsewhere", 1);
	assert_int_equal(control_path(NULL, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/run/elsewhere/control");
	assert_int_equal(control_path("/x", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/x/control");
	unsetenv("RUNTIME_DIRECTORY");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_path(path, buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(control_server_new(&s, f->base, path, commands, f, NULL), -ENAMETOOLONG);
	assert_int_equal(control_connect(path, 1, NULL), -ENAMETOOLONG);
}

TEST(makes_directory)
{
	struct fixture *f = *state;
	struct control_server *s = NULL;
	char path[160], dir[128];

	snprintf(dir, sizeof(dir), "%s/run", f->dir);
	snprintf(path, sizeof(path), "%s/control", dir);
	assert_int_equal(control_server_new(&s, f->base, path, commands, f, NULL), 0);
	control_server_free(&s);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- the client against servers of all kinds ---- */

static int client_result; /* expected result of control_call() */

/* Reads to the end of the line: bytes behind it are not the client's. */
static bool take_request(int conn)
{
	char buf[256];
	ssize_t n;

	do
		n = recv(conn, buf, sizeof(buf), 0);
	while (n > 0 && buf[n - 1] != '\n');
	return n > 0;
}

/* A listener that reads one request and answers @reply (NULL: nothing), then closes or hangs. */
static void with_server(struct fixture *f, const char *reply, bool hang, int want)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), conn, status;
	struct json_object *result = NULL, *req = json_object_new_object();
	char buf[256];
	pid_t pid;

	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (!pid) {
		conn = accept(fd, NULL, NULL);
		if (!take_request(conn))
			_exit(1);
		if (reply && send(conn, reply, strlen(reply), MSG_NOSIGNAL) < 0)
			_exit(2);
		if (hang && recv(conn, buf, sizeof(buf), 0) < 0)
			_exit(3);
		_exit(0);
	}
	close(fd);
	conn = control_connect(f->path, 1, NULL);
	assert_true(conn >= 0);
	client_result = control_call(conn, req, &result, 1, NULL);
	close(conn);
	unlink(f->path);
	json_object_put(req);
	json_object_put(result);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(client_result, want);
}

/* --- the event loop --- */

struct alarm {
	struct event *timer;
	int64_t added, rang;
};

static void ring(evutil_socket_t fd, short what, void *arg)
{
	struct alarm *a = arg;

	a->rang = clock_ms();
}

/* As a callback that waits for the kernel, and then sends a request with a time limit. */
static void take_long(evutil_socket_t fd, short what, void *arg)
{
	struct timeval limit = clock_timeval(200);
	struct alarm *a = arg;

	usleep(300000);
	a->added = clock_ms();
	event_add(a->timer, &limit);
}

TEST(timers_begin_when_they_are_added)
{
	struct fixture *f = *state;
	struct alarm a = {0};

	a.timer = event_new(f->base, -1, 0, ring, &a);
	event_base_once(f->base, -1, EV_TIMEOUT, take_long, &a, NULL);
	while (!a.rang)
		event_base_loop(f->base, EVLOOP_ONCE);
	event_free(a.timer);
	/* less the resolution of the kernel's coarse clock */
	assert_true(a.rang - a.added >= 190);
}

TEST(client_errors)
{
	struct fixture *f = *state;
	struct error err = {0};

	control_server_free(&f->server);
	assert_int_equal(control_connect(f->path, 1, &err), -ENOENT);
	assert_int_equal(err.exit, EXIT_REFUSED);
	assert_non_null(strstr(err.text, "qmapd is not running"));
	with_server(f, "{\"ok\":true,\"result\":[]}\n", false, 0);
	with_server(f, "{\"ok\":true}\n", false, 0);
	with_server(f, "{\"ok\":false,\"errno\":\"EBUSY\",\"error\":\"x\"}\n", false, -EBUSY);
	with_server(f, "{\"ok\":false}\n", false, -EPROTO);
	with_server(f, "{\"ok\":false,\"errno\":17,\"error\":[]}\n", false, -EPROTO);
	with_server(f, "nonsense\n", false, -EBADMSG);
	with_server(f, "{}\n", false, -EBADMSG);
	with_server(f, "[true]\n", false, -EBADMSG);
	with_server(f, NULL, false, -ECONNRESET);
	with_server(f, "{\"ok\":tr", false, -ECONNRESET);
	with_server(f, "{\"ok\":tr", true, -ETIMEDOUT);
	with_server(f, NULL, true, -ETIMEDOUT);
}

TEST(client_big_request)
{
	struct fixture *f = *state;
	struct json_object *req = json_object_new_object(), *result;
	char *text = calloc(1, CONTROL_MAX_REQUEST + 1);
	int fd = control_connect(f->path, 1, NULL);

	assert_non_null(text);
	memset(text, 'x', CONTROL_MAX_REQUEST);
	json_object_object_add(req, "x", json_object_new_string(text));
	assert_int_equal(control_call(fd, req, &result, 1, NULL), -E2BIG);
	json_object_put(req);
	free(text);
	close(fd);
}

static int take_big(const struct fixture *f)
{
	return -call(f, "big", NULL);
}

TEST(client_big_reply)
{
	assert_int_equal(in_child(*state, take_big), 0);
}
