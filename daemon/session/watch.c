// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Polls for changes without an indication: a modem that has restarted or fallen silent, a call that
 * has ended, a call without traffic.
 */
#include "internal.h"

#include <event2/event.h>

#include "util/clock.h"

/* Unanswered rounds of requests after which a modem counts as silent: a scan may delay one. */
#define ROUNDS 2

static void again(struct event *timer, unsigned int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	if (seconds)
		event_add(timer, &tv);
}

/* Grows with every message or packet from the modem. */
static uint64_t heard(const struct session *s)
{
	const struct qmi_counters *n = qmi_channel_counters(clients_channel(s->clients));
	uint64_t sum = n->responses + n->indications + n->late, rx[QMAP_MAX_MUX] = {0};
	const struct session_pdn *pdn;

	if (s->ops->rx_packets)
		s->ops->rx_packets(s->arg, rx);
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		sum += rx[pdn_config(pdn)->mux % QMAP_MAX_MUX];
	return sum;
}

void session_watch_unanswered(struct session *s)
{
	if (s->judged || s->phase != PHASE_RUNNING)
		return;
	s->judged = true;
	if (heard(s) != s->heard)
		s->silent = 0;
	else if (++s->silent < ROUNDS)
		event_active(s->poll, EV_TIMEOUT, 0);
	else
		session_lost(s, false, "modem does not answer any more, and nothing comes in");
}

/* The last round is not over if answers may take longer than the poll. */
static bool is_waiting(const struct session *s)
{
	for (struct call *c = call_first(s); c; c = call_next(c))
		if (c->step == STEP_STILL_UP)
			return true;
	return false;
}

void session_watch_look(struct session *s)
{
	if (!is_waiting(s)) {
		s->heard = heard(s);
		s->judged = false;
	}
	session_facts_poll(s);
	for (struct call *c = call_first(s); c; c = call_next(c))
		if (c->state == CALL_UP && c->step == STEP_NONE)
			call_step(c, STEP_STILL_UP);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	session_watch_look(s);
	again(s->poll, s->config->poll);
}

/* Both families of a PDN share its port, hence the count. */
static void redial(const struct session_pdn *pdn)
{
	for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state == CALL_UP)
			call_hang_up(c, -ENOLINK);
}

static bool is_up(const struct session_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state == CALL_UP)
			return true;
	return false;
}

static void watch(struct session *s, struct session_pdn *pdn, uint64_t n)
{
	uint64_t now = clock_ms();

	if (n != pdn->rx_packets || !is_up(pdn) || !pdn->rx_since) {
		pdn->rx_packets = n;
		pdn->rx_since = now;
	} else if (now - pdn->rx_since >= s->config->watchdog * 1000ull) {
		pdn->rx_since = now;
		redial(pdn);
	}
}

/* Checks four times within the configured time, so that it is not exceeded by much. */
static void arm_watchdog(struct session *s)
{
	unsigned int ms = s->config->watchdog * 250;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (ms)
		event_add(s->watchdog, &tv);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	uint64_t rx[QMAP_MAX_MUX] = {0};
	struct session *s = arg;
	struct session_pdn *pdn;

	s->ops->rx_packets(s->arg, rx);
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		watch(s, pdn, rx[pdn_config(pdn)->mux % QMAP_MAX_MUX]);
	arm_watchdog(s);
}

int session_watch_new(struct session *s)
{
	s->poll = event_new(s->base, -1, 0, on_poll, s);
	s->watchdog = event_new(s->base, -1, 0, on_watchdog, s);
	return s->poll && s->watchdog ? 0 : -ENOMEM;
}

void session_watch_start(struct session *s)
{
	struct session_pdn *pdn;

	session_watch_stop(s);
	s->silent = 0;
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		pdn->rx_since = 0;
	again(s->poll, s->config->poll);
	if (s->ops->rx_packets)
		arm_watchdog(s);
}

void session_watch_stop(struct session *s)
{
	if (s->poll)
		event_del(s->poll);
	if (s->watchdog)
		event_del(s->watchdog);
}

void session_watch_free(struct session *s)
{
	if (s->poll)
		event_free(s->poll);
	if (s->watchdog)
		event_free(s->watchdog);
}
