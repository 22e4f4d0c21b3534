// SPDX-License-Identifier: GPL-2.0-or-later
/* The reconciler: which rows of a table are fixed and reported, when, how often, in which order. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/keep/keep.h"

/* An object whose rows are wrong as the test says; it notes all calls in @log. */
enum {
	COVER,
	FIRST,
	SECOND,
	SHY,
	USER,
	NAMED,
	SILENT
};
struct object {
	enum keep_look look[8];
	int refuse; /* errno of all fixes */
	char log[512];
};

static void note(struct object *o, const char *what)
{
	size_t len = strlen(o->log);

	snprintf(o->log + len, sizeof(o->log) - len, "%s%s", len ? " " : "", what);
}

#define LOOK(row, letter)                                                                          \
	static enum keep_look look_##row(void *arg, char *detail)                                  \
	{                                                                                          \
		struct object *o = arg;                                                            \
                                                                                                   \
		note(o, letter);                                                                   \
		if (row == FIRST || row == SECOND)                                                 \
			snprintf(detail, KEEP_DETAIL, "%s", #row);                                 \
		return o->look[row];                                                               \
	}

LOOK(COVER, "c")
LOOK(FIRST, "1")
LOOK(SECOND, "2")
LOOK(SHY, "y")
LOOK(USER, "u")
LOOK(NAMED, "n")
LOOK(SILENT, "s")

static int fix(struct object *o, const char *what, int row, struct error *err)
{
	note(o, what);
	if (o->refuse)
		return error_set(err, -o->refuse, "refused");
	o->look[row] = KEEP_FINE;
	return 0;
}

static int fix_cover(void *arg, struct error *err)
{
	return fix(arg, "C!", COVER, err);
}

static int fix_both(void *arg, struct error *err)
{
	return fix(arg, "12!", FIRST, err) ?: fix(arg, "", SECOND, err);
}

static int fix_shy(void *arg, struct error *err)
{
	return fix(arg, "Y!", SHY, err);
}

static int take_name(void *arg, struct error *err)
{
	return fix(arg, "N!", NAMED, err);
}

static int fix_silent(void *arg, struct error *err)
{
	return fix(arg, "S!", SILENT, err);
}

static const struct keep_row rows[] = {
	[COVER] = {.what = "cover",
		   .covers = true,
		   .budget = KEEP_THRICE,
		   .look = look_COVER,
		   .fix = fix_cover},
	[FIRST] = {.what = "lost %s",
		   .budget = {.rest_ms = 1000},
		   .look = look_FIRST,
		   .fix = fix_both},
	[SECOND] = {.what = "lost %s",
		    .budget = {.rest_ms = 1000},
		    .look = look_SECOND,
		    .fix = fix_both},
	[SHY] = {.what = "shy",
		 .patience_ms = 300,
		 .may_fail = true,
		 .look = look_SHY,
		 .fix = fix_shy},
	[USER] = {.what = "down", .over = "up", .owner = KEEP_USER, .look = look_USER},
	[NAMED] = {.owner = KEEP_USER, .look = look_NAMED, .fix = take_name},
	[SILENT] = {.look = look_SILENT, .fix = fix_silent},
	{0},
};

static void on_report(void *owner, enum netdev_outcome outcome, const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "(%s: %s)", netdev_outcome_name(outcome), text);
	note(owner, line);
}

static void on_reread(void *arg)
{
	note(arg, "again");
}

/* Runs at @now and compares the calls. Returns keep_run()'s. */
static unsigned int expect(struct object *o, struct keep_state *s, int64_t now, const char *calls)
{
	struct keep_run run = {.rows = rows,
			       .state = s,
			       .arg = o,
			       .until = "it is called",
			       .reread = on_reread,
			       .report = on_report,
			       .owner = o,
			       .now = now};
	unsigned int wait;

	o->log[0] = 0;
	wait = keep_run(&run);
	assert_string_equal(o->log, calls);
	return wait;
}

#define LOOKS "c 1 2 y u n s"

TEST(looks_once_at_each)
{
	struct object o = {0};
	struct keep_state s = {0};

	assert_int_equal(expect(&o, &s, 1000, LOOKS), 0);
	assert_int_equal(s.wrong | s.fixed | s.spent, 0);
}

TEST(fixes_and_looks_again)
{
	struct object o = {.look = {[SILENT] = KEEP_WRONG}};
	struct keep_state s = {0};

	assert_int_equal(expect(&o, &s, 1000, LOOKS " S! again " LOOKS), 0);
	assert_int_equal(s.fixed, 1 << SILENT);
	assert_int_equal(s.wrong, 0);
}

/* Rows with one fix and one sentence: one call, one report. */
TEST(one_fix_for_both)
{
	struct object o = {.look = {[FIRST] = KEEP_WRONG, [SECOND] = KEEP_WRONG}};
	struct keep_state s = {0};

	expect(&o, &s, 1000, LOOKS " 12!  again " LOOKS " (repaired: lost FIRST, SECOND)");
}

TEST(rests_between_fixes)
{
	struct object o = {.look = {[FIRST] = KEEP_WRONG}};
	struct keep_state s = {0};

	expect(&o, &s, 1000, LOOKS " 12!  again " LOOKS " (repaired: lost FIRST)");
	o.look[FIRST] = KEEP_WRONG;
	assert_int_equal(expect(&o, &s, 1400, LOOKS), 600);
	expect(&o, &s, 2000, LOOKS " 12!  again " LOOKS " (repaired: lost FIRST)");
}

