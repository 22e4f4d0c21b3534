// SPDX-License-Identifier: GPL-2.0-or-later
/* qmapd: options, event loop, order of start and stop. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "config/set.h"
#include "control/control.h"
#include "control/server.h"
#include "events/events.h"
#include "hooks/hook_run.h"
#include "hooks/hooks.h"
#include "events/supervisor.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/notify.h"
#include "util/printable.h"
#include "cli/options.h"
#include "util/resume.h"
#include "proxy/proxy.h"
#include "qmi/transport.h"
#include "manager/trunk_list.h"

#define DEFAULT_CONFIG CONFIG_DIRECTORY
#define EXIT_CONFIG    78 /* sysexits.h, which systemd prints as CONFIG */

struct args {
	const char *config;
	const char *run_dir;
	const char *qmi_proxy, *qmi_proxy_group;
	bool verbose, quiet, help, version;
};

/* clang-format off */
static const struct option_def option_defs[] = {
	{.name = "config", .letter = 'c', .type = OPTION_TEXT,
	 .offset = offsetof(struct args, config), .metavar = "FILE",
	 .help = "attach what FILE, or DIR/*.conf, asks for (default: " DEFAULT_CONFIG "/*.conf)"},
	{.name = "run-dir", .type = OPTION_TEXT, .offset = offsetof(struct args, run_dir),
	 .metavar = "DIR",
	 .help = "directory of the control socket and the resolv.conf files (default: /run/qmapd)"},
	{.name = "qmi-proxy", .type = OPTION_TEXT, .offset = offsetof(struct args, qmi_proxy),
	 .metavar = "yes|no|NAME",
	 .help = "let other programs use the modems as through libqmi's qmi-proxy, whose name is "
		 "qmi-proxy (default: yes)"},
	{.name = "qmi-proxy-group", .type = OPTION_TEXT,
	 .offset = offsetof(struct args, qmi_proxy_group), .metavar = "GROUP",
	 .help = "members of GROUP may use them so, not root alone"},
	{.name = "verbose", .letter = 'v', .type = OPTION_FLAG,
	 .offset = offsetof(struct args, verbose),
	 .help = "log everything"},
	{.name = "quiet", .letter = 'q', .type = OPTION_FLAG,
	 .offset = offsetof(struct args, quiet),
	 .help = "log errors only"},
	{.name = "help", .letter = 'h', .type = OPTION_FLAG, .offset = offsetof(struct args, help),
	 .help = "print this"},
	{.name = "version", .letter = 'V', .type = OPTION_FLAG,
	 .offset = offsetof(struct args, version),
	 .help = "print the version"},
};
/* clang-format on */

struct daemon {
	struct event_base *base;
	struct event *sigterm, *sigint, *sighup;
	const struct args *args;
	const char *config;	    /* file or directory; NULL: the default, if it exists */
	struct config_daemon proxy; /* settings of the qmi-proxy */
	struct resume_watch *resume;
	struct events *events;
	struct trunk_list *trunks;
	struct hooks *hooks;
	struct supervisor *supervisor;
	struct control_server *control;
};

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	log_info("Signal %d: leaving; trunks stay attached", (int)sig);
	event_base_loopbreak(arg);
}

/*
 * Applies nothing before all files have been read, so that a typing error is not applied by
 * half.
 */
static int read_config(const struct daemon *d, struct config_set *set, struct error *err)
{
	const char *path = d->config ? d->config : DEFAULT_CONFIG;
	int ret;

	if (!d->config && access(path, R_OK))
		return 0;
	ret = config_set_read(set, path, err) ?: config_set_use_models(set, true, err);
	for (size_t i = 0; !ret && i < set->n; i++)
		hook_warn(set->trunks[i]);
	return ret;
}

/* An option overrides the file. */
static struct config_daemon wanted_proxy(const struct args *args, const struct config_set *set)
{
	struct config_daemon w = set->daemon;

