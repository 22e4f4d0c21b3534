// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The states of a call (one IP family of one PDN), and their transitions. The requests within a
 * state are in session/call.c.
 */
#include "call.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

bool call_settled(const struct call *c)
{
	const struct calls *cs = c->all;

	if (c->asked)
		return false;

	/* Adopted calls do not stay idle: they wait for the modem's facts about SIM and network. */
	if (c->state == CALL_IDLE && format_agreed(cs->env.format) && !cs->was_giving_back)
		return false;
	return c->state != CALL_STARTING && c->state != CALL_STOPPING &&
	       (c->step == STEP_NONE || c->state == CALL_UP);
}

static void call_reconsider(struct call *c);

/* --- actions --- */

static void nothing(struct call *c)
{
}

static void begin(struct call *c)
{
	event_del(c->timer);
	c->error = 0;
	c->no_effect = false;
	memset(&c->end, 0, sizeof(c->end));
	call_prepare(c);
}

/* The modem has the call up: only its settings are missing. */
static void take_over(struct call *c)
{
	event_del(c->timer);
	c->dialled = true;
	call_step(c, STEP_SETTINGS);
}

static void up(struct call *c)
{
	struct call *other = call_sibling(c);
	bool first = !c->announced;

	if (first)
		c->up_since = clock_ms();
	memset(&c->end, 0, sizeof(c->end));
	c->error = 0;
	c->refusals = 0;
	c->announced = true;
	if (c->renewed)
		c->all->owner->up(c->all->arg, c->pdn->number, &c->settings);
	c->renewed = false;
	/* A network that accepts one family may well accept the other. */
	if (first && other && other->state == CALL_BACKOFF)
		call_consider(other);
}

static void tell_down(struct call *c)
{
	if (!c->announced)
		return;
	c->announced = false;
	c->all->owner->down(c->all->arg, c->pdn->number, c->family, &c->end);
}

static void down(struct call *c)
{
	call_cancel(c);
	c->suspended = false;
	c->all->owner->changed(c->all->arg);
	tell_down(c);
}

/*
 * Networks refuse for good calls that they accept an hour later: a core that is down has no APN,
 * either, and a SIM is activated while it is in the modem. 12 minutes is the time after which 3GPP
 * TS 24.301 (6.5.1.4.3) lets a device request such an APN again.
 */
#define FAILED_FIRST_MS 720000

/*
 * Doubles with each attempt, from the second on; varies by up to a quarter, so that many hosts do
 * not dial in step after an outage.
 */
