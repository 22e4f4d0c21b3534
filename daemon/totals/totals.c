// SPDX-License-Identifier: GPL-2.0-or-later
#include "totals.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"
#include "util/write_file.h"

#define UNSET_YEAR "2020"

/* {PDN: {"epoch", "rx", "tx" (the last counters), "told", "months": {"2026-03": {"rx", "tx"}}}} */
struct totals {
	char path[PATH_MAX]; /* empty: no file */
	struct json_object *all;
	bool news;
};

static void month_of(time_t when, char month[8])
{
	struct tm tm;

	strftime(month, 8, "%Y-%m", localtime_r(&when, &tm));
}

/* Member @key of @o, an object; made if there is none. */
static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = json_get_object(o, key);

	if (!v) {
		v = json_object_new_object();
		json_object_object_add(o, key, v);
	}
	return v;
}

static struct totals_bytes bytes_of(struct json_object *o)
{
	return (struct totals_bytes){json_get_int(o, "rx"), json_get_int(o, "tx")};
}

static void set_bytes(struct json_object *o, const struct totals_bytes *b)
{
	json_add_int(o, "rx", b->rx);
	json_add_int(o, "tx", b->tx);
}

static void add_bytes(struct json_object *o, const struct totals_bytes *more)
{
	struct totals_bytes b = bytes_of(o);

	b.rx += more->rx;
	b.tx += more->tx;
	set_bytes(o, &b);
}

static void keep_bad(const char *path)
{
	char bad[PATH_MAX + 8];

	snprintf(bad, sizeof(bad), "%s.bad", path);
	log_warning("%s is not what qmapd writes: kept as %s", path, bad);
	rename(path, bad);
}

/* The object in the file at @path; NULL: there is none. */
static struct json_object *read_sums(const char *path)
{
	struct json_object *o = json_object_from_file(path);

	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

static struct json_object *read_either(const char *path)
{
	char old[PATH_MAX + 8];
	struct json_object *o = read_sums(path);

	if (o || access(path, F_OK))
		return o;
	keep_bad(path);
	snprintf(old, sizeof(old), "%s.old", path);
	o = read_sums(old);
	if (o)
		log_warning("the sums are those of %s, written before", old);
	else
		log_warning("the sums begin at 0");
	return o;
}

int totals_open(struct totals **out, const char *path, struct error *err)
{
	struct totals *t = calloc(1, sizeof(*t));

	*out = t;
	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	if (path) {
		snprintf(t->path, sizeof(t->path), "%s", path);
		t->all = read_either(path);
	}
	if (!t->all)
		t->all = json_object_new_object();
	return 0;
}

void totals_write(struct totals *t)
{
	char old[PATH_MAX + 8];
	int ret;

	if (!t->path[0] || !t->news)
		return;
	/* of the write before: after a power cut the last may be empty (UBIFS, XFS) */
	snprintf(old, sizeof(old), "%s.old", t->path);
	unlink(old);
	if (link(t->path, old) && errno != ENOENT)
		log_debug("no %s: %s", old, strerror(errno)); /* a file system without hard links */
	ret = write_file(t->path, json_object_to_json_string_ext(t->all, JSON_C_TO_STRING_PLAIN));
	if (ret)
		log_limited(LOG_LEVEL_WARNING, 1, "cannot write %s: %s", t->path, strerror(-ret));
	t->news = ret;
}

void totals_free(struct totals **t)
{
	if (!*t)
		return;
	totals_write(*t);
	json_object_put((*t)->all);
	free(*t);
	*t = NULL;
}

/* The earliest month in @months but for @except; NULL: there is none. */
static const char *earliest(struct json_object *months, const char *except)
{
	const char *first = NULL;

	json_object_object_foreach (months, key, v) {
		(void)v;
		if (strcmp(key, except) && (!first || strcmp(key, first) < 0))
			first = key;
	}
	return first;
}

/* Bytes that were counted before the clock was set belong to @month. */
static void move_unset(struct json_object *months, const char *month)
{
	const char *first = earliest(months, month);

	while (strcmp(month, UNSET_YEAR) > 0 && first && strcmp(first, UNSET_YEAR) < 0) {
		struct totals_bytes b = bytes_of(json_get_object(months, first));

		add_bytes(member(months, month), &b);
		json_object_object_del(months, first);
		first = earliest(months, month);
	}
}

static uint64_t grown(uint64_t from, uint64_t to)
{
	return to < from ? to : to - from;
}

void totals_begin(struct totals *t, const char *pdn, int64_t epoch, const struct totals_bytes *now)
{
	struct json_object *o = member(t->all, pdn);
	struct totals_bytes last = bytes_of(o);

	/* a file that would be the same is not written: flash memory wears */
	if (json_get_int(o, "epoch") == epoch && last.rx == now->rx && last.tx == now->tx)
		return;
	json_add_int(o, "epoch", epoch);
	set_bytes(o, now);
	t->news = true;
}

void totals_count(struct totals *t, const char *pdn, int64_t epoch, const struct totals_bytes *now,
		  time_t when)
{
	struct json_object *o = member(t->all, pdn), *months = member(o, "months");
	struct totals_bytes last = {0}, more;
	char month[8];

	if (json_get_int(o, "epoch") == epoch)
		last = bytes_of(o);
	more = (struct totals_bytes){grown(last.rx, now->rx), grown(last.tx, now->tx)};
	month_of(when, month);
	move_unset(months, month);
	if (more.rx || more.tx) {
		add_bytes(member(months, month), &more);
		/* a clock that is not set yet, or was wrong, may make the present month the earliest */
		while (json_object_object_length(months) > TOTALS_MONTHS)
			json_object_object_del(months, earliest(months, month));
	}
	totals_begin(t, pdn, epoch, now);
}

struct totals_bytes totals_month(const struct totals *t, const char *pdn, time_t when)
{
	struct json_object *months = json_get_object(json_get_object(t->all, pdn), "months");
	char month[8];

	month_of(when, month);
	return bytes_of(json_get_object(months, month));
}

static int later_first(const void *a, const void *b)
{
	return strcmp(json_get_string(*(struct json_object *const *)b, "month"),
		      json_get_string(*(struct json_object *const *)a, "month"));
}

struct json_object *totals_show(const struct totals *t, const char *pdn)
{
	struct json_object *months = json_get_object(json_get_object(t->all, pdn), "months");
	struct json_object *a = json_object_new_array();

	if (!months)
		return a;
	json_object_object_foreach (months, key, v) {
		struct totals_bytes b = bytes_of(v);
		struct json_object *o = json_object_new_object();

		json_add_string(o, "month", key);
		json_add_int(o, "rx_bytes", b.rx);
		json_add_int(o, "tx_bytes", b.tx);
		json_object_array_add(a, o);
	}
	json_object_array_sort(a, later_first);
	return a;
}

bool totals_reaches(struct totals *t, const char *pdn, time_t when, uint64_t quota)
{
	struct totals_bytes b = totals_month(t, pdn, when);
	struct json_object *o = member(t->all, pdn);
	const char *told = json_get_string(o, "told");
	char month[8], now[40];

	month_of(when, month);
	snprintf(now, sizeof(now), "%s %llu", month, (unsigned long long)quota);
	if (b.rx + b.tx < quota || (told && !strcmp(told, now)))
		return false;
	json_add_string(o, "told", now);
	t->news = true;
	return true;
}
