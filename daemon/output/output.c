// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <json-c/json.h>
#include <string.h>

#include "util/error_json.h"
#include "util/printable.h"

static void print_json(const struct output *output, struct json_object *o)
{
	int flags = output->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
				   : JSON_C_TO_STRING_PLAIN;

	puts(printable_json_text(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, NULL));
}

void output_result(struct output *output, struct json_object *result,
		   void (*text)(const struct output *output, FILE *out, struct json_object *result))
{
	struct json_object *empty = NULL;

	if (output->quiet)
		return;
	output->printed = true;
	if (!json_object_is_type(result, json_type_array))
		result = empty = json_object_new_array();
	if (output->json) {
		print_json(output, result);
	} else if (text) {
		printable_json(result);
		text(output, stdout, result);
	}
	json_object_put(empty);
}

void output_error(const struct output *output, const struct error *err)
{
	struct error e = *err;
	struct json_object *o;

	if (output->json && !output->printed) {
		o = error_to_json(err);
		json_object_object_del(o, "exit"); /* the exit code of the process says it */
		print_json(output, o);
		json_object_put(o);
		return;
	}
	fprintf(stderr, "qmapctl: %s\n", printable(e.text));
	if (e.hint[0])
		fprintf(stderr, "hint: %s\n", printable(e.hint));
}
