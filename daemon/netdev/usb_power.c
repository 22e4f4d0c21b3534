// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_power.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/sysfs.h"

struct usb_power {
	int fd; /* the process writes its result to the other end */
	struct event *ended;
	void (*done)(void *arg, int err);
	void *arg;
};

bool usb_power_of(const char *device, char *out, size_t size)
{
	const char *slash = strrchr(device, '/');

	if (!slash || slash == device || !sysfs_exists("%s/bInterfaceNumber", device))
		return false;
	snprintf(out, size, "%.*s", (int)(slash - device), device);
	return sysfs_exists("%s/authorized", out);
}

/* The device must not stay off, so it is allowed in any case. */
static int cycle(const char *usb, unsigned int off_ms)
{
	int ret = 0, ret_on;

	if (off_ms) {
		ret = sysfs_write("0", "%s/authorized", usb);
		usleep(off_ms * 1000);
	}
	ret_on = sysfs_write("1", "%s/authorized", usb);
	return ret ? ret : ret_on;
}

/*
 * Closes our descriptors, among them the modem's control channel, which would stay open with a copy. Ignores
 * the signals that end a service: the device is switched on first.
 */
static void run(const char *usb, unsigned int off_ms, int to)
{
	sigset_t all;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	dup2(to, STDIN_FILENO);
	syscall(SYS_close_range, STDIN_FILENO + 1U, ~0U, 0U);
	ret = cycle(usb, off_ms);
	if (write(STDIN_FILENO, &ret, sizeof(ret)) < 0)
		_exit(1);
	_exit(0);
}

/* By a process in between, which ends at once: so init reaps it, whenever it ends. */
static int start(const char *usb, unsigned int off_ms, int to)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		pid = fork();
		if (!pid)
			run(usb, off_ms, to);
		_exit(pid < 0 ? errno : 0);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct usb_power *p = arg;
	int ret;

	/* nothing, if it was killed */
	if (read(fd, &ret, sizeof(ret)) != sizeof(ret))
		ret = -EIO;
	p->done(p->arg, ret);
}

int usb_power_cycle(struct usb_power **out, struct event_base *base, const char *usb,
		    unsigned int off_ms, void (*done)(void *arg, int err), void *arg)
{
	struct usb_power *p = calloc(1, sizeof(*p));
	int fds[2], ret;

	if (!p)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC)) {
		ret = -errno;
		free(p);
		return ret;
	}
	p->done = done;
	p->arg = arg;
	p->fd = fds[0];
	p->ended = event_new(base, p->fd, EV_READ, on_ended, p);
	ret = p->ended && !event_add(p->ended, NULL) ? start(usb, off_ms, fds[1]) : -ENOMEM;
	close(fds[1]);
	if (ret)
		usb_power_close(&p);
	*out = p;
	return ret;
}

void usb_power_close(struct usb_power **p)
{
	if (!*p)
		return;
	if ((*p)->ended)
		event_free((*p)->ended);
	close((*p)->fd);
	free(*p);
	*p = NULL;
}
