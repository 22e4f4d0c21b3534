// SPDX-License-Identifier: GPL-2.0-or-later
/* A channel through a qmi-proxy: the greeting, against proxies that answer in various ways. */
#include "test.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/qmi/client.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/transport.h"

#define DEVICE "/dev/cdc-wdm7"

static struct event_base *base;
static struct qmi_channel *channel;
static struct qmi_client *ctl;
static pid_t proxy;
static struct {
	int err, replies, lost;
	char why[128];
} seen;

/* Open with the device's path, and the answer to it. */
static const uint8_t greeting[] = {1,	27,  0,	  0,   0,   0,	 0,   1,   0,	0xff,
				   16,	0,   1,	  13,  0,   '/', 'd', 'e', 'v', '/',
				   'c', 'd', 'c', '-', 'w', 'd', 'm', '7'};
static const uint8_t welcome[] = {1, 18, 0, 0x80, 0, 0, 1, 1, 0, 0xff, 7, 0, 2, 4, 0, 0, 0, 0, 0};
static const uint8_t refusal[] = {1, 18, 0, 0x80, 0, 0, 1, 1, 0, 0xff, 7, 0, 2, 4, 0, 1, 0, 3, 0};
static const uint8_t versions[] = {1, 18, 0, 0x80, 0, 0, 1, 1, 0x21, 0, 7, 0, 2, 4, 0, 0, 0, 0, 0};

/* --- the proxy, in another process, so that this one does not serve itself --- */

static void child_assert(bool ok)
{
	if (!ok)
		_exit(1);
}

static void expect_greeting(int fd)
{
	uint8_t buf[256];

	child_assert(recv(fd, buf, sizeof(buf), 0) == sizeof(greeting));
	child_assert(!memcmp(buf, greeting, sizeof(greeting)));
}

/* Sends nothing but the greeting until it is answered; the answer may come in pieces. */
static void proxy_slow(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t buf[256];

	expect_greeting(fd);
	for (size_t i = 0; i < sizeof(welcome); i++) {
		child_assert(poll(&p, 1, 5) == 0);
		child_assert(send(fd, welcome + i, 1, 0) == 1);
	}
	child_assert(recv(fd, buf, sizeof(buf), 0) == 12 && buf[8] == 0x21);
	child_assert(send(fd, versions, sizeof(versions), 0) == sizeof(versions));
}

/* Bytes that follow the answer in the same read are not lost. */
static void proxy_hasty(int fd)
{
	uint8_t both[sizeof(welcome) + sizeof(versions)];

	memcpy(both, welcome, sizeof(welcome));
	memcpy(both + sizeof(welcome), versions, sizeof(versions));
	expect_greeting(fd);
	child_assert(send(fd, both, sizeof(both), 0) == sizeof(both));
}

static void proxy_hangs_up(int fd)
{
	expect_greeting(fd);
	close(fd);
}

static void proxy_refuses(int fd)
{
	expect_greeting(fd);
	send(fd, refusal, sizeof(refusal), 0);
}

static void proxy_confused(int fd)
{
	expect_greeting(fd);
	send(fd, versions, sizeof(versions), 0);
}

static void proxy_babbles(int fd)
{
	expect_greeting(fd);
	send(fd, "\0\0\0\0\0\0\0", 7, 0);
}

static void proxy_boasts(int fd)
{
	expect_greeting(fd);
	send(fd, "\1\xff\xff\x80\0\0", 6, 0);
}

/* libqmi's vectors of June 2026 as answers to the greeting. */
static void proxy_cuts_result(int fd)
{
	static const uint8_t answer[] = {1,    16, 0, 0x80, 0, 0, 1,	1,   0,
					 0xff, 5,  0, 0x02, 2, 0, 0xff, 0xff};

	expect_greeting(fd);
	send(fd, answer, sizeof(answer), 0);
}

static void proxy_cuts_tlv(int fd)
{
	static const uint8_t answer[] = {1, 18, 0,    0x80, 0, 0,    1,	   1,	 0, 0xff,
					 7, 0,	0x02, 2,    0, 0xff, 0xff, 0x64, 0};

	expect_greeting(fd);
	send(fd, answer, sizeof(answer), 0);
}

static void serve(int ready, void (*behave)(int fd))
{
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, QMI_PROXY_PREFIX);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	child_assert(len == offsetof(struct sockaddr_un, sun_path) + 10);
	child_assert(!bind(fd, (struct sockaddr *)&sa, len) && !listen(fd, 1));
	child_assert(write(ready, "", 1) == 1);
	behave(accept(fd, NULL, NULL));
	pause();
}

