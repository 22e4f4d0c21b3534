// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <json-c/json_object_iterator.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

struct summary {
	double median, min, spread;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static struct summary summarize(double *v, unsigned int n)
{
	struct summary s = {.median = median(v, n), .min = v[0]};

	for (unsigned int i = 0; i < n; i++)
		v[i] = fabs(v[i] - s.median);
	s.spread = median(v, n);
	return s;
}

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

/* Three digits behind the point: more is noise. */
static void add_number(struct json_object *o, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(o, name, json_object_new_double_s(value, text));
}

static void add_machine(struct json_object *o, struct json_object *machine)
{
	struct json_object_iterator i = json_object_iter_begin(machine);
	struct json_object_iterator end = json_object_iter_end(machine);

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i))
		json_object_object_add(o, json_object_iter_peek_name(&i),
				       json_object_get(json_object_iter_peek_value(&i)));
}

static void write_json(const struct report *r, const struct result *res, const struct summary *s)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", res->name);
	add_number(o, "value", s->median);
	add_text(o, "unit", res->unit);
	json_object_object_add(o, "rounds", json_object_new_int(res->n));
	add_number(o, "min", s->min);
	add_number(o, "spread", s->spread);
	if (res->target > 0)
		add_number(o, "target", res->target);
	json_object_object_add(o, "lost", json_object_new_int64(res->lost));
	add_text(o, "method", res->method);
	add_text(o, "commit", r->commit);
	json_object_object_add(o, "time", json_object_new_int64(time(NULL)));
	add_machine(o, r->machine);
	fprintf(r->json, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(r->json);
	json_object_put(o);
}

void report_add(const struct report *r, struct result *res)
{
	struct summary s = summarize(res->samples, res->n);
	char target[32] = "";

	write_json(r, res, &s);
	if (res->target > 0)
		snprintf(target, sizeof(target), "%s %.1f",
			 s.median <= res->target ? "<=" : "ABOVE", res->target);
	printf("%-34s %9.2f %9.2f %7.2f %-10s %s", res->name, s.median, s.min, s.spread, res->unit,
	       target);
	if (res->lost)
		printf(" lost %llu", res->lost);
	printf("\n");
	fflush(stdout);
}
