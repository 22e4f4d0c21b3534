// SPDX-License-Identifier: GPL-2.0-or-later
/* Names the event that ends a state other than "up"; each state ends by itself when it comes. */
#include "call.h"

#include <event2/event.h>
#include <stdio.h>

#include "util/clock.h"

int64_t call_dials_in_ms(const struct call *c)
{
	int64_t left = (int64_t)c->dial_at - clock_ms();

	if ((c->state != CALL_BACKOFF && c->state != CALL_FAILED) ||
	    !event_pending(c->timer, EV_TIMEOUT, NULL))
		return -1;
	return left > 0 ? left : 0;
}

static void print_time(char *s, size_t size, int64_t ms)
{
	int64_t seconds = (ms + 999) / 1000;

	if (seconds < 120)
		snprintf(s, size, "in %lld s", (long long)seconds);
	else
		snprintf(s, size, "in %lld min", (long long)(seconds + 59) / 60);
}

static void failed_until(const struct call *c, char *s, size_t size)
{
	int64_t ms = call_dials_in_ms(c);
	char time[32] = "";

	if (ms >= 0)
		print_time(time, sizeof(time), ms);
	snprintf(s, size, "%s%swhen SIM or network change, or by `qmapctl redial %s %u`", time,
		 *time ? ", " : "", c->all->config->dev, c->pdn->number);
}

void call_until(const struct call *c, char *s, size_t size)
{
	*s = '\0';
	switch (c->state) {
	case CALL_WAIT_RADIO:
	case CALL_WAIT_SIM:
	case CALL_WAIT_NETWORK:
	case CALL_WAIT_HOME:
		facts_until(c->all->env.facts, c->state, s, size);
		break;
	case CALL_BACKOFF:
		print_time(s, size, call_dials_in_ms(c) > 0 ? call_dials_in_ms(c) : 0);
		break;
	case CALL_FAILED:
		failed_until(c, s, size);
		break;
	default:
		break;
	}
}
