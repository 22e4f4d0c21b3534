// SPDX-License-Identifier: GPL-2.0-or-later
/* qmap-modem: a cellular modem in software, seen from the host. */
#include "aggregate.h"
#include "command.h"
#include "control.h"
#include "faults.h"
#include "generate.h"
#include "netside.h"
#include "noise.h"
#include "options.h"
#include "pdn.h"
#include "power.h"
#include "replay.h"
#include "sink.h"
#include "trunk.h"
#include "tun.h"
#include "usb.h"
#include "util.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static struct modem modem;

static void signalled(struct event *ev, uint32_t events)
{
	struct signalfd_siginfo info;

	if (read(ev->fd, &info, sizeof(info)) == sizeof(info))
		modem.loop.stop = true;
}

static void round_over(struct loop *loop)
{
	bool more = generate_round(&modem);

	more |= noise_round(&modem);
	netside_round(&modem);
	loop->busy = more;
	if (!more && netside_drained(&modem))
		aggregate_idle(&modem);
}

static int watch_signals(struct modem *m)
{
	static struct event ev = {.ready = signalled};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ev.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return ev.fd < 0 ? -errno : loop_add(&m->loop, &ev, EPOLLIN);
}

static int trunk_there(struct modem *m)
{
	int home, err, back;

	if (m->options.usb)
		return 0; /* the host's drivers create it */
	if (!m->options.trunk_netns)
		return trunk_new(m);
	home = netns_current();
	if (home < 0)
		return home;
	err = netns_enter(m->options.trunk_netns);
	if (err) {
		warnx("network namespace %s: %s", m->options.trunk_netns, strerror(-err));
	} else {
		err = trunk_new(m);
		back = netns_return(home);
		err = err ?: back;
	}
	close(home);
	return err;
}

static int step(const char *what, int err)
{
	if (err)
		warnx("%s: %s", what, strerror(-err));
	return err;
}

static int open_sockets(struct modem *m)
{
	const struct options *o = &m->options;
	int err = 0;

	if (o->control)
		err = step(o->control, control_listen(m, o->control));
	if (!err && o->faults)
		err = step(o->faults, commands_listen(m, o->faults));
	if (!err && o->qmi_proxy)
		err = step("@qmi-proxy", control_listen_proxy(m));
	return err;
}

static int begin_loop(struct modem *m)
{
	int err = loop_init(&m->loop);

	m->loop.round = round_over;
	return err;
}

static const struct {
	const char *what;
	int (*begin)(struct modem *m);
} steps[] = {
	{"event loop", begin_loop},	  {"signals", watch_signals},
	{"control channel", control_new}, {"faults", faults_new},
	{"commands", commands_new},	  {"sink", sink_new},
	{"generator", generator_new},	  {"noise", noise_new},
	{"aggregator", aggregator_new},	  {"trunk", trunk_there},
	{"network side", netside_new},	  {"USB (vhci_hcd)", usb_new},
};

static int start(struct modem *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int err = step(steps[i].what, steps[i].begin(m));

		if (err)
			return err;
	}
	return open_sockets(m);
}

static void stop(struct modem *m)
{
	commands_free(m);
	usb_free(m);
	control_free(m);
	netside_free(m);
	trunk_free(m);
	aggregator_free(m);
	noise_free(m);
	generator_free(m);
	sink_free(m);
	faults_free(m);
	replay_free(m);
	loop_fini(&m->loop);
}

static void tell_ready(const struct options *o)
{
	if (o->ready_fd >= 0) {
		if (write(o->ready_fd, "\n", 1) != 1)
			warn("ready-fd");
		close(o->ready_fd);
		return;
	}
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct modem *m = &modem;
	int err;

	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return ctl_main(argc - 1, argv + 1);
	if (argc > 2 && !strcmp(argv[1], "replay")) {
		err = replay_new(m, argv[2]);
		if (err)
			errx(EXIT_FAILURE, "%s: %s", argv[2],
			     err == -EINVAL ? "not a recording of qmapctl" : strerror(-err));
		argc -= 2;
		argv += 2;
	}
	options_parse(m, argc, argv);
	m->next_handle = 0x86e00000;
	m->net_socket = -1;
	pdns_init(m);
	power_on(m);
	err = start(m);
	if (!err) {
		tell_ready(&m->options);
		err = step("event loop", loop_run(&m->loop));
	}
	stop(m);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
