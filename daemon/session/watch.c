// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch.h"

#include <event2/event.h>
#include <stdlib.h>

#include "util/clock.h"

/* Unanswered rounds of requests after which a modem counts as silent: a scan may delay one. */
#define ROUNDS 2

/* Milliseconds between looks, of a second of the settings: the watchdog's time is exceeded by a quarter. */
#define POLL_MS	    1000ull
#define WATCHDOG_MS 250ull

struct watch {
	const struct config_trunk *config;
	const struct watch_owner *owner;
	void *arg;
	struct event *poll, *watchdog;
	uint64_t heard;	     /* counter at the last check */
	unsigned int silent; /* rounds in a row without an answer */
	bool judged;	     /* this round has been counted */
};

static void arm(struct event *timer, uint64_t ms)
{
	struct timeval tv = clock_timeval(ms);

	if (ms)
		event_add(timer, &tv);
}

void watch_unanswered(struct watch *w)
{
	if (w->judged)
		return;
	w->judged = true;
	if (w->owner->heard(w->arg) != w->heard)
		w->silent = 0;
	else if (++w->silent < ROUNDS)
		event_active(w->poll, EV_TIMEOUT, 0);
	else
		w->owner->silent(w->arg);
}

/* The last round is not over if answers may take longer than the poll. */
void watch_look(struct watch *w)
{
	if (!w->owner->is_waiting(w->arg)) {
		w->heard = w->owner->heard(w->arg);
		w->judged = false;
	}
	w->owner->poll(w->arg);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	watch_look(w);
	arm(w->poll, w->config->poll * POLL_MS);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	w->owner->check_traffic(w->arg);
	arm(w->watchdog, w->config->watchdog * WATCHDOG_MS);
}

void watch_start(struct watch *w, bool traffic)
{
	watch_stop(w);
	w->silent = 0;
	arm(w->poll, w->config->poll * POLL_MS);
	if (traffic)
		arm(w->watchdog, w->config->watchdog * WATCHDOG_MS);
}

void watch_stop(struct watch *w)
{
	event_del(w->poll);
	event_del(w->watchdog);
}

struct watch *watch_new(struct event_base *base, const struct config_trunk *config,
			const struct watch_owner *owner, void *arg)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->config = config;
	w->owner = owner;
	w->arg = arg;
	w->poll = event_new(base, -1, 0, on_poll, w);
	w->watchdog = event_new(base, -1, 0, on_watchdog, w);
	if (!w->poll || !w->watchdog)
		watch_free(&w);
	return w;
}

void watch_free(struct watch **w)
{
	if (*w && (*w)->poll)
		event_free((*w)->poll);
	if (*w && (*w)->watchdog)
		event_free((*w)->watchdog);
	free(*w);
	*w = NULL;
}
