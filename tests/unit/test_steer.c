// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of CPUs. */

#include "test.h"

#include "netdev/steer.h"
#include "util/cpus.h"

TEST(lists)
{
	static const struct {
		const char *list, *again; /* NULL: refused */
	} rows[] = {
		{"0", "0"},
		{"3", "3"},
		{"0-3", "0-3"},
		{"1,0", "0-1"},
		{"7,2-3", "2-3,7"},
		{"5,5", "5"},
		{"0-1023", "0-1023"},
		{"31,32,64", "31-32,64"},
		{"", NULL},
		{"a", NULL},
		{"1-", NULL},
		{"3-1", NULL},
		{"1,", NULL},
		{",1", NULL},
		{"1,,2", NULL},
		{"-1", NULL},
		{"1024", NULL},
		{"0-1024", NULL},
		{"1 2", NULL},
		{"0x1", NULL},
		{"18446744073709551617", NULL},
	};
	char text[CPUS_LIST];
	cpu_set_t cpus;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].list);
		assert_int_equal(cpus_parse(rows[i].list, &cpus), rows[i].again != NULL);
		if (!rows[i].again)
			continue;
		cpus_format(&cpus, text);
		assert_string_equal(text, rows[i].again);
	}
}

/* A list that is too long ends before a number, not in it. */
TEST(long_list)
{
	char text[CPUS_LIST];
	cpu_set_t cpus, again;

	CPU_ZERO(&cpus);
	for (int i = 0; i < CPUS_MAX; i += 2)
		CPU_SET(i, &cpus);
	cpus_format(&cpus, text);
	assert_true(cpus_parse(text, &again));
	CPU_OR(&again, &again, &cpus);
	assert_true(CPU_EQUAL(&again, &cpus));
}

TEST(no_netdev)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	assert_false(steer_read("no-such-dev", &cpus));
	assert_true(steer_write("no-such-dev", &cpus) < 0);
}
