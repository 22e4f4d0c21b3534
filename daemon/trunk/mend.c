// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Restores the data path's programs after other processes have removed them. The kernel sends a
 * notification for tc filters that are gone; it sends none for detached XDP links, so these are
 * checked at intervals, and whenever a client asks for the trunk.
 */
#include <event2/event.h>
#include <string.h>

#include "events/events.h"
#include "util/clock.h"
#include "internal.h"

/* Shortest interval between two repairs, for a process that removes them again and again. */
#define LEAST_MS 1000

/* A deleted qdisc takes its filters along. */
#define SOON_MS 10

static void arm(struct trunk *t, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(t->mend, &tv);
}

static void tell(struct trunk *t, const char *where, const struct error *err)
{
	struct events_entry e = {.kind = EVENTS_NETDEV,
				 .netdev = err->err ? NETDEV_FAILED : NETDEV_REPAIRED};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.reason, sizeof(e.reason), "somebody has taken the program off %s%s%.200s", where,
		 err->err ? "; " : "", err->text);
	events_add(t->env.events, &e, true);
}

/* Logs a failure once, not with each attempt. */
static void mend(struct trunk *t)
{
	struct error err = {0};
	char where[256] = "";

	t->ops->mend(t->dp, where, sizeof(where), &err);
	if (err.err && !where[0])
		return; /* unknown */
	if (where[0] && !(err.err && t->mend_failed)) {
		t->mended_ms = clock_ms();
		tell(t, where, &err);
	}
	t->mend_failed = err.err;
}

static bool has_programs(const struct trunk *t)
{
	char name[IFNAMSIZ];

	return t->dp && t->ops->mend && !t->closing && if_indextoname(t->dev.ifindex, name);
}

/* ms until the next repair is allowed. */
static int64_t too_early_by(const struct trunk *t)
{
	int64_t since = clock_ms() - t->mended_ms;

	return since < LEAST_MS ? LEAST_MS - since : 0;
}

void trunk_mend(struct trunk *t)
{
	if (has_programs(t) && !too_early_by(t))
		mend(t);
}

/* libevent's timers use a coarser clock and may fire some ms early. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	int64_t wait = too_early_by(t);

	if (wait) {
		arm(t, wait);
		return;
	}
	trunk_mend(t);
	trunk_repair_soon(t->repair); /* there is no notification for pass_through either */
	trunk_mend_watch(t);
}

/* The ports' own programs are checked with the ports. */
void trunk_mend_soon(struct trunk *t)
{
	if (has_programs(t))
		arm(t, too_early_by(t) ?: SOON_MS);
	for (unsigned int i = 0; i < t->nports; i++)
		if (t->ports[i].clat)
			trunk_repair_soon(t->repair);
}

void trunk_mend_watch(struct trunk *t)
{
	if (t->config.poll)
		arm(t, t->config.poll * 1000);
}

void trunk_mend_unwatch(struct trunk *t)
{
	event_del(t->mend);
}

int trunk_mend_new(struct trunk *t)
{
	t->mend = event_new(t->env.base, -1, 0, on_timer, t);
	return t->mend ? 0 : -1;
}
