// SPDX-License-Identifier: GPL-2.0-or-later
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TESTS 512

static struct CMUnitTest tests[TESTS];
static unsigned int lines[TESTS]; /* where each is defined */
static size_t count;
static CMFixtureFunction before_each, after_each, before_all, after_all;

/* Constructors run in any order. */
void test_add(const struct CMUnitTest *test, unsigned int line)
{
	size_t at = count++;

	if (at == TESTS)
		abort();
	for (; at && lines[at - 1] > line; at--) {
		tests[at] = tests[at - 1];
		lines[at] = lines[at - 1];
	}
	tests[at] = *test;
	lines[at] = line;
}

void test_fixture(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	before_each = set_up;
	after_each = tear_down;
}

void test_group(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	before_all = set_up;
	after_all = tear_down;
}

/* Moves the test to the beginning, behind the @chosen ones. */
static size_t choose(const char *name, size_t chosen)
{
	for (size_t i = chosen; i < count; i++)
		if (!strcmp(tests[i].name, name)) {
			struct CMUnitTest test = tests[i];

			tests[i] = tests[chosen];
			tests[chosen] = test;
			return chosen + 1;
		}
	fprintf(stderr, "%s: no test %s\n", program_invocation_short_name, name);
	exit(2);
}

int main(int argc, char **argv)
{
	size_t chosen = 0;

	for (int i = 1; i < argc; i++)
		chosen = choose(argv[i], chosen);
	if (chosen)
		count = chosen;
	for (size_t i = 0; i < count; i++) {
		tests[i].setup_func = before_each;
		tests[i].teardown_func = after_each;
	}
	return _cmocka_run_group_tests(program_invocation_short_name, tests, count, before_all,
				       after_all);
}
