// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats.h"

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

/* Rounds to three decimals: more is noise. */
static struct json_object *number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", value);
	return json_object_new_double_s(value, text);
}

static void add_number(struct json_object *o, const char *name, double value)
{
	json_object_object_add(o, name, number(value));
}

static void add_samples(struct json_object *o, const double *v, unsigned int n)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(array, number(v[i]));
	json_object_object_add(o, "samples", array);
}

/* Keeps machine properties that the raw result has itself, as that of a guest does. */
static void add_circumstances(const struct recorder *r, struct json_object *o)
{
	json_object_object_foreach (r->machine, key, value) {
		if (!json_object_object_get_ex(o, key, NULL))
			json_object_object_add(o, key, json_object_get(value));
	}
	add_text(o, "commit", r->commit);
	add_text(o, "command", r->command);
	json_object_object_add(o, "time", json_object_new_int64(time(NULL)));
}

static const char *text_of(const struct json_object *o, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(o, name, &value) ? json_object_get_string(value) : NULL;
}

static double number_of(const struct json_object *o, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(o, name, &value) ? json_object_get_double(value) : 0;
}

void record_heading(void)
{
	printf("%-56s %10s %10s %8s %-12s %s\n", "NAME", "MEDIAN", "MIN", "SPREAD", "UNIT",
	       "TARGET");
}

static void print_row(const struct json_object *o, const struct stats *s)
{
	double target = number_of(o, "target"), lost = number_of(o, "lost"),
	       ratio = number_of(o, "ratio_to_rmnet");

	printf("%-56s %10.2f %10.2f %8.2f %-12s", text_of(o, "name"), s->median, s->min, s->mad,
	       text_of(o, "unit"));
	if (target > 0)
		printf(" %s %.1f", s->median <= target ? "<=" : "ABOVE", target);
	if (ratio > 0)
		printf(" %.3f of rmnet", ratio);
	if (lost > 0)
		printf(" lost %.0f", lost);
	printf("\n");
	fflush(stdout);
}

/* Takes over @o. */
static void finish(const struct recorder *r, struct json_object *o, double *v, unsigned int n)
{
	struct stats s = stats_of(v, n);

	add_number(o, "value", s.median);
	add_number(o, "spread", s.mad);
	add_number(o, "min", s.min);
	add_number(o, "max", s.max);
	json_object_object_add(o, "rounds", json_object_new_int(n));
	add_circumstances(r, o);
	fprintf(r->json, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(r->json);
	print_row(o, &s);
	json_object_put(o);
}

static void add_factor(struct json_object *o, const struct result *res)
{
	if (res->path)
		add_text(o, "path", res->path);
	if (!res->factor)
		return;
	add_text(o, "factor", res->factor);
	json_object_object_add(o, "x", json_object_new_int64(res->x));
}

/* Adds the base's median. */
static void add_base(struct json_object *o, const struct result *res)
{
	double v[res->n];

	if (!res->base)
		return;
	memcpy(v, res->base, sizeof(v));
	add_number(o, "base", stats_median(v, res->n));
}

void record_add(const struct recorder *r, const struct result *res)
{
	struct json_object *o = json_object_new_object();
	double v[res->n];

	memcpy(v, res->samples, sizeof(v));
	add_text(o, "name", res->name);
	add_text(o, "unit", res->unit);
	add_text(o, "method", res->method);
	add_text(o, "how", res->how);
	if (res->target > 0)
		add_number(o, "target", res->target);
	json_object_object_add(o, "sent", json_object_new_int64(res->sent));
	json_object_object_add(o, "lost", json_object_new_int64(res->lost));
	add_factor(o, res);
	add_base(o, res);
	add_samples(o, v, res->n);
	finish(r, o, v, res->n);
}

/* Copies the samples; NULL if there are none or they are not numbers. */
static double *samples_of(const struct json_object *o, size_t *n)
{
	struct json_object *array;
	double *v;

	if (!json_object_object_get_ex(o, "samples", &array) ||
	    !json_object_is_type(array, json_type_array) || !json_object_array_length(array))
		return NULL;
	*n = json_object_array_length(array);
	v = calloc(*n, sizeof(*v));
	for (size_t i = 0; v && i < *n; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_double) &&
		    !json_object_is_type(item, json_type_int)) {
			free(v);
			return NULL;
		}
		v[i] = json_object_get_double(item);
	}
	return v;
}

int record_add_json(const struct recorder *r, const char *line)
{
	struct json_object *o = json_tokener_parse(line);
	size_t n = 0;
	double *v = o ? samples_of(o, &n) : NULL;

	if (!v || !text_of(o, "name") || !text_of(o, "unit") || !text_of(o, "method")) {
		fprintf(stderr, "not a result: %s\n", line);
		json_object_put(o);
		free(v);
		return -EINVAL;
	}
	finish(r, o, v, n);
	free(v);
	return 0;
}

int record_add_stream(const struct recorder *r, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	while ((len = getline(&line, &size, in)) > 0) {
		line[strcspn(line, "\r\n")] = 0;
		if (line[0] != '{')
			fprintf(stderr, "%s\n", line);
		else if (record_add_json(r, line))
			ret = -EINVAL;
	}
	free(line);
	return ret;
}
