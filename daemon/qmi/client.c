// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "util/clock.h"
#include "util/log.h"
#include "client_internal.h"
#include "names.h"
#include "nudge.h"
#include "transport.h"

struct qmi_transaction {
	TAILQ_ENTRY(qmi_transaction) entry;
	struct qmi_client *client;
	struct event *deadline;
	uint16_t id; /* of the message */
	uint16_t number;
	int failed;	   /* negative errno: sending failed */
	const char *fault; /* of a malformed response; NULL: there was none */
	qmi_reply_fn fn;
	void *arg;
};

struct qmi_client {
	TAILQ_ENTRY(qmi_client) entry;
	SLIST_ENTRY(qmi_client) grave;
	bool dead; /* freed while the channel was busy: it may still be on the stack */
	struct qmi_channel *channel;
	uint8_t service, id;
	uint16_t last; /* transaction number */
	TAILQ_HEAD(qmi_transactions, qmi_transaction) transactions;
	qmi_indication_fn fn;
	void *arg;
};

struct qmi_channel {
	struct event_base *base;
	struct qmi_transport *transport;
	const struct qmi_channel_ops *ops;
	void *arg;
	TAILQ_HEAD(qmi_clients, qmi_client) clients;
	SLIST_HEAD(qmi_graves, qmi_client) graves;
	struct qmi_stream stream;
	struct qmi_counters counters;
	char malformed[64]; /* the response to the request that timed out last; "": none came */
	struct qmi_nudge *nudge;
	const struct qmi_tap *tap;
	void *tap_arg;
	bool busy;  /* a callback for a received message is running */
	bool freed; /* the owner has freed the channel from within that callback */
};

void qmi_request_init(struct qmi_request *r, uint16_t id)
{
	r->id = id;
	qmi_buf_init(&r->tlvs);
}

static void transaction_free(struct qmi_transaction *t)
{
	TAILQ_REMOVE(&t->client->transactions, t, entry);
	event_free(t->deadline);
	free(t);
}

/* Ends @t and calls its owner, who may free transaction, client and channel. */
static void transaction_end(struct qmi_transaction *t, int err, const struct qmi_message *m)
{
	qmi_reply_fn fn = t->fn;
	void *arg = t->arg;

	transaction_free(t);
	fn(arg, err, m);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_transaction *t = arg;
	struct qmi_channel *ch = t->client->channel;

	if (!t->failed) {
		ch->counters.timeouts++;
		qmi_nudge_doubt(ch->nudge);
	}
	ch->malformed[0] = 0;
	if (t->fault)
		snprintf(ch->malformed, sizeof(ch->malformed), "%s message 0x%04x: %s",
			 qmi_service_name(t->client->service), t->id, t->fault);
	transaction_end(t, t->failed ? t->failed : -ETIMEDOUT, NULL);
}

/* Search every client with this id: all users of CTL share id 0. */
static struct qmi_transaction *transaction_find(const struct qmi_channel *ch, uint8_t service,
						uint8_t id, uint16_t number)
{
	struct qmi_transaction *t;
	struct qmi_client *c;

	for (c = TAILQ_FIRST(&ch->clients); c; c = TAILQ_NEXT(c, entry)) {
		if (c->service != service || c->id != id)
			continue;
		for (t = TAILQ_FIRST(&c->transactions); t; t = TAILQ_NEXT(t, entry))
			if (t->number == number && !t->failed)
				return t;
	}
	return NULL;
}

/* Its request goes on waiting: a modem may repeat the response, and the bytes may not have been one. */
static void on_malformed(void *arg, const struct qmi_message *m, enum qmi_fault fault)
{
	struct qmi_transaction *t = NULL;

	if (m->type == QMI_RESPONSE)
		t = transaction_find(arg, m->service, m->client, m->transaction);
	if (t && t->id == m->id)
		t->fault = qmi_fault_text(fault);
}

/*
 * Transaction numbers skip zero and have eight bits on CTL. A number still in use belongs to a
 * request that waits long (Start Network), so skip it.
 */
