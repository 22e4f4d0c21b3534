// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums by month, through restarts, counters that begin again, and clocks that jump. */
#include "test.h"
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/totals/totals.h"
#include "daemon/util/json_get.h"

#define MARCH 1772366400 /* 2026-03-01T12:00:00Z */
#define MAY   1777636800 /* 2026-05-01T12:00:00Z */

static struct totals *t;
static char path[] = "/tmp/test_totals.XXXXXX";

static int set_up(void **state)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	unlink(path);
	return totals_open(&t, path, NULL);
}

static int tear_down(void **state)
{
	char old[sizeof(path) + 8];

	totals_free(&t);
	unlink(path);
	snprintf(old, sizeof(old), "%s.old", path);
	unlink(old);
	return 0;
}

TEST_FIXTURE(set_up, tear_down);

static void count(int64_t epoch, uint64_t rx, uint64_t tx, time_t when)
{
	totals_count(t, "wwan0 1", epoch, &(struct totals_bytes){rx, tx}, when);
}

static void is(time_t when, uint64_t rx, uint64_t tx)
{
	struct totals_bytes b = totals_month(t, "wwan0 1", when);

	assert_int_equal(b.rx, rx);
	assert_int_equal(b.tx, tx);
}

static void restart(void)
{
	totals_free(&t);
	assert_int_equal(totals_open(&t, path, NULL), 0);
}

TEST(counters_grow)
{
	is(MARCH, 0, 0);
	count(1, 100, 10, MARCH);
	count(1, 100, 10, MARCH);
	count(1, 150, 15, MARCH + 60);
	is(MARCH, 150, 15);
	is(MAY, 0, 0);
}

/* The same counters go on in another process. */
TEST(restart_of_the_daemon)
{
	count(1, 100, 10, MARCH);
	restart();
	is(MARCH, 100, 10);
	count(1, 250, 25, MARCH);
	is(MARCH, 250, 25);
}

/* Another attach, or a reboot: new counters, even if they are larger than the old ones. */
TEST(other_counters)
{
	count(1, 100, 10, MARCH);
	restart();
	count(2, 170, 17, MARCH);
	is(MARCH, 270, 27);
	/* a port that was made again in the same attach */
	count(2, 30, 3, MARCH);
	is(MARCH, 300, 30);
	/* a netdev whose earlier bytes are not ours */
	totals_begin(t, "wwan0 1", 3, &(struct totals_bytes){5000, 500});
	count(3, 5001, 501, MARCH);
	is(MARCH, 301, 31);
}

TEST(months)
{
	count(1, 100, 10, MARCH);
	count(1, 300, 30, MAY);
	is(MARCH, 100, 10);
	is(MAY, 200, 20);
}

/* Forward to 2038 and back; and a machine without a clock, which begins in 1970. */
TEST(clock_jumps)
{
	count(1, 100, 10, MAY);
	count(1, 110, 11, 2145916800);
	count(1, 210, 21, MAY);
	is(MAY, 200, 20);
	restart();
	count(2, 7, 1, 86400 * 3);
	count(2, 9, 2, 86400 * 40);
	is(MAY, 200, 20);
	count(2, 10, 2, MAY);
	is(MAY, 210, 22);
	is(86400 * 3, 0, 0);
}

TEST(bounded)
{
	struct json_object *a;

	for (int i = 0; i < 100; i++)
		count(1, 100 * i + 100, 0, MARCH + i * 31 * 86400L);
	a = totals_show(t, "wwan0 1");
	assert_int_equal(json_object_array_length(a), TOTALS_MONTHS);
	assert_true(strcmp(json_get_string(json_object_array_get_idx(a, 0), "month"),
			   json_get_string(json_object_array_get_idx(a, 1), "month")) > 0);
	json_object_put(a);
}

/* A year is kept, and the machine starts with another time than the present one. */
TEST(clock_of_the_past)
{
	const time_t last = MARCH + 12 * 31 * 86400L;

	for (int i = 0; i <= 12; i++)
		count(1, 100 * i + 100, 0, MARCH + i * 31 * 86400L);
	restart();
	count(2, 70, 7, 86400 * 3);
	count(2, 90, 9, 86400 * 3);
	is(86400 * 3, 90, 9);
	count(2, 95, 9, last);
	is(last, 195, 9);
	count(2, 99, 9, MARCH - 400 * 86400L);
	is(MARCH - 400 * 86400L, 4, 0);
}

/* Once a month and quota, also after a restart. */
TEST(quota)
{
	count(1, 600, 399, MARCH);
	assert_false(totals_reaches(t, "wwan0 1", MARCH, 1000));
	count(1, 601, 399, MARCH);
	assert_true(totals_reaches(t, "wwan0 1", MARCH, 1000));
	restart();
	assert_false(totals_reaches(t, "wwan0 1", MARCH, 1000));
	assert_false(totals_reaches(t, "wwan0 1", MARCH, 2000));
	count(1, 2000, 399, MARCH);
	assert_true(totals_reaches(t, "wwan0 1", MARCH, 2000));
	assert_false(totals_reaches(t, "wwan0 1", MAY, 1000));
	count(1, 4000, 399, MAY);
	assert_true(totals_reaches(t, "wwan0 1", MAY, 1000));
}

/* After a power cut the file is empty on some file systems: the sums are those of the write before. */
TEST(file_lost_in_a_power_cut)
{
	char name[sizeof(path) + 8];

	count(1, 100, 10, MARCH);
	totals_write(t);
	count(1, 150, 15, MARCH);
	restart();
	is(MARCH, 150, 15);
	totals_free(&t);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(totals_open(&t, path, NULL), 0);
	is(MARCH, 100, 10);
	/* the counters have gone on, or begun again */
	count(2, 7, 7, MARCH);
	restart();
	is(MARCH, 107, 17);
	/* an administrator who removes the file wants no older one */
	totals_free(&t);
	unlink(path);
	assert_int_equal(totals_open(&t, path, NULL), 0);
	is(MARCH, 0, 0);
	snprintf(name, sizeof(name), "%s.bad", path);
	unlink(name);
	snprintf(name, sizeof(name), "%s.old", path);
	unlink(name);
}

TEST(nothing_new_is_not_written)
{
	struct stat before, after;

	count(1, 100, 10, MARCH);
	totals_write(t);
	assert_int_equal(stat(path, &before), 0);
	count(1, 100, 10, MARCH);
	totals_write(t);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	count(1, 101, 10, MARCH);
	totals_write(t);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
}

TEST(bad_file)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{",
		"nonsense",
		"{\"wwan0 1\": 7}",
		"{\"wwan0 1\": {\"months\": {\"x\": [], \"2026-03\": 3}}}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char bad[sizeof(path) + 8];
		FILE *f;

		totals_free(&t);
		f = fopen(path, "w");
		fputs(texts[i], f);
		fclose(f);
		assert_int_equal(totals_open(&t, path, NULL), 0);
		count(1, 5, 6, MARCH);
		is(MARCH, 5, 6);
		snprintf(bad, sizeof(bad), "%s.bad", path);
		unlink(bad);
	}
}
