/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results for people (tables on stdout) and for programs (JSON on stdout); errors for both. */
#ifndef QMAP_OUTPUT_H
#define QMAP_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/cli.h"

/* @text prints @result for people; @result NULL counts as an empty array. */
void output_result(struct cli *cli, struct json_object *result,
		   void (*text)(const struct cli *cli, FILE *out, struct json_object *result));

/* "qmapctl: sentence" and the hint to stderr; with -j an object to stdout, if nothing else is
 * there. */
void output_error(const struct cli *cli, const struct error *err);

/* Text of `show`, `stats` and `probe`. */
void output_show(const struct cli *cli, FILE *out, struct json_object *trunks);
void output_stats(const struct cli *cli, FILE *out, struct json_object *trunks);
void output_probe(const struct cli *cli, FILE *out, struct json_object *subjects);

/* One line of `monitor`. */
void output_event(const struct cli *cli, FILE *out, struct json_object *line);

#endif
