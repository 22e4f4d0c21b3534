// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_results.h"

#include <json-c/json.h>
#include <sys/utsname.h>

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

static int ascending_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double median(const double *v, unsigned int n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The smallest of @n sorted values that at least @percent of them do not exceed. */
static uint64_t percentile(const uint64_t *sorted, unsigned int n, unsigned int percent)
{
	unsigned int rank = (n * percent + 99) / 100;

	return n ? sorted[rank ? rank - 1 : 0] : 0;
}

/* ---- rounds ---- */

static void add_drops(struct outcome *o, struct json_object *drops)
{
	if (!o->drops)
		o->drops = json_object_new_object();
	json_object_object_foreach (drops, reason, n) {
		struct json_object *was = json_object_object_get(o->drops, reason);
		int64_t sum = (was ? json_object_get_int64(was) : 0) + json_object_get_int64(n);

		json_object_object_add(o->drops, reason, json_object_new_int64(sum));
	}
	json_object_put(drops);
}

static void add_latencies(struct outcome *o, unsigned int round, const struct seen *seen)
{
	struct seen *all = &o->seen;

	if (!seen->n)
		return;
	qsort(seen->latency, seen->n, sizeof(*seen->latency), ascending_u64);
	o->latency[round] = percentile(seen->latency, seen->n, 50);
	all->latency = realloc(all->latency, (all->n + seen->n) * sizeof(*all->latency));
	if (!all->latency)
		DIE("memory");
	memcpy(all->latency + all->n, seen->latency, seen->n * sizeof(*seen->latency));
	all->n += seen->n;
}

void outcome_add(struct outcome *o, unsigned int round, struct sample *s)
{
	o->measured = true;
	o->cost[round] = s->cost;
	o->sent += s->sent;
	o->lost += s->lost;
	add_drops(o, s->drops);
	o->seen.units += s->seen.units;
	o->seen.packets += s->seen.packets;
	o->seen.truesize += s->seen.truesize;
	add_latencies(o, round, &s->seen);
	free(s->seen.latency);
}

/* ---- lines ---- */

static void text(struct json_object *line, const char *key, const char *value)
{
	json_object_object_add(line, key, json_object_new_string(value));
}

static void number(struct json_object *line, const char *key, double value)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.3f", value);
	json_object_object_add(line, key, json_object_new_double_s(value, digits));
}

static void samples(struct json_object *line, const double *v, unsigned int n)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_double(v[i]));
	json_object_object_add(line, "samples", array);
}

/* Makes the common part of all lines of a case and path. @quantity: NULL for the cost. */
static struct json_object *new_line(const struct bench_case *c, enum path p, const char *quantity,
				    const char *unit, bool icount)
{
	struct json_object *line = json_object_new_object();
	struct utsname u;
	char name[128];

	uname(&u);
	snprintf(name, sizeof(name), "vm.%s.%s%s%s", c->name, path_names[p], quantity ? "." : "",
		 quantity ?: "");
	text(line, "name", name);
	text(line, "case", c->name);
	text(line, "path", path_names[p]);
	text(line, "quantity", quantity ?: "cost");
	text(line, "unit", unit);
	text(line, "method", icount ? "icount" : "guest clock");
	text(line, "kernel", u.release);
	if (c->factor) {
		text(line, "direction", c->direction ?: "downlink");
		text(line, "factor", c->factor);
		number(line, "x", c->x);
	}
	return line;
}

static void print(struct json_object *line)
{
	printf("DATA %s\n", json_object_to_json_string_ext(
				    line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

static double net(const struct outcome *o, const struct outcome *base, unsigned int rounds,
		  double *v)
{
	unsigned int r;

	for (r = 0; r < rounds; r++)
		v[r] = o->cost[r] - base->cost[r];
	return median(v, rounds);
}

static void print_cost(struct json_object *line, const struct outcome *o,
		       const struct outcome *base, const struct outcome *rmnet,
		       const struct outcome *rmnet_base, unsigned int rounds)
{
	double v[ROUNDS_MAX] = {}, unused[ROUNDS_MAX] = {}, value = net(o, base, rounds, v);

	number(line, "base", median(base->cost, rounds));
	if (rmnet->measured) {
		number(line, "ratio_to_rmnet", value / net(rmnet, rmnet_base, rounds, unused));
		number(line, "ratio_with_base",
		       median(o->cost, rounds) / median(rmnet->cost, rounds));
	}
	json_object_object_add(line, "sent", json_object_new_int64(o->sent));
	json_object_object_add(line, "lost", json_object_new_int64(o->lost));
	json_object_object_add(line, "drops", json_object_get(o->drops));
	samples(line, v, rounds);
	print(line);
}

/* Under -icount the clock's ns are instructions, except while a timer runs. */
static void print_latency(struct json_object *line, const struct outcome *o, unsigned int rounds)
{
	const struct seen *all = &o->seen;

	qsort(all->latency, all->n, sizeof(*all->latency), ascending_u64);
	number(line, "p50", percentile(all->latency, all->n, 50));
	number(line, "p90", percentile(all->latency, all->n, 90));
	number(line, "p99", percentile(all->latency, all->n, 99));
	number(line, "p100", percentile(all->latency, all->n, 100));
	json_object_object_add(line, "packets", json_object_new_int64(all->n));
	samples(line, o->latency, rounds);
	print(line);
}

static void print_ratio(struct json_object *line, unsigned long long of, unsigned long long per,
			const char *better)
{
	double value = (double)of / per;

	text(line, "better", better);
	samples(line, &value, 1);
	print(line);
}

void results_print(const struct bench_case *c, enum path p, const struct outcome *o,
		   const struct outcome *base, const struct outcome *rmnet,
		   const struct outcome *rmnet_base, unsigned int rounds, const char *unit)
{
	const char *units = case_is_uplink(c) ? "packets/transfer" : "packets/skb";
	bool icount = !strcmp(unit, "insns");

	print_cost(new_line(c, p, NULL, unit, icount), o, base, rmnet, rmnet_base, rounds);
	if (o->seen.n)
		print_latency(new_line(c, p, "latency", "ns", icount), o, rounds);
	if (o->seen.units)
		print_ratio(new_line(c, p, "coalescing", units, icount), o->seen.packets,
			    o->seen.units, "higher");
	if (o->seen.truesize)
		print_ratio(new_line(c, p, "memory", "B/packet", icount), o->seen.truesize,
			    o->seen.packets, "lower");
}
