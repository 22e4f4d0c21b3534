/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine's CPUs were busy with. */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <stdint.h>

#define CPU_MAX 256

/* Since boot, in seconds, by CPU; those that are offline stay 0 (proc_stat(5)). */
struct cpu_times {
	unsigned int n; /* highest CPU + 1 */
	double busy[CPU_MAX];
	double softirq[CPU_MAX];	/* part of busy */
	uint64_t net_softirqs[CPU_MAX]; /* NET_RX and NET_TX, how often */
};

/* 0 or a negative errno. */
int cpu_read(struct cpu_times *t);

/* @t becomes what has passed since @before. */
void cpu_since(struct cpu_times *t, const struct cpu_times *before);

double cpu_sum(const double *v, unsigned int n);

#endif
