// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <json-c/json.h>
#include <string.h>

#include "util/error_json.h"
#include "util/printable.h"

static void print_json(const struct cli *cli, struct json_object *o)
{
	int flags = cli->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
				: JSON_C_TO_STRING_PLAIN;

	puts(printable_json_text(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, NULL));
}

void output_result(struct cli *cli, struct json_object *result,
		   void (*text)(const struct cli *cli, FILE *out, struct json_object *result))
{
	struct json_object *empty = NULL;

	if (cli->quiet)
		return;
	cli->printed = true;
	if (!json_object_is_type(result, json_type_array))
		result = empty = json_object_new_array();
	if (cli->json) {
		print_json(cli, result);
	} else {
		printable_json(result);
		text(cli, stdout, result);
	}
	json_object_put(empty);
}

void output_error(const struct cli *cli, const struct error *err)
{
	struct error e = *err;
	struct json_object *o;

	if (cli->json && !cli->printed) {
		o = error_to_json(err);
		json_object_object_del(o, "exit"); /* the process says that itself */
		print_json(cli, o);
		json_object_put(o);
		return;
	}
	fprintf(stderr, "qmapctl: %s\n", printable(e.text));
	if (e.hint[0])
		fprintf(stderr, "hint: %s\n", printable(e.hint));
}
