// SPDX-License-Identifier: GPL-2.0-or-later
/* The ladder of measures: its order, times and budgets, without any modem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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

static void test_order(void **state)
{
	expect_climb(LADDER_SILENT, LADDER_ALL, "redial radio reset usb hook");
}

/* A modem that does not answer can be asked for nothing. */
static void test_evidence(void **state)
{
	expect_climb(LADDER_DEAD, LADDER_ALL, "usb hook");
	begin(state);
	expect_climb(LADDER_UNREGISTERED, LADDER_ALL, "radio reset usb hook");
}

static void test_switched_off(void **state)
{
	unsigned int rungs;

	assert_true(ladder_parse("redial,reset", &rungs));
	expect_climb(LADDER_SILENT, rungs, "redial reset");
	begin(state);
	assert_true(ladder_parse("off", &rungs));
	expect_climb(LADDER_SILENT, rungs, "");
}

static void test_time_for_each(void **state)
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

static void test_works(void **state)
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

/* What fails again and again is not tried for ever. */
static void test_budget(void **state)
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

static void test_spent(void **state)
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

static void test_survives_the_process(void **state)
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

static void test_parse(void **state)
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, begin),
		cmocka_unit_test_setup(test_evidence, begin),
		cmocka_unit_test_setup(test_switched_off, begin),
		cmocka_unit_test_setup(test_time_for_each, begin),
		cmocka_unit_test_setup(test_works, begin),
		cmocka_unit_test_setup(test_budget, begin),
		cmocka_unit_test_setup(test_spent, begin),
		cmocka_unit_test_setup(test_survives_the_process, begin),
		cmocka_unit_test_setup(test_parse, begin),
	};

	return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
