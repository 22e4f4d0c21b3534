/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes of arrays, and the completeness of tables indexed by an enum. */
#ifndef QMAP_ARRAY_H
#define QMAP_ARRAY_H

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Fails to compile unless @table, declared as `table[] = {[VALUE] = ...}`, ends with the last value
 * of its enum, which has @n values. tests/lint-tables.sh requires it for each such table.
 */
#define TABLE_COMPLETE(table, n)                                                                   \
	_Static_assert(ARRAY_SIZE(table) == (n), #table " lacks the last value of its enum")

#endif
