// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"
#include "faults.h"
#include "listener.h"
#include "qmux.h"
#include "service.h"
#include "usb.h"
#include "util.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_BACKLOG (256 * 1024) /* bytes queued for a host that does not read */

struct conn {
	struct event ev;
	struct modem *modem;
	struct conn *next;
	bool proxy;
	bool usb; /* USB: no descriptor */
	size_t in_len;
	uint8_t *out;
	size_t out_len, out_size;
	uint8_t in[2 * QMUX_MAX];
};

/* A message with a delay; conn NULL: for all connections. */
struct pending {
	struct timer timer;
	struct modem *modem;
	struct conn *conn;
	struct pending *next;
	bool answer; /* counts as outstanding */
	size_t len;
	uint8_t data[];
};

/* A message held back in the modem until a number of others have been sent. */
struct lagging {
	struct lagging *next;
	size_t len;
	uint8_t data[];
};

struct control {
	struct lagging *lagging, **lagging_end;
	unsigned int nlagging;
	struct listener *listeners;
	struct conn *conns;
	struct pending *pending;
	struct pending *held, **held_end;
	bool holding;
	struct answer_times times;
	uint64_t busy_since;
};

static void outstanding(struct control *ctl, int change)
{
	uint64_t now = now_us();

	if (ctl->times.outstanding)
		ctl->times.busy_us += now - ctl->busy_since;
	ctl->busy_since = now;
	ctl->times.outstanding += change;
}

static void pending_free(struct control *ctl, struct pending *p)
{
	struct pending **pp = &ctl->pending;

	while (*pp != p)
		pp = &(*pp)->next;
	*pp = p->next;
	if (p->answer)
		outstanding(ctl, -1);
	free(p);
}

static void conn_free(struct event *ev)
{
	struct conn *c = container_of(ev, struct conn, ev);

	free(c->out);
	free(c);
}

static void conn_close(struct conn *c)
{
	struct control *ctl = c->modem->control;
	struct conn **pp = &ctl->conns;
	struct pending *next;

	while (*pp && *pp != c)
		pp = &(*pp)->next;
	if (!*pp)
		return;
	*pp = c->next;
	for (struct pending *p = ctl->pending; p; p = next) {
		next = p->next;
		if (p->conn != c)
			continue;
		loop_disarm(&c->modem->loop, &p->timer);
		pending_free(ctl, p);
	}
	loop_kill(&c->modem->loop, &c->ev);
}

static int conn_store(struct conn *c, const uint8_t *buf, size_t len)
{
	if (c->out_len + len > MAX_BACKLOG)
		return -ENOBUFS;
	if (c->out_len + len > c->out_size) {
		size_t size = c->out_len + len + QMUX_MAX;
		uint8_t *out = realloc(c->out, size);

		if (!out)
			return -ENOMEM;
		c->out = out;
		c->out_size = size;
	}
	memcpy(c->out + c->out_len, buf, len);
	c->out_len += len;
	return loop_change(&c->modem->loop, &c->ev, EPOLLIN | EPOLLOUT);
}

/* Sends or queues whole messages: a full socket never cuts one, as cdc-wdm never does. */
static void conn_send_now(struct conn *c, const uint8_t *buf, size_t len)
{
	ssize_t n = 0;

	if (c->usb) {
		usb_send_message(c->modem, buf, len);
		return;
	}
	if (!c->out_len)
		n = send(c->ev.fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN) {
		conn_close(c);
		return;
	}
	n = n < 0 ? 0 : n;
	if ((size_t)n < len && conn_store(c, buf + n, len - n)) {
		c->modem->qmi.overruns++;
		conn_close(c);
	}
}

static void lag_add(struct control *ctl, const uint8_t *buf, size_t len)
{
	struct lagging *l = malloc(sizeof(*l) + len);

	if (!l)
		return;
	l->next = NULL;
	l->len = len;
	memcpy(l->data, buf, len);
	if (!ctl->lagging)
		ctl->lagging_end = &ctl->lagging;
	*ctl->lagging_end = l;
	ctl->lagging_end = &l->next;
	ctl->nlagging++;
}

static struct lagging *lag_take(struct control *ctl)
{
	struct lagging *l = ctl->lagging;

	ctl->lagging = l->next;
	ctl->nlagging--;
	return l;
}

/*
 * Simulates a host whose cdc-wdm has missed notifications: each message sent pushes out the one
 * sent some messages before, to the host connected by then.
 */
