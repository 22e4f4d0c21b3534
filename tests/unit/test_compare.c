// SPDX-License-Identifier: GPL-2.0-or-later
/* `qmap-bench compare` on synthetic results: separates regressions from noise. */

#include "test.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/compare.h"
#include "bench/stats.h"

static const struct compare_options usual = {.sigma = 3, .percent = 5};

/* Path of a file with this text; two files are kept. */
static const char *file_with(int which, const char *text)
{
	static char paths[2][32];
	FILE *f;
	int fd;

	strcpy(paths[which], "/tmp/test_compare.XXXXXX");
	fd = mkstemp(paths[which]);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return paths[which];
}

static int try_compare(struct comparison *c, const char *before, const char *after,
		       const struct compare_options *o)
{
	const char *a = file_with(0, before), *b = file_with(1, after);
	int ret = compare_files(c, a, b, o);

	unlink(a);
	unlink(b);
	return ret;
}

static struct comparison compare(const char *before, const char *after)
{
	struct comparison c;

	assert_int_equal(try_compare(&c, before, after, &usual), 0);
	return c;
}

/* Compares one result with another. */
static enum compare_verdict verdict(const char *before, const char *after)
{
	struct comparison c = compare(before, after);
	enum compare_verdict v = c.rows[0].verdict;

	assert_int_equal(c.n, 1);
	assert_int_equal(c.regressions, v == COMPARE_WORSE || v == COMPARE_LOSS);
	compare_free(&c);
	return v;
}

/* A result named "a" in ns/packet. */
static const char *ns(double value, double spread)
{
	static char text[4][128];
	static unsigned int next;
	char *t = text[next++ % 4];

	snprintf(t, sizeof(text[0]),
		 "{\"name\": \"a\", \"unit\": \"ns/packet\", \"value\": %g, \"spread\": %g}\n",
		 value, spread);
	return t;
}

TEST(test_stats)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, outlier[] = {10, 11, 9, 10, 1000},
	       one[] = {7};
	struct stats s;

	assert_true(stats_median(odd, 3) == 2);
	assert_true(stats_median(even, 4) == 2.5);
	s = stats_of(outlier, 5);
	assert_true(s.median == 10 && s.mad == 1 && s.min == 9 && s.max == 1000);
	s = stats_of(one, 1);
	assert_true(s.median == 7 && s.mad == 0);
}

/* 4 % of noise both ways, no shift: none of many runs may be reported. */
TEST(test_noise)
{
	unsigned int seed = 1, wrong = 0;

	for (int i = 0; i < 200; i++) {
		double a = 1000 + (rand_r(&seed) % 81 - 40), b = 1000 + (rand_r(&seed) % 81 - 40);

		wrong += verdict(ns(a, 20), ns(b, 20)) != COMPARE_SAME;
	}
	assert_int_equal(wrong, 0);
}

TEST(test_shift)
{
	assert_int_equal(verdict(ns(1000, 5), ns(1100, 5)), COMPARE_WORSE);
	assert_int_equal(verdict(ns(1100, 5), ns(1000, 5)), COMPARE_BETTER);
}

/* A change must exceed both thresholds. */
TEST(test_both_thresholds)
{
	/* 4 % of a value without noise */
	assert_int_equal(verdict(ns(1000, 0.1), ns(1040, 0.1)), COMPARE_SAME);
	/* 10 %, but in the noise: sigma of the difference is 1.4826 * sqrt(2) * 50 */
	assert_int_equal(verdict(ns(1000, 50), ns(1100, 50)), COMPARE_SAME);
	assert_int_equal(verdict(ns(1000, 50), ns(1320, 50)), COMPARE_WORSE);
}

TEST(test_options)
{
	const struct compare_options strict = {.sigma = 1, .percent = 1};
	struct comparison c;

	assert_int_equal(try_compare(&c, ns(1000, 5), ns(1020, 5), &strict), 0);
	assert_int_equal(c.rows[0].verdict, COMPARE_WORSE);
	compare_free(&c);
}

TEST(test_zero_mad)
{
	struct comparison c;

	assert_int_equal(verdict(ns(1000, 0), ns(1000, 0)), COMPARE_SAME);
	assert_int_equal(verdict(ns(1000, 0), ns(1049, 0)), COMPARE_SAME);
	assert_int_equal(verdict(ns(1000, 0), ns(1051, 0)), COMPARE_WORSE);
	c = compare(ns(1000, 0), ns(1051, 0));
	assert_true(isinf(c.rows[0].sigmas));
	compare_free(&c);
	/* 0 lost before, some now: no percentage, but a change */
	assert_int_equal(verdict(ns(0, 0), ns(3, 0)), COMPARE_WORSE);
	assert_int_equal(verdict(ns(0, 0), ns(0, 0)), COMPARE_SAME);
}

/* A file with several runs: an outlier does not shift the median. */
TEST(test_outliers)
{
	char before[1024] = "", after[1024] = "";
	const double runs[] = {1000, 1005, 995, 1002, 9000};

	for (unsigned int i = 0; i < 5; i++) {
		strcat(before, ns(runs[i], 3));
		strcat(after, ns(runs[4 - i], 3));
	}
	assert_int_equal(verdict(before, after), COMPARE_SAME);
	strcat(after, ns(9100, 3));
	assert_int_equal(verdict(before, after), COMPARE_SAME);
	assert_int_equal(verdict(before, ns(1100, 3)), COMPARE_WORSE);
}

