// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uses libqmi's qmi-proxy, which owns the device and lets several programs use it: a unix stream
 * socket with an abstract name. The first message names the device; after its answer the socket
 * carries the device's messages (libqmi, src/libqmi-glib/qmi-proxy.c and qmi-endpoint-qmux.c). The
 * proxy renumbers CTL requests, so that each program gets the answers to its own, and forwards
 * indications for the client ids that it has seen in our requests. It forwards no SYNC indication;
 * when the modem has restarted, the proxy closes the connection.
 */
#include "transport_kind.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define GREETING_TRANSACTION 1

const char *qmi_proxy_path(const char *control)
{
	size_t n = strlen(QMI_PROXY_PREFIX);

	if (strncmp(control, QMI_PROXY_PREFIX, n) || (control[n] && control[n] != ':'))
		return NULL;
	return control + n + (control[n] == ':');
}

unsigned int qmi_proxy_address(struct sockaddr_un *sa, const char *name)
{
	size_t n = strnlen(name, sizeof(sa->sun_path) - 1);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(sa->sun_path + 1, name, n);
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

/*
 * The first process to bind an abstract name owns it. A user's program must not pass for the proxy
 * and choose the addresses that root sets.
 */
static int check_peer(int fd, struct error *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return error_set(err, -errno, "cannot tell who serves as qmi-proxy");
	if (peer.pid == getpid()) {
		r = error_set(err, -EBUSY, "it is this qmapd that serves as qmi-proxy");
		error_hint(err, "give the device itself to --control, and others share it");
		return r;
	}
	if (peer.uid == 0 || peer.uid == geteuid())
		return 0;
	r = error_set(err, -EPERM, "what serves as qmi-proxy is run by user %u, not by root",
		      (unsigned int)peer.uid);
	error_hint(err, "end process %d", (int)peer.pid);
	return r;
}

static int send_greeting(int fd, const char *path, struct error *err)
{
	struct qmi_message m = {.service = QMI_CTL,
				.type = QMI_REQUEST,
				.transaction = GREETING_TRANSACTION,
				.id = QMI_CTL_PROXY_OPEN};
	struct qmi_request r;
	uint8_t buf[256];
	int len;

	qmi_ctl_proxy_open(&r, path);
	m.tlvs = (struct qmi_tlvs){.data = r.tlvs.data, .len = r.tlvs.len};
	len = r.tlvs.overflow ? -EMSGSIZE : qmi_message_write(&m, buf, sizeof(buf));
	if (len < 0)
		return error_set(err, len, "the path %s is too long", path);
	if (qmi_unix_write(fd, buf, len) != len)
		return error_set(err, -EPIPE, "qmi-proxy takes no message");
	return 0;
}

static int proxy_open(const char *path, struct error *err)
{
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, QMI_PROXY_PREFIX);
	int fd, r;

	path = qmi_proxy_path(path);
	if (!*path) {
		error_set(err, -EINVAL, "qmi-proxy must be told which device");
		error_hint(err, "such as --control " QMI_PROXY_PREFIX ":/dev/cdc-wdm0");
		return -EINVAL;
	}
	fd = qmi_unix_connect(&sa, len);
	if (fd < 0) {
		r = error_set(err, fd, "qmi-proxy does not answer: %s", strerror(-fd));
		error_hint(err, "start it (ModemManager does), or give the device itself to "
				"--control");
		return r;
	}
	r = check_peer(fd, err) ?: send_greeting(fd, path, err);
	if (r)
		close(fd);
	return r ?: fd;
}

/* Read no more than the answer: later bytes belong to the transport's user. */
static ssize_t read_answer(struct qmi_transport *t)
{
	struct qmi_greeting *a = &t->answer;
	size_t want = a->len < 3 ? 3 : qmi_get_le16(a->buf + 1) + 1;

	if (want > sizeof(a->buf) || want < 3)
		return -EPROTO;
	ssize_t n = read(t->fd, a->buf + a->len, want - a->len);

	if (n > 0)
		a->len += n;
	return n > 0 ? n : qmi_unix_judge(t, n, errno);
}

static int proxy_greet(struct qmi_transport *t, struct error *why)
{
	struct qmi_result res;
	struct qmi_message m;
	struct qmi_bad bad;
	ssize_t n = read_answer(t);
	int r = n < 0 ? (int)n : qmi_message_parse(t->answer.buf, t->answer.len, &m, &bad);

	if (n == 0 || r == -EAGAIN)
		return 0;
	if (r == -ECONNRESET)
		return error_set(why, -ENODEV,
				 "qmi-proxy cannot open %s: no such device, or no QMI",
				 qmi_proxy_path(t->path));
	if (r < 0)
		return error_set(why, r, "qmi-proxy does not answer as it should");
	if (m.id != QMI_CTL_PROXY_OPEN || qmi_message_result(&m, &res) < 0 || res.status)
		return error_set(why, -EPROTO, "qmi-proxy refuses to open %s",
				 qmi_proxy_path(t->path));
	return 1;
}

const struct qmi_transport_kind qmi_transport_proxy = {
	.open = proxy_open,
	.greet = proxy_greet,
	.write = qmi_unix_write,
	.judge = qmi_unix_judge,
	.shared = true,
};
