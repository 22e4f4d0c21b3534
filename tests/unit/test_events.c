// SPDX-License-Identifier: GPL-2.0-or-later
/* Events: kept, delivered, and described in words. */
#include "test.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/control/client.h"
#include "daemon/control/server.h"
#include "daemon/events/events.h"
#include "daemon/manager/monitor.h"
#include "daemon/util/json_add.h"
#include "daemon/util/json_get.h"
#include "daemon/util/log.h"

struct seen {
	unsigned int n;
	struct events_entry last;
	uint64_t seqs[2 * EVENTS_KEPT];
	struct events_subscriber *leaves; /* unsubscribes at the first event */
};

static void note(void *arg, const struct events_entry *e)
{
	struct seen *s = arg;

	s->seqs[s->n++] = e->seq;
	s->last = *e;
	if (s->leaves)
		events_unsubscribe(s->leaves);
}

static int setup(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(events_new((struct events **)state, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	events_free((struct events **)state);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static void add(struct events *ev, const char *dev)
{
	struct events_entry e = {.kind = EVENTS_MODEM, .modem = {TRUNK_OPENING, TRUNK_READY}};

	snprintf(e.dev, sizeof(e.dev), "%s", dev);
	events_add(ev, &e, true);
}

static void do_monitor(struct control_request *req, struct json_object *args, void *arg)
{
	trunk_monitor(req, args, arg);
}

static const struct control_command commands[] = {{"monitor", false, do_monitor}, {0}};

static void serve(struct events *ev, const char *path, int ready)
{
	struct event_base *base = event_base_new();
	struct control_server *server;

	if (control_server_new(&server, base, path, commands, ev, NULL) || write(ready, "", 1) != 1)
		_exit(1);
	event_base_dispatch(base);
	_exit(0);
}

static int count(void *arg, struct json_object *line)
{
	unsigned int *n = arg;

	if (json_object_object_get_ex(line, "gap", NULL))
		return -EPROTO;
	return json_get_int(line, "seq") == EVENTS_KEPT ? -EINTR : (int)(++*n, 0);
}

/* The reader of `monitor -n 256` has not been slow yet. */
TEST(past_is_complete)
{
	struct events_entry e = {.kind = EVENTS_CALL, .pdn = 1, .family = 4, .port = "wwan0.1"};
	struct json_object *request = json_object_new_object();
	char dir[] = "/tmp/qmap-events-XXXXXX", path[64], c;
	struct events *ev = *state;
	unsigned int n = 0;
	int ready[2], fd, ret;
	sigset_t none;
	pid_t pid;

	memset(e.reason, 'x', sizeof(e.reason) - 1);
	for (int i = 0; i < EVENTS_KEPT; i++)
		events_add(ev, &e, true);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid)
		serve(ev, path, ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	fd = control_connect(path, 10, NULL);
	assert_true(fd >= 0);
	json_add_string(request, "command", "monitor");
	json_add_int(request, "last", EVENTS_KEPT);
	sigemptyset(&none);
	ret = control_stream(fd, request, 10, &none, NULL, count, &n, NULL);
	json_object_put(request);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	strcat(path, ".lock");
	unlink(path);
	rmdir(dir);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(ret, -EINTR);
	assert_int_equal(n, EVENTS_KEPT - 1);
}

TEST(last_ones)
{
	struct events *ev = *state;
	struct seen s = {0};

	events_last(ev, NULL, 5, note, &s);
	assert_int_equal(s.n, 0);
	for (int i = 0; i < 10; i++)
		add(ev, i % 2 ? "wwan1" : "wwan0");
	events_last(ev, NULL, 3, note, &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.seqs[0], 8);
	assert_int_equal(s.seqs[2], 10);
	s.n = 0;
	events_last(ev, "wwan0", 3, note, &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.seqs[0], 5);
	assert_int_equal(s.seqs[1], 7);
	assert_int_equal(s.seqs[2], 9);
	s.n = 0;
	events_last(ev, "wwan1", EVENTS_KEPT, note, &s);
	assert_int_equal(s.n, 5);
	s.n = 0;
	events_last(ev, "wwan2", EVENTS_KEPT, note, &s);
	assert_int_equal(s.n, 0);
	events_last(ev, NULL, 0, note, &s);
	assert_int_equal(s.n, 0);
}

/* The ring is full after EVENTS_KEPT; the oldest make room. */
TEST(around)
{
	struct events *ev = *state;
	struct seen s = {0};

	for (unsigned int i = 0; i < 3 * EVENTS_KEPT + 7; i++)
		add(ev, "wwan0");
	events_last(ev, "wwan0", 2 * EVENTS_KEPT, note, &s);
	assert_int_equal(s.n, EVENTS_KEPT);
	assert_int_equal(s.seqs[0], 2 * EVENTS_KEPT + 8);
	assert_int_equal(s.seqs[s.n - 1], 3 * EVENTS_KEPT + 7);
	for (unsigned int i = 1; i < s.n; i++)
		assert_int_equal(s.seqs[i], s.seqs[i - 1] + 1);
}

TEST(subscribers)
{
	struct events *ev = *state;
	struct seen stays = {0}, leaves = {0};
	struct events_subscriber *sub;

	leaves.leaves = events_subscribe(ev, note, &leaves);
	sub = events_subscribe(ev, note, &stays);
	assert_non_null(sub);
	add(ev, "wwan0");
	add(ev, "wwan0");
	assert_int_equal(leaves.n, 1);
	assert_int_equal(stays.n, 2);
	assert_string_equal(stays.last.to, "ready");
	events_unsubscribe(sub);
	add(ev, "wwan0");
	assert_int_equal(stays.n, 2);
}

/* What is told of a state is its name in the table; every state has one, and is found by it. */
TEST(names)
{
	struct events_entry modem = {.kind = EVENTS_MODEM, .modem = {TRUNK_LOST, TRUNK_DETACHING}};
	struct events_entry call = {.kind = EVENTS_CALL, .call = {CALL_WAIT_SIM, CALL_BACKOFF}};
	struct events_entry netdev = {.kind = EVENTS_NETDEV, .netdev = NETDEV_REPORTED};

	events_add(*state, &modem, false);
	assert_string_equal(modem.from, "lost");
	assert_string_equal(modem.to, "detaching");
	events_add(*state, &call, false);
	assert_string_equal(call.from, "waiting-for-sim");
	assert_string_equal(call.to, "backing-off");
	events_add(*state, &netdev, false);
	assert_string_equal(netdev.from, "");
	assert_string_equal(netdev.to, "reported");
	for (int i = 0; i < CALL_STATES; i++)
		assert_int_equal(call_state_find(call_state_name(i)), i);
	for (int i = 0; i < ATTACHMENT_STATES; i++)
		assert_int_equal(attachment_find(attachment_name(i)), i);
	for (int i = 0; i < TRUNK_STATES; i++)
		assert_non_null(trunk_state_name(i));
	assert_int_equal(attachment_find("attach"), -1);
	assert_int_equal(attachment_find(NULL), -1);
}

static void add_kind(struct events *ev, enum events_kind kind)
{
	struct events_entry e = {.kind = kind, .dev = "wwan0"};

	events_add(ev, &e, false);
}

static const char *kind_of(struct json_object *events, unsigned int i)
{
	return json_get_string(json_object_array_get_idx(events, i), "kind");
}

/* A call that is made again and again, as while a measure is at work. */
TEST(calls_hide_no_measures)
{
	struct json_object *a;

	add_kind(*state, EVENTS_RECOVER);
	for (int i = 0; i < 100; i++) {
		add_kind(*state, EVENTS_CALL);
		if (i == 49)
			add_kind(*state, EVENTS_RECOVER);
	}
	add_kind(*state, EVENTS_SIGNAL);
	a = events_last_json(*state, "wwan0", 5);
	assert_int_equal(json_object_array_length(a), 5);
	assert_string_equal(kind_of(a, 0), "recover");
	assert_string_equal(kind_of(a, 1), "recover");
	for (int i = 2; i < 5; i++)
		assert_string_equal(kind_of(a, i), "call");
	assert_int_equal(json_get_int(json_object_array_get_idx(a, 4), "seq"), 102);
	json_object_put(a);
}

TEST(without_a_log)
{
	struct json_object *a = events_last_json(NULL, NULL, 5);

	add(NULL, "wwan0");
	assert_int_equal(json_object_array_length(a), 0);
	json_object_put(a);
}

static void said(const struct events_entry *e, const char *text)
{
	struct json_object *o = events_to_json(e);
	struct events_entry back;
	char buf[700];

	events_text(e, buf, sizeof(buf));
	assert_string_equal(buf, text);
	assert_int_equal(events_from_json(&back, o), 0);
	events_text(&back, buf, sizeof(buf));
	assert_string_equal(buf, text);
	json_object_put(o);
}

TEST(in_words)
{
	struct events_entry modem = {
		.kind = EVENTS_MODEM, .dev = "wwan0", .from = "opening", .to = "ready"};
	struct events_entry call = {.kind = EVENTS_CALL,
				    .dev = "wwan0",
				    .port = "wwan0.2",
				    .pdn = 2,
				    .family = 6,
				    .from = "starting",
				    .to = "failed",
				    .reason = "no such APN"};
	struct events_entry netdev = {.kind = EVENTS_NETDEV,
				      .dev = "wwan0",
				      .port = "wwan0.2",
				      .to = "repaired",
				      .reason = "somebody had deleted it"};

	struct events_entry signal = {.kind = EVENTS_SIGNAL,
				      .dev = "wwan0",
				      .from = "lte RSRP -90 dBm",
				      .to = "lte RSRP -101 dBm",
				      .dbm = -101};

	struct events_entry failover = {.kind = EVENTS_FAILOVER,
					.dev = "wwan0",
					.port = "wwan0.2",
					.pdn = 2,
					.from = "alive",
					.to = "dead",
					.reason = "nothing is received; metric 1702"};

	said(&modem, "wwan0: modem opening -> ready");
	said(&call, "wwan0.2: IPv6 starting -> failed: no such APN");
	said(&netdev, "wwan0.2: repaired: somebody had deleted it");
	said(&signal, "wwan0: signal lte RSRP -90 dBm -> lte RSRP -101 dBm");
	said(&failover, "wwan0.2: link alive -> dead: nothing is received; metric 1702");
}

TEST(as_json)
{
	struct events_entry e = {.seq = 7,
				 .time = {.tv_sec = 1772366400, .tv_nsec = 7999999},
				 .kind = EVENTS_CALL,
				 .dev = "wwan0",
				 .port = "wwan0.1",
				 .pdn = 1,
				 .family = 4,
				 .from = "starting",
				 .to = "up"};
	struct json_object *o = events_to_json(&e);

	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"seq\":7,\"time\":\"2026-03-01T12:00:00.007Z\",\"kind\":\"call\","
			    "\"dev\":\"wwan0\",\"port\":\"wwan0.1\",\"pdn\":1,\"family\":4,"
			    "\"from\":\"starting\",\"to\":\"up\",\"dbm\":null,\"reason\":null}");
	json_object_put(o);
}

/* A modem's text may be part of a reason. */
TEST(one_line)
{
	struct events_entry e = {.kind = EVENTS_MODEM, .reason = "evil\nforged line\x1b[2J"};

	events_add(*state, &e, false);
	assert_string_equal(e.reason, "evil?forged line?[2J");
}

TEST(not_an_event)
{
	static const char *const texts[] = {"{}", "[]", "7", "{\"kind\":\"x\"}", "{\"kind\":7}"};
	struct events_entry e;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_object *o = json_tokener_parse(texts[i]);

		assert_true(events_from_json(&e, o) < 0);
		json_object_put(o);
	}
	assert_true(events_from_json(&e, NULL) < 0);
}