/* The rows below a covering one follow from it: they are not reported, but fixed with it. */
TEST(covers_the_rows_below)
{
	struct object o = {.look = {[COVER] = KEEP_WRONG, [SHY] = KEEP_WRONG}};
	struct keep_state s = {0};

	expect(&o, &s, 1000, LOOKS " C! 1 2 y Y! s again " LOOKS " (repaired: cover)");
}

TEST(gives_up)
{
	struct object o = {0};
	struct keep_state s = {0};

	for (int i = 0; i < 3; i++) {
		o.look[COVER] = KEEP_WRONG;
		expect(&o, &s, 50000 + i, LOOKS " C! 1 2 y s again " LOOKS " (repaired: cover)");
	}
	o.look[COVER] = KEEP_WRONG;
	expect(&o, &s, 50003,
	       LOOKS " (failed: cover again and again; it stays so until it is called again)");
	assert_int_equal(s.spent & s.wrong, 1 << COVER);
	expect(&o, &s, 500000, LOOKS);
	keep_forgive(&s);
	expect(&o, &s, 500001, LOOKS " C! 1 2 y s again " LOOKS " (repaired: cover)");
}

TEST(now_and_then)
{
	struct object o = {0};
	struct keep_state s = {0};

	for (int i = 1; i <= 100; i++) {
		o.look[COVER] = KEEP_WRONG;
		expect(&o, &s, i * 4000, LOOKS " C! 1 2 y s again " LOOKS " (repaired: cover)");
	}
}

/* Damage that may end by itself delays all fixes. */
TEST(is_patient)
{
	struct object o = {.look = {[SHY] = KEEP_WRONG, [SILENT] = KEEP_WRONG}};
	struct keep_state s = {0};

	assert_int_equal(expect(&o, &s, 1000, LOOKS), 300);
	assert_int_equal(expect(&o, &s, 1200, LOOKS), 100);
	expect(&o, &s, 1300, LOOKS " Y! S! again " LOOKS " (repaired: shy)");
	o.look[SHY] = KEEP_WRONG; /* anew */
	assert_int_equal(expect(&o, &s, 1400, LOOKS), 300);
	o.look[SHY] = KEEP_FINE;
	assert_int_equal(expect(&o, &s, 1500, LOOKS), 0);
	o.look[SHY] = KEEP_WRONG;
	s.patience_ms = 2000;
	assert_int_equal(expect(&o, &s, 1600, LOOKS), 2000);
}

TEST(reports_failure_once)
{
	struct object o = {.look = {[FIRST] = KEEP_WRONG}, .refuse = 1};
	struct keep_state s = {0};

	expect(&o, &s, 1000, LOOKS " 12! (failed: lost FIRST; refused) again " LOOKS);
	expect(&o, &s, 2000, LOOKS " 12! again " LOOKS);
	o.refuse = 0;
	expect(&o, &s, 3000, LOOKS " 12!  again " LOOKS " (repaired: lost FIRST)");
	o.look[FIRST] = KEEP_WRONG;
	o.refuse = 1;
	expect(&o, &s, 4000, LOOKS " 12! (failed: lost FIRST; refused) again " LOOKS);
}

/* A change that is the user's stays and is reported when it changes, not at each look. */
TEST(leaves_it_to_the_user)
{
	struct object o = {.look = {[USER] = KEEP_WRONG}};
	struct keep_state s = {0};

	expect(&o, &s, 1000, LOOKS " (reported: down)");
	expect(&o, &s, 2000, LOOKS);
	o.look[USER] = KEEP_UNKNOWN;
	expect(&o, &s, 3000, LOOKS);
	o.look[USER] = KEEP_FINE;
	expect(&o, &s, 4000, LOOKS " (reported: up)");
	expect(&o, &s, 5000, LOOKS);
	for (int i = 0; i < 2; i++) {
		o.look[NAMED] = KEEP_WRONG;
		expect(&o, &s, 6000, LOOKS " N!");
		assert_int_equal(s.wrong, 0);
	}
}

TEST(only_looks)
{
	struct object o = {
		.look = {[FIRST] = KEEP_WRONG, [USER] = KEEP_WRONG, [SILENT] = KEEP_WRONG}};
	struct keep_state s = {0};

	keep_look(rows, &s, &o);
	assert_string_equal(o.log, LOOKS);
	assert_int_equal(s.wrong, 1 << FIRST | 1 << USER | 1 << SILENT);
	assert_string_equal(keep_text(rows, &s, USER), "down");
	assert_null(keep_text(rows, &s, SILENT));
	assert_null(keep_text(rows, &s, SECOND));
	expect(&o, &s, 1000,
	       LOOKS " (reported: down) 12!  S! again " LOOKS " (repaired: lost FIRST)");
}

/* Each row is looked at right before its fix, as it depends on the rows above. */
TEST(builds_row_by_row)
{
	struct object o = {.look = {[COVER] = KEEP_WRONG, [SHY] = KEEP_WRONG, [USER] = KEEP_WRONG}};
	struct error err = {0};

	assert_int_equal(keep_build(rows, &o, &err), 0);
	assert_string_equal(o.log, "c C! 1 2 y Y! s");
	o = (struct object){.look = {[SHY] = KEEP_WRONG, [SILENT] = KEEP_WRONG}, .refuse = 5};
	assert_int_equal(keep_build(rows, &o, &err), -5);
	assert_string_equal(o.log, "c 1 2 y Y! s S!");
}
