/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results as data: each is one JSON object on a line of a file and a row of a table.
 * bench/README.md defines the fields.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdio.h>

struct json_object;

struct recorder {
	struct json_object *machine; /* machine_describe(), before any level changes namespace */
	FILE *json;		     /* lines are appended here */
	const char *file;	     /* its name */
	const char *commit;	     /* of the code being measured */
	const char *command;	     /* command line of this run */
	unsigned int rounds; /* samples of each result, taken in turn with those of the others */
	/* share of the work in one sample; below 1 for a check whether everything runs */
	double scale;
};

/* Kind of measurement: instructions of an emulator must not be compared with cycles. */
#define METHOD_WALL	"wall"
#define METHOD_CPU_TIME "cpu time"
#define METHOD_PROG_RUN "BPF_PROG_RUN"
#define METHOD_RUN_TIME "BPF run time statistics"
#define METHOD_VERIFIER "verifier"
#define METHOD_COUNT	"count"
#define METHOD_MEMORY	"memory"

struct result {
	const char *name;   /* level.subject.variant */
	const char *unit;   /* of the samples */
	const char *method; /* METHOD_* */
	const char *how;    /* one sentence */
	double target;	    /* upper limit of the value; 0: none */
	double *samples;    /* one per round */
	unsigned int n;
	const double *base; /* one per round, already subtracted from the samples; or NULL */
	/* The factor varied, and the data path; or NULL. */
	const char *factor, *path;
	unsigned int x;		       /* the factor's value */
	unsigned long long sent, lost; /* packets; lost: neither received nor dropped */
};

void record_heading(void);

/* Adds median, minimum and median absolute deviation of the samples, as JSON and as text. */
void record_add(const struct recorder *r, const struct result *result);

/*
 * Adds a result from another program: a JSON object with name, unit, samples (numbers) and method;
 * other members are kept. 0; -EINVAL for anything else, after a message on stderr.
 */
int record_add_json(const struct recorder *r, const char *line);

/* Adds every line of @in that starts with '{' and copies the others to stderr. 0 or -EINVAL. */
int record_add_stream(const struct recorder *r, FILE *in);

#endif
