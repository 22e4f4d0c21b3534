// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <string.h>

#include "util/array.h"
#include "util/json_get.h"
#include "output.h"
#include "table.h"

void output_choice(FILE *out, const char *datapath, int64_t percent, const char *why)
{
	fprintf(out, "%s", datapath ? datapath : "none");
	if (percent)
		fprintf(out, " takes %lld.%02lld times the instructions of the cheapest data path",
			(long long)percent / 100, (long long)percent % 100);
	fprintf(out, "; %s\n", why);
}

/* @list names an array of {"name", "ok", @detail_key}. */
static void print_list(const struct output *output, FILE *out, struct json_object *subject,
		       const char *list, const char *title, const char *detail_key)
{
	const struct output_column columns[] = {{title, 0}, {"OK", 0}, {"DETAIL", 0}, {NULL, 0}};
	struct output_table *t = output_table_new(out, output->colour, columns);
	struct json_object *o;

	if (!t)
		return;
	for (size_t i = 0; (o = json_get_element(subject, list, i)); i++) {
		const char *name = json_get_string(o, "name");
		const char *detail = json_get_string(o, detail_key);
		const char *hint = json_get_string(o, "hint");
		bool ok = json_get_bool(o, "ok");

		output_table_row(t);
		output_table_cell(t, "%s", name ? name : "");
		output_table_cell(t, "%s", ok ? "yes" : "no");
		output_table_colour(t, ok ? "green" : "red");
		output_table_cell(t, "%s%s%s", detail ? detail : "", hint ? "; " : "",
				  hint ? hint : "");
	}
	output_table_end(t);
}

static const struct output_column modem_columns[] = {
	{"DEVICE", 0}, {"ID", 0},      {"MODEL", 0},
	{"NETDEV", 0}, {"CONTROL", 0}, {"DRIVER", 0},
	{"MODE", 0},   {"QMAP", 0},    {"AGGREGATE", OUTPUT_RIGHT},
	{NULL, 0},
};

static const char *text_of(struct json_object *o, const char *key)
{
	const char *s = json_get_string(o, key);

	return s ? s : "";
}

static void modem_row(struct output_table *t, struct json_object *m)
{
	static const char *const keys[] = {"device",  "id",	"model", "dev",
					   "control", "driver", "mode",	 "qmap"};
	int64_t bytes = json_get_int(m, "dl_max_bytes");

	output_table_row(t);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		output_table_cell(t, "%s", text_of(m, keys[i]));
	if (bytes)
		output_table_cell(t, "%lld", (long long)bytes);
	else
		output_table_cell(t, "%s", "");
}

/* Prints the properties of a modem that have no column; the lines call it by its device name. */
static void print_modem(FILE *out, struct json_object *m)
{
	const char *name = json_get_string(m, "dev"), *maker = text_of(m, "manufacturer");
	const char *serial = json_get_string(m, "serial"), *note = json_get_string(m, "note");
	struct json_object *interface;

	if (!name)
		name = text_of(m, "device");
	if (*maker || *text_of(m, "product")) {
		fprintf(out, "%s: %s%s%s", name, maker, *maker ? " " : "", text_of(m, "product"));
		if (serial)
			fprintf(out, ", serial %s", serial);
		if (json_object_object_get_ex(m, "interface", &interface) && interface)
			fprintf(out, ", interface %lld", (long long)json_get_int(m, "interface"));
		if (json_get_bool(m, "forces_qmap"))
			fprintf(out, ", forces QMAP");
		fputc('\n', out);
	}
	if (note)
		fprintf(out, "%s: %s\n", name, note);
	fprintf(out, "%s: next: %s\n", name, text_of(m, "next"));
}

static void print_modems(const struct output *output, FILE *out, struct json_object *subjects)
{
	size_t n = json_object_array_length(subjects);
	struct output_table *t = output_table_new(out, output->colour, modem_columns);

	if (!t)
		return;
	for (size_t i = 0; i < n; i++)
		modem_row(t, json_object_array_get_idx(subjects, i));
	output_table_end(t);
	for (size_t i = 0; i < n; i++)
		print_modem(out, json_object_array_get_idx(subjects, i));
}

/* Cost of the data path @name in the list. */
static int64_t cost_of(struct json_object *subject, const char *name)
{
	struct json_object *o;

	for (size_t i = 0; name && (o = json_get_element(subject, "datapaths", i)); i++)
		if (!strcmp(text_of(o, "name"), name))
			return json_get_int(o, "cost");
	return 0;
}

static void print_choice(FILE *out, struct json_object *subject)
{
	const char *name = json_get_string(subject, "datapath");
	const char *why = json_get_string(subject, "datapath_reason");

	if (!why)
		return;
	fprintf(out, "auto: ");
	output_choice(out, name, cost_of(subject, name), why);
}

/*
 * One subject is printed in full, several modems as a list, because the machine is the same for
 * all.
 */
void output_probe(const struct output *output, FILE *out, struct json_object *subjects)
{
	size_t n = json_object_array_length(subjects);
	struct json_object *first = n ? json_object_array_get_idx(subjects, 0) : NULL;
	const char *dev = json_get_string(first, "dev");

	if (json_get_string(first, "bus"))
		print_modems(output, out, subjects);
	else
		fprintf(out, "%s:\n", dev ? dev : "no modem; this machine");
	if (n == 1) {
		print_list(output, out, first, "checks", "CHECK", "detail");
		print_list(output, out, first, "datapaths", "DATAPATH", "reason");
		print_choice(out, first);
	} else {
		fprintf(out, "`qmapctl probe DEV` says what this machine has for one of them.\n");
	}
}
