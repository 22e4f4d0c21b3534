// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct output_table {
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t next; /* cell */
};

/* NO_COLOR: https://no-color.org */
static bool wants_colour(FILE *out, enum output_colour colour)
{
	const char *no = getenv("NO_COLOR");

	if (colour != OUTPUT_COLOUR_AUTO)
		return colour == OUTPUT_COLOUR_ALWAYS;
	return isatty(fileno(out)) && !(no && *no);
}

struct output_table *output_table_new(FILE *out, enum output_colour colour,
				      const struct output_column *columns)
{
	struct output_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	scols_init_debug(0);
	t->scols = scols_new_table();
	if (!t->scols) {
		free(t);
		return NULL;
	}
	scols_table_set_stream(t->scols, out);
	scols_table_enable_colors(t->scols, wants_colour(out, colour));
	for (; columns->name; columns++)
		scols_table_new_column(t->scols, columns->name, 0,
				       columns->flags & OUTPUT_RIGHT ? SCOLS_FL_RIGHT : 0);
	return t;
}

void output_table_row(struct output_table *t)
{
	t->line = scols_table_new_line(t->scols, NULL);
	t->next = 0;
}

void output_table_cell(struct output_table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->line)
		scols_line_set_data(t->line, t->next++, *text ? text : "-");
}

void output_table_colour(struct output_table *t, const char *colour)
{
	struct libscols_cell *cell = t->line ? scols_line_get_cell(t->line, t->next - 1) : NULL;

	if (cell)
		scols_cell_set_color(cell, colour);
}

void output_table_end(struct output_table *t)
{
	scols_print_table(t->scols);
	scols_unref_table(t->scols);
	free(t);
}