	if (args->qmi_proxy)
		snprintf(w.qmi_proxy, sizeof(w.qmi_proxy), "%s", args->qmi_proxy);
	if (args->qmi_proxy_group)
		snprintf(w.qmi_proxy_group, sizeof(w.qmi_proxy_group), "%s", args->qmi_proxy_group);
	return w;
}

static int start_proxy(struct daemon *d, struct error *err)
{
	const char *name = d->proxy.qmi_proxy, *group = d->proxy.qmi_proxy_group;
	int ret;

	if (!strcmp(name, "no"))
		return 0;
	if (!*name || !strcmp(name, "yes"))
		name = QMI_PROXY_PREFIX;
	ret = proxy_server_start(d->base, name, *group ? group : NULL, err);
	if (ret == -EINVAL)
		error_exit(err, EXIT_USAGE);
	return ret;
}

static void restart_proxy(struct daemon *d, const struct config_set *set)
{
	const struct config_daemon w = wanted_proxy(d->args, set);
	struct error err = {0};

	if (!strcmp(w.qmi_proxy, d->proxy.qmi_proxy) &&
	    !strcmp(w.qmi_proxy_group, d->proxy.qmi_proxy_group))
		return;
	d->proxy = w;
	log_info("qmi-proxy: other settings, its clients are hung up");
	proxy_server_stop();
	if (start_proxy(d, &err))
		log_error("%s; qmi-proxy is not served", err.text);
}

/* @why: source of the request. */
static int reread(struct daemon *d, const char *why, struct error *err)
{
	struct config_set set = {.n = 0};
	int ret = read_config(d, &set, err);

	if (ret) {
		log_error("%s: %s%s%s; nothing is changed", why, err->text,
			  err->hint[0] ? "; " : "", err->hint);
		notify("STATUS=Not reloaded: %s", printable(err->text));
		config_set_clear(&set);
		return ret;
	}
	log_info("%s: configuration read again", why);
	notify("STATUS=Configuration read again");
	restart_proxy(d, &set);
	trunk_list_configure(d->trunks, &set);
	return 0;
}

static int reload(struct daemon *d, const char *why, struct error *err)
{
	int ret;

	notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_ms() * 1000);
	ret = reread(d, why, err);
	notify("READY=1");
	return ret;
}

static void on_sighup(evutil_socket_t sig, short what, void *arg)
{
	struct error err = {0};

	reload(arg, "SIGHUP", &err);
}

/* Unlike a signal, this request has an answer: whether the files are valid. */
static void on_reload(struct control_request *req, struct json_object *args, void *arg)
{
	struct error err = {0};

	if (reload(arg, "qmapctl reload", &err))
		control_reply_error(req, &err);
	else
		control_reply(req, json_object_new_array());
}

static const struct control_command own_commands[] = {{"reload", true, on_reload}, {0}};

static void on_resume(void *arg, unsigned int seconds)
{
	struct daemon *d = arg;

	log_info("The machine has slept for %u s: looking at everything again", seconds);
	trunk_list_resumed(d->trunks);
}

static int open_events(struct daemon *d, struct error *err)
{
	int ret;

	d->base = loop_new();
	if (!d->base)
		return error_set(err, -ENOMEM, "cannot make an event loop");
	ret = resume_watch_new(&d->resume, d->base, on_resume, d, err);
	if (ret)
		return ret;
	d->sigterm = evsignal_new(d->base, SIGTERM, on_signal, d->base);
	d->sigint = evsignal_new(d->base, SIGINT, on_signal, d->base);
	d->sighup = evsignal_new(d->base, SIGHUP, on_sighup, d);
	if (!d->sigterm || !d->sigint || !d->sighup || event_add(d->sigterm, NULL) ||
	    event_add(d->sigint, NULL) || event_add(d->sighup, NULL))
		return error_set(err, -ENOMEM, "cannot make an event loop");
	return 0;
}

