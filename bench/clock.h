/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, and whether it was ours: on a busy machine a sample may have waited for the CPU. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_TRIES 5 /* so often a sample is taken again that was disturbed */

/* CLOCK_MONOTONIC in ns; bpf_ktime_get_ns() is the same. */
uint64_t clock_ns(void);

/*
 * Time that the thread which asks first has waited for others to leave the CPU to it, in ns. Each
 * level has a process and one thread.
 */
uint64_t clock_waited_ns(void);

struct clock_mark {
	uint64_t start, waited;
};

struct clock_mark clock_mark(void);

/* Whether this thread has spent more than 1 % of the time since then waiting for the CPU. */
bool clock_disturbed(const struct clock_mark *since);

#endif
