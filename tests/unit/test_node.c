// SPDX-License-Identifier: GPL-2.0-or-later
/* The watch reports a device node that appears, and nothing else. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/util/node.h"

static struct event_base *base;
static char dir[] = "/tmp/test_node.XXXXXX";

static void count(void *arg)
{
	++*(int *)arg;
}

static const char *in_dir(const char *name)
{
	static char paths[4][sizeof(dir) + 32];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void turn(void)
{
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

TEST(one_name)
{
	struct node_watch *w = NULL;
	int n = 0;

	make("before");
	assert_int_equal(node_watch_new(&w, base, in_dir("cdc-wdm0"), count, &n), 0);
	turn();
	make("cdc-wdm1");
	turn();
	assert_int_equal(n, 0);
	make("cdc-wdm0");
	turn();
	assert_int_equal(n, 1);
	/* udev gives the node to a group */
	assert_int_equal(chmod(in_dir("cdc-wdm0"), 0660), 0);
	turn();
	assert_int_equal(n, 2);
	assert_int_equal(unlink(in_dir("cdc-wdm0")), 0);
	turn();
	assert_int_equal(n, 2);
	assert_int_equal(rename(in_dir("cdc-wdm1"), in_dir("cdc-wdm0")), 0);
	turn();
	assert_int_equal(n, 3);
	node_watch_free(&w);
	assert_null(w);
	node_watch_free(&w);
}

TEST(any_name)
{
	struct node_watch *w = NULL;
	int n = 0;

	assert_int_equal(node_watch_new(&w, base, in_dir(""), count, &n), 0);
	make("cdc-wdm7");
	turn();
	assert_int_equal(n, 1);
	node_watch_free(&w);
	make("cdc-wdm8");
	turn();
	assert_int_equal(n, 1);
}

TEST(nowhere)
{
	struct node_watch *w = NULL;

	assert_int_equal(node_watch_new(&w, base, in_dir("no/cdc-wdm0"), count, NULL), -ENOENT);
	assert_null(w);
	assert_int_equal(node_watch_new(&w, base, "cdc-wdm0", count, NULL), -EINVAL);
	assert_null(w);
}

static int set_up(void **state)
{
	base = event_base_new();
	return base && mkdtemp(dir) ? 0 : -1;
}

static int clean_up(void **state)
{
	static const char *const names[] = {"before", "cdc-wdm0", "cdc-wdm7", "cdc-wdm8"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_dir(names[i]));
	event_base_free(base);
	return rmdir(dir);
}

TEST_GROUP(set_up, clean_up);
