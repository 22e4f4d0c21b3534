/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics for monitoring systems, made from the results of `show` and `stats`. Their names and units
 * are an interface: qmap-metrics(7) lists them.
 */
#ifndef QMAP_OUTPUT_METRICS_H
#define QMAP_OUTPUT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

struct json_object;

/* https://prometheus.io/docs/instrumenting/exposition_formats/ has both. */
enum metrics_format {
	METRICS_OPENMETRICS,
	METRICS_PROMETHEUS, /* the text format 0.0.4, which node_exporter reads from files */
};

/*
 * Returns an array of families: objects with name, type, unit, help and samples. @show and @stats
 * are borrowed, and results of the commands of that name; @running: qmapd answers. New reference.
 */
struct json_object *metrics_json(struct json_object *show, struct json_object *stats, bool running);

/* Prints the result of metrics_json(). */
void metrics_print(FILE *out, enum metrics_format format, struct json_object *families);

/*
 * Describes the family @i of all that there can be: its name, with the suffix of its samples, and
 * its help. False beyond the last.
 */
bool metrics_describe(size_t i, char *name, size_t size, const char **help);

#endif
