/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, and how much of it was ours: on a busy machine a sample may have waited for the CPU. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns; bpf_ktime_get_ns() is the same. */
uint64_t clock_ns(void);

/*
 * Time that the thread which asks first has waited for others to leave the CPU to it, in ns. Each
 * level has a process and one thread.
 */
uint64_t clock_waited_ns(void);

/*
 * CLOCK_MONOTONIC less that: stands still while another thread has the CPU. What softirqs do on
 * this thread's time is in it, unlike in CLOCK_THREAD_CPUTIME_ID where the kernel accounts them
 * apart (CONFIG_IRQ_TIME_ACCOUNTING); what they leave to ksoftirqd is not.
 */
uint64_t clock_running_ns(void);

#endif
