// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/client.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"

static int dial(const struct cli *cli, struct error *err)
{
	char path[108];

	if (cli->socket)
		return control_connect(cli->socket, CLI_TIMEOUT, err);
	if (control_path(NULL, path, sizeof(path)))
		return error_set(err, -ENAMETOOLONG, "$RUNTIME_DIRECTORY is too long");
	return control_connect(path, CLI_TIMEOUT, err);
}

bool cli_daemon_runs(const struct cli *cli)
{
	int fd = dial(cli, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

struct json_object *cli_request(const char *command, const char *dev)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "command", command);
	if (dev)
		json_add_string(o, "dev", dev);
	return o;
}

static int alone(cli_local_fn local, const char *dev, struct json_object **out,
		 const struct error *why, struct error *err)
{
	if (!local)
		return error_pass(err, why);
	log_debug("%s: looking for myself", why->text);
	if (geteuid()) {
		error_set(err, -EPERM, "qmapd is not running, and without it this needs root");
		error_hint(err, "systemctl start qmapd, or use sudo");
		return -EPERM;
	}
	return local(out, dev, err);
}

int cli_ask_request(const struct cli *cli, struct json_object *request, cli_local_fn local,
		    struct json_object **out, struct error *err)
{
	struct error why = {0};
	int ret, fd = dial(cli, &why);

	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		ret = alone(local, json_get_string(request, "dev"), out, &why, err);
	} else if (fd < 0) {
		ret = error_pass(err, &why);
	} else {
		ret = control_call(fd, request, out,
				   strcmp(json_get_string(request, "command"), "detach")
					   ? CLI_TIMEOUT
					   : CLI_DETACH_TIMEOUT,
				   err);
		close(fd);
	}
	json_object_put(request);
	return ret;
}

int cli_ask(const struct cli *cli, const char *command, const char *dev, cli_local_fn local,
	    struct json_object **out, struct error *err)
{
	return cli_ask_request(cli, cli_request(command, dev), local, out, err);
}

int cli_call(const struct cli *cli, struct json_object *request, unsigned int timeout,
	     struct json_object **out, struct error *err)
{
	int ret, fd = dial(cli, err);

	ret = fd < 0 ? fd : control_call(fd, request, out, timeout, err);
	if (fd >= 0)
		close(fd);
	json_object_put(request);
	return ret;
}

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

/*
 * Signals are delivered only while control_stream() waits, so none is lost between the check of
 * `stopped` and the wait.
 */
static void catch_signals(sigset_t *while_waiting)
{
	const struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, while_waiting);
	sigdelset(while_waiting, SIGINT);
	sigdelset(while_waiting, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int cli_stream(const struct cli *cli, struct json_object *request, const int *also,
	       int (*fn)(void *arg, struct json_object *line), void *arg, struct error *err)
{
	int ret, fd = dial(cli, err);
	sigset_t mask;

	if (fd < 0) {
		json_object_put(request);
		return fd;
	}
	catch_signals(&mask);
	ret = control_stream(fd, request, CLI_TIMEOUT, &mask, also, fn, arg, err);
	close(fd);
	json_object_put(request);
	if (ret == -ECONNRESET)
		fprintf(stderr, "qmapctl: qmapd has ended\n");
	return stopped || ret == -ECONNRESET || ret == -EPIPE ? 0 : ret;
}
