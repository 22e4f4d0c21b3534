// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

/* All results of one key in one file. */
struct series {
	char *key, *name, *unit;
	double *values, *spreads;
	size_t n;
	double lost;
	bool higher_is_better;
};

struct file {
	struct series *series;
	size_t n;
};

struct comparison_store {
	struct file before, after;
};

static const char *const verdicts[] = {
	[COMPARE_SAME] = "same",	  [COMPARE_BETTER] = "better", [COMPARE_WORSE] = "WORSE",
	[COMPARE_LOSS] = "LOSES PACKETS", [COMPARE_GONE] = "gone",     [COMPARE_NEW] = "new",
};

/* ---- reading ---- */

static const char *text(const struct json_object *o, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(o, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static bool number(const struct json_object *o, const char *name, double *value)
{
	struct json_object *v;

	*value = 0;
	if (!json_object_object_get_ex(o, name, &v) ||
	    (!json_object_is_type(v, json_type_double) && !json_object_is_type(v, json_type_int)))
		return false;
	*value = json_object_get_double(v);
	return isfinite(*value);
}

/* The kernel of a guest is part of the key; the machine's own kernel is not. */
static char *make_key(const struct json_object *o, const char *name, const char *unit)
{
	const char *kernel = text(o, "case") ? text(o, "kernel") : NULL;
	char *key;

	return asprintf(&key, "%s|%s|%s", name, unit, kernel ?: "") < 0 ? NULL : key;
}

static bool rate(const char *unit)
{
	return strstr(unit, "bit/s") || strstr(unit, "packets/s");
}

static struct series *find(const struct file *f, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->series[i].key, key))
			return &f->series[i];
	return NULL;
}

/* Takes over @key. */
static struct series *add_series(struct file *f, char *key, const struct json_object *o)
{
	struct series *grown = reallocarray(f->series, f->n + 1, sizeof(*grown)), *s;
	const char *better = text(o, "better"), *unit = text(o, "unit");

	if (!grown) {
		free(key);
		return NULL;
	}
	f->series = grown;
	s = &f->series[f->n++];
	*s = (struct series){.key = key, .name = strdup(text(o, "name")), .unit = strdup(unit)};
	s->higher_is_better = better ? !strcmp(better, "higher") : rate(unit);
	return s->name && s->unit ? s : NULL;
}

static int append(struct series *s, double value, double spread)
{
	double *values = reallocarray(s->values, s->n + 1, sizeof(double)), *spreads;

	if (!values)
		return -ENOMEM;
	s->values = values;
	spreads = reallocarray(s->spreads, s->n + 1, sizeof(double));
	if (!spreads)
		return -ENOMEM;
	s->spreads = spreads;
	s->values[s->n] = value;
	s->spreads[s->n++] = spread;
	return 0;
}

static int add_result(struct file *f, const struct json_object *o)
{
	const char *name = text(o, "name"), *unit = text(o, "unit");
	double value, spread, lost;
	struct series *s;
	char *key;

	if (!name || !unit || !number(o, "value", &value))
		return -EINVAL;
	number(o, "spread", &spread);
	number(o, "lost", &lost);
	key = make_key(o, name, unit);
	if (!key)
		return -ENOMEM;
	s = find(f, key);
	if (s)
		free(key);
	else
		s = add_series(f, key, o);
	if (!s)
		return -ENOMEM;
	s->lost += lost;
	return append(s, value, spread);
}

static int read_line(struct file *f, const char *line)
{
	struct json_object *o = json_tokener_parse(line);
	int ret = json_object_is_type(o, json_type_object) ? add_result(f, o) : -EINVAL;

	json_object_put(o);
	return ret;
}

static int read_file(struct file *f, const char *path)
{
	FILE *in = fopen(path, "re");
	unsigned int number_of_line = 0;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	if (!in) {
		ret = -errno;
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return ret;
	}
	while (!ret && getline(&line, &size, in) > 0) {
		number_of_line++;
		if (line[strspn(line, " \t\r\n")])
			ret = read_line(f, line);
	}
	if (ret == -EINVAL)
		fprintf(stderr, "%s:%u: not a result (name, unit and value are wanted)\n", path,
			number_of_line);
	free(line);
	fclose(in);
	return ret;
}

/* ---- judging ---- */

/*
 * The noise of one run is that of its rounds. Runs differ more, which is used once a file holds
 * several.
 */
static double sigma_of(const struct series *s, double *value)
{
	double v[s->n], spreads[s->n];
	struct stats between;

	memcpy(v, s->values, sizeof(v));
	memcpy(spreads, s->spreads, sizeof(spreads));
	between = stats_of(v, s->n);
	*value = between.median;
	return STATS_MAD_TO_SIGMA * fmax(between.mad, stats_median(spreads, s->n));
}

static enum compare_verdict judge(const struct series *a, const struct series *b,
				  const struct compare_options *o, const struct compare_row *r)
{
	bool higher = r->after > r->before;

	if (b->lost > 0 && a->lost <= 0)
		return COMPARE_LOSS;
	if (r->after == r->before || r->sigmas <= o->sigma ||
	    fabs(r->after - r->before) * 100 <= o->percent * fabs(r->before))
		return COMPARE_SAME;
	return higher == a->higher_is_better ? COMPARE_BETTER : COMPARE_WORSE;
}

