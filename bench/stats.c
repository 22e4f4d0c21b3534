// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double stats_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), ascending);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct stats stats_of(double *v, size_t n)
{
	double deviation[n];
	struct stats s = {.median = stats_median(v, n), .min = v[0], .max = v[n - 1]};

	memcpy(deviation, v, sizeof(deviation));
	for (size_t i = 0; i < n; i++)
		deviation[i] = fabs(deviation[i] - s.median);
	s.mad = stats_median(deviation, n);
	return s;
}
