// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>

#include "json_get.h"
#include "output.h"
#include "output_table.h"

/* Each of them is an array of {"name", "ok", @detail_key}. */
static void print_list(FILE *out, struct json_object *subject, const char *list, const char *title,
		       const char *detail_key)
{
	const struct output_column columns[] = {{title, 0}, {"OK", 0}, {"DETAIL", 0}, {NULL, 0}};
	struct output_table *t = output_table_new(out, columns);
	struct json_object *o;

	if (!t)
		return;
	for (size_t i = 0; (o = json_get_element(subject, list, i)); i++) {
		const char *name = json_get_string(o, "name");
		const char *detail = json_get_string(o, detail_key);
		bool ok = json_get_bool(o, "ok");

		output_table_row(t);
		output_table_cell(t, "%s", name ? name : "");
		output_table_cell(t, "%s", ok ? "yes" : "no");
		output_table_colour(t, ok ? "green" : "red");
		output_table_cell(t, "%s", detail ? detail : "");
	}
	output_table_end(t);
}

void output_probe(const struct cli *cli, FILE *out, struct json_object *subjects)
{
	(void)cli;
	for (size_t i = 0; i < json_object_array_length(subjects); i++) {
		struct json_object *s = json_object_array_get_idx(subjects, i);
		const char *dev = json_get_string(s, "dev");

		if (i)
			fputc('\n', out);
		fprintf(out, "%s:\n", dev ? dev : "this machine");
		print_list(out, s, "checks", "CHECK", "detail");
		print_list(out, s, "datapaths", "DATAPATH", "reason");
	}
}