static uint16_t next_number(struct qmi_client *c)
{
	uint16_t limit = c->service == QMI_CTL ? 0xff : 0xffff;

	do {
		c->last = c->last >= limit ? 1 : c->last + 1;
	} while (transaction_find(c->channel, c->service, c->id, c->last));
	return c->last;
}

static int transaction_new(struct qmi_transaction **out, struct qmi_client *c,
			   unsigned int timeout_ms, qmi_reply_fn fn, void *arg)
{
	struct timeval tv = clock_timeval(timeout_ms);
	struct qmi_transaction *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->deadline = event_new(c->channel->base, -1, 0, on_deadline, t);
	if (!t->deadline || event_add(t->deadline, &tv) < 0) {
		if (t->deadline)
			event_free(t->deadline);
		free(t);
		return -ENOMEM;
	}
	t->client = c;
	t->fn = fn;
	t->arg = arg;
	t->number = next_number(c);
	TAILQ_INSERT_TAIL(&c->transactions, t, entry);
	*out = t;
	return 0;
}

static void report(const struct qmi_channel *ch, bool from_modem, const struct qmi_message *m)
{
	if (ch->ops->message)
		ch->ops->message(ch->arg, from_modem, m);
}

static int transmit(struct qmi_client *c, const struct qmi_request *r, uint16_t number)
{
	struct qmi_message m = {
		.service = c->service,
		.client = c->id,
		.type = QMI_REQUEST,
		.transaction = number,
		.id = r->id,
		.tlvs = {.data = r->tlvs.data, .len = r->tlvs.len},
	};
	uint8_t buf[QMI_MAX_MESSAGE];
	int len, err;

	if (r->tlvs.overflow)
		return -EMSGSIZE;
	len = qmi_message_write(&m, buf, sizeof(buf));
	if (len < 0)
		return len;
	err = qmi_transport_send(c->channel->transport, buf, len);
	explicit_bzero(buf, len);
	if (!err)
		report(c->channel, false, &m);
	return err;
}

void qmi_client_send(struct qmi_client *c, struct qmi_request *r, unsigned int timeout_ms,
		     qmi_reply_fn fn, void *arg)
{
	struct qmi_transaction *t;
	int err = transaction_new(&t, c, timeout_ms, fn, arg);

	if (err < 0) {
		explicit_bzero(&r->tlvs, sizeof(r->tlvs));
		/* Without memory for a timer the reply cannot be deferred. */
		fn(arg, err, NULL);
		return;
	}
	t->id = r->id;
	t->failed = transmit(c, r, t->number);
	explicit_bzero(&r->tlvs, sizeof(r->tlvs));
	if (t->failed) {
		event_active(t->deadline, EV_TIMEOUT, 0);
	} else {
		c->channel->counters.requests++;
		qmi_nudge_sent(c->channel->nudge, c);
	}
}

static struct qmi_client *client_find(struct qmi_channel *ch, uint8_t service, uint8_t id)
{
	struct qmi_client *c;

	for (c = TAILQ_FIRST(&ch->clients); c; c = TAILQ_NEXT(c, entry))
		if (c->service == service && c->id == id)
			return c;
	return NULL;
}

/* @ours: one of our clients has this client id, too. False: no program waits for the message. */
static bool dispatch_foreign(struct qmi_channel *ch, const struct qmi_message *m, bool ours)
{
	if (ch->tap)
		return ch->tap->message(ch->tap_arg, m);
	ch->counters.unknown_client += !ours;
	return ours;
}

static void dispatch_response(struct qmi_channel *ch, const struct qmi_message *m)
{
	struct qmi_transaction *t;

	if (!client_find(ch, m->service, m->client)) {
		if (!dispatch_foreign(ch, m, false) && !ch->freed)
			qmi_nudge_stale(ch->nudge, m);
		return;
	}
	t = transaction_find(ch, m->service, m->client, m->transaction);
	if (!t) {
		qmi_nudge_stale(ch->nudge, m);
		ch->counters.late++;
		if (ch->ops->late)
			ch->ops->late(ch->arg, m);
	} else if (t->id != m->id) {
		ch->counters.mismatched++;
	} else {
		ch->counters.responses++;
		transaction_end(t, 0, m);
	}
}

