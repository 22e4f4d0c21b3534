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

#define MAX_TRIES  60
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
		if (strstr(json_object_get_string(why), "busy running a test"))
			return -EBUSY;
		fprintf(stderr, "iperf3: %s\n", json_object_get_string(why));
		return -ECONNREFUSED;
	}
	if (!o || !json_object_object_get_ex(o, "end", &end) ||
	    !json_object_object_get_ex(end, "sum_received", &sum)) {
		fputs("iperf3 has said nothing of a transfer\n", stderr);
		return -EBADMSG;
	}
	out->seconds = number(sum, "seconds");
	out->bits = number(sum, "bytes") * 8;
	return out->seconds > 0 ? 0 : -EBADMSG;
}

static int run_once(const struct iperf_options *o, struct iperf_result *out)
{
	struct json_object *json;
	int fds[2], ret;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	ret = start(o, fds[1], &pid);
	close(fds[1]);
	if (ret) {
		fprintf(stderr, "iperf3: %s\n", strerror(-ret));
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

/* A server may still be busy for a while after the client of the previous test has left. */
int iperf_run(const struct iperf_options *o, struct iperf_result *out)
{
	int ret = run_once(o, out);

	for (int tries = 0; ret == -EBUSY && tries < MAX_TRIES; tries++) {
		sleep(1);
		ret = run_once(o, out);
	}
	if (ret == -EBUSY)
		fputs("iperf3: the server is busy with somebody else\n", stderr);
	return ret;
}
