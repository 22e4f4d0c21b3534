// SPDX-License-Identifier: GPL-2.0-or-later
/* The device of a USB interface, and its authorization, in a directory that looks like sysfs. */

#include "test.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
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

struct ends {
	struct event_base *base;
	bool ended;
	int err;
};

static void on_done(void *arg, int err)
{
	struct ends *e = arg;

	e->ended = true;
	e->err = err;
	event_base_loopbreak(e->base);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(arg);
}

/* Runs the loop until the cycle has ended, at most @ms. */
static void run_loop(struct ends *e, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_base_once(e->base, -1, EV_TIMEOUT, on_time, e->base, &tv);
	event_base_dispatch(e->base);
}

/* Starts a cycle and runs the loop until it has ended. */
static int cycle(const char *usb, unsigned int off_ms)
{
	struct ends e = {.base = event_base_new()};
	struct usb_power *p;

	assert_int_equal(usb_power_cycle(&p, e.base, usb, off_ms, on_done, &e), 0);
	run_loop(&e, 60000);
	assert_true(e.ended);
	usb_power_close(&p);
	event_base_free(e.base);
	return e.err;
}

TEST(test_cycle)
{
	char usb[256];

	assert_true(usb_power_of(interface, usb, sizeof(usb)));
	assert_string_equal(usb, device);
	assert_int_equal(cycle(usb, 1), 0);
	expect_authorized('1');
	write_to(device, "authorized", "0");
	assert_int_equal(cycle(usb, 0), 0);
	expect_authorized('1');
}

static int open_fifo(const char *path)
{
	int fd;

	for (int i = 0; i < 6000; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	return -1;
}

/* A FIFO without a reader stands for a device that does not answer: writing to it lasts. */
TEST(test_device_blocks)
{
	struct ends e = {.base = event_base_new()};
	char path[256], text[4] = "";
	struct usb_power *p;
	int fd;

	snprintf(path, sizeof(path), "%s/authorized", device);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(60); /* ends the test if this blocks */
	assert_int_equal(usb_power_cycle(&p, e.base, device, 1, on_done, &e), 0);
	run_loop(&e, 50);
	assert_false(e.ended);
	fd = open_fifo(path);
	for (unsigned int n = 0; n < 2;) {
		ssize_t got = read(fd, text + n, 2 - n);

		assert_true(got >= 0);
		n += got;
		usleep(got ? 0 : 1000);
	}
	run_loop(&e, 60000);
	alarm(0);
	assert_true(e.ended);
	assert_int_equal(e.err, 0);
	assert_string_equal(text, "01");
	close(fd);
	usb_power_close(&p);
	event_base_free(e.base);
	unlink(path);
	write_to(device, "authorized", "1");
}

/* Netdevs without a device, of PCIe, and of a device that is gone. */
TEST(test_no_usb)
{
	char usb[256], gone[256];

	assert_false(usb_power_of("", usb, sizeof(usb)));
	assert_false(usb_power_of("/", usb, sizeof(usb)));
	assert_false(usb_power_of(device, usb, sizeof(usb)));
	snprintf(gone, sizeof(gone), "%s/1-2", top);
	assert_int_equal(cycle(gone, 0), -ENOENT);
	assert_int_equal(cycle(gone, 1), -ENOENT);
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
