/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of transport: common state, and the operations in which they differ. */
#ifndef QMAP_QMI_TRANSPORT_KIND_H
#define QMAP_QMI_TRANSPORT_KIND_H

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "transport.h"

struct event;

struct qmi_transport_kind {
	/* Returns a non-blocking descriptor, or a negative errno with @err. */
	int (*open)(const char *path, struct error *err);
	/*
	 * If @open has sent a request, its answer must arrive before anything else is written;
	 * @greet reads it. 1: the channel is open; 0: call again for the rest; negative errno with
	 * @why. NULL: the kind needs no answer.
	 */
	int (*greet)(struct qmi_transport *t, struct error *why);
	ssize_t (*write)(int fd, const void *data, size_t len);
	/*
	 * Called after a read that returned nothing or a failed write (@n, and @err if negative): 0
	 * continue, 1 continue after a pause, negative errno: the channel is lost.
	 */
	int (*judge)(struct qmi_transport *t, ssize_t n, int err);
	bool whole_messages; /* one write must be one message: the rest of a short write is lost */
	bool shared;	     /* other programs use the channel, too, and we cannot see them */
};

struct qmi_pending {
	TAILQ_ENTRY(qmi_pending) entry;
	size_t len, off;
	uint8_t data[];
};

/* The part of the greeting's answer received so far. */
struct qmi_greeting {
	size_t len;
	uint8_t buf[128];
};

struct qmi_transport {
	const struct qmi_transport_kind *kind;
	const struct qmi_transport_ops *ops;
	void *arg;
	int fd;
	dev_t rdev; /* of a character device, else 0 */
	struct event *read_event, *write_event, *pause_event;
	TAILQ_HEAD(qmi_queue, qmi_pending) queue;
	size_t queued;
	unsigned int errors; /* transient errors in a row */
	bool lost;
	bool greeting; /* waiting for the answer to the greeting: nothing may be written */
	struct qmi_greeting answer;
	char path[108]; /* as the user gave it */
};

/* For the kinds that use a unix stream socket. */
int qmi_unix_connect(const struct sockaddr_un *sa, socklen_t len);
ssize_t qmi_unix_write(int fd, const void *data, size_t len);
int qmi_unix_judge(struct qmi_transport *t, ssize_t n, int err);

extern const struct qmi_transport_kind qmi_transport_chardev;
extern const struct qmi_transport_kind qmi_transport_unix;
extern const struct qmi_transport_kind qmi_transport_proxy;

#endif
