/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Polls for changes without an indication: a modem that has restarted or fallen silent, a call that
 * has ended, a call without traffic.
 */
#ifndef QMAP_SESSION_WATCH_H
#define QMAP_SESSION_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

struct event_base;
struct watch;

struct watch_owner {
	/* Sends the requests of a poll. */
	void (*poll)(void *arg);
	/* Is a request of the last poll without an answer? */
	bool (*is_waiting)(void *arg);
	/* Number of messages and packets that have come from the modem. */
	uint64_t (*heard)(void *arg);
	/* The modem answers no more, and nothing comes in. */
	void (*silent)(void *arg);
	/* Looks for calls without traffic, several times within config->watchdog seconds. */
	void (*check_traffic)(void *arg);
};

/* @config: poll, watchdog. NULL: out of memory. */
struct watch *watch_new(struct event_base *base, const struct config_trunk *config,
			const struct watch_owner *owner, void *arg);
void watch_free(struct watch **w);

/* Starts from the beginning; @traffic: with check_traffic(). */
void watch_start(struct watch *w, bool traffic);
void watch_stop(struct watch *w);
/* Polls now. */
void watch_look(struct watch *w);
/* A request of a poll was not answered in time. */
void watch_unanswered(struct watch *w);

#endif
