// SPDX-License-Identifier: GPL-2.0-or-later
/* Our qmi-proxy between clients, which are sockets of this test, and a scripted modem. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/proxy/proxy.h"
#include "daemon/qmi/client.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/transport.h"
#include "unit_modem.h"
#include "virtual_time.h"

#define MAX  5
#define NAME "qmap-test-%d"

static struct fake_modem modem;
static struct qmi_channel *channel;
static struct proxy_modem *shared;
static char name[32];
static int fds[MAX];
static struct {
	int changes, lost;
	unsigned int most, ids, allocating; /* as in the last callback */
	unsigned int requests_at_change;
} seen;

static void count(void *arg, uint8_t service, uint8_t value)
{
	++*(unsigned int *)arg;
}

static void add(void *arg, uint8_t service, uint8_t value)
{
	*(unsigned int *)arg += value;
}

static void on_changed(void *arg)
{
	seen.changes++;
	seen.ids = seen.allocating = 0;
	seen.requests_at_change = modem.nlog;
	proxy_modem_each_id(shared, count, &seen.ids);
	proxy_modem_each_allocating(shared, add, &seen.allocating);
	if (seen.allocating > seen.most)
		seen.most = seen.allocating;
}

static bool owns_mux(void *arg, uint8_t mux)
{
	return mux == 0x81 || mux == 0x90;
}

static const struct proxy_owner owner = {.changed = on_changed, .owns_mux = owns_mux};

static void on_lost(void *arg, const char *why)
{
	seen.lost++;
}

static const struct qmi_channel_ops ops = {.lost = on_lost};

static int setup(void **state)
{
	struct error err = {0};

	memset(&seen, 0, sizeof(seen));
	fake_open(&modem);
	snprintf(name, sizeof(name), NAME, (int)getpid());
	if (proxy_server_start(modem.base, name, NULL, &err) ||
	    qmi_channel_open(&channel, modem.base, modem.path, &ops, NULL, &err))
		return -1;
	shared = proxy_modem_new(modem.path, &owner, NULL);
	for (int i = 0; i < MAX; i++)
		fds[i] = -1;
	return shared ? 0 : -1;
}

static int teardown(void **state)
{
	for (int i = 0; i < MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	qmi_channel_free(&channel);
	proxy_modem_free(&shared);
	proxy_server_stop();
	fake_close(&modem);
	return 0;
}

TEST_FIXTURE(setup, teardown);

static int no_sigpipe(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

TEST_GROUP(no_sigpipe, NULL);

static void turn(void)
{
	bool never = false;

	for (int i = 0; i < 10; i++)
		event_base_loop(modem.base, EVLOOP_NONBLOCK);
	fake_run(&modem, &never, 1);
}

static void dial(int i)
{
	struct sockaddr_un sa;
	unsigned int len = qmi_proxy_address(&sa, name);

	fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fds[i], (struct sockaddr *)&sa, len), 0);
}

static size_t request(uint8_t *b, uint8_t service, uint8_t client, uint16_t tid, uint16_t message,
		      const void *tlvs, size_t len)
{
	size_t n = fake_message(b, service, client, 0, tid, message, tlvs, len);

	b[3] = 0;
	return n;
}

static void ask(int i, uint8_t service, uint8_t client, uint16_t tid, uint16_t message,
		const void *tlvs, size_t len)
{
	uint8_t b[512];
	size_t n = request(b, service, client, tid, message, tlvs, len);

	assert_int_equal(send(fds[i], b, n, MSG_NOSIGNAL), n);
	turn();
}

static void open_path(int i, const char *path)
{
	uint8_t tlv[200] = {1, strlen(path), 0};

	dial(i);
	memcpy(tlv + 3, path, strlen(path));
	ask(i, CTL, 0, 9, 0xff00, tlv, 3 + strlen(path));
}

