/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that each PDN has carried, by month, in a file that outlives the process, the attach and the
 * machine's run. The month is that of the local time; one before 2020 is that of a clock that has not been
 * set, and its bytes are moved to the first month with a set clock. A clock that jumps to another month and
 * back loses nothing: each month has a sum of its own.
 */
#ifndef QMAP_TOTALS_H
#define QMAP_TOTALS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "util/error.h"

/* Months kept of each PDN: the present one and a year. */
#define TOTALS_MONTHS 13

struct json_object;
struct totals;

struct totals_bytes {
	uint64_t rx, tx;
};

/*
 * Reads @path (NULL: the sums last as long as the process). A missing file is an empty one; one that
 * cannot be understood is kept as "@path.bad", with a warning, and "@path.old" is read, the file of the
 * write before. -ENOMEM.
 */
int totals_open(struct totals **out, const char *path, struct error *err);
/* Writes the file, too. */
void totals_free(struct totals **t);

/*
 * @now: counters of PDN @pdn ("wwan0 1") since @epoch began, a number that another set of counters does
 * not have. Adds the difference to those of the last call to the month of @when; counters that are lower
 * than then have begun again at 0.
 */
void totals_count(struct totals *t, const char *pdn, int64_t epoch, const struct totals_bytes *now,
		  time_t when);
/* As totals_count(), but the bytes until now are another's: nothing is added. */
void totals_begin(struct totals *t, const char *pdn, int64_t epoch, const struct totals_bytes *now);

struct totals_bytes totals_month(const struct totals *t, const char *pdn, time_t when);
/* [{"month": "2026-03", "rx_bytes", "tx_bytes"}], the latest first. New reference. */
struct json_object *totals_show(const struct totals *t, const char *pdn);

/* Has the month of @when reached @quota bytes for the first time? */
bool totals_reaches(struct totals *t, const char *pdn, time_t when, uint64_t quota);

/* Writes the file if there is news. A failure is logged. Does not wait for the disk. */
void totals_write(struct totals *t);

#endif
