// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables without libsmartcols look like those with it. */
#include "test.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/output/table.h"

#define output_table	    plain
#define output_table_new    plain_new
#define output_table_row    plain_row
#define output_table_cell   plain_cell
#define output_table_colour plain_colour
#define output_table_end    plain_end
#undef QMAP_OUTPUT_TABLE_H
#define output_column	    plain_column
#define output_column_flags plain_flags
#define OUTPUT_RIGHT	    PLAIN_RIGHT
#include "daemon/output/table_plain.c"
#undef output_table
#undef output_table_new
#undef output_table_row
#undef output_table_cell
#undef output_table_colour
#undef output_table_end
#undef output_column

/* Fills both with the same rows and compares; "" is an empty cell, "\n" ends a row. NULL: the end. */
static void same(const struct output_column *columns, const char *const *cells)
{
	char *a = NULL, *b = NULL;
	size_t na, nb;
	FILE *fa = open_memstream(&a, &na), *fb = open_memstream(&b, &nb);
	struct output_table *t = output_table_new(fa, OUTPUT_COLOUR_NEVER, columns);
	struct plain *p = plain_new(fb, OUTPUT_COLOUR_NEVER, (const struct plain_column *)columns);
	bool begin = true;

	for (; *cells; cells++) {
		if (begin) {
			output_table_row(t);
			plain_row(p);
		}
		begin = !strcmp(*cells, "\n");
		if (begin)
			continue;
		output_table_cell(t, "%s", *cells);
		plain_cell(p, "%s", *cells);
		output_table_colour(t, "red");
		plain_colour(p, "red");
	}
	output_table_end(t);
	plain_end(p);
	fclose(fa);
	fclose(fb);
	assert_string_equal(b, a);
	free(a);
	free(b);
}

static const struct output_column columns[] = {
	{"NAME", 0}, {"N", OUTPUT_RIGHT}, {"TEXT", 0}, {NULL, 0}};

TEST(rows)
{
	static const char *const cells[] = {
		"wwan0.1", "1", "a longer text", "\n", "x", "12345", "", "\n",
		"",	   "",	"two words",	 NULL};

	same(columns, cells);
}

TEST(last_column_to_the_right)
{
	static const struct output_column right[] = {{"A", 0}, {"RIGHT", OUTPUT_RIGHT}, {NULL, 0}};
	static const char *const cells[] = {"long enough", "1", "\n", "b", "1234567", NULL};

	same(right, cells);
}

TEST(other_letters)
{
	static const char *const cells[] = {"äöü", "1", "Ελλάδα", "\n", "abc", "2", "x", NULL};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	same(columns, cells);
	setlocale(LC_CTYPE, "C");
}

/* A table without a row is not printed, not even its head. */
TEST(no_rows)
{
	static const char *const none[] = {NULL};

	same(columns, none);
}
