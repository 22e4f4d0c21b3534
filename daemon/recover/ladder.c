// SPDX-License-Identifier: GPL-2.0-or-later
#include "ladder.h"

#include <json-c/json.h>
#include <string.h>

#include "util/array.h"
#include "util/json_add.h"
#include "util/json_get.h"

#define WINDOW_MS 3600000

static const struct {
	const char *name;
	int64_t time_ms;     /* within which it helps, if it does */
	unsigned int budget; /* an hour; 0: no limit */
} rungs[] = {
	/* the watchdog's own time passes before the next evidence */
	[LADDER_REDIAL] = {"redial", 1000, 0},
	/* time for a search of networks */
	[LADDER_RADIO] = {"radio", 30000, 3},
	[LADDER_RESET] = {"reset", 60000, 2},
	[LADDER_USB] = {"usb", 60000, 2},
	[LADDER_HOOK] = {"hook", 300000, 2},
};
TABLE_COMPLETE(rungs, LADDER_RUNGS);

#define BIT(rung) (1U << LADDER_##rung)

/* Measures that can help: a modem that does not answer cannot be asked for one. */
static const struct {
	const char *name;
	unsigned int rungs;
} evidences[] = {
	[LADDER_SILENT] = {"silent", LADDER_ALL},
	[LADDER_DEAD] = {"dead", BIT(USB) | BIT(HOOK)},
	[LADDER_UNREGISTERED] = {"unregistered", BIT(RADIO) | BIT(RESET) | BIT(USB) | BIT(HOOK)},
	/* it receives: its calls are good */
	[LADDER_STALLED] = {"stalled", BIT(RADIO) | BIT(RESET) | BIT(USB) | BIT(HOOK)},
};
TABLE_COMPLETE(evidences, LADDER_EVIDENCES);

static bool is_over(const struct ladder_count *c, int64_t now)
{
	return now - c->since_ms >= WINDOW_MS;
}

/*
 * The first one above the last, or, at the top, the first of those below whose hour is over.
 * LADDER_RUNGS: none.
 */
static enum ladder_rung next(const struct ladder *l, enum ladder_evidence evidence,
			     unsigned int possible, int64_t now)
{
	unsigned int allowed = evidences[evidence].rungs & possible;
	enum ladder_rung r = l->climbing && l->evidence == evidence ? l->at + 1 : LADDER_REDIAL;
	enum ladder_rung above = r;

	for (; r < LADDER_RUNGS; r++)
		if (allowed & 1U << r && (!rungs[r].budget || l->count[r].used < rungs[r].budget ||
					  is_over(&l->count[r], now)))
			return r;
	for (r = LADDER_REDIAL; r < above; r++)
		if (allowed & 1U << r && rungs[r].budget && is_over(&l->count[r], now))
			return r;
	return LADDER_RUNGS;
}

static void count(struct ladder_count *c, int64_t now)
{
	if (!c->used || is_over(c, now)) {
		c->since_ms = now;
		c->used = 0;
	}
	c->used++;
	c->total++;
}

/* The measure of another evidence may be the reason of this one: it has its time, too. */
static bool has_time(const struct ladder *l, int64_t now)
{
	return l->climbing && now < l->until_ms;
}

enum ladder_rung ladder_climb(struct ladder *l, enum ladder_evidence evidence,
			      unsigned int possible, int64_t now)
{
	enum ladder_rung rung = has_time(l, now) ? LADDER_RUNGS : next(l, evidence, possible, now);

	if (rung == LADDER_RUNGS)
		return rung;
	l->climbing = true;
	l->evidence = evidence;
	l->at = rung;
	l->until_ms = now + rungs[rung].time_ms;
	l->spent = false;
	count(&l->count[rung], now);
	return rung;
}

bool ladder_is_spent(struct ladder *l, enum ladder_evidence evidence, unsigned int possible,
		     int64_t now)
{
	if (l->spent || has_time(l, now) || next(l, evidence, possible, now) != LADDER_RUNGS)
		return false;
	l->spent = true;
	return true;
}

bool ladder_works(struct ladder *l)
{
	bool was = l->climbing;

	l->climbing = l->spent = false;
	return was;
}

const char *ladder_rung_name(enum ladder_rung rung)
{
	return rungs[rung].name;
}

const char *ladder_evidence_name(enum ladder_evidence evidence)
{
	return evidences[evidence].name;
}

static bool parse_one(const char *name, size_t len, unsigned int *out)
{
	for (unsigned int r = 0; r < LADDER_RUNGS; r++)
		if (strlen(rungs[r].name) == len && !memcmp(rungs[r].name, name, len)) {
			*out |= 1U << r;
			return true;
		}
	return false;
}

bool ladder_parse(const char *text, unsigned int *out)
{
	*out = 0;
	if (!strcmp(text, "off"))
		return true;
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ",");

		if (!parse_one(p, len, out))
			return false;
		p += len;
		if (!*p)
			return true;
	}
}

struct json_object *ladder_save(const struct ladder *l)
{
	struct json_object *o = json_object_new_object(), *counts = json_object_new_object();

	json_add_string(o, "evidence", l->climbing ? evidences[l->evidence].name : NULL);
	json_add_string(o, "rung", l->climbing ? rungs[l->at].name : NULL);
	json_add_bool(o, "spent", l->spent);
	json_add_int(o, "until_ms", l->until_ms);
	for (unsigned int r = 0; r < LADDER_RUNGS; r++) {
		struct json_object *c = json_object_new_object();

		json_add_int(c, "total", (int64_t)l->count[r].total);
		json_add_int(c, "used", l->count[r].used);
		json_add_int(c, "since_ms", l->count[r].since_ms);
		json_object_object_add(counts, rungs[r].name, c);
	}
	json_object_object_add(o, "rungs", counts);
	return o;
}

static void load_climb(struct ladder *l, struct json_object *o)
{
	const char *evidence = json_get_string(o, "evidence"), *rung = json_get_string(o, "rung");

	for (unsigned int e = 0; e < LADDER_EVIDENCES && evidence; e++)
		for (unsigned int r = 0; r < LADDER_RUNGS && rung; r++)
			if (!strcmp(evidences[e].name, evidence) && !strcmp(rungs[r].name, rung)) {
				l->climbing = true;
				l->evidence = e;
				l->at = r;
			}
}

void ladder_load(struct ladder *l, struct json_object *o)
{
	struct json_object *counts = json_get_object(o, "rungs");

	*l = (struct ladder){.spent = json_get_bool(o, "spent"),
			     .until_ms = json_get_int(o, "until_ms")};
	load_climb(l, o);
	for (unsigned int r = 0; r < LADDER_RUNGS; r++) {
		struct json_object *c = json_get_object(counts, rungs[r].name);

		l->count[r].total = json_get_int(c, "total");
		l->count[r].used = json_get_int(c, "used");
		l->count[r].since_ms = json_get_int(c, "since_ms");
	}
}