/* Reads the next message for client @i. Returns its length, 0: none, -1: hung up. */
static int take(int i, uint8_t b[512])
{
	ssize_t n;

	turn();
	n = recv(fds[i], b, 3, 0);
	if (n <= 0)
		return n == 0 || errno != EAGAIN ? -1 : 0;
	assert_int_equal(n, 3);
	n = recv(fds[i], b + 3, (b[1] | b[2] << 8) - 2, 0);
	assert_int_equal(n, (b[1] | b[2] << 8) - 2);
	return n + 3;
}

/*
 * Reads the next message, which must be a CTL response with this transaction and message; its
 * result.
 */
static uint16_t ctl_result(int i, uint8_t tid, uint16_t message, uint8_t b[512])
{
	assert_true(take(i, b) >= 19);
	assert_int_equal(b[3], 0x80);
	assert_int_equal(b[4], CTL);
	assert_int_equal(b[6], 1);
	assert_int_equal(b[7], tid);
	assert_int_equal(b[8] | b[9] << 8, message);
	assert_int_equal(b[12], 2);
	return b[17] | b[18] << 8;
}

static void welcome(int i)
{
	uint8_t b[512];

	open_path(i, modem.path);
	assert_int_equal(ctl_result(i, 9, 0xff00, b), 0);
}

static void let_in(void)
{
	proxy_modem_open(shared, channel);
	turn();
}

static uint8_t allocate(int i, uint8_t service)
{
	uint8_t b[512];

	ask(i, CTL, 0, 33, 0x0022, ((uint8_t[]){1, 1, 0, service}), 4);
	assert_int_equal(ctl_result(i, 33, 0x0022, b), 0);
	assert_int_equal(b[22], service);
	return b[23];
}

static void hang_up(int i)
{
	close(fds[i]);
	fds[i] = -1;
	turn();
}

TEST(test_open)
{
	uint8_t b[512];

	let_in();
	welcome(0);
	assert_int_equal(proxy_modem_clients(shared), 1);
	open_path(1, "/dev/null");
	assert_int_equal(take(1, b), -1);
	open_path(2, "/nowhere");
	assert_int_equal(take(2, b), -1);
	dial(3);
	ask(3, CTL, 0, 1, 0x0021, NULL, 0);
	assert_int_equal(take(3, b), -1);
	assert_int_equal(take(0, b), 0);
	/* a second time */
	ask(0, CTL, 0, 9, 0xff00, ((uint8_t[]){1, 1, 0, '/'}), 4);
	assert_int_equal(take(0, b), -1);
	assert_int_equal(modem.nlog, 0);
}

/* A client that asks before the modem is there waits for it, and so do its messages. */
TEST(test_waits_for_modem)
{
	uint8_t b[512];

	open_path(0, modem.path);
	ask(0, CTL, 0, 5, 0x0021, NULL, 0);
	assert_int_equal(take(0, b), 0);
	assert_int_equal(modem.nlog, 0);
	let_in();
	assert_int_equal(ctl_result(0, 9, 0xff00, b), 0);
	assert_int_equal(ctl_result(0, 5, 0x0021, b), 0);
}

/* Two clients use the same transaction number: each gets its own answer. */
TEST(test_transactions_are_told_apart)
{
	uint8_t b[512];

	let_in();
	welcome(0);
	welcome(1);
	FAKE_RULE(&modem, CTL, 0x22, .delay_ms = 30);
	ask(0, CTL, 0, 77, 0x0022, ((uint8_t[]){1, 1, 0, NAS}), 4);
	ask(1, CTL, 0, 77, 0x0022, ((uint8_t[]){1, 1, 0, DMS}), 4);
	assert_int_equal(modem.nlog, 2);
	assert_int_not_equal(modem.log[0].transaction, modem.log[1].transaction);
	while (seen.ids < 2)
		event_base_loop(modem.base, EVLOOP_ONCE);
	assert_int_equal(ctl_result(0, 77, 0x0022, b), 0);
	assert_int_equal(b[22], NAS);
	assert_int_equal(ctl_result(1, 77, 0x0022, b), 0);
	assert_int_equal(b[22], DMS);
	assert_int_equal(seen.most, 2);
}

