// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "util/log.h"
#include "util/printable.h"

struct events_subscriber {
	TAILQ_ENTRY(events_subscriber) entry;
	struct events *events;
	events_fn fn;
	void *arg;
};

struct events {
	struct events_entry ring[EVENTS_KEPT];
	uint64_t seq; /* of the last one; it is in ring[seq % EVENTS_KEPT] */
	TAILQ_HEAD(, events_subscriber) subscribers;
};

int events_new(struct events **out, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return error_set(err, -ENOMEM, "out of memory");
	TAILQ_INIT(&(*out)->subscribers);
	return 0;
}

void events_free(struct events **ev)
{
	free(*ev);
	*ev = NULL;
}

struct events_subscriber *events_subscribe(struct events *ev, events_fn fn, void *arg)
{
	struct events_subscriber *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct events_subscriber){.events = ev, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&ev->subscribers, s, entry);
	return s;
}

void events_unsubscribe(struct events_subscriber *s)
{
	TAILQ_REMOVE(&s->events->subscribers, s, entry);
	free(s);
}

static void write_log(const struct events_entry *e, bool info)
{
	char text[700];

	events_text(e, text, sizeof(text));
	if (info)
		log_limited(LOG_LEVEL_INFO, EVENTS_KEPT, "%s", text);
	else
		log_debug("%s", text);
}

static void set_names(struct events_entry *e, const char *from, const char *to)
{
	snprintf(e->from, sizeof(e->from), "%s", from);
	snprintf(e->to, sizeof(e->to), "%s", to);
}

static void name_states(struct events_entry *e)
{
	switch (e->kind) {
	case EVENTS_MODEM:
		set_names(e, trunk_state_name(e->modem.from), trunk_state_name(e->modem.to));
		break;
	case EVENTS_CALL:
		set_names(e, call_state_name(e->call.from), call_state_name(e->call.to));
		break;
	case EVENTS_NETDEV:
		set_names(e, "", netdev_outcome_name(e->netdev));
		break;
	case EVENTS_FAILOVER:
	case EVENTS_QUOTA:
	case EVENTS_SIGNAL:
	case EVENTS_RECOVER:
	case EVENTS_KINDS:
		break;
	}
}

void events_add(struct events *ev, struct events_entry *e, bool info)
{
	struct events_subscriber *s, *next;

	clock_gettime(CLOCK_REALTIME, &e->time);
	name_states(e);
	printable(e->reason); /* it may quote a modem, and hooks get it in a line */
	write_log(e, info);
	if (!ev)
		return;
	e->seq = ++ev->seq;
	ev->ring[e->seq % EVENTS_KEPT] = *e;
	for (s = TAILQ_FIRST(&ev->subscribers); s; s = next) {
		next = TAILQ_NEXT(s, entry);
		s->fn(s->arg, e);
	}
}

bool events_is_of(const struct events_entry *e, const char *dev)
{
	return !dev || !strcmp(dev, e->dev);
}

void events_last(const struct events *ev, const char *dev, unsigned int n, events_fn fn, void *arg)
{
	uint64_t oldest = ev->seq > EVENTS_KEPT ? ev->seq - EVENTS_KEPT + 1 : 1, first;

	for (first = ev->seq + 1; n && first > oldest; first--)
		n -= events_is_of(&ev->ring[(first - 1) % EVENTS_KEPT], dev);
	for (; first <= ev->seq; first++)
		if (events_is_of(&ev->ring[first % EVENTS_KEPT], dev))
			fn(arg, &ev->ring[first % EVENTS_KEPT]);
}
