// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode.h"

#include <json-c/json.h>
#include <string.h>

#include "util/json_get.h"

#define NAME_SUFFIX "_name"

/* Prints "connected (2)" if the number has a name, else the value itself. */
static void print_value(FILE *file, struct json_object *o, const char *key, struct json_object *v)
{
	char name_key[64];
	const char *name;

	snprintf(name_key, sizeof(name_key), "%s" NAME_SUFFIX, key);
	name = json_get_string(o, name_key);
	if (name)
		fprintf(file, "%s (%s)", name, json_object_get_string(v));
	else if (json_object_is_type(v, json_type_string))
		fprintf(file, "\"%s\"", json_object_get_string(v));
	else
		fprintf(file, "%s", json_object_get_string(v));
}

static void print_object(FILE *file, struct json_object *o)
{
	const char *separator = "";

	json_object_object_foreach (o, key, v) {
		size_t n = strlen(key), suffix = strlen(NAME_SUFFIX);

		if (n > suffix && !strcmp(key + n - suffix, NAME_SUFFIX))
			continue;
		fputs(separator, file);
		if (strcmp(key, "value"))
			fprintf(file, "%s ", key);
		print_value(file, o, key, v);
		separator = ", ";
	}
}

static void print_fields(FILE *file, struct json_object *fields)
{
	size_t n;

	if (json_object_is_type(fields, json_type_object)) {
		print_object(file, fields);
		return;
	}
	n = json_object_array_length(fields);
	if (!n)
		fputs("none", file);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "; " : "", file);
		print_object(file, json_object_array_get_idx(fields, i));
	}
}

static void print_tlv(FILE *file, struct json_object *t)
{
	const char *name = json_get_string(t, "name"), *bad = json_get_string(t, "malformed");
	struct json_object *fields = NULL;

	fprintf(file, "    0x%02x %-24s %4d  ", (int)json_get_int(t, "type"), name ? name : "?",
		(int)json_get_int(t, "length"));
	json_object_object_get_ex(t, "fields", &fields);
	if (bad)
		fprintf(file, "%s  MALFORMED: %s", json_get_string(t, "value"), bad);
	else if (fields)
		print_fields(file, fields);
	else
		fputs(json_get_string(t, "value"), file);
	fputc('\n', file);
}

static void print_header(FILE *file, struct json_object *m)
{
	const char *service = json_get_string(m, "service"), *name = json_get_string(m, "message");
	const char *result = json_get_string(m, "result"), *error;

	if (service)
		fputs(service, file);
	else
		fprintf(file, "service 0x%02x", (int)json_get_int(m, "service_id"));
	if (name)
		fprintf(file, " %s", name);
	fprintf(file, " (0x%04x) %s, client %d, transaction %d", (int)json_get_int(m, "message_id"),
		json_get_string(m, "type"), (int)json_get_int(m, "client_id"),
		(int)json_get_int(m, "transaction"));
	if (!result)
		return;
	error = json_get_string(m, "error_name");
	fprintf(file, ": %s", result);
	if (json_get_int(m, "error"))
		fprintf(file, ", %s (%d)", error ? error : "error", (int)json_get_int(m, "error"));
}

static void print_message(FILE *file, struct json_object *m)
{
	struct json_object *bad = json_get_object(m, "malformed"), *t;

	fprintf(file, "%6d  ", (int)json_get_int(m, "offset"));
	if (json_get_string(m, "type"))
		print_header(file, m);
	fputc('\n', file);
	for (size_t i = 0; (t = json_get_element(m, "tlvs", i)); i++)
		print_tlv(file, t);
	if (bad)
		fprintf(file, "        MALFORMED at byte %d: %s\n",
			(int)json_get_int(bad, "offset"), json_get_string(bad, "text"));
}

void qmi_decode_print(FILE *file, struct json_object *messages)
{
	size_t n = json_object_array_length(messages);

	for (size_t i = 0; i < n; i++)
		print_message(file, json_object_array_get_idx(messages, i));
}
