/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two files of results.
 *
 * Results match if their names and units, and for guests their kernels, are equal. If a file has a
 * result several times, the median counts. A difference is reported if it exceeds both a multiple
 * of the noise (sigma) and a percentage: the first alone reports ghosts in a quiet run, the second
 * alone in a noisy one.
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

struct compare_options {
	double sigma;	/* multiple of the noise that a change must exceed, ... */
	double percent; /* ... and percentage */
	bool complete;	/* a result missing in the second file is a regression, too */
	bool json;
};

enum compare_verdict {
	COMPARE_SAME,
	COMPARE_BETTER,
	COMPARE_WORSE,
	COMPARE_LOSS, /* loses packets, which it did not before: no value makes up for that */
	COMPARE_GONE, /* in the first file only */
	COMPARE_NEW,  /* in the second file only */
};

struct compare_row {
	const char *key; /* name, unit, kernel of a guest; valid with the object it comes from */
	const char *name, *unit;
	double before, after; /* medians */
	double change;	      /* percent of the median before; 0 if that is 0 */
	double sigmas;	      /* change in multiples of the noise; infinite if there is none */
	enum compare_verdict verdict;
};

struct comparison {
	struct compare_row *rows; /* in the order of the first file, then new results */
	unsigned int n;
	unsigned int regressions, common;
	struct comparison_store *store;
};

/*
 * Reads both files. 0, a negative errno if one cannot be read, or -EINVAL if it holds anything but
 * results, after a message on stderr.
 */
int compare_files(struct comparison *c, const char *before, const char *after,
		  const struct compare_options *o);
void compare_free(struct comparison *c);

void compare_print(const struct comparison *c, const struct compare_options *o, FILE *out);

#endif
