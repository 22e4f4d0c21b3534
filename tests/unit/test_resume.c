// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks that drift apart by a sleep, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "daemon/trunk/resume.h"

#define MS 1000000LL

static void slept(void **state)
{
	(void)state;
	assert_int_equal(resume_slept(0, 0), 0);
	assert_int_equal(resume_slept(5000 * MS, 5001 * MS), 0);
	assert_int_equal(resume_slept(5000 * MS, 5099 * MS), 0);
	assert_int_equal(resume_slept(5000 * MS, 5100 * MS), 100 * MS);
	assert_int_equal(resume_slept(5000 * MS, 8605000 * MS), 8600000 * MS);
	assert_int_equal(resume_slept(5000 * MS, 4000 * MS), 0);
}

static void never(void *arg, unsigned int seconds)
{
	(void)arg;
	fail_msg("slept for %u s while it was awake", seconds);
}

static void awake(void **state)
{
	const struct timeval soon = {.tv_usec = 200000};
	struct event_base *base = event_base_new();
	struct resume_watch *w = NULL;

	(void)state;
	assert_int_equal(resume_watch_new(&w, base, never, NULL, NULL), 0);
	event_base_loopexit(base, &soon);
	event_base_dispatch(base);
	resume_watch_free(&w);
	assert_null(w);
	resume_watch_free(&w);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slept),
		cmocka_unit_test(awake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
