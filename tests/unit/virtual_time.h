/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time for a process whose tests, program and peers share an event loop: it advances when
 * the loop has nothing left to do but wait, and then at once. A test that waits for a deadline
 * takes no time, and none fails because the machine stopped between two of its timers.
 *
 * Replaces libc's clock_gettime() and epoll_wait() for the whole process, libevent included.
 */
#ifndef QMAP_TEST_VIRTUAL_TIME_H
#define QMAP_TEST_VIRTUAL_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t virtual_ms = 1000000;

/* Set while waiting for an event from outside the loop (a pseudo terminal's kernel thread). */
static bool time_is_real;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE && clock != CLOCK_BOOTTIME)
		return syscall(SYS_clock_gettime, clock, ts);
	*ts = (struct timespec){.tv_sec = virtual_ms / 1000,
				.tv_nsec = virtual_ms % 1000 * 1000000};
	return 0;
}

int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	int n = epoll_pwait(epfd, events, max, timeout < 0 || time_is_real ? timeout : 0, NULL);

	if (!n && timeout > 0)
		virtual_ms += timeout;
	return n;
}

#endif
