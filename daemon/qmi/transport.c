// SPDX-License-Identifier: GPL-2.0-or-later
#include "transport_kind.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd_scan.h"

/* Messages queued for a modem that has stopped reading; beyond that, senders get an error. */
#define QUEUE_LIMIT 256

/* Pause after an error of a device that is still there. */
static const struct timeval pause_time = {.tv_usec = 100000};

static void transport_end(struct qmi_transport *t, const char *why)
{
	if (t->lost)
		return;
	t->lost = true;
	event_del(t->read_event);
	event_del(t->write_event);
	event_del(t->pause_event);
	t->ops->lost(t->arg, why);
}

static void transport_lost(struct qmi_transport *t, int err)
{
	char why[128];

	snprintf(why, sizeof(why), "control channel is gone (%s)", strerror(-err));
	transport_end(t, why);
}

static void on_greeting(struct qmi_transport *t)
{
	struct error why = {0};
	int r = t->kind->greet(t, &why);

	if (r < 0) {
		transport_end(t, why.text);
	} else if (r > 0) {
		t->greeting = false;
		event_active(t->write_event, EV_WRITE, 0);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_transport *t = arg;
	uint8_t *room;
	size_t size;
	ssize_t n;
	int r;

	if (t->greeting) {
		on_greeting(t);
		return;
	}
	room = t->ops->room(t->arg, &size);
	n = read(fd, room, size);
	if (n > 0) {
		t->errors = 0;
		t->ops->received(t->arg, n);
		return;
	}
	r = t->kind->judge(t, n, errno);
	if (r < 0) {
		transport_lost(t, r);
	} else if (r > 0) {
		event_del(t->read_event);
		event_add(t->pause_event, &pause_time);
	}
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_transport *t = arg;

	event_add(t->read_event, NULL);
}

/*
 * Writes the first message of the queue. 1: completely; 0: partly, the rest later; negative
 * errno.
 */
static int write_first(struct qmi_transport *t)
{
	struct qmi_pending *p = TAILQ_FIRST(&t->queue);
	ssize_t n = t->kind->write(t->fd, p->data + p->off, p->len - p->off);

	if (n < 0) {
		int r = t->kind->judge(t, n, errno);

		return r < 0 ? r : 0;
	}
	t->errors = 0;
	p->off += n;
	if (p->off < p->len && !t->kind->whole_messages)
		return 0;
	TAILQ_REMOVE(&t->queue, p, entry);
	t->queued--;
	free(p);
	return 1;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_transport *t = arg;
	int r = 1;

	if (t->greeting)
		return;
	while (r > 0 && !TAILQ_EMPTY(&t->queue))
		r = write_first(t);
	if (r < 0)
		transport_lost(t, r);
	else if (!TAILQ_EMPTY(&t->queue))
		event_add(t->write_event, NULL);
}

int qmi_transport_send(struct qmi_transport *t, const uint8_t *data, size_t len)
{
	struct qmi_pending *p;

	if (t->lost)
		return -EPIPE;
	if (t->queued >= QUEUE_LIMIT)
		return -ENOBUFS;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return -ENOMEM;
	p->len = len;
	p->off = 0;
	memcpy(p->data, data, len);
	TAILQ_INSERT_TAIL(&t->queue, p, entry);
	t->queued++;
	/*
	 * Write from the event loop, so that no caller learns of a lost channel inside its own
	 * call.
	 */
	event_active(t->write_event, EV_WRITE, 0);
	return 0;
}

static int kind_of(const char *path, const struct qmi_transport_kind **kind, dev_t *rdev,
		   struct error *err)
{
	struct stat st;
	int r;

	*rdev = 0;
	if (qmi_proxy_path(path)) {
		*kind = &qmi_transport_proxy;
		if (!stat(qmi_proxy_path(path), &st) && S_ISCHR(st.st_mode))
			*rdev = st.st_rdev;
		return 0;
	}
	if (stat(path, &st) < 0) {
		r = error_set(err, -errno, "control channel %s cannot be opened: %s", path,
			      strerror(errno));
		if (r == -ENOENT)
			error_hint(err, "check that the modem is plugged in and its QMI driver is "
					"loaded; --control names another channel");
		return r;
	}
	if (S_ISSOCK(st.st_mode)) {
		*kind = &qmi_transport_unix;
		return 0;
	}
	if (S_ISCHR(st.st_mode)) {
		*kind = &qmi_transport_chardev;
		*rdev = st.st_rdev;
		return 0;
	}
	r = error_set(err, -EINVAL,
		      "control channel %s is neither a character device nor a unix socket", path);
	error_hint(err, "give the modem's QMI device, such as /dev/cdc-wdm0");
	return r;
}

static int events_new(struct qmi_transport *t, struct event_base *base)
{
	t->read_event = event_new(base, t->fd, EV_READ | EV_PERSIST, on_readable, t);
	t->write_event = event_new(base, t->fd, EV_WRITE, on_writable, t);
	t->pause_event = event_new(base, -1, 0, on_pause_over, t);
	if (!t->read_event || !t->write_event || !t->pause_event)
		return -ENOMEM;
	/* poll(2) does not support /dev/null and its like. */
	return event_add(t->read_event, NULL) < 0 ? -EINVAL : 0;
}

int qmi_transport_open(struct qmi_transport **out, struct event_base *base, const char *path,
		       const struct qmi_transport_ops *ops, void *arg, struct error *err)
{
	struct qmi_transport *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->fd = -1;
	t->ops = ops;
	t->arg = arg;
	TAILQ_INIT(&t->queue);
	snprintf(t->path, sizeof(t->path), "%s", path);
	r = kind_of(path, &t->kind, &t->rdev, err);
	if (r < 0)
		goto fail;
	t->fd = r = t->kind->open(path, err);
	if (r < 0)
		goto fail;
	t->greeting = t->kind->greet;
	r = events_new(t, base);
	if (r < 0) {
		error_set(err, r, "control channel %s is no QMI device", path);
		goto fail;
	}
	*out = t;
	return 0;
fail:
	qmi_transport_free(&t);
	return r;
}

void qmi_transport_free(struct qmi_transport **tp)
{
	struct qmi_transport *t = *tp;
	struct qmi_pending *p;

	if (!t)
		return;
	*tp = NULL;
	if (t->read_event)
		event_free(t->read_event);
	if (t->write_event)
		event_free(t->write_event);
	if (t->pause_event)
		event_free(t->pause_event);
	while ((p = TAILQ_FIRST(&t->queue))) {
		TAILQ_REMOVE(&t->queue, p, entry);
		free(p);
	}
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

bool qmi_transport_routed(const struct qmi_transport *t)
{
	return t->kind->shared;
}

pid_t qmi_transport_proxy_pid(const struct qmi_transport *t)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!t->kind->shared || getsockopt(t->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return peer.pid;
}

bool qmi_transport_exclusive(const struct qmi_transport *t)
{
	if (t->kind->shared)
		return false;
	return !t->rdev || fd_scan_device(t->rdev, NULL) == 0;
}

bool qmi_transport_sysfs(const struct qmi_transport *t, char *path, size_t size)
{
	if (!t->rdev)
		return false;
	snprintf(path, size, "/sys/dev/char/%u:%u/device", major(t->rdev), minor(t->rdev));
	return true;
}