static void close_all(struct daemon *d)
{
	supervisor_free(&d->supervisor);
	hooks_free(&d->hooks);
	trunk_list_free(&d->trunks);
	proxy_server_stop();
	control_server_free(&d->control);
	events_free(&d->events);
	if (d->sighup)
		event_free(d->sighup);
	if (d->sigint)
		event_free(d->sigint);
	if (d->sigterm)
		event_free(d->sigterm);
	resume_watch_free(&d->resume);
	if (d->base)
		event_base_free(d->base);
}

static int run(const struct args *args, struct error *err)
{
	char socket[108], run_dir[108];
	struct trunk_env env;
	struct daemon d = {.args = args, .config = args->config};
	struct config_set set = {.n = 0};
	int ret = read_config(&d, &set, err);

	if (ret) {
		/* A restart would fail in the same way. */
		error_exit(err, EXIT_USAGE);
		return ret;
	}
	ret = control_path(args->run_dir, socket, sizeof(socket));
	if (ret)
		return error_set(err, ret, "the path of the run directory is too long");
	memcpy(run_dir, socket, sizeof(run_dir));
	*strrchr(run_dir, '/') = 0;

	ret = open_events(&d, err) ?: events_new(&d.events, err);
	env = (struct trunk_env){.base = d.base, .run_dir = run_dir, .events = d.events};
	if (!ret)
		ret = trunk_list_new(&d.trunks, &env, err);
	if (!ret)
		ret = hooks_new(&d.hooks, d.base, d.events, d.trunks, run_dir, err);
	if (!ret)
		ret = supervisor_new(&d.supervisor, d.base, d.events, err);
	if (!ret)
		ret = control_server_new(&d.control, d.base, socket, trunk_commands, d.trunks, err);
	if (!ret) {
		control_server_serve(d.control, own_commands, &d);
		trunk_list_adopt(d.trunks);
		d.proxy = wanted_proxy(args, &set);
		trunk_list_configure(d.trunks, &set);
		/* Last: now the trunks' modems are known. */
		ret = start_proxy(&d, err);
	}
	if (!ret) {
		log_info("qmapd %s, control socket %s", QMAP_VERSION, socket);
		notify("READY=1");
		event_base_dispatch(d.base);
		notify("STOPPING=1");
		hooks_finish(d.hooks);
	}
	config_set_clear(&set);
	close_all(&d);
	return ret;
}

int main(int argc, char **argv)
{
	struct option_list options = {0};
	struct args args = {0};
	struct error err = {0};
	int operands, ret;

	options_add(&options, option_defs, ARRAY_SIZE(option_defs));
	ret = options_parse(&options, &args, argc, argv, false, &operands, &err);
	if (!ret && operands < argc)
		ret = error_set(&err, -EINVAL, "unexpected argument \"%s\"", argv[operands]);
	if (ret) {
		fprintf(stderr, "qmapd: %s. See qmapd --help.\n", err.text);
		return EXIT_USAGE;
	}
	if (args.help || args.version) {
		if (args.help) {
			puts("Usage: qmapd [OPTIONS]\n\n"
			     "Connects 4G/5G modems and splits their QMAP traffic in BPF; qmapctl "
			     "is its face.\n"
			     "Stays in the foreground. When it ends, trunks stay attached; the "
			     "next qmapd adopts.\n");
			options_print(stdout, &options);
		} else {
			printf("qmapd %s, libbpf %s\n", QMAP_VERSION, libbpf_version_string());
		}
		return EXIT_OK;
	}
	log_set_level(args.quiet     ? LOG_LEVEL_ERROR
		      : args.verbose ? LOG_LEVEL_DEBUG
				     : LOG_LEVEL_INFO);
	umask(0022);
	/*
	 * Passwords are in memory: no core dump, and no debugger of another process of the same
	 * user.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	ret = run(&args, &err);
	if (!ret)
		return EXIT_OK;
	log_error("%s%s%s", err.text, err.hint[0] ? "; " : "", err.hint);
	return err.exit == EXIT_USAGE ? EXIT_CONFIG : (int)err.exit;
}
