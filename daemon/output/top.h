/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of `qmapctl top`, made from results of `show` and of two `stats`. */
#ifndef QMAP_OUTPUT_TOP_H
#define QMAP_OUTPUT_TOP_H

#include <stdio.h>

struct json_object;

/*
 * Prints a block of lines for each trunk. @before: `stats` as it was @seconds ago; NULL: the first
 * time, without rates. A counter that has become smaller since (a new attach) has the rate 0.
 */
void output_top(FILE *out, struct json_object *show, struct json_object *before,
		struct json_object *now, double seconds);

#endif