static void conn_send(struct conn *c, const uint8_t *buf, size_t len)
{
	struct control *ctl = c->modem->control;

	if (c->usb || (!c->modem->lag && !ctl->nlagging)) {
		conn_send_now(c, buf, len);
		return;
	}
	lag_add(ctl, buf, len);
	while (ctl->nlagging > c->modem->lag && !c->ev.dead) {
		struct lagging *l = lag_take(ctl);

		conn_send_now(c, l->data, l->len);
		free(l);
	}
}

static void conn_flush(struct conn *c)
{
	ssize_t n = send(c->ev.fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN)
			conn_close(c);
		return;
	}
	memmove(c->out, c->out + n, c->out_len - n);
	c->out_len -= n;
	if (!c->out_len)
		loop_change(&c->modem->loop, &c->ev, EPOLLIN);
}

/*
 * A read that does not start with a message is discarded entirely: on cdc-wdm a write is one
 * message, so the rest of a malformed write is malformed, too.
 */
static void conn_consume(struct conn *c)
{
	size_t done = 0;

	while (done < c->in_len && !c->ev.dead) {
		int n = qmux_length(c->in + done, c->in_len - done);

		if (!n)
			break;
		if (n < 0) {
			c->modem->qmi.malformed++;
			done = c->in_len;
			break;
		}
		service_request(c->modem, c, c->in + done, n);
		done += n;
	}
	memmove(c->in, c->in + done, c->in_len - done);
	c->in_len -= done;
}

static void conn_ready(struct event *ev, uint32_t events)
{
	struct conn *c = container_of(ev, struct conn, ev);
	ssize_t n;

	if (events & EPOLLOUT)
		conn_flush(c);
	if (c->ev.dead || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(ev->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->in_len += n;
	conn_consume(c);
}

static void accept_conn(struct modem *m, int fd, bool proxy)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->modem = m;
	c->proxy = proxy;
	c->ev = (struct event){.fd = fd, .ready = conn_ready, .free = conn_free};
	if (loop_add(&m->loop, &c->ev, EPOLLIN)) {
		close(fd);
		free(c);
		return;
	}
	c->next = m->control->conns;
	m->control->conns = c;
}

static struct conn *usb_conn(const struct modem *m)
{
	struct conn *c = m->control->conns;

	while (c && !c->usb)
		c = c->next;
	return c;
}

int control_open_usb(struct modem *m)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->modem = m;
	c->usb = true;
	c->ev = (struct event){.fd = -1, .free = conn_free};
	c->next = m->control->conns;
	m->control->conns = c;
	return 0;
}

void control_close_usb(struct modem *m)
{
	struct conn *c = usb_conn(m);

	if (c)
		conn_close(c);
}

void control_usb_message(struct modem *m, const uint8_t *buf, size_t len)
{
	struct conn *c = usb_conn(m);

	if (!c || len > sizeof(c->in)) {
		m->qmi.malformed++;
		return;
	}
	memcpy(c->in, buf, len);
	c->in_len = len;
	conn_consume(c);
	m->qmi.malformed += c->in_len > 0;
	c->in_len = 0;
}

static void accept_host(void *modem, int fd)
{
	accept_conn(modem, fd, false);
}

static void accept_proxied(void *modem, int fd)
{
	accept_conn(modem, fd, true);
}

bool control_is_proxy(const struct conn *conn)
{
	return conn->proxy;
}

bool control_congested(const struct modem *m)
{
	for (const struct conn *c = m->control->conns; c; c = c->next)
		if (c->out_len)
			return true;
	return usb_messages_congested(m);
}

void control_broadcast(struct modem *m, const uint8_t *buf, size_t len)
{
	struct conn *next;

	for (struct conn *c = m->control->conns; c; c = next) {
		next = c->next;
		conn_send(c, buf, len);
	}
}

static void pending_fire(struct timer *timer)
{
	struct pending *p = container_of(timer, struct pending, timer);
	struct control *ctl = p->modem->control;

	if (p->conn)
		conn_send(p->conn, p->data, p->len);
	else
		control_broadcast(p->modem, p->data, p->len);
	/* conn_send() may have closed the connection and freed its pending messages. */
	for (struct pending *q = ctl->pending; q; q = q->next) {
		if (q == p) {
			pending_free(ctl, p);
			break;
		}
	}
}

