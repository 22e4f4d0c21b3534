// SPDX-License-Identifier: GPL-2.0-or-later
#include "iperf.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSY_TRIES 60 /* a second between two */
#define OPEN_TRIES 5
#define MAX_OUTPUT (4 << 20) /* 60 s of intervals take 100 KB */

static int start(const struct iperf_options *o, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	extern char **environ;
	char seconds[16];
	char *argv[] = {(char *)"iperf3",
			(char *)"-c",
			(char *)o->server,
			(char *)"-B",
			(char *)o->source,
			(char *)"-J",
			(char *)"-t",
			seconds,
			(char *)"--connect-timeout",
			(char *)"5000",
			o->download ? (char *)"-R" : NULL,
			NULL};
	int ret;

	snprintf(seconds, sizeof(seconds), "%.0f", ceil(o->seconds));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	ret = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* Reads all output from @fd as JSON. */
static struct json_object *read_json(int fd)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o = NULL;
	size_t total = 0;
	char buf[65536];
	ssize_t n;

	while (tok && !o && total < MAX_OUTPUT && (n = read(fd, buf, sizeof(buf))) > 0) {
		o = json_tokener_parse_ex(tok, buf, n);
		total += n;
	}
	if (tok)
		json_tokener_free(tok);
	return o;
}

static double number(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_double(v) : 0;
}

static int understand(struct json_object *o, struct iperf_result *out)
{
	struct json_object *end, *sum, *why;

	if (o && json_object_object_get_ex(o, "error", &why)) {
		snprintf(out->why, sizeof(out->why), "%s", json_object_get_string(why));
		if (strstr(out->why, "busy running a test"))
			return -EBUSY;
		return strstr(out->why, "onnection re") ? -ECONNREFUSED : -EIO;
	}
	if (!o || !json_object_object_get_ex(o, "end", &end) ||
	    !json_object_object_get_ex(end, "sum_received", &sum)) {
		snprintf(out->why, sizeof(out->why), "it has said nothing of a transfer");
		return -EBADMSG;
	}
	out->seconds = number(sum, "seconds");
	out->bits = number(sum, "bytes") * 8;
	if (out->seconds > 0)
		return 0;
	snprintf(out->why, sizeof(out->why), "the transfer took no time");
	return -EBADMSG;
}

static int run_once(const struct iperf_options *o, struct iperf_result *out)
{
	struct json_object *json;
	int fds[2], ret;
	pid_t pid;

	out->why[0] = 0;
	if (pipe2(fds, O_CLOEXEC)) {
		ret = -errno;
		snprintf(out->why, sizeof(out->why), "%s", strerror(-ret));
		return ret;
	}
	ret = start(o, fds[1], &pid);
	close(fds[1]);
	if (ret) {
		snprintf(out->why, sizeof(out->why), "%s", strerror(-ret));
		close(fds[0]);
		return ret;
	}
	json = read_json(fds[0]);
	close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	ret = understand(json, out);
	json_object_put(json);
	return ret;
}

/*
 * After a client has left, a server is busy for a while; then it closes its listening socket, with the
 * connections that wait there, and opens another: it resets or refuses a client that comes meanwhile.
 */
int iperf_run(const struct iperf_options *o, struct iperf_result *out)
{
	int ret = run_once(o, out);

	for (int tries = 0;
	     (ret == -EBUSY && tries < BUSY_TRIES) || (ret == -ECONNREFUSED && tries < OPEN_TRIES);
	     tries++) {
		sleep(1);
		ret = run_once(o, out);
	}
	if (ret)
		fprintf(stderr, "iperf3: %s\n", out->why);
	return ret;
}
