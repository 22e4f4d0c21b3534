// SPDX-License-Identifier: GPL-2.0-or-later
/* qmap-modem: a cellular modem in software, as the host sees it. */
#include "aggregate.h"
#include "client.h"
#include "control.h"
#include "faults.h"
#include "netside.h"
#include "options.h"
#include "pdn.h"
#include "sink.h"
#include "trunk.h"
#include "tun.h"
#include "util.h"
#include "wda.h"

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

	(void)events;
	if (read(ev->fd, &info, sizeof(info)) == sizeof(info))
		modem.loop.stop = true;
}

static void round_over(struct loop *loop)
{
	(void)loop;
	if (netside_drained(&modem))
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

	if (!m->options.trunk_netns)
		return trunk_new(m);
	home = netns_current();
	if (home < 0)
		return home;
	err = netns_enter(m->options.trunk_netns);
	if (!err) {
		err = trunk_new(m);
		back = netns_return(home);
		err = err ?: back;
	}
	close(home);
	return err;
}

static int open_sockets(struct modem *m)
{
	int err = control_listen(m, m->options.control);

	if (err)
		warnx("%s: %s", m->options.control, strerror(-err));
	return err;
}

static int step(const char *what, int err)
{
	if (err)
		warnx("%s: %s", what, strerror(-err));
	return err;
}

static int start(struct modem *m)
{
	int err;

	if ((err = step("event loop", loop_init(&m->loop))) ||
	    (err = step("signals", watch_signals(m))) ||
	    (err = step("control channel", control_new(m))) ||
	    (err = step("faults", faults_new(m))) || (err = step("sink", sink_new(m))) ||
	    (err = step("aggregator", aggregator_new(m))) ||
	    (err = step("trunk", trunk_there(m))) || (err = step("network side", netside_new(m))))
		return err;
	m->loop.round = round_over;
	return open_sockets(m);
}

static void stop(struct modem *m)
{
	control_free(m);
	netside_free(m);
	trunk_free(m);
	aggregator_free(m);
	sink_free(m);
	faults_free(m);
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
	options_parse(m, argc, argv);
	m->next_handle = 0x86e00000;
	m->operating_mode = 0;
	m->pin_retries = 3;
	pdns_init(m);
	wda_reset(m);
	err = start(m);
	if (!err) {
		tell_ready(&m->options);
		err = step("event loop", loop_run(&m->loop));
	}
	stop(m);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