TEST(test_services)
{
	uint8_t b[512], id, other;

	let_in();
	welcome(0);
	welcome(1);
	id = allocate(0, DMS);
	other = allocate(1, DMS);
	ask(0, DMS, id, 0x1234, 0x0022, NULL, 0);
	assert_true(take(0, b) > 0);
	assert_int_equal(b[5], id);
	assert_int_equal(b[7] | b[8] << 8, 0x1234);
	assert_int_equal(take(1, b), 0);
	ask(0, DMS, other, 1, 0x0022, NULL, 0);
	assert_true(take(0, b) > 0);
	assert_int_equal(b[18], 7); /* InvalidClientId, and the modem got no message */
	assert_int_equal(modem.nlog, 3);
}

TEST(test_indications)
{
	uint8_t b[512], id;

	let_in();
	for (int i = 0; i < 3; i++)
		welcome(i);
	id = allocate(0, NAS);
	allocate(1, NAS);
	allocate(2, DMS);
	FAKE_INDICATE(&modem, NAS, id, 0x24, 1, 1, 0, 5);
	assert_int_equal(take(0, b), 17);
	assert_int_equal(take(1, b), 0);
	FAKE_INDICATE(&modem, NAS, 0xff, 0x24, 1, 1, 0, 6);
	assert_int_equal(take(0, b), 17);
	assert_int_equal(take(1, b), 17);
	assert_int_equal(take(2, b), 0);
	FAKE_INDICATE(&modem, NAS, 200, 0x24, 1, 1, 0, 7);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(i, b), 0);
}

/* An id is written down before it is requested, until the modem has released it. */
TEST(test_ids_are_written_down)
{
	let_in();
	welcome(0);
	modem.mute = true;
	ask(0, CTL, 0, 1, 0x0022, ((uint8_t[]){1, 1, 0, NAS}), 4);
	assert_int_equal(seen.allocating, 1);
	assert_int_equal(seen.requests_at_change, 0);
	assert_int_equal(modem.nlog, 1);
	modem.mute = false;
	welcome(1);
	allocate(1, NAS);
	assert_int_equal(seen.ids, 1);
	assert_int_equal(seen.allocating, 1);
	hang_up(1);
	assert_int_equal(seen.ids, 0);
	assert_int_equal(fake_clients(&modem), 0);
}

/* The client has left before the modem's answer: the id is released. */
TEST(test_left_before_the_id_came)
{
	let_in();
	welcome(0);
	FAKE_RULE(&modem, CTL, 0x22, .delay_ms = 20);
	ask(0, CTL, 0, 1, 0x0022, ((uint8_t[]){1, 1, 0, NAS}), 4);
	hang_up(0);
	assert_int_equal(fake_clients(&modem), 1);
	for (int i = 0; i < 1000 && fake_clients(&modem); i++)
		event_base_loop(modem.base, EVLOOP_ONCE);
	turn();
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(seen.ids + seen.allocating, 0);
}

TEST(test_release)
{
	uint8_t b[512], id;

	let_in();
	welcome(0);
	welcome(1);
	id = allocate(0, NAS);
	ask(1, CTL, 0, 2, 0x0023, ((uint8_t[]){1, 2, 0, NAS, id}), 5);
	assert_int_equal(ctl_result(1, 2, 0x0023, b), 7);
	assert_int_equal(fake_clients(&modem), 1);
	ask(0, CTL, 0, 2, 0x0023, ((uint8_t[]){1, 2, 0, NAS, id}), 5);
	assert_int_equal(ctl_result(0, 2, 0x0023, b), 0);
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(seen.ids, 0);
	assert_false(proxy_modem_has(shared, NAS, id));
}