static void proxy_start(void (*behave)(int fd))
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	proxy = fork();
	if (!proxy)
		serve(ready[1], behave);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

/* --- the client --- */

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	seen.err = err;
	seen.replies++;
}

static void on_lost(void *arg, const char *why)
{
	seen.lost++;
	strncpy(seen.why, why, sizeof(seen.why) - 1);
}

static const struct qmi_channel_ops ops = {.lost = on_lost};

static int setup(void **state)
{
	memset(&seen, 0, sizeof(seen));
	base = event_base_new();
	return 0;
}

static int teardown(void **state)
{
	qmi_channel_free(&channel);
	event_base_free(base);
	if (proxy > 0) {
		kill(proxy, SIGKILL);
		waitpid(proxy, NULL, 0);
	}
	proxy = 0;
	return 0;
}

TEST_FIXTURE(setup, teardown);

/* Abstract names belong to the network namespace: create one, with a name of this test in it. */
static int own_namespace(void **state)
{
	if (!unshare(CLONE_NEWNET) || !unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 0;
	print_message("SKIP: no network namespace to be had\n"
		      "# 0 passed, 0 failed, 1 skipped\n");
	exit(0);
}

TEST_GROUP(own_namespace, NULL);

/* Sends a request at once, as a session does, and waits for its result. */
static void run(void (*behave)(int fd))
{
	struct error err = {0};
	struct qmi_request r;
	int ret;

	proxy_start(behave);
	ret = qmi_channel_open(&channel, base, "qmi-proxy:" DEVICE, &ops, NULL, &err);
	assert_int_equal(ret, 0);
	assert_false(qmi_transport_exclusive(qmi_channel_transport(channel)));
	assert_int_equal(qmi_client_new(&ctl, channel, QMI_CTL, 0, NULL, NULL), 0);
	qmi_request_init(&r, QMI_CTL_GET_VERSION_INFO);
	qmi_client_send(ctl, &r, 5000, on_reply, NULL);
	while (!seen.replies && !event_base_loop(base, EVLOOP_ONCE))
		;
	for (int i = 0; i < 100 && seen.err && !seen.lost; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

TEST(test_greeted)
{
	run(proxy_slow);
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.lost, 0);
}

TEST(test_hasty)
{
	run(proxy_hasty);
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.lost, 0);
}

TEST(test_not_greeted)
{
	static const struct {
		void (*behave)(int fd);
		const char *why;
	} cases[] = {
		{proxy_hangs_up, "qmi-proxy cannot open " DEVICE ": no such device, or no QMI"},
		{proxy_refuses, "qmi-proxy refuses to open " DEVICE},
		{proxy_confused, "qmi-proxy refuses to open " DEVICE},
		{proxy_babbles, "qmi-proxy does not answer as it should"},
		{proxy_boasts, "qmi-proxy does not answer as it should"},
		{proxy_cuts_result, "qmi-proxy refuses to open " DEVICE},
		{proxy_cuts_tlv, "qmi-proxy does not answer as it should"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		teardown(state);
		setup(state);
		run(cases[i].behave);
		assert_int_equal(seen.err, -ENODEV);
		assert_int_equal(seen.lost, 1);
		assert_string_equal(seen.why, cases[i].why);
	}
}

static void refused(const char *control, int errnum, const char *text)
{
	struct error err = {0};

	assert_int_equal(qmi_channel_open(&channel, base, control, &ops, NULL, &err), errnum);
	assert_non_null(strstr(err.text, text));
	assert_true(err.hint[0]);
}

TEST(test_not_opened)
{
	char longer[4200] = "qmi-proxy:";
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, QMI_PROXY_PREFIX);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	refused("qmi-proxy:" DEVICE, -ECONNREFUSED, "qmi-proxy does not answer");
	refused("qmi-proxy:", -EINVAL, "must be told which device");
	refused("qmi-proxy", -EINVAL, "must be told which device");
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	refused("qmi-proxy:" DEVICE, -EBUSY, "it is this qmapd that serves as qmi-proxy");
	close(fd);
	proxy_start(proxy_hangs_up);
	memset(longer + 10, 'x', sizeof(longer) - 11);
	assert_int_equal(qmi_channel_open(&channel, base, longer, &ops, NULL, NULL), -EMSGSIZE);
}

TEST(test_words)
{
	assert_string_equal(qmi_proxy_path("qmi-proxy:/dev/x"), "/dev/x");
	assert_string_equal(qmi_proxy_path("qmi-proxy"), "");
	assert_null(qmi_proxy_path("qmi-proxyx"));
	assert_null(qmi_proxy_path("/dev/cdc-wdm0"));
	assert_null(qmi_proxy_path(""));
}