static struct pending *pending_new(struct modem *m, struct conn *conn, const uint8_t *buf,
				   size_t len)
{
	struct pending *p = calloc(1, sizeof(*p) + len);

	if (!p)
		return NULL;
	p->timer.fire = pending_fire;
	p->modem = m;
	p->conn = conn;
	p->len = len;
	memcpy(p->data, buf, len);
	return p;
}

static void pending_start(struct pending *p, uint64_t delay_us)
{
	struct control *ctl = p->modem->control;

	if (p->answer)
		outstanding(ctl, 1);
	p->next = ctl->pending;
	ctl->pending = p;
	loop_arm(&p->modem->loop, &p->timer, now_us() + delay_us);
}

static uint64_t delay_of(const struct modem *m, const struct fault *fault)
{
	return 1000ull * (fault->delayed ? fault->delay_ms : m->options.latency_ms);
}

void control_kill_host(const struct conn *conn, pid_t pid)
{
	struct ucred host = {.pid = pid};
	socklen_t len = sizeof(host);

	if (pid || (!conn->usb && !getsockopt(conn->ev.fd, SOL_SOCKET, SO_PEERCRED, &host, &len)))
		kill(host.pid, SIGKILL);
}

/* Does nothing if the connection was lost meanwhile. */
static void answer_once(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len,
			uint64_t delay)
{
	struct pending *p;

	if (conn->ev.dead)
		return;
	m->qmi.responses++;
	if (!delay) {
		conn_send(conn, buf, len);
		return;
	}
	p = pending_new(m, conn, buf, len);
	if (!p)
		return;
	p->answer = true;
	pending_start(p, delay);
}

void control_answer(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len,
		    const struct fault *fault)
{
	uint8_t bad[QMUX_MAX];
	uint64_t delay = delay_of(m, fault);

	if (fault->spoil != SPOIL_NONE) {
		size_t n = faults_spoil(m, fault, buf, len, bad);

		m->qmi.garbage_sent++;
		conn_send(conn, bad, n);
	}
	if (fault->never || conn->ev.dead) {
		m->qmi.never_answered++;
		return;
	}
	m->control->times.sum_us += delay;
	for (int i = fault->twice ? 2 : 1; i; i--)
		answer_once(m, conn, buf, len, delay);
}

void control_indicate(struct modem *m, const uint8_t *buf, size_t len)
{
	struct control *ctl = m->control;
	struct pending *p;

	if (!ctl->holding) {
		control_broadcast(m, buf, len);
		return;
	}
	p = pending_new(m, NULL, buf, len);
	if (!p)
		return;
	*ctl->held_end = p;
	ctl->held_end = &p->next;
}

void control_hold_indications(struct modem *m)
{
	m->control->holding = true;
	m->control->held_end = &m->control->held;
}

void control_release_indications(struct modem *m, const struct fault *fault)
{
	struct pending *next, *p = m->control->held;

	m->control->holding = false;
	m->control->held = NULL;
	for (; p; p = next) {
		next = p->next;
		pending_start(p, delay_of(m, fault));
	}
}

struct answer_times control_times(const struct modem *m)
{
	struct answer_times t = m->control->times;

	if (t.outstanding)
		t.busy_us += now_us() - m->control->busy_since;
	return t;
}

void control_reset_times(struct modem *m)
{
	m->control->times.sum_us = 0;
	m->control->times.busy_us = 0;
	m->control->busy_since = now_us();
}

unsigned int control_connections(const struct modem *m)
{
	unsigned int n = 0;

	for (const struct conn *c = m->control->conns; c; c = c->next)
		n++;
	return n;
}

int control_new(struct modem *m)
{
	m->control = calloc(1, sizeof(*m->control));
	return m->control ? 0 : -ENOMEM;
}

int control_listen(struct modem *m, const char *path)
{
	return listener_new(m, path, accept_host, &m->control->listeners);
}

int control_listen_proxy(struct modem *m)
{
	return listener_new(m, "@qmi-proxy", accept_proxied, &m->control->listeners);
}

void control_free(struct modem *m)
{
	struct control *ctl = m->control;

	if (!ctl)
		return;
	while (ctl->conns)
		conn_close(ctl->conns);
	while (ctl->pending) {
		loop_disarm(&m->loop, &ctl->pending->timer);
		pending_free(ctl, ctl->pending);
	}
	while (ctl->lagging)
		free(lag_take(ctl));
	listeners_free(m, &ctl->listeners);
	free(ctl);
	m->control = NULL;
}
