/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that the machine has slept, without waking it to look. */
#ifndef QMAP_RESUME_H
#define QMAP_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct event_base;
struct resume_watch;

/* @fn is called after each resume, with the seconds slept. */
int resume_watch_new(struct resume_watch **out, struct event_base *base,
		     void (*fn)(void *arg, unsigned int seconds), void *arg, struct error *err);
void resume_watch_free(struct resume_watch **w);

/*
 * Nanoseconds slept between two looks at the clocks; 0 unless it was long enough to matter. What
 * CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC is the time that the machine has spent asleep.
 */
int64_t resume_slept(int64_t ahead_before, int64_t ahead_now);

#endif
