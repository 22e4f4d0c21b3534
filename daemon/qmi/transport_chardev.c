// SPDX-License-Identifier: GPL-2.0-or-later
/* cdc-wdm and similar devices: one read returns whole messages, one write must be one message. */
#include "transport_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"
#include "fd_scan.h"

/* After so many read errors in a row, a tenth of a second apart, the device counts as gone. */
#define ERRORS_IN_A_ROW 50

/*
 * cdc-wdm lets any number of programs open it and gives each message to the first reader
 * (drivers/usb/class/cdc-wdm.c, wdm_open and wdm_read): a proxy that reads all the time would take
 * nearly all of our answers.
 */
static int check_holder(int fd, const char *path, struct error *err)
{
	char name[32];
	struct stat st;
	pid_t pid;

	if (fstat(fd, &st) < 0 || fd_scan_device(st.st_rdev, &pid) <= 0)
		return 0;
	fd_scan_name(pid, name, sizeof(name));
	if (strcmp(name, "qmi-proxy")) {
		log_warning("%s is open in %s (pid %d), too: each answer goes to only one of us",
			    path, name, (int)pid);
		return 0;
	}
	error_set(err, -EBUSY, "control channel %s belongs to %s (pid %d)", path, name, (int)pid);
	error_hint(err, "share it: --control " QMI_PROXY_PREFIX ":%s", path);
	return -EBUSY;
}

/* /dev/null and similar files cannot be polled; libevent would complain to stderr. */
static int check_pollable(int fd, const char *path, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC), ret = 0;

	if (ep < 0)
		return -errno;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) && errno == EPERM)
		ret = -EINVAL;
	close(ep);
	if (!ret)
		return 0;
	error_set(err, ret, "control channel %s is no QMI device", path);
	error_hint(err, "a modem's is usually /dev/cdc-wdm0");
	return ret;
}

static int chardev_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r = fd < 0 ? -errno : check_pollable(fd, path, err) ?: check_holder(fd, path, err);

	if (!r)
		return fd;
	if (fd >= 0) {
		close(fd);
		return r;
	}
	error_set(err, r, "control channel %s cannot be opened: %s", path, strerror(-r));
	if (r == -EBUSY)
		error_hint(err, "another program holds it; stop ModemManager or whichever it is");
	else if (r == -EACCES || r == -EPERM)
		error_hint(err, "run as root, or give this user access to %s", path);
	else if (r == -ENODEV || r == -ENXIO)
		error_hint(err, "the modem was unplugged or has crashed; plug it in again");
	return r;
}

/*
 * cdc-wdm reports USB errors of its notification endpoint as POLLERR without POLLHUP and read
 * errors such as EPIPE or EPROTO, and recovers; EC20 causes them now and then. After unplug poll()
 * returns POLLHUP and read() ENODEV (drivers/usb/class/cdc-wdm.c, wdm_poll and wdm_read).
 */
static int chardev_judge(struct qmi_transport *t, ssize_t n, int err)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	if (n < 0 && (err == ENODEV || err == ESHUTDOWN || err == ENXIO || err == EBADF))
		return -err;
	if (poll(&p, 1, 0) < 0)
		return -errno;
	if (p.revents & POLLHUP)
		return -ENODEV;
	if (n < 0 && err == EINTR)
		return 0;
	if (n < 0 && err == EAGAIN && !(p.revents & POLLERR))
		return 0;
	if (++t->errors > ERRORS_IN_A_ROW)
		return n < 0 && err != EAGAIN ? -err : -EIO;
	return 1;
}

const struct qmi_transport_kind qmi_transport_chardev = {
	.open = chardev_open,
	.write = write,
	.judge = chardev_judge,
	.whole_messages = true,
};
