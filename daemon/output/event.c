// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints one line of `qmapctl monitor`. */
#include <json-c/json.h>
#include <string.h>

#include "events/events.h"
#include "util/json_get.h"
#include "util/printable.h"
#include "output.h"

static void print_text(FILE *out, struct json_object *line)
{
	const char *when = json_get_string(line, "time");
	struct events_entry e;
	char text[700];

	printable_json(line);
	if (json_object_object_get_ex(line, "gap", NULL)) {
		fprintf(out, "(%lld events were left out: the reader was too slow)\n",
			(long long)json_get_int(line, "gap"));
	} else if (!events_from_json(&e, line)) {
		events_text(&e, text, sizeof(text));
		fprintf(out, "%s %s\n", when ? when : "", text);
	}
}

void output_event(const struct output *output, FILE *out, struct json_object *line)
{
	int flags = output->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
				   : JSON_C_TO_STRING_PLAIN;

	if (output->json)
		fprintf(out, "%s\n",
			printable_json_text(line, flags | JSON_C_TO_STRING_NOSLASHESCAPE, NULL));
	else
		print_text(out, line);
}
