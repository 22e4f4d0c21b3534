/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries bytes of QMI messages to and from a modem without interpreting them. */
#ifndef QMAP_QMI_TRANSPORT_H
#define QMAP_QMI_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct event_base;
struct qmi_transport;

struct qmi_transport_ops {
	/* Returns room for the next read. */
	uint8_t *(*room)(void *arg, size_t *size);
	/* @len bytes were read into the room. The callback may free the transport. */
	void (*received)(void *arg, size_t len);
	/* The channel is gone for good; called once. The callback may free the transport. */
	void (*lost)(void *arg, const char *why);
};

/*
 * Opens a character device (cdc-wdm) or connects to a unix stream socket, depending on the type of
 * @path; with the prefix "qmi-proxy:", libqmi's proxy opens it. -ENOENT, -EACCES, -EBUSY,
 * -ECONNREFUSED, -EINVAL (neither of the two), ... with a sentence.
 */
int qmi_transport_open(struct qmi_transport **out, struct event_base *base, const char *path,
		       const struct qmi_transport_ops *ops, void *arg, struct error *err);
void qmi_transport_free(struct qmi_transport **t);

/*
 * Sends one message, or queues it until the other side takes it. -ENOBUFS if the queue is full,
 * -EPIPE if the channel is gone. lost() reports failures of the channel itself.
 */
int qmi_transport_send(struct qmi_transport *t, const uint8_t *data, size_t len);

/* Does a proxy hand each program its own answers only? */
bool qmi_transport_routed(const struct qmi_transport *t);

/* The process that serves as proxy, 0: there is none, or it is unknown. */
pid_t qmi_transport_proxy_pid(const struct qmi_transport *t);

/*
 * Is no other process using this channel? For a device, searches the descriptors of all processes;
 * no, if some cannot be examined. A unix socket is a connection of our own: yes. The clients of a
 * proxy cannot be seen: no.
 */
bool qmi_transport_exclusive(const struct qmi_transport *t);

#define QMI_PROXY_PREFIX "qmi-proxy"

/*
 * The device of "qmi-proxy:DEVICE", empty for "qmi-proxy" alone; NULL: @control does not name a
 * proxy.
 */
const char *qmi_proxy_path(const char *control);

/* Sets the address of the proxy's socket (abstract: a zero, then @name); returns its length. */
struct sockaddr_un;
unsigned int qmi_proxy_address(struct sockaddr_un *sa, const char *name);

/* Path of the device in sysfs: "/sys/dev/char/MAJOR:MINOR/device"; false for a socket. */
bool qmi_transport_sysfs(const struct qmi_transport *t, char *path, size_t size);

#endif
