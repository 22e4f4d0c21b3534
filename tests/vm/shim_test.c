// SPDX-License-Identifier: GPL-2.0-or-later
/* shim_test [TEST...]: the tests of the kernel shim, run inside a guest. */
#include "shim_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packets.h"
#include "usbredir.h"

const char *skipped;

bool test_has_usb(void)
{
	if (!access("/sys/bus/usb/drivers/qmap_usb", F_OK) &&
	    !access("/sys/bus/usb/drivers/qmi_wwan", F_OK) &&
	    (usbredir_exists() || !access("/sys/devices/platform/vhci_hcd.0", F_OK)))
		return true;
	skipped = "this kernel has no vhci_hcd, qmi_wwan or qmap_usb";
	return false;
}

#define TESTS 256

static struct test {
	const char *name;
	int (*run)(void);
	const char *file;
	unsigned int order; /* in its file */
	bool on_demand;
} tests[TESTS];
static size_t n_tests;

static int compare(const void *a, const void *b)
{
	const struct test *x = a, *y = b;

	return strcmp(x->file, y->file) ?: (int)x->order - (int)y->order;
}

/* Constructors run in any order. */
void test_add(const char *name, int (*run)(void), const char *file, unsigned int order,
	      bool on_demand)
{
	if (n_tests == TESTS)
		abort();
	tests[n_tests++] = (struct test){name, run, file, order, on_demand};
}

static bool wanted(const struct test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], t->name))
			return true;
	return argc == 1 && !t->on_demand;
}

static bool exists(const char *name)
{
	size_t i;

	for (i = 0; i < n_tests; i++)
		if (!strcmp(tests[i].name, name))
			return true;
	printf("FAIL %s: no such test\n", name);
	return false;
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	int failed = 0;
	size_t i;

	for (i = 1; i < (size_t)argc; i++)
		failed |= !exists(argv[i]);

	setvbuf(stdout, NULL, _IOLBF, 0);
	qsort(tests, n_tests, sizeof(*tests), compare);
	for (i = 0; i < n_tests; i++) {
		if (!wanted(&tests[i], argc, argv))
			continue;
		random_seed(seed ? strtoull(seed, NULL, 0) : 1);
		skipped = NULL;
		if (tests[i].run()) {
			printf("FAIL %s\n", tests[i].name);
			failed = 1;
		} else if (skipped) {
			printf("SKIP %s: %s\n", tests[i].name, skipped);
		} else {
			printf("PASS %s\n", tests[i].name);
		}
	}
	return failed;
}
