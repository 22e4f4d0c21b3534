/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints tables by libsmartcols: as wide as the terminal, coloured as the user asks for. */
#ifndef QMAP_OUTPUT_TABLE_H
#define QMAP_OUTPUT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "output.h"

struct output_table;

enum output_column_flags {
	OUTPUT_RIGHT = 1, /* for numbers */
};

struct output_column {
	const char *name; /* NULL ends the list */
	int flags;
};

/* NULL if memory is short. */
struct output_table *output_table_new(FILE *out, enum output_colour colour,
				      const struct output_column *columns);

/* Starts a row; its cells are filled from left to right. */
void output_table_row(struct output_table *t);
/* Fills the next cell; empty or NULL text shows as "-". */
void output_table_cell(struct output_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Sets the colour of the last cell ("red", "green", "yellow"), if colours are on. */
void output_table_colour(struct output_table *t, const char *colour);

/* Prints and frees. */
void output_table_end(struct output_table *t);

#endif
