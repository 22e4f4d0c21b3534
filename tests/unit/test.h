/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of cmocka tests: TEST(name) { ... } defines and registers one. They run in the order of
 * the file; main() in test.c runs all, or those named on the command line.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TEST(function)                                                                             \
	static void function(void **state);                                                        \
	__attribute__((constructor)) static void add_##function(void)                              \
	{                                                                                          \
		test_add(&(struct CMUnitTest){.name = #function, .test_func = function},           \
			 __LINE__);                                                                \
	}                                                                                          \
	static void function(void **state)

/* Run before and after each test of the program; NULL: nothing to do. */
#define TEST_FIXTURE(set_up, tear_down)                                                            \
	__attribute__((constructor)) static void add_fixture(void)                                 \
	{                                                                                          \
		test_fixture(set_up, tear_down);                                                   \
	}                                                                                          \
	_Static_assert(1, "")

/* Run once, before and after all tests. */
#define TEST_GROUP(set_up, tear_down)                                                              \
	__attribute__((constructor)) static void add_group(void)                                   \
	{                                                                                          \
		test_group(set_up, tear_down);                                                     \
	}                                                                                          \
	_Static_assert(1, "")

void test_add(const struct CMUnitTest *test, unsigned int line);
void test_fixture(CMFixtureFunction set_up, CMFixtureFunction tear_down);
void test_group(CMFixtureFunction set_up, CMFixtureFunction tear_down);

#endif
