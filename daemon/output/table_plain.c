// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables without libsmartcols (make SMARTCOLS=no), for small machines: aligned, without colours. */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 32

struct output_table {
	FILE *out;
	struct output_column columns[MAX_COLUMNS];
	size_t ncolumns;
	char **cells; /* row by row, the head first */
	size_t n;
	bool broken; /* memory was short */
};

static void add(struct output_table *t, const char *text)
{
	char **cells = t->broken ? NULL : realloc(t->cells, (t->n + 1) * sizeof(*cells));

	if (cells) {
		t->cells = cells;
		cells[t->n] = strdup(*text ? text : "-");
	}
	if (cells && cells[t->n])
		t->n++;
	else
		t->broken = true;
}

struct output_table *output_table_new(FILE *out, enum output_colour colour,
				      const struct output_column *columns)
{
	struct output_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->out = out;
	for (; columns->name && t->ncolumns < MAX_COLUMNS; columns++) {
		t->columns[t->ncolumns++] = *columns;
		add(t, columns->name);
	}
	return t;
}

void output_table_row(struct output_table *t)
{
	while (t->n % t->ncolumns && !t->broken)
		add(t, "");
}

void output_table_cell(struct output_table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(t, text);
}

void output_table_colour(struct output_table *t, const char *colour)
{
}

/* Characters of UTF-8 text. */
static int length(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static int width(const struct output_table *t, size_t column)
{
	int most = 0;

	for (size_t i = column; i < t->n; i += t->ncolumns) {
		int n = length(t->cells[i]);

		if (n > most)
			most = n;
	}
	return most;
}

static void print_cell(const struct output_table *t, size_t i, const int *widths)
{
	size_t column = i % t->ncolumns;
	int pad = widths[column] - length(t->cells[i]);
	bool last = column + 1 == t->ncolumns;

	if (t->columns[column].flags & OUTPUT_RIGHT)
		fprintf(t->out, "%*s%s", pad, "", t->cells[i]);
	else
		fprintf(t->out, "%s%*s", t->cells[i], last ? 0 : pad, "");
	fputc(last ? '\n' : ' ', t->out);
}

void output_table_end(struct output_table *t)
{
	int widths[MAX_COLUMNS];

	output_table_row(t);
	for (size_t i = 0; i < t->ncolumns; i++)
		widths[i] = width(t, i);
	/* as libsmartcols: no head without a row */
	for (size_t i = 0; i < t->n && t->n > t->ncolumns && !t->broken; i++)
		print_cell(t, i, widths);
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