/* An id without room in the table could not be released: it is not requested. */
TEST(test_ids_of_all_clients)
{
	static const uint8_t services[] = {WDS, DMS, NAS, UIM};
	uint8_t b[512];

	let_in();
	for (int i = 0; i < MAX; i++) {
		welcome(i);
		for (int n = 0; n < 64 && i < 4; n++)
			allocate(i, services[i]);
	}
	assert_int_equal(fake_clients(&modem), 256);
	ask(4, CTL, 0, 2, 0x0022, ((uint8_t[]){1, 1, 0, NAS}), 4);
	assert_int_equal(ctl_result(4, 2, 0x0022, b), 5);
	assert_int_equal(fake_clients(&modem), 256);
	for (int i = 0; i < MAX; i++)
		hang_up(i);
	for (int i = 0; i < 100 && fake_clients(&modem); i++)
		turn();
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(seen.ids + seen.allocating, 0);
}

/* A client's call on one of our mux ids would send its packets to our PDN's port. */
TEST(test_mux_ids_are_ours)
{
	static const struct {
		uint16_t message, error;
		uint8_t tlvs[12], len;
	} cases[] = {
		{0xa2, 82, {0x11, 1, 0, 0x81}, 4},
		{0xa2, 82, {0x11, 1, 0, 0x85, 0x11, 1, 0, 0x90}, 8},
		{0xa2, 82, {0x10, 1, 0, 0, 0x11, 2, 0, 0x81, 0}, 9},
		{0xa2, 0, {0x11, 1, 0, 0x85}, 4},
		{0xa2, 0, {0x11, 0, 0}, 3},
		{0x22, 0, {0x11, 1, 0, 0x81}, 4},
	};
	uint8_t b[512], id, nas;
	unsigned int before;

	let_in();
	welcome(0);
	id = allocate(0, WDS);
	nas = allocate(0, NAS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		before = modem.nlog;
		ask(0, WDS, id, i + 1, cases[i].message, cases[i].tlvs, cases[i].len);
		assert_true(take(0, b) > 0);
		assert_int_equal(modem.nlog, before + !cases[i].error);
		if (cases[i].error)
			assert_int_equal(b[18], cases[i].error);
	}
	before = modem.nlog;
	ask(0, NAS, nas, 9, 0xa2, cases[0].tlvs, cases[0].len);
	assert_int_equal(modem.nlog, before + 1);
}

/* A client beyond the limit is disconnected at once and does not wait. */
TEST(test_seats)
{
	int many[64];
	uint8_t b[512];

	let_in();
	for (int i = 0; i < 64; i++) {
		dial(0);
		many[i] = fds[0];
	}
	turn();
	dial(1);
	assert_int_equal(take(1, b), -1);
	assert_int_equal(proxy_modem_clients(shared), 0);
	close(many[63]);
	turn();
	hang_up(1);
	welcome(1);
	for (int i = 0; i < 63; i++)
		close(many[i]);
	fds[0] = -1;
	turn();
}

TEST(test_what_ctl_keeps)
{
	static const struct {
		uint16_t message, error;
		uint8_t tlvs[8], len;
	} cases[] = {
		{0x0027, 0, {0}, 0},		   /* SYNC */
		{0x0026, 82, {1, 1, 0, 0}, 4},	   /* data format */
		{0x0020, 71, {1, 1, 0, 1}, 4},	   /* instance id */
		{0x0022, 17, {0}, 0},		   /* no service */
		{0x0022, 17, {1, 1, 0, 0}, 4},	   /* CTL has no ids */
		{0x0022, 17, {1, 2, 0, 3, 3}, 5},  /* two bytes where one should be */
		{0x0023, 17, {0}, 0},		   /* no id */
		{0x0023, 7, {1, 2, 0, 3, 200}, 5}, /* another client's */
		{0x1234, 71, {0}, 0},
	};
	uint8_t b[512];

	let_in();
	welcome(0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(0, CTL, 0, i + 1, cases[i].message, cases[i].tlvs, cases[i].len);
		assert_int_equal(ctl_result(0, i + 1, cases[i].message, b), cases[i].error);
	}
	assert_int_equal(modem.nlog, 0);
}

