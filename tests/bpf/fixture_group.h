/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests for the rows of the table of fixtures. */
#ifndef TESTS_FIXTURE_GROUP_H
#define TESTS_FIXTURE_GROUP_H

#include "tests/bpf/fixtures.h"
#include "tests/unit/test.h"

/* Registers @function once for each row, with the row's number as its initial state. */
#define TEST_ROWS(function)                                                                        \
	__attribute__((constructor)) static void add_rows(void)                                    \
	{                                                                                          \
		for (unsigned int i = 0; i < fixture_rows(); i++)                                  \
			test_add(&(struct CMUnitTest){.name = fixture_row_name(i),                 \
						      .test_func = function,                       \
						      .initial_state = (void *)(uintptr_t)i},      \
				 __LINE__);                                                        \
	}                                                                                          \
	_Static_assert(1, "")

#endif