static void dispatch_indication(struct qmi_channel *ch, const struct qmi_message *m)
{
	bool ours = false, to_all = m->client == QMI_CID_BROADCAST || m->service == QMI_CTL;
	struct qmi_client *c, *next;

	for (c = TAILQ_FIRST(&ch->clients); c && !ch->freed; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->dead || c->service != m->service ||
		    (m->client != QMI_CID_BROADCAST && c->id != m->client))
			continue;
		ours = true;
		if (c->fn)
			c->fn(c->arg, m);
	}
	ch->counters.indications += ours;
	if (!ch->freed && (!ours || to_all))
		dispatch_foreign(ch, m, ours);
}

static void dispatch(struct qmi_channel *ch, const struct qmi_message *m)
{
	if (m->type == QMI_RESPONSE)
		dispatch_response(ch, m);
	else if (m->type == QMI_INDICATION)
		dispatch_indication(ch, m);
	else
		ch->counters.unexpected++;
	if (!ch->freed)
		qmi_nudge_received(ch->nudge);
}

static uint8_t *on_room(void *arg, size_t *size)
{
	struct qmi_channel *ch = arg;

	return qmi_stream_room(&ch->stream, size);
}

static void bury(struct qmi_channel *ch)
{
	struct qmi_client *c;

	while ((c = SLIST_FIRST(&ch->graves))) {
		SLIST_REMOVE_HEAD(&ch->graves, grave);
		free(c);
	}
}

static void tap_close(struct qmi_channel *ch)
{
	const struct qmi_tap *tap = ch->tap;

	ch->tap = NULL;
	if (tap)
		tap->closed(ch->tap_arg);
}

/* Called once no function of the channel is on the stack. */
static void channel_destroy(struct qmi_channel *ch)
{
	struct qmi_client *c;

	while ((c = TAILQ_FIRST(&ch->clients)))
		qmi_client_free(&c);
	bury(ch);
	qmi_nudge_free(&ch->nudge);
	qmi_transport_free(&ch->transport);
	free(ch);
}

static void channel_idle(struct qmi_channel *ch)
{
	ch->busy = false;
	if (ch->freed)
		channel_destroy(ch);
	else
		bury(ch);
}

static void on_received(void *arg, size_t len)
{
	struct qmi_channel *ch = arg;
	uint64_t before = ch->stream.skipped;
	struct qmi_message m;

	qmi_stream_filled(&ch->stream, len);
	ch->busy = true;
	while (!ch->freed && qmi_stream_next(&ch->stream, &m)) {
		report(ch, true, &m);
		dispatch(ch, &m);
	}
	if (ch->stream.skipped != before)
		log_debug("qmi: %llu malformed bytes skipped",
			  (unsigned long long)(ch->stream.skipped - before));
	channel_idle(ch);
}

/* Returns a request that was sent and waits. A request that could not be sent has its own timer. */
static struct qmi_transaction *any_transaction(struct qmi_channel *ch)
{
	struct qmi_transaction *t;
	struct qmi_client *c;

	for (c = TAILQ_FIRST(&ch->clients); c; c = TAILQ_NEXT(c, entry))
		for (t = TAILQ_FIRST(&c->transactions); t; t = TAILQ_NEXT(t, entry))
			if (!t->failed)
				return t;
	return NULL;
}

static void on_lost(void *arg, const char *why)
{
	struct qmi_channel *ch = arg;
	struct qmi_transaction *t;

	ch->busy = true;
	while (!ch->freed && (t = any_transaction(ch)))
		transaction_end(t, -ENODEV, NULL);
	if (!ch->freed)
		tap_close(ch);
	if (!ch->freed)
		ch->ops->lost(ch->arg, why);
	channel_idle(ch);
}

