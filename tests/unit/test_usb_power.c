// SPDX-License-Identifier: GPL-2.0-or-later
/* The device of a USB interface, and its authorization, in a directory that looks like sysfs. */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netdev/usb_power.h"

static char top[32], device[64], interface[96];

static void write_to(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_authorized(char wanted)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/authorized", device);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fgetc(f), wanted);
	fclose(f);
}

TEST(test_toggle)
{
	char usb[256];

	assert_true(usb_power_of(interface, usb, sizeof(usb)));
	assert_string_equal(usb, device);
	assert_int_equal(usb_power_set(usb, false), 0);
	expect_authorized('0');
	assert_int_equal(usb_power_set(usb, true), 0);
	expect_authorized('1');
}

/* Netdevs without a device, of PCIe, and of a device that is gone. */
TEST(test_no_usb)
{
	char usb[256], gone[256];

	assert_false(usb_power_of("", usb, sizeof(usb)));
	assert_false(usb_power_of("/", usb, sizeof(usb)));
	assert_false(usb_power_of(device, usb, sizeof(usb)));
	snprintf(gone, sizeof(gone), "%s/1-2", top);
	assert_int_equal(usb_power_set(gone, true), -ENOENT);
}

static int set_up(void **state)
{
	snprintf(top, sizeof(top), "/tmp/qmap-usb.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(device, sizeof(device), "%s/1-1", top);
	snprintf(interface, sizeof(interface), "%s/1-1:1.4", device);
	if (mkdir(device, 0700) || mkdir(interface, 0700))
		return -1;
	write_to(device, "authorized", "1");
	write_to(interface, "bInterfaceNumber", "04");
	return 0;
}

static void remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static int tear_down(void **state)
{
	remove_file(device, "authorized");
	remove_file(interface, "bInterfaceNumber");
	return rmdir(interface) || rmdir(device) || rmdir(top);
}

TEST_GROUP(set_up, tear_down);