/* A message in pieces of every size, and several in one piece. */
TEST(test_framing)
{
	uint8_t b[512], three[512];
	size_t n = 0;

	let_in();
	welcome(0);
	n = request(b, CTL, 0, 1, 0x0021, NULL, 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(send(fds[0], b + i, 1, 0), 1);
		turn();
	}
	assert_int_equal(ctl_result(0, 1, 0x0021, b), 0);
	n = 0;
	for (int i = 2; i < 5; i++)
		n += request(three + n, CTL, 0, i, 0x0021, NULL, 0);
	assert_int_equal(send(fds[0], three, n, 0), n);
	for (int i = 2; i < 5; i++)
		assert_int_equal(ctl_result(0, i, 0x0021, b), 0);
}

TEST(test_garbage)
{
	static const struct {
		uint8_t bytes[20], len;
	} cases[] = {
		{{0}, 1},						 /* no marker */
		{{1, 4, 0, 0, 0, 0}, 6},				 /* too short */
		{{1, 0xff, 0xff, 0, 0, 0}, 6},				 /* too long */
		{{1, 11, 0, 0x80, 0, 0, 1, 1, 0x21, 0, 0, 0}, 12},	 /* a response */
		{{1, 11, 0, 0, 0, 0, 2, 1, 0x21, 0, 0, 0}, 12},		 /* an indication */
		{{1, 11, 0, 0, 0, 0, 7, 1, 0x21, 0, 0, 0}, 12},		 /* unknown type */
		{{1, 11, 0, 0, 0, 0, 0, 1, 0x21, 0, 1, 0}, 12},		 /* length of the TLVs */
		{{1, 14, 0, 0, 0, 0, 0, 1, 0x21, 0, 3, 0, 1, 9, 0}, 15}, /* TLV cut short */
		/* libqmi's of June 2026: the header of the second TLV is cut short */
		{{1, 18, 0, 0, 0, 0, 0, 1, 0x22, 0, 7, 0, 2, 2, 0, 0xff, 0xff, 0x64, 0}, 19},
	};
	uint8_t b[512];

	let_in();
	welcome(1);
	allocate(1, NAS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		welcome(0);
		allocate(0, DMS);
		assert_int_equal(send(fds[0], cases[i].bytes, cases[i].len, 0), cases[i].len);
		assert_int_equal(take(0, b), -1);
		hang_up(0);
		assert_int_equal(fake_clients(&modem), 1);
	}
	assert_int_equal(take(1, b), 0);
	assert_int_equal(proxy_modem_clients(shared), 1);
}

/*
 * Values of CTL requests shorter and longer than they should be: refused, and none reaches the
 * modem.
 */
TEST(test_values_cut)
{
	static const struct {
		uint16_t message;
		uint8_t tlvs[12], len;
	} cases[] = {
		{0x0022, {0}, 0},
		{0x0022, {1, 0, 0}, 3},
		{0x0022, {2, 2, 0, 0xff, 0xff}, 5},
		{0x0023, {0}, 0},
		{0x0023, {1, 0, 0}, 3},
		{0x0023, {1, 1, 0, NAS}, 4},
		{0x0023, {2, 2, 0, 0xff, 0xff}, 5},
		{0xff00, {0}, 0},
		{0xff00, {1, 0, 0}, 3},
		{0xff00, {2, 2, 0, 0xff, 0xff}, 5},
	};
	unsigned int before;
	uint8_t b[512];

	let_in();
	welcome(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		welcome(0);
		allocate(0, NAS);
		before = modem.nlog;
		ask(0, CTL, 0, 5, cases[i].message, cases[i].tlvs, cases[i].len);
		/* a client that is disconnected releases its id, and that is all */
		assert_int_equal(modem.nlog - before, 1 - fake_clients(&modem));
		if (take(0, b) > 0)
			assert_int_not_equal(b[17] | b[18] << 8, 0);
		hang_up(0);
		assert_int_equal(fake_clients(&modem), 0);
	}
	assert_int_equal(proxy_modem_clients(shared), 1);
}

