/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks, and the time that a sample lost to other processes. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns, the clock of bpf_ktime_get_ns(). */
uint64_t clock_ns(void);

/*
 * Time in ns that the calling thread has waited for other processes to leave the CPU. Only the
 * thread that called first may call it; each level has one thread.
 */
uint64_t clock_waited_ns(void);

/*
 * CLOCK_MONOTONIC less that time: stands still while another thread has the CPU. It includes
 * softirqs on this thread's time, which CLOCK_THREAD_CPUTIME_ID leaves out if the kernel accounts
 * them apart (CONFIG_IRQ_TIME_ACCOUNTING); it does not include ksoftirqd.
 */
uint64_t clock_running_ns(void);

#endif
