// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "util/clock.h"
#include "util/error_json.h"

#define READ_STEP 65536

static int connect_failed(int ret, const char *path, struct error *err)
{
	switch (-ret) {
	case ENOENT:
	case ECONNREFUSED:
		error_set(err, ret, "qmapd is not running (nobody serves %s)", path);
		error_hint(err, "systemctl start qmapd");
		error_exit(err, EXIT_REFUSED);
		break;
	case EACCES:
	case EPERM:
		error_set(err, ret, "no permission to talk to qmapd (%s)", path);
		error_hint(err, "be root, or a member of group %s to look on", CONTROL_GROUP);
		break;
	case EAGAIN:
	case ETIMEDOUT:
		return error_set(err, -ETIMEDOUT, "qmapd does not answer (%s)", path);
	default:
		error_set(err, ret, "cannot connect to %s: %s", path, strerror(-ret));
	}
	return ret;
}

int control_connect(const char *path, unsigned int timeout, struct error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = timeout};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, -ENAMETOOLONG,
				 "the path of a socket has at most %zu bytes: %s",
				 sizeof(addr.sun_path) - 1, path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, -errno, "cannot create a socket");
	/*
	 * connect() blocks while the listener's queue is full: unix(7) sockets honour
	 * SO_SNDTIMEO.
	 */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	ret = -errno;
	close(fd);
	return connect_failed(ret, path, err);
}

/* Waits until @fd is ready for @events; -ETIMEDOUT. */
static int wait_for(int fd, short events, long long deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	long long left;
	int n;

	do {
		left = deadline - clock_ms();
		n = poll(&p, 1, left > 0 ? left : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int send_all(int fd, const char *buf, size_t len, long long deadline)
{
	while (len) {
		int ret = wait_for(fd, POLLOUT, deadline);
		ssize_t n;

		if (ret)
			return ret;
		n = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
	return 0;
}

struct reply {
	char *buf;
	size_t len, size;
};

static int read_more(int fd, struct reply *r)
{
	ssize_t n;

	if (r->size - r->len < READ_STEP) {
		char *bigger = realloc(r->buf, r->size + READ_STEP * 2);

		if (!bigger)
			return -ENOMEM;
		r->buf = bigger;
		r->size += READ_STEP * 2;
	}
	n = recv(fd, r->buf + r->len, READ_STEP, MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	r->len += n;
	return r->len > CONTROL_MAX_REPLY ? -EMSGSIZE : 0;
}

/* Reads up to the newline, which @r->len does not count. */
static int read_line(int fd, struct reply *r, long long deadline)
{
	while (!r->len || r->buf[r->len - 1] != '\n') {
		int ret = wait_for(fd, POLLIN, deadline);

		if (!ret)
			ret = read_more(fd, r);
		if (ret)
			return ret;
	}
	r->len--;
	return 0;
}

static int take_reply(const struct reply *r, struct json_object **result, struct error *err)
{
	const char *why;
	struct json_object *o = control_parse(r->buf, r->len, &why), *ok;
	int ret = 0;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "ok", &ok))
		ret = error_set(err, -EBADMSG, "qmapd's reply makes no sense");
	else if (json_object_get_boolean(ok))
		*result = json_object_get(json_object_object_get(o, "result"));
	else
		ret = error_from_json(err, o);
	json_object_put(o);
	return ret;
}

static int call_failed(int ret, struct error *err)
{
	if (ret == -ETIMEDOUT)
		return error_set(err, ret, "qmapd has not answered in time");
	if (ret == -ECONNRESET || ret == -EPIPE) {
		error_set(err, -ECONNRESET, "qmapd has closed the connection without an answer");
		error_hint(err, "journalctl -u qmapd");
		return -ECONNRESET;
	}
	return error_set(err, ret, "cannot talk to qmapd: %s", strerror(-ret));
}

static int send_request(int fd, struct json_object *request, long long deadline, struct error *err)
{
	size_t len;
	const char *text = json_object_to_json_string_length(request, JSON_C_TO_STRING_PLAIN, &len);

	if (len >= CONTROL_MAX_REQUEST)
		return error_set(err, -E2BIG,
				 "the request is longer than the %d bytes that qmapd takes",
				 CONTROL_MAX_REQUEST);
	return send_all(fd, text, len, deadline) ?: send_all(fd, "\n", 1, deadline);
}

int control_call(int fd, struct json_object *request, struct json_object **result,
		 unsigned int timeout, struct error *err)
{
	long long deadline = clock_ms() + timeout * 1000LL;
	struct reply r = {0};
	int ret;

	*result = NULL;
	ret = send_request(fd, request, deadline, err);
	/*
	 * A daemon that refuses us may close before it has read the request; its answer is still
	 * there.
	 */
	if (!ret || ret == -EPIPE || ret == -ECONNRESET)
		ret = read_line(fd, &r, deadline);
	ret = ret ? call_failed(ret, err) : take_reply(&r, result, err);
	free(r.buf);
	return ret;
}

/* --- streams --- */

struct stream {
	struct reply in;
	bool accepted;	/* the daemon has accepted the request */
	bool has_error; /* @err is set, or the error is the callback's */
	int (*fn)(void *arg, struct json_object *line);
	void *arg;
};

static int take_line(struct stream *s, const char *text, size_t len, struct error *err)
{
	const struct reply line = {.buf = (char *)text, .len = len};
	struct json_object *o = NULL;
	const char *why;
	int ret;

	if (!s->accepted) {
		ret = take_reply(&line, &o, err);
		s->accepted = !ret;
	} else {
		o = control_parse(text, len, &why);
		ret = o ? s->fn(s->arg, o) : error_set(err, -EBADMSG, "qmapd's line is no JSON");
	}
	s->has_error = ret;
	json_object_put(o);
	return ret;
}

/* Passes complete lines to the callback and keeps the rest. */
static int take_lines(struct stream *s, struct error *err)
{
	char *at = s->in.buf, *end = at + s->in.len, *newline;
	int ret = 0;

	while (!ret && at < end && (newline = memchr(at, '\n', end - at))) {
		ret = take_line(s, at, newline - at, err);
		at = newline + 1;
	}
	s->in.len = end - at;
	memmove(s->in.buf, at, s->in.len);
	return ret;
}

/* Waits for bytes on @fd; meanwhile passes on that @also is readable. */
static int wait_signal(struct stream *s, int fd, const struct timespec *timeout,
		       const sigset_t *mask, const int *also)
{
	int ret = 0;

	while (!ret) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN},
				     {.fd = also ? *also : -1, .events = POLLIN}};

		if (ppoll(p, 2, timeout, mask) < 0)
			return -errno;
		if (p[1].revents)
			ret = s->has_error = s->fn(s->arg, NULL);
		else if (!p[0].revents)
			return -ETIMEDOUT;
		if (p[0].revents)
			break;
	}
	return ret;
}

int control_stream(int fd, struct json_object *request, unsigned int timeout, const sigset_t *mask,
		   const int *also, int (*fn)(void *arg, struct json_object *line), void *arg,
		   struct error *err)
{
	const struct timespec first = {.tv_sec = timeout};
	struct stream s = {.fn = fn, .arg = arg};
	int ret = send_request(fd, request, clock_ms() + timeout * 1000LL, err);

	while (!ret) {
		ret = wait_signal(&s, fd, s.accepted ? NULL : &first, mask, also)
			      ?: read_more(fd, &s.in);
		if (!ret)
			ret = take_lines(&s, err);
	}
	free(s.in.buf);
	return s.has_error ? ret : call_failed(ret, err);
}
