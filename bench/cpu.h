/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time that the machine's CPUs were busy. */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <stdint.h>

#define CPU_MAX 256

/* Seconds since boot by CPU; those that are offline stay 0 (proc_stat(5)). */
struct cpu_times {
	unsigned int n; /* highest CPU + 1 */
	double busy[CPU_MAX];
	double softirq[CPU_MAX];	/* part of busy */
	uint64_t net_softirqs[CPU_MAX]; /* number of NET_RX and NET_TX softirqs */
};

/* 0 or a negative errno. */
int cpu_read(struct cpu_times *t);

/* Replaces @t by the difference to @before. */
void cpu_since(struct cpu_times *t, const struct cpu_times *before);

double cpu_sum(const double *v, unsigned int n);

#endif
