/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Robust statistics: one disturbed round affects neither the median nor the deviation from it. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

/* A median absolute deviation times this estimates the standard deviation of normal noise. */
#define STATS_MAD_TO_SIGMA 1.4826

struct stats {
	double median, min, max;
	double mad; /* median absolute deviation from the median */
};

/* @n > 0 samples, which the functions reorder. */
struct stats stats_of(double *v, size_t n);
double stats_median(double *v, size_t n);

#endif
