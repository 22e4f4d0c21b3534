// SPDX-License-Identifier: GPL-2.0-or-later
#include "resume.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

/* Smallest difference that counts: the two clocks are not read at the same instant. */
#define LEAST_NS (NS / 10)

struct resume_watch {
	int fd;
	struct event *event;
	int64_t ahead;
	void (*fn)(void *arg, unsigned int seconds);
	void *arg;
};

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static int64_t ahead(void)
{
	return read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

int64_t resume_slept(int64_t ahead_before, int64_t ahead_now)
{
	int64_t slept = ahead_now - ahead_before;

	return slept >= LEAST_NS ? slept : 0;
}

#define TIME_MAX ((time_t)((1ULL << (8 * sizeof(time_t) - 1)) - 1))

/*
 * Arms a timer that never expires and is cancelled whenever the wall clock is set, by a program or
 * by the kernel after a resume (fs/timerfd.c, timerfd_clock_was_set, timerfd_resume). With a time_t
 * of 32 bits its time is reached in 2038; a timer that has expired is disarmed (@when 0), and the
 * kernel cancels it all the same.
 */
static int arm(int fd, time_t when)
{
	const struct itimerspec at = {.it_value.tv_sec = when};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static void on_jump(evutil_socket_t fd, short what, void *arg)
{
	struct resume_watch *w = arg;
	int64_t now = ahead(), slept = resume_slept(w->ahead, now);
	uint64_t expired;
	ssize_t n = read(fd, &expired, sizeof(expired));

	if (n < 0 && errno == EAGAIN)
		return;
	arm(fd, n < 0 ? TIME_MAX : 0);
	w->ahead = now;
	if (slept)
		w->fn(w->arg, slept / NS);
}

int resume_watch_new(struct resume_watch **out, struct event_base *base,
		     void (*fn)(void *arg, unsigned int seconds), void *arg, struct error *err)
{
	struct resume_watch *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	*w = (struct resume_watch){.ahead = ahead(), .fn = fn, .arg = arg};
	w->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->fd >= 0 && !arm(w->fd, TIME_MAX))
		w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_jump, w);
	if (w->event && !event_add(w->event, NULL)) {
		*out = w;
		return 0;
	}
	ret = errno ? -errno : -ENOMEM;
	resume_watch_free(&w);
	return error_set(err, ret, "cannot watch the clock: %s", strerror(-ret));
}

void resume_watch_free(struct resume_watch **w)
{
	if (!*w)
		return;
	if ((*w)->event)
		event_free((*w)->event);
	if ((*w)->fd >= 0)
		close((*w)->fd);
	free(*w);
	*w = NULL;
}
