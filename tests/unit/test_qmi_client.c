// SPDX-License-Identifier: GPL-2.0-or-later
/* Transports, clients and transactions against a scripted modem. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

#include "daemon/qmi/client.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/transport.h"
#include "unit_modem.h"
#include "virtual_time.h"

#define STATUS 0x0022

static struct fake_modem modem;
static struct qmi_channel *channel;
static struct qmi_client *wds;
static struct {
	bool replied, lost, never, indicated;
	int err, replies, errors, indications, lates;
	uint16_t id, transaction;
} seen;

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	seen.replied = true;
	seen.replies++;
	seen.errors += err == -ENOBUFS;
	seen.err = err;
	if (m) {
		seen.id = m->id;
		seen.transaction = m->transaction;
	}
}

static void on_indication(void *arg, const struct qmi_message *m)
{
	seen.indicated = true;
	seen.indications++;
}

static void on_late(void *arg, const struct qmi_message *m)
{
	seen.lates++;
}

static void on_lost(void *arg, const char *why)
{
	assert_non_null(strstr(why, "gone"));
	seen.lost = true;
}

static const struct qmi_channel_ops ops = {.late = on_late, .lost = on_lost};

static int setup(void **state)
{
	struct error err = {0};

	memset(&seen, 0, sizeof(seen));
	time_is_real = false;
	fake_open(&modem);
	fake_give(&modem, WDS, 7);
	if (qmi_channel_open(&channel, modem.base, modem.path, &ops, NULL, &err) < 0)
		return -1;
	return qmi_client_new(&wds, channel, WDS, 7, on_indication, NULL);
}

static int teardown(void **state)
{
	qmi_channel_free(&channel);
	fake_close(&modem);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static void ask(struct qmi_client *c, uint16_t id, unsigned int ms)
{
	struct qmi_request r;

	qmi_request_init(&r, id);
	qmi_client_send(c, &r, ms, on_reply, NULL);
}

static const struct qmi_counters *counters(void)
{
	return qmi_channel_counters(channel);
}

static void run_for(unsigned int ms)
{
	fake_run(&modem, &seen.never, ms);
}

/* Runs until a counter has reached the value. */
static void wait_for(const uint64_t *counter, uint64_t value)
{
	for (int i = 0; i < 300 && *counter < value; i++)
		run_for(10);
	assert_int_equal(*counter, value);
}

TEST(test_answer)
{
	ask(wds, STATUS, 1000);
	assert_false(seen.replied);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.id, STATUS);
	assert_int_equal(seen.transaction, 1);
	assert_int_equal(counters()->requests, 1);
	assert_int_equal(counters()->responses, 1);
}

TEST(test_deadline_then_late)
{
	FAKE_RULE(&modem, WDS, STATUS, .delay_ms = 120);
	ask(wds, STATUS, 40);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	assert_int_equal(seen.err, -ETIMEDOUT);
	assert_int_equal(counters()->timeouts, 1);
	wait_for(&counters()->late, 1);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.lates, 1);
	/*
	 * another program's message may be behind it: one nudge, whose answer shows that there is
	 * none
	 */
	wait_for(&counters()->responses, 1);
	assert_int_equal(fake_asked(&modem, CTL, 0x21), 1);
	assert_int_equal(counters()->requests, 2);
}

/* A request that waits long is nudged for once; only a modem that holds messages back gets more. */
TEST(test_slow_answer)
{
	FAKE_RULE(&modem, WDS, STATUS, .delay_ms = 1800);
	ask(wds, STATUS, 4000);
	assert_true(fake_run(&modem, &seen.replied, 4000));
	assert_int_equal(seen.err, 0);
	assert_int_equal(fake_asked(&modem, CTL, 0x21), 1);
	assert_int_equal(counters()->responses, 2);
}

