// SPDX-License-Identifier: GPL-2.0-or-later
#include "nudge.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>

#include "client.h"
#include "client_internal.h"
#include "util/clock.h"
#include "ctl.h"

/* Longer than a modem takes for most answers; doubles with each nudge in a row. */
#define FIRST_MS 500
#define LAST_MS	 4000

/* The answer to a slower nudge was fetched by the notification of another message. */
#define PROMPT_MS  1000
#define TIMEOUT_MS 60000

#define MAX_OPEN  32
#define MAX_BURST 8 /* nudges in a row, each sent right after the answer to the last one */
/* likewise, each sent for an answer that no request waits for; then one after a while */
#define MAX_STALE 8

struct qmi_nudge {
	struct qmi_channel *channel;
	struct qmi_client *ctl; /* NULL until a message seems to be missing */
	struct event *timer;
	bool sure;   /* the modem holds nothing back */
	bool newest; /* no request was sent after the last nudge ... */
	bool alone;  /* ... and only answers to nudges arrived */
	bool judged; /* the message just received was the answer to a nudge, or caused one */
	unsigned int burst;
	unsigned int stale; /* nudges for stale answers since the timer last ran */
	bool owed;	    /* send one more when the timer runs */
	unsigned int in_ms; /* time to the next nudge */
	/* CTL answers in order, so two counters identify the nudges. */
	unsigned int sent, over;
	int64_t sent_ms[MAX_OPEN]; /* CLOCK_MONOTONIC, by number */
};

static void nudge(struct qmi_nudge *n);

static void on_answer(void *arg, int err, const struct qmi_message *m)
{
	struct qmi_nudge *n = arg;

	n->over++;
	if (err)
		return;
	n->judged = true;
	/* the last nudge is answered, and its answer was fetched by its own notification */
	if (n->over == n->sent && n->newest && n->alone &&
	    clock_ms() - n->sent_ms[(n->over - 1) % MAX_OPEN] <= PROMPT_MS)
		n->sure = true;
	else if (!n->sure && n->burst++ < MAX_BURST)
		nudge(n);
}

static void nudge(struct qmi_nudge *n)
{
	struct qmi_request r;

	if (n->sent - n->over == MAX_OPEN ||
	    (!n->ctl && qmi_client_new(&n->ctl, n->channel, QMI_CTL, 0, NULL, NULL)))
		return;
	qmi_request_init(&r, QMI_CTL_GET_VERSION_INFO);
	n->sent_ms[n->sent++ % MAX_OPEN] = clock_ms();
	qmi_client_send(n->ctl, &r, TIMEOUT_MS, on_answer, n);
	n->newest = n->alone = true;
}

/* Runs only while a request waits or a nudge is owed: an idle channel is left alone. */
static void arm(struct qmi_nudge *n)
{
	struct timeval tv = clock_timeval(n->in_ms);

	if (n->stale || (!n->sure && qmi_channel_waits(n->channel, n->ctl)))
		event_add(n->timer, &tv);
	else
		event_del(n->timer);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct qmi_nudge *n = arg;

	n->stale = 0;
	if (!n->owed && (n->sure || !qmi_channel_waits(n->channel, n->ctl)))
		return;
	n->owed = false;
	n->burst = 0;
	nudge(n);
	n->in_ms = n->in_ms < LAST_MS ? n->in_ms * 2 : LAST_MS;
	arm(n);
}

void qmi_nudge_sent(struct qmi_nudge *n, const struct qmi_client *c)
{
	if (c && c == n->ctl)
		return;
	n->newest = false;
	if (!event_pending(n->timer, EV_TIMEOUT, NULL)) {
		n->in_ms = FIRST_MS;
		arm(n);
	}
}

void qmi_nudge_received(struct qmi_nudge *n)
{
	if (!n->judged) {
		n->alone = false;
		n->burst = 0;
	}
	n->judged = false;
	n->in_ms = FIRST_MS;
	arm(n);
}

void qmi_nudge_stale(struct qmi_nudge *n, const struct qmi_message *m)
{
	n->judged = true;
	/*
	 * Nudges are answered in time or never: another answer to one comes from a modem that
	 * answers everything twice. A nudge for it would lead to the next, without end.
	 */
	if (n->sent && m->service == QMI_CTL && m->id == QMI_CTL_GET_VERSION_INFO)
		return;
	n->sure = false;
	/* A modem that answers everything twice must not get nudges as fast as it answers. */
	if (n->stale++ < MAX_STALE)
		nudge(n);
	else
		n->owed = true;
}

void qmi_nudge_doubt(struct qmi_nudge *n)
{
	n->sure = false;
}

int qmi_nudge_new(struct qmi_nudge **out, struct qmi_channel *ch)
{
	struct qmi_nudge *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->channel = ch;
	n->in_ms = FIRST_MS;
	n->timer = event_new(qmi_channel_base(ch), -1, 0, on_timer, n);
	if (!n->timer) {
		free(n);
		return -ENOMEM;
	}
	*out = n;
	return 0;
}

void qmi_nudge_free(struct qmi_nudge **n)
{
	if (!*n)
		return;
	event_free((*n)->timer);
	free(*n);
	*n = NULL;
}
