/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results for people (tables on stdout) and for programs (JSON on stdout); errors for both. */
#ifndef QMAP_OUTPUT_H
#define QMAP_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct error;
struct json_object;

/* How a program prints; the caller fills in all but @printed. */
struct output {
	bool json;    /* -j, or -p */
	bool pretty;  /* -p */
	bool quiet;   /* -q: no result */
	bool verbose; /* -v: also counters that are 0 */
	bool printed; /* a result is out: with -j an error cannot be JSON as well */
};

/* @text prints @result for people (NULL: nothing); @result NULL counts as an empty array. */
void output_result(struct output *output, struct json_object *result,
		   void (*text)(const struct output *output, FILE *out,
				struct json_object *result));

/* "qmapctl: sentence" and the hint to stderr; with -j an object to stdout, if nothing else is
 * there. */
void output_error(const struct output *output, const struct error *err);

/* Text of `show`, `stats` and `probe`. */
void output_show(const struct output *output, FILE *out, struct json_object *trunks);
void output_stats(const struct output *output, FILE *out, struct json_object *trunks);
void output_probe(const struct output *output, FILE *out, struct json_object *subjects);

/* One line of `monitor`. */
void output_event(const struct output *output, FILE *out, struct json_object *line);

#endif
