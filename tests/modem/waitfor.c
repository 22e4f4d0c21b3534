// SPDX-License-Identifier: GPL-2.0-or-later
#include "waitfor.h"
#include "stats.h"
#include "util.h"

#include <stdlib.h>

#define DEFAULT_MS 5000
#define MAX_MS	   600000

enum operator{
	EQUAL,
	NOT_EQUAL,
	AT_LEAST,
	AT_MOST,
	LESS,
	MORE,
	OPERATORS
};

static const char *const operator_names[OPERATORS] = {
	[EQUAL] = "==",	  [NOT_EQUAL] = "!=", [AT_LEAST] = ">=",
	[AT_MOST] = "<=", [LESS] = "<",	      [MORE] = ">",
};

struct waitfor {
	char key[128];
	char value[128];
	enum operator op;
	uint64_t deadline;
};

static bool take_text(struct args *a, char *to, size_t size, const char *from)
{
	if (strlen(from) >= size) {
		arg_error(a, "%.20s...: too long", from);
		return false;
	}
	strcpy(to, from);
	return true;
}

struct waitfor *waitfor_new(struct args *a)
{
	long timeout = arg_number(a, "timeout", DEFAULT_MS, 0, MAX_MS);
	struct waitfor *w = calloc(1, sizeof(*w));

	if (!w) {
		arg_error(a, "out of memory");
		return NULL;
	}
	while (w->op < OPERATORS && strcmp(operator_names[w->op], a->words[1]))
		w->op++;
	if (w->op == OPERATORS)
		arg_error(a, "%s: ==, !=, >=, <=, < or > is wanted", a->words[1]);
	w->deadline = now_us() + 1000ull * timeout;
	if (a->error[0] || !take_text(a, w->key, sizeof(w->key), a->words[0]) ||
	    !take_text(a, w->value, sizeof(w->value), a->words[2])) {
		free(w);
		return NULL;
	}
	return w;
}

void waitfor_free(struct waitfor **w)
{
	free(*w);
	*w = NULL;
}

/* Compares as numbers if both are numbers, else as text (true, v5, ...). */
static int compare(struct json_object *now, const char *value)
{
	char *end;
	long long want = strtoll(value, &end, 0), have;

	if (!json_object_is_type(now, json_type_int) || end == value || *end)
		return strcmp(json_object_get_string(now), value);
	have = json_object_get_int64(now);
	return have < want ? -1 : have > want;
}

static bool met(const struct waitfor *w, struct json_object *now)
{
	int order = compare(now, w->value);

	switch (w->op) {
	case EQUAL:
		return !order;
	case NOT_EQUAL:
		return order;
	case AT_LEAST:
		return order >= 0;
	case AT_MOST:
		return order <= 0;
	case LESS:
		return order < 0;
	default:
		return order > 0;
	}
}

static struct json_object *timed_out(const struct waitfor *w, struct json_object *now)
{
	struct args a = {0};

	arg_error(&a, "time is up: %s is %s, not %s %s", w->key,
		  now ? json_object_get_string(now) : "unknown", operator_names[w->op], w->value);
	json_object_put(now);
	return command_failed(&a);
}

struct json_object *waitfor_result(struct modem *m, const struct waitfor *w)
{
	struct json_object *answer, *now = stats_at(m, w->key);

	if (now && met(w, now)) {
		answer = json_object_new_object();
		json_object_object_add(answer, "ok", json_object_new_boolean(true));
		json_object_object_add(answer, "value", now);
		return answer;
	}
	if (!now || now_us() >= w->deadline)
		return timed_out(w, now);
	json_object_put(now);
	return NULL;
}
