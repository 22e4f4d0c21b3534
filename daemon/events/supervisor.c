// SPDX-License-Identifier: GPL-2.0-or-later
#include "supervisor.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "events.h"
#include "util/notify.h"

static const struct timeval status_pause = {.tv_sec = 1};

struct supervisor {
	struct events_subscriber *subscriber;
	struct events *events;
	struct event *watchdog, *status;
};

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	notify("WATCHDOG=1");
}

static void keep_text(void *arg, const struct events_entry *e)
{
	events_text(e, arg, 700);
}

static void on_status(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	char text[700] = "";

	events_last(s->events, NULL, 1, keep_text, text);
	notify("STATUS=%s", text);
}

static void on_event(void *arg, const struct events_entry *e)
{
	struct supervisor *s = arg;

	if (e->kind != EVENTS_SIGNAL && !event_pending(s->status, EV_TIMEOUT, NULL))
		event_add(s->status, &status_pause);
}

/* Returns 0 or -ENOMEM. */
static int arm_watchdog(struct supervisor *s, struct event_base *base)
{
	uint64_t usec = notify_watchdog_usec() / 2;
	struct timeval often = {.tv_sec = usec / 1000000, .tv_usec = usec % 1000000};

	if (!usec)
		return 0;
	s->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, s);
	return s->watchdog && !event_add(s->watchdog, &often) ? 0 : -ENOMEM;
}

int supervisor_new(struct supervisor **out, struct event_base *base, struct events *events,
		   struct error *err)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->events = events;
	s->status = event_new(base, -1, 0, on_status, s);
	/* without a service manager no timer is needed */
	if (s->status && notify_wanted())
		s->subscriber = events_subscribe(events, on_event, s);
	if (s->status && (s->subscriber || !notify_wanted()) && !arm_watchdog(s, base))
		return 0;
	supervisor_free(out);
	return error_set(err, -ENOMEM, "out of memory");
}

void supervisor_free(struct supervisor **sp)
{
	struct supervisor *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	if (s->subscriber)
		events_unsubscribe(s->subscriber);
	if (s->watchdog)
		event_free(s->watchdog);
	if (s->status)
		event_free(s->status);
	free(s);
}
