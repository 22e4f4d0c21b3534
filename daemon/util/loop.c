// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"

#include <event2/event.h>

/* The default priority is half of their number (event_assign()): 1. */
#define PRIORITIES 3

_Static_assert(PRIORITIES / 2 < LOOP_OTHERS && LOOP_OTHERS < PRIORITIES, "others come last");

struct event_base *loop_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (!cfg)
		return NULL;
	/*
	 * libevent would add a timer's time to that at which the running round of callbacks began. After
	 * a callback that has waited for the kernel for seconds, requests would time out unanswered.
	 */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	if (!event_config_set_max_dispatch_interval(cfg, NULL, 1, LOOP_OTHERS))
		base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (!base || !event_base_priority_init(base, PRIORITIES))
		return base;
	event_base_free(base);
	return NULL;
}
