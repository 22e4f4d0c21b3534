// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection to our qmi-proxy. It is read message by message, and not while the modem has
 * enough of its requests to answer; a malformed message ends it. Messages for a client that reads
 * slowly are queued up to a limit; beyond it, the proxy closes the connection.
 */
#include "internal.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/seats.h"
#include "qmi/ctl.h"

/* Bytes queued besides the socket's own buffer. */
#define BACKLOG 65536

/* Time to wait for a device that a session is about to open; libqmi waits for 5 s. */
static const struct timeval open_deadline = {.tv_sec = 4};
static const struct timeval say_deadline = {.tv_sec = SEATS_DEADLINE_S};
/* How long an unanswered request counts as open, and how often that is checked. */
#define SLOT_LIFE_MS 10000
static const struct timeval pause_time = {.tv_sec = 1};

void proxy_client_close(struct proxy_client *c, const char *why)
{
	if (c->dead)
		return;
	c->dead = true;
	log_debug("qmi-proxy: process %d is hung up: %s", (int)c->pid, why);
	event_del(c->read_event);
	event_del(c->write_event);
	event_del(c->resume_event);
	event_del(c->deadline);
	proxy_bury(c);
	if (c->modem)
		proxy_route_left(c);
}

void proxy_client_free(struct proxy_client *c)
{
	if (c->read_event)
		event_free(c->read_event);
	if (c->write_event)
		event_free(c->write_event);
	if (c->resume_event)
		event_free(c->resume_event);
	if (c->deadline)
		event_free(c->deadline);
	if (c->out)
		evbuffer_free(c->out);
	close(c->fd);
	free(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_client *c = arg;

	if (evbuffer_write(c->out, fd) < 0 && errno != EAGAIN && errno != EINTR)
		proxy_client_close(c, "it has gone");
	else if (evbuffer_get_length(c->out))
		event_add(c->write_event, NULL);
}

void proxy_client_send(struct proxy_client *c, const struct qmi_message *m)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	int len = c->dead ? -EPIPE : qmi_message_write(m, buf, sizeof(buf));

	if (len < 0)
		return;
	if (evbuffer_get_length(c->out) + len > BACKLOG || evbuffer_add(c->out, buf, len))
		proxy_client_close(c, "it does not read what it has asked for");
	else
		event_add(c->write_event, NULL);
}

void proxy_client_answer(struct proxy_client *c, const struct qmi_message *request, uint16_t error)
{
	struct qmi_message m = *request;
	struct qmi_buf tlvs;
	uint8_t result[4];

	qmi_put_le16(result, error != 0);
	qmi_put_le16(result + 2, error);
	qmi_buf_init(&tlvs);
	qmi_put_tlv(&tlvs, QMI_TLV_RESULT, result, sizeof(result));
	m.type = QMI_RESPONSE;
	m.tlvs = (struct qmi_tlvs){.data = tlvs.data, .len = tlvs.len};
	proxy_client_send(c, &m);
}

/* --- opening the device --- */

void proxy_client_opened(struct proxy_client *c, struct proxy_modem *m)
{
	const struct qmi_message request = {
		.service = QMI_CTL, .transaction = c->open_transaction, .id = QMI_CTL_PROXY_OPEN};

	c->modem = m;
	proxy_client_answer(c, &request, 0);
	event_active(c->resume_event, EV_TIMEOUT, 0);
}

static void open_device(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_modem *modem;

	if (*c->device || !qmi_ctl_asked_device(m, c->device, sizeof(c->device))) {
		proxy_client_close(c, "its first message names no device");
		return;
	}
	c->open_transaction = m->transaction;
	modem = proxy_find(c->device);
	log_debug("qmi-proxy: process %d opens %s", (int)c->pid, c->device);
	if (!modem)
		proxy_client_close(c, "there is no such modem");
	else if (modem->channel && !modem->stopping)
		proxy_client_opened(c, modem);
	else
		event_add(c->resume_event, &open_deadline);
}

/* --- reading --- */

static bool waits_for_device(const struct proxy_client *c)
{
	return *c->device && !c->modem;
}

