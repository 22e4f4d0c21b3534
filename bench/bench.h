/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measurements as data: each level is one `struct bench` in one file; each result is a line of JSON
 * and a row of a table.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdio.h>

struct json_object;

struct report {
	struct json_object *machine; /* machine_describe(), before any level changes namespace */
	FILE *json;		     /* lines are appended here */
	unsigned int rounds; /* samples of each result, taken in turn with those of the others */
	const char *commit;  /* of what is measured */
};

struct result {
	const char *name;   /* level.what.variant */
	const char *unit;   /* of value, min and spread */
	const char *method; /* how it was measured, one sentence */
	double target;	    /* value must not exceed it; 0: nothing was promised */
	double *samples;    /* one a round; they get sorted */
	unsigned int n;
	unsigned long long lost; /* packets that were sent and did not arrive */
};

/* Median, minimum and median absolute deviation of the samples, as JSON and as text. */
void report_add(const struct report *r, struct result *result);

struct bench {
	const char *name;
	const char *what; /* one line for `list` */
	/* In a process of its own. 0 or a negative errno, said on stderr. */
	int (*run)(const struct report *r);
};

extern const struct bench bench_split;
extern const struct bench bench_path;

#endif