/* The number of open requests of one client is limited; further ones wait, those of others pass. */
TEST(test_limit_of_requests)
{
	uint8_t b[512], id, other;
	unsigned int before;

	let_in();
	welcome(0);
	welcome(1);
	id = allocate(0, DMS);
	other = allocate(1, DMS);
	before = modem.nlog;
	modem.mute = true;
	for (int i = 1; i <= 20; i++)
		ask(0, DMS, id, i, 0x0022, NULL, 0);
	assert_int_equal(modem.nlog, before + 16);
	modem.mute = false;
	ask(1, DMS, other, 1, 0x0022, NULL, 0);
	assert_true(take(1, b) > 0);
	/* one answer makes room for one request, whose answer makes room for the next */
	fake_send(&modem, b, fake_message(b, DMS, id, 1, 1, 0x0022, NULL, 0));
	for (int i = 0; i < 10; i++)
		turn();
	assert_int_equal(modem.nlog, before + 21);
	assert_true(take(0, b) > 0);
}

TEST(test_modem_restarts)
{
	uint8_t b[512];

	let_in();
	welcome(0);
	welcome(1);
	allocate(0, NAS);
	modem.mute = true;
	ask(1, CTL, 0, 1, 0x0022, ((uint8_t[]){1, 1, 0, NAS}), 4);
	fake_forget_clients(&modem);
	modem.mute = false;
	FAKE_INDICATE(&modem, CTL, 0, 0x27, 1, 1, 0, 0);
	assert_int_equal(take(0, b), -1);
	assert_int_equal(take(1, b), -1);
	assert_int_equal(seen.ids + seen.allocating, 0);
	/* no request is sent to the modem for clients that have left */
	assert_int_equal(modem.nlog, 2);
	hang_up(0);
	welcome(0);
	allocate(0, NAS);
}

TEST(test_channel_lost)
{
	uint8_t b[512];
	int changes;

	let_in();
	welcome(0);
	allocate(0, NAS);
	ask(0, CTL, 0, 1, 0x0021, NULL, 0);
	changes = seen.changes;
	fake_hang_up(&modem);
	turn();
	assert_int_equal(seen.lost, 1);
	assert_true(take(0, b) > 0);
	assert_int_equal(take(0, b), -1);
	/* the owner of the channel knows whether the modem still has the ids */
	assert_int_equal(seen.changes, changes);
	/* the next channel works, too */
	qmi_channel_free(&channel);
	assert_int_equal(qmi_channel_open(&channel, modem.base, modem.path, &ops, NULL, NULL), 0);
	let_in();
	hang_up(0);
	welcome(0);
	allocate(0, NAS);
}

TEST(test_stop)
{
	uint8_t b[512];

	assert_true(proxy_modem_stop(NULL));
	let_in();
	welcome(0);
	allocate(0, NAS);
	allocate(0, DMS);
	assert_false(proxy_modem_stop(shared));
	assert_int_equal(take(0, b), -1);
	assert_true(proxy_modem_stop(shared));
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(seen.ids, 0);
	open_path(1, modem.path);
	assert_int_equal(take(1, b), 0); /* no client is let in */
}

TEST(test_names)
{
	struct error err = {0};

	proxy_server_stop();
	assert_int_equal(proxy_server_start(modem.base, "", NULL, &err), -EINVAL);
	assert_int_equal(proxy_server_start(modem.base, name, "no-such-group", NULL), -EINVAL);
	assert_int_equal(proxy_server_start(modem.base, name, NULL, NULL), 0);
	/* a channel through another proxy is not shared */
	assert_null(proxy_modem_new("qmi-proxy:/dev/cdc-wdm0", &owner, NULL));
}