static const struct qmi_transport_ops transport_ops = {
	.room = on_room,
	.received = on_received,
	.lost = on_lost,
};

int qmi_channel_open(struct qmi_channel **out, struct event_base *base, const char *path,
		     const struct qmi_channel_ops *ops, void *arg, struct error *err)
{
	struct qmi_channel *ch = calloc(1, sizeof(*ch));
	int r;

	if (!ch)
		return error_set(err, -ENOMEM, "out of memory");
	ch->base = base;
	ch->ops = ops;
	ch->arg = arg;
	ch->stream.malformed = on_malformed;
	ch->stream.arg = ch;
	TAILQ_INIT(&ch->clients);
	SLIST_INIT(&ch->graves);
	r = qmi_nudge_new(&ch->nudge, ch);
	if (r)
		error_set(err, r, "out of memory");
	else
		r = qmi_transport_open(&ch->transport, base, path, &transport_ops, ch, err);
	if (r < 0) {
		qmi_nudge_free(&ch->nudge);
		free(ch);
		return r;
	}
	*out = ch;
	return 0;
}

void qmi_channel_free(struct qmi_channel **chp)
{
	struct qmi_channel *ch = *chp;

	if (!ch)
		return;
	*chp = NULL;
	tap_close(ch);
	if (ch->busy)
		ch->freed = true;
	else
		channel_destroy(ch);
}

void qmi_channel_tap(struct qmi_channel *ch, const struct qmi_tap *tap, void *arg)
{
	ch->tap = tap;
	ch->tap_arg = arg;
}

int qmi_channel_forward(struct qmi_channel *ch, const struct qmi_message *m)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	int len = qmi_message_write(m, buf, sizeof(buf));

	if (len < 0)
		return len;
	report(ch, false, m);
	qmi_nudge_sent(ch->nudge, NULL);
	return qmi_transport_send(ch->transport, buf, len);
}

struct event_base *qmi_channel_base(const struct qmi_channel *ch)
{
	return ch->base;
}

bool qmi_channel_waits(const struct qmi_channel *ch, const struct qmi_client *except)
{
	const struct qmi_client *c;

	for (c = TAILQ_FIRST(&ch->clients); c; c = TAILQ_NEXT(c, entry))
		if (c != except && !TAILQ_EMPTY(&c->transactions))
			return true;
	return false;
}

const struct qmi_counters *qmi_channel_counters(const struct qmi_channel *ch)
{
	return &ch->counters;
}

const uint64_t *qmi_channel_faults(const struct qmi_channel *ch, uint64_t *skipped)
{
	*skipped = ch->stream.skipped;
	return ch->stream.faults;
}

const char *qmi_channel_malformed(const struct qmi_channel *ch)
{
	return ch->malformed;
}

const struct qmi_transport *qmi_channel_transport(const struct qmi_channel *ch)
{
	return ch->transport;
}

int qmi_client_new(struct qmi_client **out, struct qmi_channel *ch, uint8_t service, uint8_t id,
		   qmi_indication_fn fn, void *arg)
{
	struct qmi_client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->channel = ch;
	c->service = service;
	c->id = id;
	c->fn = fn;
	c->arg = arg;
	TAILQ_INIT(&c->transactions);
	TAILQ_INSERT_TAIL(&ch->clients, c, entry);
	*out = c;
	return 0;
}

void qmi_client_cancel(struct qmi_client *c)
{
	while (!TAILQ_EMPTY(&c->transactions))
		transaction_free(TAILQ_FIRST(&c->transactions));
}

void qmi_client_free(struct qmi_client **cp)
{
	struct qmi_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	qmi_client_cancel(c);
	TAILQ_REMOVE(&c->channel->clients, c, entry);
	c->dead = true;
	if (c->channel->busy)
		SLIST_INSERT_HEAD(&c->channel->graves, c, grave);
	else
		free(c);
}

uint8_t qmi_client_id(const struct qmi_client *c)
{
	return c->id;
}
