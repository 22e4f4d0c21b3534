/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries bytes of QMI messages to and from a modem. What they mean is for others to know. */
#ifndef QMAP_QMI_TRANSPORT_H
#define QMAP_QMI_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct event_base;
struct qmi_transport;

struct qmi_transport_ops {
	/* Where the next read may go. */
	uint8_t *(*room)(void *arg, size_t *size);
	/* @len bytes were read into it. The transport may be freed from here. */
	void (*received)(void *arg, size_t len);
	/* The channel is gone for good; comes once. The transport may be freed from here. */
	void (*lost)(void *arg, const char *why);
};

/*
 * Opens a character device (cdc-wdm) or connects to a unix stream socket, whichever @path is; or,
 * with "qmi-proxy:" in front, has libqmi's proxy open it. -ENOENT, -EACCES, -EBUSY, -ECONNREFUSED,
 * -EINVAL (neither of the two), ... with a sentence.
 */
int qmi_transport_open(struct qmi_transport **out, struct event_base *base, const char *path,
		       const struct qmi_transport_ops *ops, void *arg, struct error *err);
void qmi_transport_free(struct qmi_transport **t);

/*
 * Sends one message, or queues it until the other side takes it. -ENOBUFS when too much is queued,
 * -EPIPE when the channel is gone. Failures of the channel itself come through lost().
 */
int qmi_transport_send(struct qmi_transport *t, const uint8_t *data, size_t len);

/* Does somebody hand each program its own answers (a proxy), and nobody else's? */
bool qmi_transport_routed(const struct qmi_transport *t);

/*
 * Has no other process this channel open? For a device every process' descriptors are looked
 * through; if some may not be looked at, the answer is no. A unix socket is a connection of our
 * own: yes. The proxy's clients are not to be seen: no.
 */
bool qmi_transport_exclusive(const struct qmi_transport *t);

#define QMI_PROXY_PREFIX "qmi-proxy"

/*
 * The device of "qmi-proxy:DEVICE", empty for "qmi-proxy" alone; NULL: @control is no channel
 * through the proxy.
 */
const char *qmi_proxy_path(const char *control);

/* The address of the proxy's socket (abstract: a zero, then @name); returns its length. */
struct sockaddr_un;
unsigned int qmi_proxy_address(struct sockaddr_un *sa, const char *name);

/* Where the device stands in sysfs: "/sys/dev/char/MAJOR:MINOR/device"; false for a socket. */
bool qmi_transport_sysfs(const struct qmi_transport *t, char *path, size_t size);

#endif
