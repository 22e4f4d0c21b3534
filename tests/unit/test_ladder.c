// SPDX-License-Identifier: GPL-2.0-or-later
/* The ladder of measures: its order, times and budgets, without any modem. */

#include "test.h"

#include <json-c/json.h>
#include <string.h>

#include "recover/ladder.h"

#define HOUR 3600000

static struct ladder l;
static int64_t now;

static int begin(void **state)
{
	memset(&l, 0, sizeof(l));
	now = 1000000;
	return 0;
}

TEST_FIXTURE(begin, NULL);

/* The next measure at this moment, by name; "": none. */
static const char *climb(enum ladder_evidence e, unsigned int possible)
{
	enum ladder_rung r = ladder_climb(&l, e, possible, now);

	return r == LADDER_RUNGS ? "" : ladder_rung_name(r);
}

/* One after the other, each as soon as the last one's time is over, without spaces at the end. */
static void expect_climb(enum ladder_evidence e, unsigned int possible, const char *wanted)
{
	char got[256] = "";

	for (int i = 0; i < 10; i++) {
		const char *name = climb(e, possible);

		strcat(got, *name && *got ? " " : "");
		strcat(got, name);
		now += 300000;
	}
	assert_string_equal(got, wanted);
}

TEST(test_order)
{
	expect_climb(LADDER_SILENT, LADDER_ALL, "redial radio reset usb hook");
}

/* A modem that does not answer can be asked for nothing. */
TEST(test_evidence)
{
	expect_climb(LADDER_DEAD, LADDER_ALL, "usb hook");
	begin(state);
	expect_climb(LADDER_UNREGISTERED, LADDER_ALL, "radio reset usb hook");
	begin(state);
	expect_climb(LADDER_STALLED, LADDER_ALL, "radio reset usb hook");
}

TEST(test_switched_off)
{
	unsigned int rungs;

	assert_true(ladder_parse("redial,reset", &rungs));
	expect_climb(LADDER_SILENT, rungs, "redial reset");
	begin(state);
	assert_true(ladder_parse("off", &rungs));
	expect_climb(LADDER_SILENT, rungs, "");
}

TEST(test_time_for_each)
{
	static const struct {
		const char *rung;
		int64_t ms;
	} rows[] = {{"radio", 30000}, {"reset", 60000}, {"usb", 60000}, {"hook", 300000}};

	for (unsigned int i = 0; i < 4; i++) {
		assert_string_equal(climb(LADDER_UNREGISTERED, LADDER_ALL), rows[i].rung);
		now += rows[i].ms - 1;
		assert_string_equal(climb(LADDER_UNREGISTERED, LADDER_ALL), "");
		/* not even for another evidence */
		assert_string_equal(climb(LADDER_DEAD, LADDER_ALL), "");
		now++;
	}
}

TEST(test_works)
{
	assert_false(ladder_works(&l));
	climb(LADDER_SILENT, LADDER_ALL);
	now += 60000;
	climb(LADDER_SILENT, LADDER_ALL);
	assert_true(ladder_works(&l));
	assert_int_equal(l.at, LADDER_RADIO);
	assert_false(ladder_works(&l));
	assert_string_equal(climb(LADDER_SILENT, LADDER_ALL), "redial");
}

/* A measure that fails again and again is not tried for ever. */
TEST(test_budget)
{
	unsigned int n[LADDER_RUNGS] = {0};

	for (int64_t end = now + HOUR - 20000; now < end; now += 10000) {
		enum ladder_rung r = ladder_climb(&l, LADDER_UNREGISTERED, LADDER_ALL, now);

		if (r != LADDER_RUNGS)
			n[r]++;
		ladder_works(&l);
	}
	assert_int_equal(n[LADDER_RADIO], 3);
	assert_int_equal(n[LADDER_RESET], 2);
	assert_int_equal(n[LADDER_USB], 2);
	assert_int_equal(n[LADDER_HOOK], 2);
	assert_string_equal(climb(LADDER_UNREGISTERED, LADDER_ALL), "");
	now += HOUR;
	assert_string_equal(climb(LADDER_UNREGISTERED, LADDER_ALL), "radio");
}

TEST(test_spent)
{
	unsigned int usb = 1U << LADDER_USB;

	assert_false(ladder_is_spent(&l, LADDER_DEAD, usb, now));
	climb(LADDER_DEAD, usb);
	assert_false(ladder_is_spent(&l, LADDER_DEAD, usb, now));
	now += 60000;
	assert_true(ladder_is_spent(&l, LADDER_DEAD, usb, now));
	assert_false(ladder_is_spent(&l, LADDER_DEAD, usb, now)); /* reported once */
	ladder_works(&l);
	assert_string_equal(climb(LADDER_DEAD, usb), "usb");
}

/* A modem that stays dead is not given up: qmapd.conf(5) promises one climb an hour. */
TEST(test_next_hour)
{
	expect_climb(LADDER_UNREGISTERED, LADDER_ALL, "radio reset usb hook");
	assert_true(ladder_is_spent(&l, LADDER_UNREGISTERED, LADDER_ALL, now));
	now += HOUR - 10 * 300000 - 1;
	assert_string_equal(climb(LADDER_UNREGISTERED, LADDER_ALL), "");
	now++;
	expect_climb(LADDER_UNREGISTERED, LADDER_ALL, "radio reset usb hook");
	assert_true(ladder_is_spent(&l, LADDER_UNREGISTERED, LADDER_ALL, now));
	begin(state);
	expect_climb(LADDER_SILENT, LADDER_ALL, "redial radio reset usb hook");
	now += HOUR;
	expect_climb(LADDER_SILENT, LADDER_ALL, "radio reset usb hook");
}

TEST(test_survives_the_process)
{
	struct ladder before;
	struct json_object *o;

	climb(LADDER_SILENT, LADDER_ALL);
	now += 1000;
	climb(LADDER_SILENT, LADDER_ALL);
	o = ladder_save(&l);
	before = l;
	ladder_load(&l, o);
	json_object_put(o);
	assert_memory_equal(&l, &before, sizeof(l));
	ladder_load(&l, NULL);
	assert_string_equal(climb(LADDER_SILENT, LADDER_ALL), "redial");
}

TEST(test_parse)
{
	static const char *const wrong[] = {
		"",	   ",",		 "redial,", ",redial", "redial radio",
		"redials", "off,redial", "on",	    "RADIO"};
	unsigned int rungs;

	assert_true(ladder_parse("redial,radio,reset,usb,hook", &rungs));
	assert_int_equal(rungs, LADDER_ALL);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(ladder_parse(wrong[i], &rungs));
}