static void handle(struct proxy_client *c, const struct qmi_message *m)
{
	if (m->type != QMI_REQUEST)
		proxy_client_close(c, "it has sent something else than a request");
	else if (m->service == QMI_CTL && m->id == QMI_CTL_PROXY_OPEN)
		open_device(c, m);
	else if (!c->modem)
		proxy_client_close(c, "it has opened no device");
	else
		proxy_route_request(c, m);
}

static void consume(struct proxy_client *c)
{
	struct qmi_message m;
	struct qmi_bad bad;
	size_t off = 0;
	int len = 0;

	c->paused = false;
	while (!c->dead && off < c->len) {
		c->paused = waits_for_device(c) || !proxy_route_has_room(c);
		if (c->paused)
			break;
		len = qmi_message_parse(c->buf + off, c->len - off, &m, &bad);
		if (len == -EBADMSG)
			proxy_client_close(c, qmi_fault_text(bad.fault));
		if (len < 0)
			break;
		handle(c, &m);
		off += len;
	}
	memmove(c->buf, c->buf + off, c->len - off);
	c->len -= off;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_client *c = arg;

	proxy_client_close(c, *c->device ? "its message does not end" : "it asks for nothing");
}

/* Continues reading, or waits until there is room; waiting for the device has its own timer. */
static void go_on(struct proxy_client *c)
{
	consume(c);
	if (c->dead)
		return;
	/*
	 * A client that has named no device yet, or has sent a part of a message, must continue
	 * within a few seconds, because it occupies one of few seats. A client that waits for its
	 * modem has another limit (open_deadline); a client without an open request may stay.
	 */
	if (*c->device && (c->paused || !c->len))
		event_del(c->deadline);
	else if (!event_pending(c->deadline, EV_TIMEOUT, NULL))
		event_add(c->deadline, &say_deadline);
	if (!c->paused && !waits_for_device(c)) {
		event_add(c->read_event, NULL);
	} else {
		event_del(c->read_event);
		if (c->modem)
			event_add(c->resume_event, &pause_time);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_client *c = arg;
	ssize_t n = recv(fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		proxy_client_close(c, "it has gone");
		return;
	}
	c->len += n;
	go_on(c);
}

static void forget_slot(struct proxy_client *c, struct proxy_slot *s)
{
	assert(s->used && c->requests && c->modem->requests);
	s->used = false;
	c->requests--;
	c->modem->requests--;
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_client *c = arg;
	int64_t now = clock_ms();

	if (waits_for_device(c)) {
		proxy_client_close(c, "its modem is not there yet");
		return;
	}
	/* A modem never answers some requests: they must not block a client for ever. */
	for (unsigned int i = 0; i < PROXY_CLIENT_REQUESTS; i++)
		if (c->slots[i].used && now - c->slots[i].since >= SLOT_LIFE_MS)
			forget_slot(c, &c->slots[i]);
	go_on(c);
}

void proxy_client_answered(struct proxy_client *c, const struct qmi_message *m)
{
	for (unsigned int i = 0; i < PROXY_CLIENT_REQUESTS; i++) {
		struct proxy_slot *s = &c->slots[i];

		if (!s->used || s->service != m->service || s->id != m->client ||
		    s->transaction != m->transaction)
			continue;
		forget_slot(c, s);
		return;
	}
}

struct proxy_client *proxy_client_new(int fd, const struct ucred *peer)
{
	struct proxy_client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->pid = peer->pid;
	c->uid = peer->uid;
	c->out = evbuffer_new();
	c->read_event = event_new(proxy_base(), fd, EV_READ | EV_PERSIST, on_readable, c);
	c->write_event = event_new(proxy_base(), fd, EV_WRITE, on_writable, c);
	c->resume_event = event_new(proxy_base(), -1, 0, on_resume, c);
	c->deadline = event_new(proxy_base(), -1, 0, on_deadline, c);
	if (c->read_event && c->resume_event && !seats_is_root(c->uid)) {
		event_priority_set(c->read_event, LOOP_OTHERS);
		event_priority_set(c->resume_event, LOOP_OTHERS);
	}
	if (c->out && c->read_event && c->write_event && c->resume_event && c->deadline &&
	    !event_add(c->read_event, NULL) && !event_add(c->deadline, &say_deadline))
		return c;
	proxy_client_free(c);
	return NULL;
}
