/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people, by libsmartcols: as wide as the terminal, coloured only on one. */
#ifndef QMAP_OUTPUT_TABLE_H
#define QMAP_OUTPUT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct output_table;

enum output_column_flags {
	OUTPUT_RIGHT = 1, /* numbers */
};

struct output_column {
	const char *name; /* NULL ends the list */
	int flags;
};

/* NULL when memory is short. */
struct output_table *output_table_new(FILE *out, const struct output_column *columns);

/* A row; its cells are filled from left to right. */
void output_table_row(struct output_table *t);
/* Empty or NULL text shows as "-". */
void output_table_cell(struct output_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Colour of the cell filled last ("red", "green", "yellow"), where colours are shown at all. */
void output_table_colour(struct output_table *t, const char *colour);

/* Prints and frees. */
void output_table_end(struct output_table *t);

#endif