static void compare_series(struct compare_row *r, const struct series *a, const struct series *b,
			   const struct compare_options *o)
{
	double sigma_a = sigma_of(a, &r->before), sigma_b = sigma_of(b, &r->after);
	double sigma = hypot(sigma_a, sigma_b), change = r->after - r->before;

	r->change = r->before != 0 ? change / fabs(r->before) * 100 : 0;
	r->sigmas = change == 0 ? 0 : sigma > 0 ? fabs(change) / sigma : INFINITY;
	r->verdict = judge(a, b, o, r);
}

static void fill_row(struct compare_row *r, const struct series *s)
{
	*r = (struct compare_row){.key = s->key, .name = s->name, .unit = s->unit};
}

static int compare_all(struct comparison *c, const struct compare_options *o)
{
	const struct file *before = &c->store->before, *after = &c->store->after;

	c->rows = calloc(before->n + after->n + 1, sizeof(*c->rows));
	if (!c->rows)
		return -ENOMEM;
	for (size_t i = 0; i < before->n; i++) {
		const struct series *a = &before->series[i], *b = find(after, a->key);
		struct compare_row *r = &c->rows[c->n++];

		fill_row(r, a);
		if (b) {
			compare_series(r, a, b, o);
			c->common++;
		} else {
			sigma_of(a, &r->before);
			r->verdict = COMPARE_GONE;
		}
		c->regressions += r->verdict == COMPARE_WORSE || r->verdict == COMPARE_LOSS ||
				  (o->complete && r->verdict == COMPARE_GONE);
	}
	for (size_t i = 0; i < after->n; i++) {
		struct compare_row *r = &c->rows[c->n];

		if (find(before, after->series[i].key))
			continue;
		fill_row(r, &after->series[i]);
		sigma_of(&after->series[i], &r->after);
		r->verdict = COMPARE_NEW;
		c->n++;
	}
	return 0;
}

int compare_files(struct comparison *c, const char *before, const char *after,
		  const struct compare_options *o)
{
	int ret;

	*c = (struct comparison){.store = calloc(1, sizeof(*c->store))};
	if (!c->store)
		return -ENOMEM;
	ret = read_file(&c->store->before, before)
		      ?: read_file(&c->store->after, after) ?: compare_all(c, o);
	if (ret)
		compare_free(c);
	return ret;
}

static void free_file(struct file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->series[i].key);
		free(f->series[i].name);
		free(f->series[i].unit);
		free(f->series[i].values);
		free(f->series[i].spreads);
	}
	free(f->series);
}

void compare_free(struct comparison *c)
{
	if (c->store) {
		free_file(&c->store->before);
		free_file(&c->store->after);
	}
	free(c->store);
	free(c->rows);
	*c = (struct comparison){0};
}

/* ---- printing ---- */

static bool has_before(const struct compare_row *r)
{
	return r->verdict != COMPARE_NEW;
}

static bool has_after(const struct compare_row *r)
{
	return r->verdict != COMPARE_GONE;
}

static struct json_object *row_json(const struct compare_row *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(r->name));
	json_object_object_add(o, "unit", json_object_new_string(r->unit));
	if (has_before(r))
		json_object_object_add(o, "before", json_object_new_double(r->before));
	if (has_after(r))
		json_object_object_add(o, "after", json_object_new_double(r->after));
	if (has_before(r) && has_after(r)) {
		json_object_object_add(o, "change_percent", json_object_new_double(r->change));
		/* JSON has no infinity: null means no noise at all */
		json_object_object_add(o, "sigmas",
				       isfinite(r->sigmas) ? json_object_new_double(r->sigmas)
							   : NULL);
	}
	json_object_object_add(o, "verdict", json_object_new_string(verdicts[r->verdict]));
	return o;
}

static void print_json(const struct comparison *c, FILE *out)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < c->n; i++)
		json_object_array_add(array, row_json(&c->rows[i]));
	fprintf(out, "%s\n", json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN));
	json_object_put(array);
}

static void print_row(const struct compare_row *r, FILE *out)
{
	char before[32] = "-", after[32] = "-", change[32] = "-", sigmas[32] = "-";

	if (has_before(r))
		snprintf(before, sizeof(before), "%.2f", r->before);
	if (has_after(r))
		snprintf(after, sizeof(after), "%.2f", r->after);
	if (has_before(r) && has_after(r)) {
		snprintf(change, sizeof(change), "%+.1f %%", r->change);
		snprintf(sigmas, sizeof(sigmas), "%.1f", r->sigmas);
	}
	fprintf(out, "%-56s %10s %10s %-12s %10s %7s %s\n", r->name, before, after, r->unit, change,
		sigmas, verdicts[r->verdict]);
}

void compare_print(const struct comparison *c, const struct compare_options *o, FILE *out)
{
	if (o->json)
		return print_json(c, out);
	fprintf(out, "%-56s %10s %10s %-12s %10s %7s %s\n", "NAME", "BEFORE", "AFTER", "UNIT",
		"CHANGE", "SIGMAS", "VERDICT");
	for (unsigned int i = 0; i < c->n; i++)
		print_row(&c->rows[i], out);
	fprintf(out, "%u compared, %u regressions (more than %g sigma and %g %%)\n", c->common,
		c->regressions, o->sigma, o->percent);
}