static unsigned int grown_ms(uint64_t ms, unsigned int n, uint64_t most)
{
	for (unsigned int i = 1; i < n && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms * 3 / 4 + (ms > 1 ? (uint64_t)random() % (ms / 2) : 0);
}

static unsigned int delay_ms(const struct call *c)
{
	const struct config_trunk *config = c->all->config;

	return grown_ms(config->backoff_min, c->attempts, config->backoff_max);
}

static void wait_ms(struct call *c, unsigned int ms)
{
	struct timeval tv = clock_timeval(ms);

	c->dial_at = clock_ms() + ms;
	event_add(c->timer, &tv);
}

static void back_off(struct call *c)
{
	down(c);
	c->attempts++;
	wait_ms(c, delay_ms(c));
}

/* The first time at once: networks end calls as a matter of routine, and accept new ones. */
static void redial(struct call *c)
{
	if (clock_ms() - c->up_since >= c->all->config->backoff_max)
		c->attempts = 0;
	down(c);
	wait_ms(c, c->attempts++ ? delay_ms(c) : 0);
}

/* The end of the call leads on; it is not dialled again there. */
static void leave(struct call *c)
{
	if (c->step != STEP_HANG_UP)
		call_hang_up(c, -EPERM);
}

static void settle(struct call *c)
{
	event_del(c->timer);
	down(c);
}

static void give_up(struct call *c)
{
	uint64_t most = c->all->config->retry_failed * 1000ull;

	settle(c);
	c->attempts++;
	c->refusals++;
	c->judged = facts_changes(c->all->env.facts);
	if (most)
		wait_ms(c, grown_ms(FAILED_FIRST_MS, c->refusals, most));
}

/*
 * Coverage may come and go by the minute: a call refused there each time is not redialled each
 * time.
 */
static void take_back(struct call *c)
{
	wait_ms(c, delay_ms(c));
	c->all->owner->changed(c->all->arg);
}

/* A daemon that is restarted again and again must not put the next attempt off for ever. */
static void resume_failed(struct call *c)
{
	uint64_t now = clock_ms(), at = c->was_dial_at;

	c->refusals -= !!c->refusals;
	c->attempts -= !!c->attempts;
	call_event(c, EV_REFUSED_FOR_GOOD, c->was_reason);
	if (c->state == CALL_FAILED && at && c->all->config->retry_failed && at < c->dial_at)
		wait_ms(c, at > now ? at - now : 0);
	c->judged = 0;
	call_reconsider(c);
}

/* Adoption: resumes the state in which an earlier process left a call that is not up. */
static void resume(struct call *c)
{
	const struct calls *cs = c->all;

	if (cs->was_giving_back || !format_agreed(cs->env.format) || calls_giving_back(cs))
		return;
	if (c->was == CALL_FAILED)
		resume_failed(c);
	else if (c->was == CALL_BACKOFF)
		call_event(c, EV_REFUSED, c->was_reason);
	else
		call_consider(c);
}

static void stop(struct call *c)
{
	struct calls *cs = c->all;
	bool asking = c->step == STEP_ALLOCATE, releasing = c->step == STEP_RENEW;

	event_del(c->timer);
	call_cancel(c);
	if (cs->quiet)
		c->announced = false;
	tell_down(c);
	if (releasing)
		c->step = STEP_RENEW; /* the id is being released */
	else if (c->client)
		call_step(c, c->dialled ? STEP_STOP : STEP_RELEASE);
	else if (asking && !ids_forget(cs->env.ids, c))
		c->step = STEP_ALLOCATE; /* its answer is awaited, to release the id */
}

static void forget(struct call *c)
{
	event_del(c->timer);
	call_cancel(c);
	qmi_client_free(&c->client);
	c->prepared = c->dialled = c->suspended = false;
	c->handle = QMI_WDS_ANY_HANDLE;
	memset(&c->end, 0, sizeof(c->end));
	if (calls_giving_back(c->all))
		c->announced = false;
	tell_down(c);
}

/* --- the table --- */

/* One event a line. */
/* clang-format off */
static const struct {
	enum call_state next;
	void (*action)(struct call *c); /* NULL: no effect in this state */
} table[CALL_STATES][CALL_EVENTS] = {
	[CALL_IDLE] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, nothing},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, nothing},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, nothing},
		[EV_ROAMING]          = {CALL_WAIT_HOME, nothing},
		[EV_CONNECTED]        = {CALL_UP, up},
		[EV_ENDED]            = {CALL_IDLE, resume},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_REFUSED]          = {CALL_BACKOFF, back_off},
		[EV_REFUSED_FOR_GOOD] = {CALL_FAILED, give_up},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_WAIT_RADIO] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, nothing},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, nothing},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, nothing},
		[EV_ROAMING]          = {CALL_WAIT_HOME, nothing},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_WAIT_SIM] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, nothing},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, nothing},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, nothing},
		[EV_ROAMING]          = {CALL_WAIT_HOME, nothing},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_WAIT_NETWORK] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, nothing},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, nothing},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, nothing},
		[EV_ROAMING]          = {CALL_WAIT_HOME, nothing},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_WAIT_HOME] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, nothing},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, nothing},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, nothing},
		[EV_ROAMING]          = {CALL_WAIT_HOME, nothing},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_STARTING] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, settle},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, settle},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, settle},
		[EV_ROAMING]          = {CALL_WAIT_HOME, settle},
		[EV_CONNECTED]        = {CALL_UP, up},
		[EV_ENDED]            = {CALL_BACKOFF, back_off},
		[EV_REFUSED]          = {CALL_BACKOFF, back_off},
		[EV_REFUSED_FOR_GOOD] = {CALL_FAILED, give_up},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_UP] = {
		[EV_ROAMING]          = {CALL_UP, leave},
		[EV_CONNECTED]        = {CALL_UP, up},
		[EV_ENDED]            = {CALL_BACKOFF, redial},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_BACKOFF] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, settle},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, settle},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, settle},
		[EV_ROAMING]          = {CALL_WAIT_HOME, settle},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_FAILED] = {
		[EV_DIAL]             = {CALL_STARTING, begin},
		[EV_NO_RADIO]         = {CALL_WAIT_RADIO, settle},
		[EV_NO_SIM]           = {CALL_WAIT_SIM, settle},
		[EV_NO_NETWORK]       = {CALL_WAIT_NETWORK, settle},
		[EV_ROAMING]          = {CALL_WAIT_HOME, settle},
		[EV_CIRCUMSTANCES]    = {CALL_BACKOFF, take_back},
		[EV_FOUND]            = {CALL_STARTING, take_over},
		[EV_STOP]             = {CALL_STOPPING, stop},
		[EV_LOST]             = {CALL_IDLE, forget},
	},
	[CALL_STOPPING] = {
		[EV_RELEASED]         = {CALL_GONE, nothing},
		[EV_LOST]             = {CALL_GONE, forget},
	},
};
/* clang-format on */

