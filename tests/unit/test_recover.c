// SPDX-License-Identifier: GPL-2.0-or-later
/* A USB device that an earlier process has switched off is on again, at the latest by another attempt. */
#include "test.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/events/events.h"
#include "daemon/trunk/internal.h"
#include "daemon/trunk/recover.h"
#include "daemon/util/write_file.h"
#include "virtual_time.h"

static char device[] = "/tmp/qmap-recover.XXXXXX";
static char authorized[64], said[600];

static bool is_on(void)
{
	char text[4] = "";
	FILE *f = fopen(authorized, "re");

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return text[0] == '1';
}

static void on_event(void *arg, const struct events_entry *e)
{
	assert_int_equal(e->kind, EVENTS_RECOVER);
	snprintf(said, sizeof(said), "%s: %s", e->to, e->reason);
}

/* Loads the state of a process that died while the device was off; @descriptors: those there may be. */
static void load(struct trunk *t, unsigned int descriptors)
{
	struct json_object *o = json_object_new_object();
	struct rlimit old, tight;

	json_object_object_add(o, "usb", json_object_new_string(device));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	if (descriptors)
		tight.rlim_cur = descriptors;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	trunk_recover_load(t, o);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	json_object_put(o);
}

static void wait_until_on(struct event_base *base)
{
	time_is_real = true;
	for (int i = 0; i < 6000 && !is_on(); i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	assert_true(is_on());
}

static void pass_time(struct event_base *base, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000};

	time_is_real = false;
	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

TEST(test_left_switched_off)
{
	for (unsigned int descriptors = 0; descriptors < 4; descriptors += 3) {
		struct trunk_env env = {.base = event_base_new(), .run_dir = "/tmp"};
		struct events_subscriber *ear;
		struct trunk *t;
		char why[128];

		assert_int_equal(events_new(&env.events, NULL), 0);
		ear = events_subscribe(env.events, on_event, NULL);
		assert_int_equal(trunk_new(&t, &env, NULL, NULL, NULL), 0);
		said[0] = 0;
		assert_int_equal(write_file(authorized, "0"), 0);
		load(t, descriptors);
		if (descriptors) {
			assert_non_null(strstr(said, "impossible: /tmp/qmap-recover"));
			snprintf(why, sizeof(why),
				 "cannot be switched on again: %s; it is tried every 5 s",
				 strerror(EMFILE));
			assert_non_null(strstr(said, why));
			pass_time(env.base, 6000);
		} else {
			assert_string_equal(said, "");
		}
		wait_until_on(env.base);
		trunk_free(&t);
		events_unsubscribe(ear);
		events_free(&env.events);
		event_base_free(env.base);
	}
}

static int set_up(void **state)
{
	if (!mkdtemp(device))
		return -1;
	snprintf(authorized, sizeof(authorized), "%s/authorized", device);
	return 0;
}

static int tear_down(void **state)
{
	unlink(authorized);
	return rmdir(device);
}

TEST_GROUP(set_up, tear_down);
