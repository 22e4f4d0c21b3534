// SPDX-License-Identifier: GPL-2.0-or-later
/* A unix stream socket: a stream without message boundaries, as a software modem offers it. */
#include "transport_kind.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int qmi_unix_connect(const struct sockaddr_un *sa, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)sa, len))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static int unix_open(const char *path, struct error *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return error_set(err, -ENAMETOOLONG, "control socket path %s is too long", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	r = qmi_unix_connect(&sa, sizeof(sa));
	if (r >= 0)
		return r;
	error_set(err, r, "control socket %s cannot be connected to: %s", path, strerror(-r));
	if (r == -ECONNREFUSED)
		error_hint(err, "nobody listens there; start the modem first");
	else if (r == -EAGAIN)
		error_hint(err, "whoever listens there does not accept connections");
	return r;
}

/* SIGPIPE must not kill the daemon when a modem closes its end. */
ssize_t qmi_unix_write(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL);
}

int qmi_unix_judge(struct qmi_transport *t, ssize_t n, int err)
{
	if (n < 0 && (err == EAGAIN || err == EINTR))
		return 0;
	return n < 0 ? -err : -ECONNRESET;
}

const struct qmi_transport_kind qmi_transport_unix = {
	.open = unix_open,
	.write = qmi_unix_write,
	.judge = qmi_unix_judge,
};
