// SPDX-License-Identifier: GPL-2.0-or-later
/* cdc-wdm and its like: one read is one message or more, one write must be one message. */
#include "transport_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* So many read errors in a row, a tenth of a second apart, and the device counts as gone. */
#define ERRORS_IN_A_ROW 50

static int chardev_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd >= 0)
		return fd;
	r = error_set(err, -errno, "control channel %s cannot be opened: %s", path,
		      strerror(errno));
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
 * errors such as EPIPE or EPROTO, and recovers; EC20 does so now and then. After unplug poll() says
 * POLLHUP and read() ENODEV (drivers/usb/class/cdc-wdm.c, wdm_poll and wdm_read).
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
