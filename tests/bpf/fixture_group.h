/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group of cmocka tests: one for each row of the table of fixtures, and others behind them. */
#ifndef TESTS_FIXTURE_GROUP_H
#define TESTS_FIXTURE_GROUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/bpf/fixtures.h"

/*
 * Runs @row with the number of each row as its initial state, then the @n tests in @others. Returns
 * the number of failed tests, for main().
 */
static inline int fixture_group_run(const char *name, CMUnitTestFunction row,
				    const struct CMUnitTest *others, size_t n,
				    CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	unsigned int rows = fixture_rows();
	struct CMUnitTest *tests = calloc(rows + n, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (unsigned int i = 0; i < rows; i++)
		tests[i] = (struct CMUnitTest){
			.name = fixture_row_name(i),
			.test_func = row,
			.initial_state = (void *)(uintptr_t)i,
		};
	memcpy(tests + rows, others, n * sizeof(*others));
	failed = _cmocka_run_group_tests(name, tests, rows + n, set_up, tear_down);
	free(tests);
	return failed;
}

#endif
