/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test of the kernel shim: TEST(name) { ... } defines and registers a function that returns 0, or
 * reports a fault by FAIL().
 */
#ifndef VM_SHIM_TEST_H
#define VM_SHIM_TEST_H

#include <stdbool.h>
#include <stdio.h>

#define FAIL(...)                                                                                  \
	({                                                                                         \
		printf("  %s:%d: ", __func__, __LINE__);                                           \
		printf(__VA_ARGS__);                                                               \
		putchar('\n');                                                                     \
		-1;                                                                                \
	})

/* Reason why the current test cannot run here; it then returns 0. */
extern const char *skipped;
/* False where the kernel lacks USB or our driver for it; `skipped` says so then. */
bool test_has_usb(void);

void test_add(const char *name, int (*run)(void), const char *file, unsigned int order,
	      bool on_demand);

#define TEST_WHEN(name, on_demand)                                                                 \
	static int test_##name(void);                                                              \
	__attribute__((constructor)) static void add_##name(void)                                  \
	{                                                                                          \
		test_add(#name, test_##name, __FILE__, __COUNTER__, on_demand);                    \
	}                                                                                          \
	static int test_##name(void)

#define TEST(name) TEST_WHEN(name, false)
/* Runs only if it is named: it takes long and needs the debug kernel. */
#define TEST_ON_DEMAND(name) TEST_WHEN(name, true)

#define TEST_VERSION(name, version, run)                                                           \
	TEST(name##_v##version)                                                                    \
	{                                                                                          \
		return run(version);                                                               \
	}
/* @name_v1, @name_v4 and @name_v5: run() with each version of QMAP. */
#define TEST_VERSIONS(name, run)                                                                   \
	TEST_VERSION(name, 1, run)                                                                 \
	TEST_VERSION(name, 4, run)                                                                 \
	TEST_VERSION(name, 5, run)                                                                 \
	_Static_assert(1, "")

#endif
