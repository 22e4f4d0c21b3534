// SPDX-License-Identifier: GPL-2.0-or-later
#include "modem.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Upper bound of inputs queued in one iteration of the event loop: a session reports its end once. */
#define PENDING 8

struct modem {
	const struct modem_owner *owner;
	void *arg;
	enum trunk_state state;
	struct timespec since;
	char reason[512];
	char why_lost[512];
	struct {
		enum trunk_input input;
		struct error err;
	} pending[PENDING];
	unsigned int npending;
	struct event *kick;
	void (*later)(void *arg);
};

/*
 * A modem that comes back must be served within two seconds, so one that does not answer is tried
 * every second. An attempt is an open(), or a message without an answer.
 */
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MOST_MS	   1000
#define BACKOFF_REFUSED_MS 30000

#define GO(leave, to, ...)                                                                         \
	{                                                                                          \
		true,                                                                              \
		{                                                                                  \
			TRUNK_##leave, TRUNK_##to,                                                 \
			{                                                                          \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	}

/* One input a line: actions in the old state, next state, actions in the new one. */
/* clang-format off */
static const struct {
	bool used;
	struct trunk_step step;
} table[TRUNK_STATES][TRUNK_INPUTS] = {
	[TRUNK_ABSENT] = {
		[TRUNK_IN_NETDEV]       = GO(NOTHING, PRESENT, TRUNK_TRY),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	/* the data path may exist from before */
	[TRUNK_PRESENT] = {
		[TRUNK_IN_CHANNEL]      = GO(NOTHING, OPENING, TRUNK_NOTHING),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_OPENING] = {
		[TRUNK_IN_OPENED]       = GO(NOTHING, READY, TRUNK_SETTLE, TRUNK_NEWS),
		[TRUNK_IN_FAILED]       = GO(END, PRESENT, TRUNK_SAVE, TRUNK_TRY, TRUNK_NEWS),
		[TRUNK_IN_FAILED_FIRST] = GO(UNDO, ABSENT, TRUNK_REFUSE),
		[TRUNK_IN_LOST]         = GO(END, LOST, TRUNK_RELENT, TRUNK_SAVE, TRUNK_TRY),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_READY] = {
		[TRUNK_IN_LOST]         = GO(END, LOST, TRUNK_RELENT, TRUNK_SAVE, TRUNK_TRY),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_LOST] = {
		[TRUNK_IN_CHANNEL]      = GO(NOTHING, OPENING, TRUNK_NOTHING),
		[TRUNK_IN_NETDEV_GONE]  = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_ANEW]         = GO(NOTHING, LOST, TRUNK_CLOSE),
		[TRUNK_IN_CLOSED]       = GO(END, ABSENT, TRUNK_SEEK),
		[TRUNK_IN_CLOSED_FIRST] = GO(END, ABSENT, TRUNK_UNDO, TRUNK_REFUSE),
		[TRUNK_IN_DETACH]       = GO(NOTHING, DETACHING, TRUNK_CLOSE),
	},
	[TRUNK_DETACHING] = {
		[TRUNK_IN_CLOSED]       = GO(END, ABSENT, TRUNK_FORGET),
		[TRUNK_IN_CLOSED_FIRST] = GO(END, ABSENT, TRUNK_FORGET),
	},
};
/* clang-format on */

const struct trunk_step *trunk_step(enum trunk_state state, enum trunk_input input)
{
	return table[state][input].used ? &table[state][input].step : NULL;
}

unsigned int trunk_backoff_ms(unsigned int n, int able)
{
	unsigned int most = able ? BACKOFF_MOST_MS : BACKOFF_REFUSED_MS, ms = BACKOFF_FIRST_MS;

	if (!n)
		return 0;
	while (--n && ms < most)
		ms *= 2;
	return ms < most ? ms : most;
}

bool modem_set_reason(struct modem *m, const char *why)
{
	bool other = strncmp(m->reason, why, sizeof(m->reason) - 1);

	snprintf(m->reason, sizeof(m->reason), "%s", why);
	return other;
}

static void set_state(struct modem *m, enum trunk_state state, const struct error *err)
{
	enum trunk_state from = m->state;
	bool other = modem_set_reason(m, err ? err->text : "");

	m->state = state;
	if (state == TRUNK_READY)
		m->why_lost[0] = 0;
	else if (state == TRUNK_LOST && from != TRUNK_LOST)
		memcpy(m->why_lost, m->reason, sizeof(m->why_lost));
	if (state != from)
		clock_gettime(CLOCK_REALTIME, &m->since);
	if (state != from || other)
		m->owner->changed(m->arg, from, err);
}

void modem_explain(struct modem *m, const struct error *err)
{
	set_state(m, m->state, err);
}

void modem_input(struct modem *m, enum trunk_input input, const struct error *err)
{
	const struct trunk_step *step;

	if (input == TRUNK_IN_FAILED && m->owner->is_only_attempt(m->arg))
		input = TRUNK_IN_FAILED_FIRST;
	else if (input == TRUNK_IN_CLOSED && m->owner->is_only_attempt(m->arg))
		input = TRUNK_IN_CLOSED_FIRST;
	step = trunk_step(m->state, input);
	if (!step)
		return;
	m->owner->act(m->arg, step->leave, err);
	set_state(m, step->to, err);
	/* the last of them may free @m */
	for (int i = 0; i < TRUNK_ENTER_MAX && step->enter[i] != TRUNK_NOTHING; i++)
		m->owner->act(m->arg, step->enter[i], err);
}

void modem_kick(struct modem *m)
{
	event_active(m->kick, EV_TIMEOUT, 0);
}

void modem_input_later(struct modem *m, enum trunk_input input, const struct error *err)
{
	assert(m->npending < PENDING);
	m->pending[m->npending].input = input;
	m->pending[m->npending++].err = err ? *err : (struct error){0};
	modem_kick(m);
}

void modem_call_later(struct modem *m, void (*fn)(void *arg))
{
	m->later = fn;
	modem_kick(m);
}

static void next_pending(struct modem *m)
{
	enum trunk_input input = m->pending[0].input;
	struct error err = m->pending[0].err;

	memmove(&m->pending[0], &m->pending[1], --m->npending * sizeof(m->pending[0]));
	if (m->npending)
		modem_kick(m);
	modem_input(m, input, err.err ? &err : NULL);
}

/* One at a time: each of them may free @m. */
static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct modem *m = arg;
	void (*later)(void *) = m->later;

	m->later = NULL;
	if (later && m->npending)
		modem_kick(m);
	if (later)
		later(m->arg);
	else if (m->npending)
		next_pending(m);
	else
		m->owner->idle(m->arg);
}

void modem_begin(struct modem *m, enum trunk_state state)
{
	modem_set_reason(m, "taken over from the last daemon");
	m->state = state;
	m->owner->changed(m->arg, TRUNK_ABSENT, NULL);
}

enum trunk_state modem_state(const struct modem *m)
{
	return m->state;
}

const struct timespec *modem_since(const struct modem *m)
{
	return &m->since;
}

const char *modem_reason(const struct modem *m)
{
	return m->reason;
}

const char *modem_why_lost(const struct modem *m)
{
	return m->why_lost;
}

struct modem *modem_new(struct event_base *base, const struct modem_owner *owner, void *arg)
{
	struct modem *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->owner = owner;
	m->arg = arg;
	clock_gettime(CLOCK_REALTIME, &m->since);
	m->kick = event_new(base, -1, 0, on_kick, m);
	if (!m->kick)
		modem_free(&m);
	return m;
}

void modem_free(struct modem **m)
{
	if (*m && (*m)->kick)
		event_free((*m)->kick);
	free(*m);
	*m = NULL;
}
