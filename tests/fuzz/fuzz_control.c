// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of the control socket. The first byte selects one: the rest is input from a client to
 * the server (which must go on serving), or a server's answer to the client.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/client.h"
#include "daemon/control/server.h"
#include "daemon/util/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/qmap-fuzz-XXXXXX", path[64];
static struct event_base *base;
static struct control_server *server;
static struct control_request *held;

static void must(bool what)
{
	if (!what)
		abort();
}

static void do_echo(struct control_request *req, struct json_object *args, void *arg)
{
	control_reply(req, json_object_get(args));
}

static void do_fail(struct control_request *req, struct json_object *args, void *arg)
{
	struct error e = {0};

	error_set(&e, -1, "%s", control_args_string(args, "dev"));
	control_reply_error(req, &e);
}

/* The next request answers this one, whose client may have left by then. */
static void do_hold(struct control_request *req, struct json_object *args, void *arg)
{
	if (held)
		control_reply(held, NULL);
	held = req;
}

static const struct control_command commands[] = {
	{"show", false, do_echo},
	{"stats", false, do_fail},
	{"attach", true, do_hold},
	{NULL, false, NULL},
};

static void clean_up(void)
{
	control_server_free(&server);
	if (held)
		control_reply(held, NULL);
	event_base_free(base);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	must(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
	base = event_base_new();
	must(base && !control_server_new(&server, base, path, commands, NULL, NULL));
	atexit(clean_up);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, path);
	must(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Sends while the server reads; stops when it closes the connection. */
static void feed(int fd, const uint8_t *data, size_t size)
{
	char sink[4096];

	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			size -= n;
		} else if (n < 0) {
			turn();
			if (recv(fd, sink, sizeof(sink), 0) == 0)
				return;
		}
	}
}

static void still_serves(void)
{
	static const char line[] = "{\"command\":\"show\"}\n";
	char reply[256] = "";
	int fd = dial();

	feed(fd, (const uint8_t *)line, strlen(line));
	for (int i = 0; i < 100 && recv(fd, reply, sizeof(reply) - 1, 0) < 0; i++)
		turn();
	must(!strcmp(reply, "{\"ok\":true,\"result\":{\"command\":\"show\"}}\n"));
	close(fd);
}

static void fuzz_server(const uint8_t *data, size_t size)
{
	int fd = dial();

	feed(fd, data, size);
	turn();
	turn();
	still_serves();
	close(fd);
	turn();
}

static void fuzz_client(const uint8_t *data, size_t size)
{
	struct json_object *request = json_object_new_object(), *result = NULL;
	struct error err = {0};
	int fds[2], ret;

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	if (send(fds[1], data, size, MSG_NOSIGNAL) == (ssize_t)size) {
		shutdown(fds[1], SHUT_WR);
		ret = control_call(fds[0], request, &result, 1, &err);
		must(ret <= 0 && ret == err.err && (!ret || err.text[0] || !result));
		must(!ret || !result);
	}
	json_object_put(result);
	json_object_put(request);
	close(fds[0]);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		fuzz_client(data + 1, size - 1);
	else
		fuzz_server(data + 1, size - 1);
	return 0;
}