static void report(const struct call *c, enum call_state from)
{
	const struct calls *cs = c->all;
	const struct session_transition t = {
		.pdn = c->pdn->number,
		.family = c->family,
		.from = from,
		.to = c->state,
		.reason = c->reason,
	};

	if (!cs->quiet)
		cs->owner->transition(cs->arg, &t);
}

void call_event(struct call *c, enum call_event event, const char *reason)
{
	enum call_state from = c->state;

	/* is @event a result of a redial? The end of the previous call is not */
	if (c->asked && event != EV_DIAL && event != EV_FOUND && event != EV_CIRCUMSTANCES &&
	    !(event == EV_ENDED && c->state == CALL_UP)) {
		c->asked = false;
		c->all->owner->changed(c->all->arg);
	}
	if (!table[from][event].action)
		return;
	c->state = table[from][event].next;
	if (c->state != from || reason)
		snprintf(c->reason, sizeof(c->reason), "%s", reason ? reason : "");
	table[from][event].action(c);
	/* If the action has led to another state, that has been reported. */
	if (c->state != from && c->state == table[from][event].next)
		report(c, from);
	c->all->owner->kick(c->all->arg);
}

/* Was @c refused for good because of circumstances that have changed? Then it is redialled. */
static void call_reconsider(struct call *c)
{
	const struct calls *cs = c->all;

	if (c->state == CALL_FAILED && c->step == STEP_NONE && facts_was_open(cs->env.facts) &&
	    c->judged != facts_changes(cs->env.facts))
		call_event(c, EV_CIRCUMSTANCES, "SIM or network have changed since it was refused");
}

void call_consider(struct call *c)
{
	static const enum call_event events[GATES] = {
		[GATE_OPEN] = EV_DIAL,	     [GATE_NO_RADIO] = EV_NO_RADIO,
		[GATE_NO_SIM] = EV_NO_SIM,   [GATE_NO_NETWORK] = EV_NO_NETWORK,
		[GATE_ROAMING] = EV_ROAMING,
	};
	struct calls *cs = c->all;
	char why[FACTS_REASON];
	enum gate gate;

	if (calls_giving_back(cs) || c->pdn->removing)
		return;
	if (c->step != STEP_NONE && c->step != STEP_PREPARED && c->state != CALL_UP)
		return;
	/* The client can be prepared before the modem's facts about SIM and network. */
	if (c->state == CALL_IDLE && !c->prepared) {
		call_event(c, EV_DIAL, NULL);
		return;
	}
	gate = facts_gate(cs->env.facts, why);
	if (gate != GATE_UNKNOWN)
		call_event(c, events[gate], gate == GATE_OPEN ? NULL : why);
}

/*
 * Does a change of the facts concern a call that waits? One that backs off has its own time, unless
 * its refusals may have been about this.
 */
static bool concerns(const struct call *c, bool opened)
{
	if (c->step == STEP_PREPARED || c->state == CALL_UP)
		return true;
	if (c->step != STEP_NONE)
		return false;
	if (c->asked)
		return true;
	if (c->state == CALL_BACKOFF)
		return (opened && !c->refusals) || !event_pending(c->timer, EV_TIMEOUT, NULL);
	/* Its time has come before it was known whether it may be dialled. */
	if (c->state == CALL_FAILED)
		return c->all->config->retry_failed && !event_pending(c->timer, EV_TIMEOUT, NULL);
	return c->state == CALL_IDLE || c->state == CALL_WAIT_RADIO || c->state == CALL_WAIT_SIM ||
	       c->state == CALL_WAIT_NETWORK || c->state == CALL_WAIT_HOME;
}

void calls_facts_changed(struct calls *cs, bool opened)
{
	for (struct call *c = call_first(cs); c; c = call_next(c)) {
		if (concerns(c, opened))
			call_consider(c);
		call_reconsider(c);
	}
	cs->owner->kick(cs->arg);
}
