// SPDX-License-Identifier: GPL-2.0-or-later
#include "keep.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

#define BIT(i) (1U << (i))

/* Returns the rows that it has found fine or wrong. */
static unsigned int look_all(const struct keep_row *rows, struct keep_state *s, void *arg,
			     char detail[][KEEP_DETAIL])
{
	unsigned int known = 0;

	s->wrong = 0;
	for (unsigned int i = 0; rows[i].look; i++) {
		enum keep_look look;

		detail[i][0] = 0;
		look = rows[i].look(arg, detail[i]);
		if (look != KEEP_UNKNOWN)
			known |= BIT(i);
		if (look == KEEP_WRONG)
			s->wrong |= BIT(i);
		else
			s->count[i].wrong_ms = 0;
	}
	return known;
}

void keep_look(const struct keep_row *rows, struct keep_state *state, void *arg)
{
	char detail[KEEP_ROWS][KEEP_DETAIL];

	look_all(rows, state, arg, detail);
}

/* --- reports --- */

/* Reports each sentence of @which once, with all its details. */
static void report_rows(const struct keep_run *run, unsigned int which, enum netdev_outcome outcome,
			const char *more, char detail[][KEEP_DETAIL])
{
	for (unsigned int i = 0; run->rows[i].look; i++) {
		char all[KEEP_DETAIL] = "", text[512];

		if (!(which & BIT(i)) || !run->rows[i].what)
			continue;
		for (unsigned int j = i; run->rows[j].look; j++) {
			size_t len = strlen(all);

			if (!(which & BIT(j)) || !run->rows[j].what ||
			    strcmp(run->rows[i].what, run->rows[j].what))
				continue;
			snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "", detail[j]);
			which &= ~BIT(j);
		}
		snprintf(text, sizeof(text), run->rows[i].what, all);
		strncat(text, more, sizeof(text) - 1 - strlen(text));
		run->report(run->owner, outcome, text);
	}
}

static void report_users(const struct keep_run *run, unsigned int known, char detail[][KEEP_DETAIL])
{
	struct keep_state *s = run->state;

	for (unsigned int i = 0; run->rows[i].look; i++) {
		const struct keep_row *row = &run->rows[i];

		if (row->owner != KEEP_USER || !(known & BIT(i)))
			continue;
		if (!(s->wrong & BIT(i))) {
			if (s->reported & BIT(i) && row->over)
				run->report(run->owner, NETDEV_REPORTED, row->over);
			s->reported &= ~BIT(i);
		} else if (row->fix) {
			s->wrong &= ~BIT(i);
			row->fix(run->arg, NULL);
		} else if (!(s->reported & BIT(i))) {
			s->reported |= BIT(i);
			report_rows(run, BIT(i), NETDEV_REPORTED, "", detail);
		}
	}
}

/* --- which rows are due --- */

/* The damage to qmapd's rows that no other damage has caused. */
static unsigned int find_causes(const struct keep_run *run)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; run->rows[i].look; i++) {
		if (run->rows[i].owner != KEEP_QMAPD || !(run->state->wrong & BIT(i)))
			continue;
		wrong |= BIT(i);
		if (run->rows[i].covers)
			break;
	}
	return wrong;
}

static unsigned int at_least(unsigned int wait, int64_t left)
{
	return left > 0 && (!wait || left < wait) ? left : wait;
}

static unsigned int wait_patiently(const struct keep_run *run, unsigned int wrong)
{
	struct keep_state *s = run->state;
	unsigned int wait = 0;

	for (unsigned int i = 0; run->rows[i].look; i++) {
		struct keep_count *c = &s->count[i];
		unsigned int patience = run->rows[i].patience_ms;

		if (!(wrong & BIT(i)) || !patience)
			continue;
		if (!c->wrong_ms)
			c->wrong_ms = run->now;
		if (s->patience_ms)
			patience = s->patience_ms;
		wait = at_least(wait, patience - (run->now - c->wrong_ms));
	}
	return wait;
}