/* libqmi's vectors of June 2026 as answers: one has no result, the other is no message at all. */
TEST(test_result_cut)
{
	static const uint8_t cut[] = {0x02, 0x02, 0x00, 0xff, 0xff},
			     behind[] = {0x02, 0x02, 0x00, 0xff, 0xff, 0x64, 0x00};
	uint64_t skipped;
	uint8_t b[64];

	FAKE_RULE(&modem, WDS, STATUS, .silent = true);
	ask(wds, STATUS, 1000);
	run_for(10);
	fake_send(&modem, b, fake_message(b, WDS, 7, 1, 1, STATUS, behind, sizeof(behind)));
	wait_for(qmi_channel_faults(channel, &skipped) + QMI_FAULT_TLV, 1);
	assert_false(seen.replied);
	fake_send(&modem, b, fake_message(b, WDS, 7, 1, 1, STATUS, cut, sizeof(cut)));
	assert_true(fake_run(&modem, &seen.replied, 500));
	/* the caller finds that the message has no result */
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.err, 0);
}

TEST(test_duplicate)
{
	FAKE_RULE(&modem, WDS, STATUS, .twice = true);
	ask(wds, STATUS, 1000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	wait_for(&counters()->late, 1);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(counters()->responses, 1);
}

/* The second answer to a request leads to a nudge; the second answer to that leads to no other. */
TEST(test_everything_twice)
{
	FAKE_RULE(&modem, WDS, STATUS, .twice = true);
	FAKE_RULE(&modem, CTL, 0x21, .twice = true);
	ask(wds, STATUS, 1000);
	run_for(5000);
	assert_int_equal(seen.replies, 1);
	assert_in_range(fake_asked(&modem, CTL, 0x21), 1, 3);
}

/* Answers similar to ours arrive before the real one: none of them may be taken for it. */
TEST(test_mistaken_answers)
{
	uint8_t b[256];
	size_t n = 0;

	n += fake_message(b + n, WDS, 8, 1, 1, STATUS, NULL, 0);     /* another client */
	n += fake_message(b + n, DMS, 7, 1, 1, STATUS, NULL, 0);     /* another service */
	n += fake_message(b + n, WDS, 7, 1, 0x101, STATUS, NULL, 0); /* another transaction */
	n += fake_message(b + n, WDS, 7, 1, 1, 0x20, NULL, 0);	     /* another message */
	n += fake_message(b + n, WDS, 7, 2, 1, STATUS, NULL, 0);     /* an indication */
	n += fake_message(b + n, WDS, 7, 0, 1, STATUS, NULL, 0);     /* a request */
	FAKE_RULE(&modem, WDS, STATUS, .before = b, .before_len = n);
	ask(wds, STATUS, 1000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.replies, 1);
	assert_int_equal(seen.indications, 1);
	assert_int_equal(counters()->unknown_client, 2);
	assert_int_equal(counters()->late, 1);
	assert_int_equal(counters()->mismatched, 1);
	assert_int_equal(counters()->unexpected, 1);
}

TEST(test_garbage_ahead)
{
	static const uint8_t garbage[] = {0xde, 0xad, 0x01, 0x20, 0x00, 0x80, 0x01, 0x07, 0x02};
	uint64_t skipped;

	FAKE_RULE(&modem, WDS, STATUS, .before = garbage, .before_len = sizeof(garbage));
	ask(wds, STATUS, 1000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	assert_int_equal(seen.err, 0);
	assert_int_equal(qmi_channel_faults(channel, &skipped)[QMI_FAULT_MARKER], 1);
	assert_int_equal(skipped, sizeof(garbage));
}

TEST(test_indications)
{
	struct qmi_client *other, *dms;

	assert_int_equal(qmi_client_new(&other, channel, WDS, 9, on_indication, NULL), 0);
	assert_int_equal(qmi_client_new(&dms, channel, DMS, 7, on_indication, NULL), 0);
	ask(wds, STATUS, 1000); /* this also waits for the modem to accept */
	assert_true(fake_run(&modem, &seen.replied, 1000));
	FAKE_INDICATE(&modem, WDS, 7, STATUS, 1, 2, 0, 1, 0);
	wait_for(&counters()->indications, 1);
	assert_int_equal(seen.indications, 1);
	FAKE_INDICATE(&modem, WDS, 0xff, STATUS, 1, 2, 0, 1, 0);
	wait_for(&counters()->indications, 2);
	assert_int_equal(seen.indications, 3);
	FAKE_INDICATE(&modem, WDS, 0x55, STATUS, 1, 2, 0, 1, 0);
	wait_for(&counters()->unknown_client, 1);
	assert_int_equal(seen.indications, 3);
}

TEST(test_parallel)
{
	/* Sent one after the other they would take 20 s. */
	FAKE_RULE(&modem, WDS, STATUS, .delay_ms = 100);
	for (int i = 0; i < 200; i++)
		ask(wds, STATUS, 3000);
	wait_for(&counters()->responses, 200);
	assert_int_equal(seen.replies, 200);
	assert_int_equal(seen.err, 0);
	assert_int_equal(modem.log[199].transaction, 200);
}

/* A modem that reads nothing: requests beyond the queue fail, and no others do. */
TEST(test_queue_limit)
{
	for (int i = 0; i < 300; i++)
		ask(wds, STATUS, 5000);
	wait_for(&counters()->responses, 256);
	assert_int_equal(seen.replies, 300);
	assert_int_equal(seen.errors, 44);
}

TEST(test_too_long)
{
	static const uint8_t value[QMI_MAX_MESSAGE];
	struct qmi_request r;

	qmi_request_init(&r, STATUS);
	qmi_put_tlv(&r.tlvs, 1, value, sizeof(value));
	qmi_client_send(wds, &r, 1000, on_reply, NULL);
	assert_false(seen.replied);
	assert_true(fake_run(&modem, &seen.replied, 500));
	assert_int_equal(seen.err, -EMSGSIZE);
	assert_int_equal(counters()->requests, 0);
}

/* CTL transactions have eight bits, zero is not used, and numbers in use are skipped. */
TEST(test_ctl_transactions)
{
	struct qmi_client *ctl;

	assert_int_equal(qmi_client_new(&ctl, channel, CTL, 0, NULL, NULL), 0);
	FAKE_RULE(&modem, CTL, 0x21, .count = 1, .silent = true);
	for (int i = 0; i < 256; i++) {
		seen.replied = i == 0;
		ask(ctl, 0x21, 5000);
		assert_true(fake_run(&modem, &seen.replied, 1000) || i == 0);
	}
	assert_int_equal(modem.log[0].transaction, 1);
	assert_int_equal(modem.log[254].transaction, 255);
	assert_int_equal(modem.log[255].transaction, 2);
}

TEST(test_channel_lost)
{
	modem.mute = true;
	ask(wds, STATUS, 5000);
	ask(wds, STATUS, 5000);
	while (modem.nlog < 2)
		event_base_loop(modem.base, EVLOOP_ONCE);
	fake_hang_up(&modem);
	assert_true(fake_run(&modem, &seen.lost, 1000));
	assert_int_equal(seen.replies, 2);
	assert_int_equal(seen.err, -ENODEV);
	seen.replied = false;
	ask(wds, STATUS, 5000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	assert_int_equal(seen.err, -EPIPE);
}

TEST(test_cancel)
{
	FAKE_RULE(&modem, WDS, STATUS, .delay_ms = 30);
	ask(wds, STATUS, 1000);
	while (!modem.nlog)
		event_base_loop(modem.base, EVLOOP_ONCE);
	qmi_client_cancel(wds);
	wait_for(&counters()->late, 1);
	assert_int_equal(seen.replies, 0);
}

static void free_client(void *arg, const struct qmi_message *m)
{
	struct qmi_client **c = arg;

	seen.indicated = true;
	qmi_client_free(c);
}

/* Every client frees the next one from a broadcast: a freed client must not be called. */
TEST(test_free_from_indication)
{
	static struct qmi_client *a, *b;

	assert_int_equal(qmi_client_new(&a, channel, DMS, 1, free_client, &b), 0);
	assert_int_equal(qmi_client_new(&b, channel, DMS, 2, free_client, &a), 0);
	ask(wds, STATUS, 1000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	FAKE_INDICATE(&modem, DMS, 0xff, 1, 1, 0, 0);
	assert_true(fake_run(&modem, &seen.indicated, 1000));
	assert_null(b);
	assert_non_null(a);
}

static void free_channel(void *arg, int err, const struct qmi_message *m)
{
	seen.replied = true;
	qmi_channel_free(&channel);
}

TEST(test_free_from_reply)
{
	struct qmi_request r;

	FAKE_RULE(&modem, WDS, STATUS, .twice = true);
	qmi_request_init(&r, STATUS);
	qmi_client_send(wds, &r, 1000, free_channel, NULL);
	ask(wds, STATUS, 1000);
	assert_true(fake_run(&modem, &seen.replied, 1000));
	run_for(20);
	assert_int_equal(seen.replies, 0);
	assert_null(channel);
}

static void check_open_error(const char *path, int err, const char *text)
{
	struct qmi_channel *ch = NULL;
	struct error e = {0};

	assert_int_equal(qmi_channel_open(&ch, modem.base, path, &ops, NULL, &e), err);
	assert_int_equal(e.err, err);
	assert_non_null(strstr(e.text, path));
	assert_non_null(strstr(e.text, text));
	assert_null(ch);
}

TEST(test_open_errors)
{
	char path[128];

	check_open_error("/no/such/device", -ENOENT, "No such file");
	check_open_error("/etc/passwd", -EINVAL, "neither a character device nor a unix socket");
	check_open_error("/", -EINVAL, "neither");
	check_open_error("/dev/null", -EINVAL, "no QMI device");
	snprintf(path, sizeof(path), "%s", modem.path);
	event_del(modem.listener);
	close(modem.listen_fd);
	check_open_error(path, -ECONNREFUSED, "refused");
	modem.listen_fd = -1;
}

/* --- character devices; a pseudo terminal is one --- */

static struct pty {
	int master;
	char path[64];
} pty;

static void pty_open(void)
{
	struct termios raw;
	int slave;

	time_is_real = true;
	pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(pty.master >= 0);
	assert_int_equal(grantpt(pty.master) | unlockpt(pty.master), 0);
	assert_int_equal(ptsname_r(pty.master, pty.path, sizeof(pty.path)), 0);
	slave = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	qmi_channel_free(&channel);
	assert_int_equal(qmi_channel_open(&channel, modem.base, pty.path, &ops, NULL, NULL), 0);
	assert_int_equal(qmi_client_new(&wds, channel, WDS, 7, on_indication, NULL), 0);
	close(slave);
}

TEST(test_chardev)
{
	static const uint8_t want[] = {1, 12, 0, 0, 1, 7, 0, 1, 0, 0x22, 0, 0, 0};
	struct pollfd p = {.events = POLLIN};
	uint8_t b[64];
	size_t n;

	pty_open();
	ask(wds, STATUS, 60000);
	p.fd = pty.master;
	while (poll(&p, 1, 0) == 0)
		run_for(5);
	assert_int_equal(read(pty.master, b, sizeof(b)), sizeof(want));
	assert_memory_equal(b, want, sizeof(want));
	n = fake_message(b, WDS, 7, 1, 1, STATUS, NULL, 0);
	assert_int_equal(write(pty.master, b, n), n);
	assert_true(fake_run(&modem, &seen.replied, 60000));
	assert_int_equal(seen.err, 0);
	close(pty.master);
	assert_true(fake_run(&modem, &seen.lost, 60000));
}

TEST(test_exclusive)
{
	int gate[2], status;
	char c = 0;
	pid_t child;

	assert_true(qmi_transport_exclusive(qmi_channel_transport(channel)));
	pty_open();
	if (geteuid() != 0) {
		close(pty.master);
		skip(); /* processes of other users cannot be examined */
	}
	assert_true(qmi_transport_exclusive(qmi_channel_transport(channel)));
	assert_int_equal(pipe(gate), 0);
	child = fork();
	if (!child) {
		int fd = open(pty.path, O_RDWR | O_NOCTTY);

		c = fd >= 0;
		if (write(gate[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(gate[0], &c, 1), 1);
	assert_int_equal(c, 1);
	assert_false(qmi_transport_exclusive(qmi_channel_transport(channel)));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(qmi_transport_exclusive(qmi_channel_transport(channel)));
	close(gate[0]);
	close(gate[1]);
	close(pty.master);
}
