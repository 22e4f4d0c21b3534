/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that the machine has been suspended, without waking it for the purpose. */
#ifndef QMAP_RESUME_H
#define QMAP_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct event_base;
struct resume_watch;

/* Calls @fn after each resume with the number of seconds suspended. */
int resume_watch_new(struct resume_watch **out, struct event_base *base,
		     void (*fn)(void *arg, unsigned int seconds), void *arg, struct error *err);
void resume_watch_free(struct resume_watch **w);

/*
 * Nanoseconds suspended between two readings of the clocks; 0 if too short to matter.
 * CLOCK_BOOTTIME runs ahead of CLOCK_MONOTONIC by the time that the machine has been suspended.
 */
int64_t resume_slept(int64_t ahead_before, int64_t ahead_now);

#endif
