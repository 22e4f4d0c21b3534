// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks that drift apart by a suspend, and clocks that do not. */
#include "test.h"

#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/util/resume.h"

#define MS 1000000LL

#define YEAR_2040 2208988800LL

static long long clock_is; /* wall clock for the kernel's timers; 0: the real one */
static unsigned int armed;

/* Replaces libc's function, because a test cannot set the machine's wall clock. */
int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old)
{
	struct itimerspec shifted = *at;

	armed++;
	if (clock_is && at->it_value.tv_sec)
		shifted.it_value.tv_sec -= clock_is - time(NULL);
	return syscall(SYS_timerfd_settime, fd, flags, &shifted, old);
}

TEST(slept)
{
	assert_int_equal(resume_slept(0, 0), 0);
	assert_int_equal(resume_slept(5000 * MS, 5001 * MS), 0);
	assert_int_equal(resume_slept(5000 * MS, 5099 * MS), 0);
	assert_int_equal(resume_slept(5000 * MS, 5100 * MS), 100 * MS);
	assert_int_equal(resume_slept(5000 * MS, 8605000 * MS), 8600000 * MS);
	assert_int_equal(resume_slept(5000 * MS, 4000 * MS), 0);
}

static void never(void *arg, unsigned int seconds)
{
	fail_msg("slept for %u s while it was awake", seconds);
}

TEST(awake)
{
	const struct timeval soon = {.tv_usec = 200000};
	struct event_base *base = event_base_new();
	struct resume_watch *w = NULL;

	assert_int_equal(resume_watch_new(&w, base, never, NULL, NULL), 0);
	event_base_loopexit(base, &soon);
	event_base_dispatch(base);
	resume_watch_free(&w);
	assert_null(w);
	resume_watch_free(&w);
	event_base_free(base);
}

/* A router whose clock starts wrong: an expiry in 2038 would be in the past each time. */
TEST(clock_past_2038)
{
	clock_is = YEAR_2040;
	armed = 0;
	awake(state);
	clock_is = 0;
	assert_in_range(armed, 1, 2);
}