/* May row @i be fixed once more? Reports it when its budget is spent. */
static bool may_fix(const struct keep_run *run, unsigned int i, char detail[][KEEP_DETAIL])
{
	const struct keep_budget *b = &run->rows[i].budget;
	struct keep_count *c = &run->state->count[i];
	char more[128];

	if (run->state->spent & BIT(i))
		return false;
	if (!c->fixes || run->now - c->window_ms > b->window_ms) {
		c->window_ms = run->now;
		c->fixes = 0;
	}
	c->fixes++;
	if (!b->fixes || c->fixes <= b->fixes)
		return true;
	run->state->spent |= BIT(i);
	snprintf(more, sizeof(more), " again and again; it stays so until %s again", run->until);
	report_rows(run, BIT(i), NETDEV_FAILED, more, detail);
	return false;
}

static unsigned int find_due(const struct keep_run *run, unsigned int wrong, unsigned int *wait,
			     char detail[][KEEP_DETAIL])
{
	unsigned int due = 0;

	for (unsigned int i = 0; run->rows[i].look; i++) {
		struct keep_count *c = &run->state->count[i];
		int64_t rest = c->fixed_ms + run->rows[i].budget.rest_ms - run->now;

		if (!(wrong & BIT(i)))
			continue;
		if (c->fixed_ms && rest > 0) {
			*wait = at_least(*wait, rest);
		} else if (may_fix(run, i, detail)) {
			c->fixed_ms = run->now;
			due |= BIT(i);
		}
	}
	return due;
}

/* --- fixing --- */

/* Rows of @due that one call of the fix of row @i serves. */
static unsigned int served(const struct keep_row *rows, unsigned int due, unsigned int i)
{
	unsigned int same = 0;

	for (unsigned int j = i; rows[j].look && rows[j].fix == rows[i].fix; j++)
		same |= due & BIT(j);
	return same;
}

/* Returns the rows that are fixed. Reports failures, each once until it succeeds. */
static unsigned int fix_all(const struct keep_run *run, unsigned int due,
			    char detail[][KEEP_DETAIL])
{
	struct keep_state *s = run->state;
	unsigned int done = 0;

	for (unsigned int i = 0; run->rows[i].look; i++) {
		unsigned int same = due & BIT(i) ? served(run->rows, due, i) : 0;
		char more[sizeof(((struct error *)0)->text) + 2];
		struct error err = {0};

		if (!same)
			continue;
		due &= ~same;
		run->rows[i].fix(run->arg, &err);
		if (!err.err && run->rows[i].covers)
			keep_build(&run->rows[i + 1], run->arg, &err);
		if (!err.err) {
			done |= same;
			continue;
		}
		snprintf(more, sizeof(more), "; %s", err.text);
		report_rows(run, same & ~s->failed, NETDEV_FAILED, more, detail);
		s->failed |= same;
	}
	s->failed &= ~done;
	return done;
}

unsigned int keep_run(const struct keep_run *run)
{
	char detail[KEEP_ROWS][KEEP_DETAIL], again[KEEP_ROWS][KEEP_DETAIL];
	struct keep_state *s = run->state;
	unsigned int known = look_all(run->rows, s, run->arg, detail), wait, wrong, done;

	s->fixed = 0;
	report_users(run, known, detail);
	wrong = find_causes(run);
	wait = wait_patiently(run, wrong);
	if (wait)
		return wait;
	s->fixed = find_due(run, wrong, &wait, detail);
	if (!s->fixed)
		return wait;
	done = fix_all(run, s->fixed, detail);
	if (run->reread) {
		run->reread(run->arg);
		look_all(run->rows, s, run->arg, again);
	}
	report_rows(run, done, NETDEV_REPAIRED, "", detail);
	return wait;
}

void keep_forgive(struct keep_state *state)
{
	state->spent = 0;
	memset(state->count, 0, sizeof(state->count));
}

int keep_build(const struct keep_row *rows, void *arg, struct error *err)
{
	for (; rows->look; rows++) {
		char detail[KEEP_DETAIL] = "";
		struct error why = {0};
		int ret;

		if (rows->owner != KEEP_QMAPD || rows->look(arg, detail) != KEEP_WRONG)
			continue;
		ret = rows->fix(arg, &why);
		if (ret && !rows->may_fail)
			return error_pass(err, &why);
		if (ret)
			log_warning("%s", why.text);
	}
	return 0;
}

const char *keep_text(const struct keep_row *rows, const struct keep_state *state, unsigned int i)
{
	if (!(state->wrong & BIT(i)))
		return NULL;
	return rows[i].shown ? rows[i].shown : rows[i].what;
}