/* If runs differ more than the rounds of one run do, that is the noise to use. */
TEST(test_noise_between_runs)
{
	char before[512] = "";
	const double runs[] = {900, 1000, 1100};

	for (unsigned int i = 0; i < 3; i++)
		strcat(before, ns(runs[i], 1));
	assert_int_equal(verdict(before, ns(1200, 1)), COMPARE_SAME);
	assert_int_equal(verdict(ns(1000, 1), ns(1200, 1)), COMPARE_WORSE);
}

TEST(test_direction)
{
	static const char *const lines[] = {
		"{\"name\": \"a\", \"unit\": \"Mbit/s\", \"value\": 1000}\n",
		"{\"name\": \"a\", \"unit\": \"Mbit/s\", \"value\": 800}\n",
		"{\"name\": \"b\", \"unit\": \"frames\", \"value\": 20, \"better\": \"higher\"}\n",
		"{\"name\": \"b\", \"unit\": \"frames\", \"value\": 10, \"better\": \"higher\"}\n",
	};

	assert_int_equal(verdict(lines[0], lines[1]), COMPARE_WORSE);
	assert_int_equal(verdict(lines[1], lines[0]), COMPARE_BETTER);
	assert_int_equal(verdict(lines[2], lines[3]), COMPARE_WORSE);
}

TEST(test_loss)
{
	static const char whole[] =
		"{\"name\": \"a\", \"unit\": \"ns\", \"value\": 9, \"lost\": 0}\n";
	static const char lossy[] =
		"{\"name\": \"a\", \"unit\": \"ns\", \"value\": 5, \"lost\": 7}\n";

	assert_int_equal(verdict(whole, lossy), COMPARE_LOSS);
	assert_int_equal(verdict(lossy, whole), COMPARE_WORSE);
	assert_int_equal(verdict(lossy, lossy), COMPARE_SAME);
}

TEST(test_missing)
{
	const struct compare_options complete = {.sigma = 3, .percent = 5, .complete = true};
	static const char b[] = "{\"name\": \"b\", \"unit\": \"ns\", \"value\": 1}\n",
			  d[] = "{\"name\": \"d\", \"unit\": \"ns\", \"value\": 1}\n";
	char before[512], after[512];
	struct comparison c;

	snprintf(before, sizeof(before), "%s%s", ns(1000, 1), b);
	snprintf(after, sizeof(after), "%s\n%s", d, ns(1000, 1));
	c = compare(before, after);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.common, 1);
	assert_int_equal(c.regressions, 0);
	assert_int_equal(c.rows[1].verdict, COMPARE_GONE);
	assert_int_equal(c.rows[2].verdict, COMPARE_NEW);
	assert_string_equal(c.rows[2].name, "d");
	compare_free(&c);
	assert_int_equal(try_compare(&c, before, after, &complete), 0);
	assert_int_equal(c.regressions, 1);
	compare_free(&c);
	c = compare(b, d);
	assert_int_equal(c.common, 0);
	compare_free(&c);
}

/* Guests' kernels are compared each with itself; the host's own may have been updated. */
TEST(test_kernels)
{
	static const char guest[] = "{\"name\": \"a\", \"case\": \"a\", \"unit\": \"insns\", "
				    "\"value\": %d, \"kernel\": \"%s\"}\n";
	char before[512], after[256], old[256];
	struct comparison c;

	snprintf(old, sizeof(old), guest, 500, "6.1");
	snprintf(before, sizeof(before), guest, 1000, "6.12");
	strcat(before, old);
	snprintf(after, sizeof(after), guest, 1000, "6.12");
	c = compare(before, after);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.rows[0].verdict, COMPARE_SAME);
	assert_int_equal(c.rows[1].verdict, COMPARE_GONE);
	compare_free(&c);
	assert_int_equal(
		verdict("{\"name\": \"a\", \"unit\": \"ns\", \"value\": 1, \"kernel\": \"6.1\"}",
			"{\"name\": \"a\", \"unit\": \"ns\", \"value\": 1, \"kernel\": \"7.0\"}"),
		COMPARE_SAME);
}

TEST(test_no_results)
{
	static const char *const bad[] = {
		"nonsense\n",
		"[1]\n",
		"{\"name\": \"a\"}\n",
		"{\"name\": \"a\", \"unit\": \"ns\", \"value\": \"7\"}\n",
		"{\"name\": \"a\", \"unit\": 3, \"value\": 7}\n",
	};
	struct comparison c;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(try_compare(&c, ns(1, 1), bad[i], &usual), -EINVAL);
	assert_int_equal(compare_files(&c, "/nowhere", "/nowhere", &usual), -ENOENT);
	c = compare("", "\n");
	assert_int_equal(c.n, 0);
	compare_free(&c);
}

TEST(test_json)
{
	const struct compare_options json = {.sigma = 3, .percent = 5, .json = true};
	struct json_object *o, *row, *value;
	struct comparison c;
	char *text = NULL;
	size_t size;
	FILE *f;

	assert_int_equal(try_compare(&c, ns(1000, 0), ns(1100, 0), &json), 0);
	f = open_memstream(&text, &size);
	compare_print(&c, &json, f);
	fclose(f);
	o = json_tokener_parse(text);
	assert_true(json_object_is_type(o, json_type_array));
	row = json_object_array_get_idx(o, 0);
	assert_true(json_object_object_get_ex(row, "verdict", &value));
	assert_string_equal(json_object_get_string(value), "WORSE");
	assert_true(json_object_object_get_ex(row, "change_percent", &value));
	assert_true(fabs(json_object_get_double(value) - 10) < 1e-9);
	/* infinite */
	assert_true(json_object_object_get_ex(row, "sigmas", &value));
	assert_null(value);
	json_object_put(o);
	free(text);
	compare_free(&c);
}
