// SPDX-License-Identifier: GPL-2.0-or-later
/* The session against a scripted modem: its requests, the ids it releases, its callbacks. */
#include "test.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "daemon/util/json_get.h"
#include "daemon/util/log.h"
#include "daemon/session/session.h"
#include "unit_modem.h"
#include "virtual_time.h"

#define START	 0x0020
#define STOP	 0x0021
#define STATUS	 0x0022
#define SETTINGS 0x002d
#define BIND	 0x00a2
#define ALLOCATE 0x0022
#define RELEASE	 0x0023
#define SYNC	 0x0027
#define FORMAT	 0x0020

static struct fake_modem modem;
static struct session *session;
static struct config_trunk config;
static struct {
	bool started, lost, stopped, removed, any, never;
	int formats, ups, downs, changes;
	struct data_format format;
	struct ip_settings settings[16]; /* arguments of up() */
	unsigned int pdns[16];
	struct call_end end;
	int down_family;
	struct error error, stop_error;
	char why[128];
	int format_result;
	bool free_when_lost;
	struct json_object *state; /* saved by changed() */
	char path[2048];	   /* "1.4 idle starting; ..." from transition() */
	char reason[320];
} seen;

static int on_format(void *arg, const struct data_format *format, struct error *err)
{
	seen.formats++;
	seen.format = *format;
	return seen.format_result ? error_set(err, seen.format_result, "no data path") : 0;
}

static void on_up(void *arg, unsigned int pdn, const struct ip_settings *settings)
{
	seen.pdns[seen.ups % 16] = pdn;
	seen.settings[seen.ups++ % 16] = *settings;
	seen.any = true;
}

static void on_down(void *arg, unsigned int pdn, int family, const struct call_end *why)
{
	seen.downs++;
	seen.down_family = family;
	seen.end = *why;
	seen.any = true;
}

static void on_changed(void *arg)
{
	seen.changes++;
	json_object_put(seen.state);
	seen.state = session_state(session);
}

static void on_transition(void *arg, const struct session_transition *t)
{
	size_t len = strlen(seen.path);

	snprintf(seen.path + len, sizeof(seen.path) - len, "%u.%d %s %s; ", t->pdn, t->family,
		 call_state_name(t->from), call_state_name(t->to));
	snprintf(seen.reason, sizeof(seen.reason), "%s", t->reason);
}

static void on_started(void *arg, const struct error *err)
{
	assert_false(seen.started);
	seen.started = true;
	if (err)
		seen.error = *err;
}

static void on_lost(void *arg, const char *why)
{
	seen.lost = true;
	snprintf(seen.why, sizeof(seen.why), "%s", why);
	if (seen.free_when_lost)
		session_free(&session);
}

static void on_stopped(void *arg, const struct error *err)
{
	assert_false(seen.stopped);
	seen.stopped = true;
	if (err)
		seen.stop_error = *err;
}

static const struct session_ops ops = {
	.format = on_format,
	.up = on_up,
	.down = on_down,
	.changed = on_changed,
	.transition = on_transition,
	.started = on_started,
	.lost = on_lost,
};

static int setup(void **state)
{
	memset(&seen, 0, sizeof(seen));
	log_set_level(LOG_LEVEL_ERROR);
	fake_open(&modem);
	modem.without = "nas,uim";
	config_trunk_init(&config);
	strcpy(config.dev, "wwan0");
	strcpy(config.control, modem.path);
	config.timeout = 1;
	config.backoff_min = 50;
	config.backoff_max = 200;
	return 0;
}

static int teardown(void **state)
{
	session_free(&session);
	json_object_put(seen.state);
	fake_close(&modem);
	return 0;
}

TEST_FIXTURE(setup, teardown);

/* As configured now. */
static const struct session_setup *as_configured(void)
{
	static struct session_setup wanted;

	session_setup_init(&wanted, &config);
	return &wanted;
}

static void pdn(const char *text)
{
	assert_int_equal(config_pdn_add(&config, text, NULL), 0);
}

static void start(void)
{
	struct error err = {0};

	assert_int_equal(config_trunk_finish(&config, &err), 0);
	assert_int_equal(session_start(&session, modem.base, as_configured(), &ops, NULL, &err), 0);
}

static void start_ok(void)
{
	start();
	assert_true(fake_run(&modem, &seen.started, 3000));
	if (seen.error.err)
		print_error("%s\n", seen.error.text);
	assert_int_equal(seen.error.err, 0);
}

static void start_with(const char *text)
{
	pdn(text);
	start_ok();
}

/* Compares `show` for the n-th family of the first PDN. */
static void shown(unsigned int n, const char *state, const char *reason)
{
	struct json_object *show = session_show(session);
	struct json_object *f = json_get_element(json_get_element(show, "pdns", 0), "families", n);
	char text[400];

	assert_string_equal(json_get_string(f, "state"), state);
	snprintf(text, sizeof(text), "%s", json_get_string(f, "reason") ?: "");
	json_object_put(show);
	if (!strstr(text, reason))
		fail_msg("\"%s\" does not say \"%s\"", text, reason);
}

/* Start fails with these words, and leaves no client and no call in the modem. */
static void start_fails(int err, const char *text, const char *hint)
{
	start();
	assert_true(fake_run(&modem, &seen.started, 6000));
	if (!strstr(seen.error.text, text) || !strstr(seen.error.hint, hint))
		print_error("%s / %s\n", seen.error.text, seen.error.hint);
	assert_int_equal(seen.error.err, err);
	assert_non_null(strstr(seen.error.text, text));
	assert_non_null(strstr(seen.error.hint, hint));
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(seen.ups, seen.downs);
}

static void stop_ok(void)
{
	session_stop(session, on_stopped, NULL);
	assert_true(fake_run(&modem, &seen.stopped, 3000));
	assert_int_equal(seen.stop_error.err, 0);
	assert_int_equal(fake_clients(&modem), 0);
}

static void run_for(unsigned int ms)
{
	fake_run(&modem, &seen.never, ms);
}

/* Runs until the modem has got the request so many times. */
static void asked(uint8_t service, uint16_t message, unsigned int times)
{
	for (int i = 0; i < 300 && fake_asked(&modem, service, message) < times; i++)
		run_for(10);
	assert_int_equal(fake_asked(&modem, service, message), times);
}

static const struct request *nth(uint8_t service, uint16_t message, unsigned int n)
{
	for (unsigned int i = 0; i < modem.nlog; i++)
		if (modem.log[i].service == service && modem.log[i].message == message && !n--)
			return &modem.log[i];
	fail_msg("service %u was not asked for 0x%04x so often", service, message);
	return NULL;
}

static uint32_t u32(const struct request *r, uint8_t type)
{
	size_t len = 0;
	const uint8_t *v = fake_tlv(r, type, &len);
	uint32_t n = 0;

	assert_non_null(v);
	for (size_t i = 0; i < len && i < 4; i++)
		n |= (uint32_t)v[i] << 8 * i;
	return n;
}

/* --- the way up --- */

TEST(test_one_pdn)
{
	static const uint8_t address[] = {10, 64, 1, 2}, gateway[] = {10, 64, 1, 1};
	static const uint8_t dns[] = {10, 64, 1, 53};

	start_with("1,apn=internet,ip=v4");
	assert_int_equal(seen.formats, 1);
	assert_int_equal(seen.format.version, 5);
	assert_int_equal(seen.format.dl_max_bytes, 31744);
	assert_int_equal(seen.format.dl_max_datagrams, 32);
	assert_int_equal(seen.format.ul_max_bytes, 8192);
	assert_int_equal(seen.format.ul_max_datagrams, 11);
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.settings[0].family, 4);
	assert_memory_equal(seen.settings[0].address, address, 4);
	assert_memory_equal(seen.settings[0].gateway, gateway, 4);
	assert_true(seen.settings[0].has_gateway);
	assert_int_equal(seen.settings[0].prefix, 30);
	assert_int_equal(seen.settings[0].ndns, 2);
	assert_memory_equal(seen.settings[0].dns[0], dns, 4);
	assert_int_equal(seen.settings[0].mtu, 1500);
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 1);
	assert_int_equal(modem.log[0].message, SYNC);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
	assert_int_equal(u32(nth(WDS, STOP, 0), 1), 0x86e00010); /* the handle from Start Network */
	assert_int_equal(fake_asked(&modem, CTL, RELEASE), 3);
}

TEST(test_order_and_values)
{
	const struct request *r;
	size_t len;

	pdn("3,apn=private,ip=v6,user=me,password=secret");
	config.dl_max_bytes = 8192;
	config.dl_max_datagrams = 20;
	start_ok();
	r = nth(WDA, FORMAT, 0);
	/* the smaller of the preferred sizes of model and data path */
	assert_int_equal(u32(r, 0x16), 8192);
	assert_int_equal(u32(r, 0x15), 20);
	assert_int_equal(u32(r, 0x11), 2);
	assert_int_equal(u32(r, 0x17), 2);
	r = nth(WDS, BIND, 0);
	assert_int_equal(u32(r, 0x11), 0x83);
	assert_int_equal(u32(r, 0x13), 1);
	assert_memory_equal(fake_tlv(r, 0x10, &len), "\2\0\0\0\4\0\0\0", 8);
	assert_int_equal(u32(nth(WDS, 0x4d, 0), 1), 6);
	r = nth(WDS, START, 0);
	assert_memory_equal(fake_tlv(r, 0x14, &len), "private", 7);
	assert_int_equal(u32(r, 0x16), 3); /* authentication; 0x15 would be an address */
	assert_null(fake_tlv(r, 0x15, &len));
	assert_memory_equal(fake_tlv(r, 0x17, &len), "me", 2);
	assert_memory_equal(fake_tlv(r, 0x18, &len), "secret", 6);
	assert_int_equal(u32(r, 0x19), 6);
	assert_true(nth(WDS, BIND, 0) < nth(WDS, START, 0));
	assert_true(nth(WDA, FORMAT, 0) < nth(WDS, BIND, 0));
	assert_int_equal(u32(nth(WDS, SETTINGS, 0), 0x10) & 0x2310, 0x2310);
}

TEST(test_no_apn_no_auth)
{
	size_t len;

	start_with("1,ip=v4");
	assert_null(fake_tlv(nth(WDS, START, 0), 0x14, &len));
	assert_null(fake_tlv(nth(WDS, START, 0), 0x16, &len));
}

TEST(test_four_dual_stack)
{
	uint8_t clients[8];

	for (int i = 1; i <= 4; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%d", i);
		pdn(text);
	}
	/* One after the other, these would take eight times as long. */
	FAKE_RULE(&modem, WDS, START, .delay_ms = 200);
	start();
	assert_true(fake_run(&modem, &seen.started, 1200));
	assert_int_equal(seen.error.err, 0);
	assert_int_equal(seen.ups, 8);
	assert_int_equal(fake_asked(&modem, WDS, START), 8);
	for (int i = 0; i < 8; i++) {
		clients[i] = nth(WDS, START, i)->client;
		for (int j = 0; j < i; j++)
			assert_int_not_equal(clients[i], clients[j]);
	}
	assert_int_equal(fake_clients(&modem), 10);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 8);
}

TEST(test_no_sync)
{
	struct json_object *show;

	config.sync = false;
	start_with("1,ip=v4");
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 0);
	show = session_show(session);
	assert_false(json_get_bool(show, "exclusive"));
	json_object_put(show);
}

/* --- the ladder --- */

static void check_ladder(int version, unsigned int requests)
{
	static const uint32_t protocols[] = {9, 8, 5};

	start_with("1,ip=v4");
	assert_int_equal(seen.format.version, version);
	assert_int_equal(fake_asked(&modem, WDA, FORMAT), requests);
	for (unsigned int i = 0; i < requests; i++) {
		assert_int_equal(u32(nth(WDA, FORMAT, i), 0x12), protocols[i]);
		assert_int_equal(u32(nth(WDA, FORMAT, i), 0x13), protocols[i]);
	}
}

TEST(test_ladder_v5_refused)
{
	modem.accepts = 1u << 5 | 1u << 8;
	check_ladder(4, 2);
}

TEST(test_ladder_v1)
{
	modem.accepts = 1u << 5;
	check_ladder(1, 3);
}

/* EC25: reports success with aggregation off. */
TEST(test_ladder_echo)
{
	modem.accepts = 1u << 5;
	modem.refuses_by_echo = true;
	modem.model = "EC25";
	check_ladder(1, 3);
	assert_int_equal(u32(nth(WDA, FORMAT, 0), 0x16), 4096);
	assert_int_equal(seen.format.dl_max_bytes, 4096);
}

/* The owner's wishes decide, each with sizes of its own. */
TEST(test_wishes)
{
	struct session_setup setup;
	struct error err = {0};

	modem.accepts = 1u << 9;
	modem.model = "RG500Q";
	pdn("1,ip=v4");
	assert_int_equal(config_trunk_finish(&config, &err), 0);
	session_setup_init(&setup, &config);
	setup.nwishes = 2;
	setup.wish[0] = (struct session_wish){.version = 1, .dl_max_datagrams = 7};
	setup.wish[1] = (struct session_wish){.version = 5, .dl_max_bytes = 2048};
	assert_int_equal(session_start(&session, modem.base, &setup, &ops, NULL, &err), 0);
	assert_true(fake_run(&modem, &seen.started, 2000));
	assert_int_equal(seen.error.err, 0);
	assert_int_equal(seen.format.version, 5);
	assert_int_equal(fake_asked(&modem, WDA, FORMAT), 2);
	assert_int_equal(u32(nth(WDA, FORMAT, 0), 0x12), 5);
	assert_int_equal(u32(nth(WDA, FORMAT, 0), 0x15), 7);
	assert_int_equal(u32(nth(WDA, FORMAT, 1), 0x12), 9);
	assert_int_equal(u32(nth(WDA, FORMAT, 1), 0x15), 32);
	assert_int_equal(u32(nth(WDA, FORMAT, 1), 0x16), 2048);
}

TEST(test_ladder_other_size)
{
	modem.dl_bytes = 12345;
	start_with("1,ip=v4");
	assert_int_equal(seen.format.dl_max_bytes, 12345);
}

/* A limit below one packet would wrap, or drop every packet of full size: it counts as no limit. */
TEST(test_ladder_uplink_size)
{
	modem.ul_bytes = 1;
	start_with("1,ip=v4");
	assert_int_equal(seen.format.ul_max_bytes, 0);
}

TEST(test_ladder_uplink_size_least)
{
	modem.ul_bytes = 8 + 1500 + 3;
	start_with("1,ip=v4");
	assert_int_equal(seen.format.ul_max_bytes, 1511);
}

/* Agreed on a version, but with an impossible aggregate size. */
TEST(test_ladder_no_size)
{
	static const uint8_t v5_without_size[] = {0x12, 4, 0, 9,    0, 0, 0, 0x13, 4, 0, 9,
						  0,	0, 0, 0x16, 4, 0, 0, 0,	   0, 0};

	FAKE_RULE(&modem, WDA, FORMAT, .count = 1, .tlvs = v5_without_size,
		  .tlvs_len = sizeof(v5_without_size));
	start_with("1,ip=v4");
	assert_int_equal(seen.format.version, 4);
}

TEST(test_ladder_one_way_only)
{
	static const uint8_t downlink_only[] = {0x12, 4, 0, 0,	  0, 0, 0, 0x13, 4, 0, 9,
						0,    0, 0, 0x16, 4, 0, 0, 0x40, 0, 0};

	FAKE_RULE(&modem, WDA, FORMAT, .count = 1, .tlvs = downlink_only,
		  .tlvs_len = sizeof(downlink_only));
	start_with("1,ip=v4");
	assert_int_equal(seen.format.version, 4);
}

TEST(test_ladder_nothing)
{
	modem.accepts = 0;
	pdn("1,ip=v4");
	start_fails(-EOPNOTSUPP,
		    "does not accept any version of QMAP: it answers with "
		    "invalid_argument (error 48)",
		    "qmap=off");
	assert_int_equal(seen.error.exit, EXIT_REFUSED);
	assert_int_equal(seen.formats, 0);
}

TEST(test_qmap_chosen)
{
	config.qmap = CONFIG_QMAP_V1;
	start_with("1,ip=v4");
	assert_int_equal(seen.format.version, 1);
	assert_int_equal(fake_asked(&modem, WDA, FORMAT), 1);
}

TEST(test_qmap_chosen_refused)
{
	modem.accepts = 1u << 5;
	modem.refuses_by_echo = true;
	config.qmap = CONFIG_QMAP_V5;
	pdn("1,ip=v4");
	start_fails(-EOPNOTSUPP, "the version of QMAP asked for: it answers with aggregation off",
		    "auto");
}

TEST(test_qmap_off)
{
	size_t len;

	modem.accepts = 1;
	modem.model = "EC25";
	config.qmap = CONFIG_QMAP_OFF;
	start_with("1,ip=v4");
	assert_int_equal(seen.format.version, 0);
	assert_int_equal(fake_asked(&modem, WDS, BIND), 0);
	assert_null(fake_tlv(nth(WDA, FORMAT, 0), 0x16, &len));
}

TEST(test_qmap_off_forced)
{
	config.qmap = CONFIG_QMAP_OFF;
	pdn("1,ip=v4");
	start_fails(-EOPNOTSUPP, "RG500Q-EA sends QMAP whatever it is told", "auto");
	assert_int_equal(seen.error.exit, EXIT_REFUSED);
	assert_int_equal(fake_asked(&modem, WDA, FORMAT), 0);
}

TEST(test_data_path_fails)
{
	seen.format_result = -ENOSPC;
	pdn("1,ip=v4");
	start_fails(-ENOSPC, "no data path", "");
	assert_int_equal(fake_asked(&modem, WDS, START), 0);
}

/* --- refusals --- */

#define UNKNOWN_APN 0x10, 2, 0, 0xf5, 3, 0x11, 4, 0, 6, 0, 27, 0
#define BAD_AUTH    0x11, 4, 0, 6, 0, 29, 0
#define V4_ONLY	    0x11, 4, 0, 6, 0, 50, 0
#define RULE_TLVS(...)                                                                             \
	.tlvs = (const uint8_t[]){__VA_ARGS__}, .tlvs_len = sizeof((uint8_t[]){__VA_ARGS__})

TEST(test_unknown_apn)
{
	FAKE_RULE(&modem, WDS, START, .error = 14, RULE_TLVS(UNKNOWN_APN));
	pdn("1,apn=internt");
	start_fails(-ECONNREFUSED,
		    "PDN 1 (APN \"internt\") is not connected: the network refused with "
		    "unknown_apn (3gpp reason 27)",
		    "spelling");
	assert_int_equal(seen.ups, 0);
	assert_int_equal(fake_asked(&modem, WDS, STOP), 0); /* there is no call to stop */
}

TEST(test_bad_auth)
{
	FAKE_RULE(&modem, WDS, START, .error = 14, RULE_TLVS(BAD_AUTH));
	pdn("1,ip=v4,user=x,password=y");
	start_fails(-ECONNREFUSED, "authentication_failed (3gpp reason 29)", "password=");
}

/* One PDN of two fails: the other one, connected, is released with it. */
TEST(test_one_of_two_refused)
{
	FAKE_RULE(&modem, WDS, START, .skip = 1, .error = 14, .delay_ms = 30,
		  RULE_TLVS(UNKNOWN_APN));
	pdn("1,apn=a,ip=v4");
	pdn("2,apn=b,ip=v4");
	start_fails(-ECONNREFUSED, "PDN 2 (APN \"b\")", "spelling");
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.downs, 1);
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
}

TEST(test_bind_refused)
{
	FAKE_RULE(&modem, WDS, BIND, .error = 43);
	pdn("1,ip=v4");
	start_fails(
		-ECONNREFUSED,
		"the modem refused with interface_not_found (error 43) while binding the mux id",
		"another modem");
}

TEST(test_ids_exhausted)
{
	FAKE_RULE(&modem, CTL, ALLOCATE, .skip = 3, .error = 5);
	pdn("1");
	start_with("2");
	shown(1, "backing-off", "client_ids_exhausted");
	stop_ok();
}

TEST(test_wda_refused)
{
	FAKE_RULE(&modem, CTL, ALLOCATE, .error = 31);
	pdn("1");
	start_fails(-ECONNREFUSED, "invalid_service_type (error 31) while giving out a WDA", "");
}

/* The network offers IPv4 only: the PDN is up all the same. */
TEST(test_dual_stack_fallback)
{
	struct json_object *show, *v6;

	FAKE_RULE(&modem, WDS, START, .family = 6, .error = 14, RULE_TLVS(V4_ONLY));
	start_with("1,apn=internet");
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.settings[0].family, 4);
	show = session_show(session);
	v6 = json_get_element(json_get_element(show, "pdns", 0), "families", 1);
	assert_string_equal(json_get_string(v6, "state"), "failed");
	v6 = json_get_object(v6, "call_end");
	assert_int_equal(json_get_int(v6, "verbose_type"), 6);
	assert_int_equal(json_get_int(v6, "verbose_reason"), 50);
	assert_string_equal(json_get_string(v6, "verbose_name"), "ipv4_only_allowed");
	json_object_put(show);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
}

/* A refusal whose reason only comes by indication. */
TEST(test_reason_by_indication)
{
	static uint8_t b[64];
	static const uint8_t tlvs[] = {1, 2, 0, 1, 0, UNKNOWN_APN};
	size_t n = fake_message(b, WDS, 3, 2, 0, STATUS, tlvs, sizeof(tlvs));

	FAKE_RULE(&modem, WDS, START, .error = 14, .before = b, .before_len = n);
	pdn("1,ip=v4");
	start_fails(-ECONNREFUSED, "unknown_apn (3gpp reason 27)", "spelling");
}

TEST(test_no_effect)
{
	FAKE_RULE(&modem, WDS, START, .error = 26);
	FAKE_RULE(&modem, WDS, STATUS, RULE_TLVS(1, 1, 0, 2));
	FAKE_RULE(&modem, WDS, SETTINGS, RULE_TLVS(0x1e, 4, 0, 2, 0, 0, 10));
	start_with("1,ip=v4");
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.settings[0].prefix, 32);
	assert_false(seen.settings[0].has_gateway);
	stop_ok();
	assert_int_equal(u32(nth(WDS, STOP, 0), 1), 0xffffffff);
}

/* "No effect", and yet there is no call: it counts as a refusal. */
TEST(test_no_effect_no_call)
{
	FAKE_RULE(&modem, WDS, START, .error = 26);
	start_with("1,ip=v4");
	shown(0, "backing-off", "");
	assert_int_equal(fake_asked(&modem, WDS, SETTINGS), 0);
	stop_ok();
}

/* Every answer comes twice; the second to an allocation must not release the id. */
TEST(test_answers_twice)
{
	FAKE_RULE(&modem, CTL, ALLOCATE, .twice = true);
	FAKE_RULE(&modem, WDS, START, .twice = true);
	start_with("1");
	run_for(50);
	assert_int_equal(fake_asked(&modem, CTL, RELEASE), 0);
	assert_int_equal(fake_clients(&modem), 4);
	stop_ok();
}

TEST(test_wrong_interface)
{
	FAKE_RULE(&modem, WDA, FORMAT, .error = 43);
	pdn("1,ip=v4");
	start_fails(-EOPNOTSUPP, "interface_not_found (error 43)", "another modem");
}

TEST(test_no_address)
{
	FAKE_RULE(&modem, WDS, SETTINGS, RULE_TLVS(0x1e, 4, 0, 0, 0, 0, 0));
	start_with("1,ip=v4");
	shown(0, "backing-off", "the modem gave it no address");
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
}

/* --- silence --- */

/* 15, out of call: the call has ended before its settings were read. */
TEST(test_out_of_call)
{
	FAKE_RULE(&modem, WDS, SETTINGS, .error = 15);
	start_with("1,ip=v4");
	assert_int_equal(seen.ups, 0);
	shown(0, "backing-off", "");
	stop_ok();
}

TEST(test_silent)
{
	modem.mute = true;
	pdn("1");
	start_fails(-ETIMEDOUT, "modem does not answer QMI on", "AT+QCFG=\"usbnet\",0");
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 2);
}

/* One step gets only errors, or no answers. */
static void at_each_step(bool silent, const char *text, uint8_t service, uint16_t message,
			 bool waits)
{
	config.backoff_min = config.backoff_max = 60000;
	FAKE_RULE(&modem, service, message, .silent = silent, .error = silent ? 0 : 3);
	pdn("1,ip=v4");
	start();
	assert_true(fake_run(&modem, &seen.started, 6000));
	if (waits)
		shown(0, "backing-off", text);
	else if (!strstr(seen.error.text, text))
		fail_msg("\"%s\" does not say \"%s\"", seen.error.text, text);
	if (!text[0])
		shown(0, "up", "");
}

TEST(test_each_step_fails)
{
	static const struct {
		uint8_t service;
		uint16_t message;
		const char *error, *silence; /* "": the session goes on without the answer */
		bool waits;		     /* for another attempt; else it gives up */
	} steps[] = {
		{CTL, SYNC, "refused with internal (error 3) while being reset (SYNC)",
		 "does not answer QMI on", false},
		{CTL, 0x21, "", "", false},
		{CTL, ALLOCATE, "refused with internal (error 3) while giving out a WDA client id",
		 "did not answer within 1 s while giving out a WDA client id", false},
		{DMS, 0x22, "", "", false},
		{WDA, FORMAT, "it answers with internal (error 3)",
		 "did not answer within 1 s while setting the data format", false},
		{WDS, BIND, "refused with internal (error 3) while binding the mux id",
		 "did not answer while binding the mux id", true},
		{WDS, 0x4d, "", "did not answer while setting the IP family", true},
		{WDS, SETTINGS, "refused with internal (error 3) while reading addresses",
		 "did not answer while reading addresses", true},
	};

	for (size_t i = 0; i < 2 * sizeof(steps) / sizeof(steps[0]); i++) {
		bool silent = i & 1;
		const char *text = silent ? steps[i / 2].silence : steps[i / 2].error;

		if (i) {
			teardown(NULL);
			setup(NULL);
		}
		at_each_step(silent, text, steps[i / 2].service, steps[i / 2].message,
			     text[0] && steps[i / 2].waits);
	}
}

/* An answer that cannot be read is no silence, for one who looks for the fault. */
TEST(test_malformed_answers)
{
	FAKE_RULE(&modem, CTL, SYNC, RULE_TLVS(1, 5, 0, 1));
	pdn("1,ip=v4");
	start_fails(-ETIMEDOUT, "answer on ", "firmware");
	assert_non_null(
		strstr(seen.error.text, "is malformed (CTL message 0x0027: TLV is cut short)"));
	teardown(NULL);
	setup(NULL);
	FAKE_RULE(&modem, WDA, FORMAT, RULE_TLVS(0x10, 1, 0, 0, 0x11, 4));
	pdn("1,ip=v4");
	start_fails(-ETIMEDOUT, "is malformed (WDA message 0x0020: TLV is cut short)", "firmware");
	teardown(NULL);
	setup(NULL);
	FAKE_RULE(&modem, WDS, BIND, RULE_TLVS(0x10, 1));
	at_each_step(true,
		     "is malformed (WDS message 0x00a2: TLV is cut short) while binding the mux id",
		     DMS, 0xffff, true);
}

/* A good answer behind a malformed one counts. */
TEST(test_malformed_answer_ahead)
{
	uint8_t b[64];
	static const uint8_t cut[] = {0x02, 0x04, 0x00, 0, 0, 0, 0, 0x10, 9, 0};
	size_t n = fake_message(b, CTL, 0, 1, 1, SYNC, cut, sizeof(cut));

	FAKE_RULE(&modem, CTL, SYNC, .before = b, .before_len = n);
	start_with("1,ip=v4");
}

TEST(test_first_answer_lost)
{
	FAKE_RULE(&modem, CTL, SYNC, .count = 1, .silent = true);
	start_with("1,ip=v4");
}

TEST(test_versions_optional)
{
	FAKE_RULE(&modem, CTL, 0x21, .error = 71);
	FAKE_RULE(&modem, DMS, 0x23, .error = 71);
	FAKE_RULE(&modem, WDS, 0x4d, .error = 71);
	start_with("1,ip=v4");
}

TEST(test_no_wda)
{
	FAKE_RULE(&modem, CTL, 0x21, RULE_TLVS(1, 6, 0, 1, 1, 1, 0, 2, 0));
	pdn("1,ip=v4");
	start_fails(-EOPNOTSUPP, "no WDA service", "firmware");
}

TEST(test_format_never)
{
	FAKE_RULE(&modem, WDA, FORMAT, .silent = true);
	pdn("1,ip=v4");
	start_fails(-ETIMEDOUT, "did not answer within 1 s while setting the data format", "");
}

/* The answer to an allocation comes too late: the id is released at once. */
TEST(test_late_allocation)
{
	FAKE_RULE(&modem, CTL, ALLOCATE, .skip = 2, .count = 1, .delay_ms = 1300);
	FAKE_RULE(&modem, CTL, RELEASE, .count = 1, .delay_ms = 600);
	start_with("1,ip=v4");
	shown(0, "backing-off", "did not answer while allocating a WDS client id");
	asked(CTL, RELEASE, 1);
	stop_ok();
}

TEST(test_stop_silent)
{
	start_with("1");
	modem.mute = true;
	session_stop(session, on_stopped, NULL);
	assert_true(fake_run(&modem, &seen.stopped, 4000));
	assert_int_equal(seen.stop_error.err, -ETIMEDOUT);
	assert_non_null(strstr(seen.stop_error.text, "could not be given back"));
}

TEST(test_stop_gone)
{
	start_with("1");
	modem.mute = true;
	session_stop(session, on_stopped, NULL);
	asked(WDS, STOP, 2);
	fake_hang_up(&modem);
	assert_true(fake_run(&modem, &seen.stopped, 3000));
	assert_int_equal(seen.stop_error.err, -ENODEV);
	assert_false(seen.lost);
}

/* A stop must succeed at any moment of the way up. */
TEST(test_stop_anywhere)
{
	for (unsigned int after = 0; after < 40; after++) {
		struct timeval none = {0, 0};

		if (after)
			setup(NULL);
		pdn("1,apn=a");
		pdn("2,apn=b,ip=v4");
		start();
		for (unsigned int i = 0; i < after; i++) {
			struct event *tick = event_new(modem.base, -1, 0, fake_timeout, &seen.any);

			event_add(tick, &none);
			event_base_loop(modem.base, EVLOOP_ONCE);
			event_free(tick);
		}
		stop_ok();
		assert_false(seen.started && seen.error.err);
		if (after < 39)
			teardown(NULL);
	}
	assert_true(seen.started); /* the last round came all the way up first */
}

/* --- connected --- */

TEST(test_network_disconnect)
{
	start_with("1");
	seen.any = false;
	FAKE_INDICATE(&modem, WDS, 3, STATUS, 1, 2, 0, 1, 0, 0x10, 2, 0, 0xf0, 3, 0x11, 4, 0, 6, 0,
		      36, 0);
	assert_true(fake_run(&modem, &seen.any, 3000));
	assert_int_equal(seen.downs, 1);
	assert_int_equal(seen.down_family, 4);
	assert_int_equal(seen.end.reason, 1008);
	assert_int_equal(seen.end.verbose_type, 6);
	assert_int_equal(seen.end.verbose_reason, 36);
	shown(0, "backing-off", "regular_deactivation (3gpp reason 36)");
	asked(WDS, START, 3);
	assert_true(fake_run(&modem, &seen.never, 30) || seen.ups == 3);
	shown(0, "up", "");
	shown(1, "up", "");
	assert_non_null(strstr(seen.path,
			       "1.4 up backing-off; 1.4 backing-off starting; 1.4 starting up;"));
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 2);
}

TEST(test_reconfigure)
{
	start_with("1,ip=v4");
	FAKE_RULE(&modem, WDS, SETTINGS,
		  RULE_TLVS(0x1e, 4, 0, 9, 0, 0, 10, 0x29, 4, 0, 0x78, 5, 0, 0));
	seen.any = false;
	FAKE_INDICATE(&modem, WDS, 3, STATUS, 1, 2, 0, 2, 1);
	assert_true(fake_run(&modem, &seen.any, 3000));
	assert_int_equal(seen.ups, 2);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(seen.settings[1].address[3], 9);
	assert_int_equal(seen.settings[1].mtu, 1400);
	FAKE_INDICATE(&modem, WDS, 3, STATUS, 1, 2, 0, 2, 0);
	run_for(30);
	assert_int_equal(seen.ups, 2);
}

/* If settings cannot be read again, the call stays unchanged. */
TEST(test_reconfigure_fails)
{
	start_with("1,ip=v4");
	FAKE_RULE(&modem, WDS, SETTINGS, .error = 3);
	FAKE_INDICATE(&modem, WDS, 3, STATUS, 1, 2, 0, 2, 1);
	asked(WDS, SETTINGS, 2);
	run_for(30);
	assert_int_equal(seen.ups, 1);
	assert_int_equal(seen.downs, 0);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
}

TEST(test_reboot)
{
	start_with("1");
	fake_forget_clients(&modem);
	fake_indicate(&modem, CTL, 0, SYNC, NULL, 0);
	assert_true(fake_run(&modem, &seen.lost, 3000));
	assert_non_null(strstr(seen.why, "restarted"));
	assert_int_equal(seen.downs, 2);
	assert_int_equal(json_get_int(json_get_element(seen.state, "calls", 0), "client_id"), 0);
	assert_null(json_get_element(seen.state, "clients", 0));
	stop_ok();
}

TEST(test_lost)
{
	seen.free_when_lost = true;
	start_with("1");
	fake_hang_up(&modem);
	assert_true(fake_run(&modem, &seen.lost, 3000));
	assert_int_equal(seen.downs, 2);
	assert_null(session);
	run_for(20);
}

TEST(test_lost_during_start)
{
	FAKE_RULE(&modem, WDS, START, .silent = true);
	pdn("1");
	start();
	run_for(50);
	fake_hang_up(&modem);
	assert_true(fake_run(&modem, &seen.started, 3000));
	assert_int_equal(seen.error.err, -ENODEV);
	assert_false(seen.lost);
}

/* --- saved state --- */

static int known_ids(struct json_object *state)
{
	struct json_object *call;
	int n = 0;

	while (json_get_element(state, "clients", n))
		n++;
	for (size_t i = 0; (call = json_get_element(state, "calls", i)); i++)
		n += !!json_get_int(call, "client_id");
	return n;
}

static int allocating(struct json_object *state)
{
	struct json_object *o;
	int n = 0;

	for (size_t i = 0; (o = json_get_element(state, "allocating", i)); i++)
		n += json_get_int(o, "count");
	return n;
}

/*
 * At every moment the saved state accounts for every id the modem has allocated: known, or one of
 * those being requested.
 */
TEST(test_nothing_unwritten)
{
	pdn("1,apn=a");
	pdn("2,apn=b");
	start();
	while (!seen.started) {
		assert_true((int)fake_clients(&modem) <=
			    known_ids(seen.state) + allocating(seen.state));
		event_base_loop(modem.base, EVLOOP_ONCE);
	}
	assert_int_equal(known_ids(seen.state), 6);
	assert_int_equal(allocating(seen.state), 0);
	session_stop(session, on_stopped, NULL);
	while (!seen.stopped) {
		assert_true((int)fake_clients(&modem) <= known_ids(seen.state));
		event_base_loop(modem.base, EVLOOP_ONCE);
	}
	assert_int_equal(fake_clients(&modem), 0);
	assert_int_equal(known_ids(seen.state), 0);
}

/* The modem allocates an id for the first call, and its answer is lost. @times 0: for each. */
static void lose_wds_id(unsigned int times)
{
	FAKE_RULE(&modem, CTL, ALLOCATE, .skip = 2, .count = times, .delay_ms = 60000);
}

/* The answer is lost for good: after the next allocation the id is found right below that one. */
TEST(test_lost_allocation)
{
	lose_wds_id(1);
	start_with("1,ip=v4");
	while (!seen.ups)
		event_base_loop(modem.base, EVLOOP_ONCE);
	asked(CTL, RELEASE, 1);
	run_for(20);
	assert_int_equal(fake_clients(&modem), 3);
	assert_int_equal(allocating(seen.state), 0);
	stop_ok();
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 1);
}

/* Ids allocated to other calls meanwhile are not taken for the lost one. */
TEST(test_lost_among_others)
{
	lose_wds_id(1);
	pdn("1");
	start_with("2");
	while (seen.ups < 4)
		event_base_loop(modem.base, EVLOOP_ONCE);
	asked(CTL, RELEASE, 1);
	run_for(50);
	assert_int_equal(fake_asked(&modem, CTL, RELEASE), 1);
	assert_int_equal(fake_clients(&modem), 6);
	assert_int_equal(known_ids(seen.state), 6);
	stop_ok();
}

/* Ids still unknown at the end are released by SYNC, if no other program can be hit by it. */
TEST(test_lost_at_the_end)
{
	lose_wds_id(0);
	start_with("1,ip=v4");
	stop_ok();
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 2);
}

/*
 * Answers to allocations without a request, as fast as the modem can send: some ids are
 * released, SYNC at the end is for the others, and the state does not grow with them.
 */
TEST(test_ids_unasked_for)
{
	uint8_t tlvs[] = {0x02, 4, 0, 0, 0, 0, 0, 0x01, 2, 0, WDS, 0}, b[64];

	start_with("1");
	for (int id = 100; id < 250; id++) {
		tlvs[11] = id;
		fake_send(&modem, b, fake_message(b, CTL, 0, 1, 200, ALLOCATE, tlvs, sizeof(tlvs)));
	}
	run_for(100);
	assert_in_range(fake_asked(&modem, CTL, RELEASE), 1, 32);
	stop_ok();
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 2);
}

TEST(test_release_lost)
{
	for (int refused = 0; refused < 2; refused++) {
		if (refused)
			setup(NULL);
		FAKE_RULE(&modem, CTL, RELEASE, .count = 1, .silent = !refused,
			  .error = refused ? 3 : 0);
		pdn("1");
		start_ok();
		stop_ok();
		assert_int_equal(fake_asked(&modem, CTL, SYNC), 2);
		if (!refused)
			teardown(NULL);
	}
}

/* Other programs may have clients: theirs are neither dropped nor guessed. */
TEST(test_lost_shared)
{
	config.sync = false;
	lose_wds_id(1);
	start_with("1,ip=v4");
	while (!seen.ups)
		event_base_loop(modem.base, EVLOOP_ONCE);
	session_stop(session, on_stopped, NULL);
	assert_true(fake_run(&modem, &seen.stopped, 3000));
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 0);
	assert_int_equal(fake_asked(&modem, CTL, RELEASE), 3);
	assert_int_equal(fake_clients(&modem), 1);
}

/* Ends as by kill -9 and adopts the saved state. */
static void die_and_adopt(void)
{
	struct json_object *state = seen.state;
	struct error err = {0};

	seen.state = NULL;
	session_free(&session);
	memset(&seen, 0, sizeof(seen));
	run_for(20);
	assert_int_equal(
		session_adopt(&session, modem.base, as_configured(), state, &ops, NULL, &err), 0);
	json_object_put(state);
	assert_true(fake_run(&modem, &seen.started, 3000));
}

TEST(test_adopt)
{
	struct json_object *show;

	pdn("1,apn=a");
	start_with("2,apn=b,ip=v4");
	die_and_adopt();
	assert_int_equal(seen.error.err, 0);
	assert_int_equal(seen.ups, 3);
	assert_int_equal(seen.formats, 0);
	assert_int_equal(modem.connections, 2);
	assert_int_equal(fake_asked(&modem, CTL, SYNC), 1);
	assert_int_equal(fake_asked(&modem, WDS, START), 3);
	assert_int_equal(fake_asked(&modem, CTL, ALLOCATE), 5);
	show = session_show(session);
	assert_string_equal(json_get_string(show, "model"), "RG500Q-EA");
	assert_int_equal(json_get_int(json_get_object(show, "format"), "version"), 5);
	json_object_put(show);
	stop_ok();
	assert_int_equal(u32(nth(WDS, STOP, 0), 1), 0x86e00010);
}

/* The modem's data interface is found again: a client of a PDN that comes later is bound to it. */
TEST(test_adopt_binds_to_the_same_interface)
{
	const uint8_t *first, *later;
	size_t len, later_len;
	struct error err = {0};

	start_with("1,ip=v4");
	die_and_adopt();
	pdn("2,ip=v4");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	assert_int_equal(session_add_pdn(session, 2, &err), 0);
	asked(WDS, BIND, 2);
	first = fake_tlv(nth(WDS, BIND, 0), 0x10, &len);
	later = fake_tlv(nth(WDS, BIND, 1), 0x10, &later_len);
	assert_int_equal(len, 8);
	assert_int_equal(later_len, 8);
	assert_memory_equal(first, later, 8);
	stop_ok();
}

/* The earlier process died before the modem had agreed to a format. */
TEST(test_adopt_without_format)
{
	struct error err = {0};

	FAKE_RULE(&modem, WDA, FORMAT, .silent = true);
	pdn("1,ip=v4");
	start();
	asked(WDA, FORMAT, 1);
	die_and_adopt();
	assert_int_equal(seen.error.err, 0);
	pdn("2,ip=v4");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	assert_int_equal(session_add_pdn(session, 2, &err), 0);
	asked(WDS, START, 1);
	stop_ok();
}

TEST(test_adopt_one_down)
{
	start_with("1,apn=a");
	fake_call(&modem, 3, false);
	die_and_adopt();
	assert_int_equal(seen.error.err, 0);
	assert_int_equal(seen.ups, 2); /* dialled again */
	assert_int_equal(seen.downs, 0);
	assert_int_equal(fake_asked(&modem, WDS, START), 3);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 2);
}

TEST(test_adopt_after_reboot)
{
	start_with("1");
	fake_forget_clients(&modem);
	die_and_adopt();
	assert_int_equal(seen.error.err, -ENODEV);
	assert_non_null(strstr(seen.error.text, "restarted"));
	assert_int_equal(seen.ups, 0);
}

TEST(test_adopt_silent)
{
	start_with("1");
	modem.mute = true;
	die_and_adopt();
	assert_int_equal(seen.error.err, -ETIMEDOUT);
	assert_int_equal(fake_clients(&modem), 4);
}

/* Killed while the modem was answering allocations: their ids are found and released. */
TEST(test_adopt_pending)
{
	for (unsigned int skip = 0; skip < 5; skip++) {
		int known;

		if (skip)
			setup(NULL);
		pdn("1,apn=a");
		pdn("2,apn=b,ip=v4");
		FAKE_RULE(&modem, CTL, ALLOCATE, .skip = skip, .delay_ms = 30);
		start();
		while (fake_asked(&modem, CTL, ALLOCATE) <= skip)
			event_base_loop(modem.base, EVLOOP_ONCE);
		fake_hang_up(&modem); /* the answers are lost with the connection */
		modem.nrules = 0;
		known = known_ids(seen.state);
		assert_true((int)fake_clients(&modem) > known);
		die_and_adopt();
		assert_int_equal(seen.error.err, 0);
		/* Without a data format no call is dialled. */
		assert_int_equal(fake_clients(&modem), skip < 2 ? known : 5);
		assert_int_equal(known_ids(seen.state), fake_clients(&modem));
		stop_ok();
		if (skip < 4)
			teardown(NULL);
	}
}

/* The lost id was the last before ids began again at 1; others of ours are in between. */
TEST(test_adopt_pending_wrapped)
{
	modem.last_id = 251; /* WDA 252, DMS 253, WDS 254 */
	pdn("1,ip=v4");
	FAKE_RULE(&modem, CTL, ALLOCATE, .skip = 2, .delay_ms = 30);
	start();
	while (fake_asked(&modem, CTL, ALLOCATE) <= 2)
		event_base_loop(modem.base, EVLOOP_ONCE);
	fake_hang_up(&modem);
	modem.nrules = 0;
	assert_int_equal(fake_clients(&modem), 3);
	die_and_adopt();
	asked(CTL, RELEASE, 2); /* the lost one, and the one allocated to find it */
	assert_int_equal(fake_clients(&modem), 3);
	assert_int_equal(known_ids(seen.state), 3);
	stop_ok();
}

/* With other programs on the channel, an id that is not known to be ours is left alone. */
TEST(test_adopt_pending_shared)
{
	config.sync = false;
	pdn("1,ip=v4");
	FAKE_RULE(&modem, CTL, ALLOCATE, .skip = 2, .delay_ms = 30);
	start();
	while (fake_asked(&modem, CTL, ALLOCATE) <= 2)
		event_base_loop(modem.base, EVLOOP_ONCE);
	fake_hang_up(&modem);
	die_and_adopt();
	assert_int_equal(fake_asked(&modem, CTL, RELEASE), 0);
	assert_int_equal(fake_clients(&modem), 4);
	assert_int_equal(seen.ups, 1);
}

/* A PDN that is no longer configured: its client is released. */
TEST(test_adopt_fewer)
{
	pdn("1,ip=v4");
	start_with("2,ip=v4");
	config.npdns = 1;
	die_and_adopt();
	assert_int_equal(seen.ups, 1);
	assert_int_equal(fake_clients(&modem), 3);
}

TEST(test_adopt_nonsense)
{
	static const char *const states[] = {
		"[]",
		"1",
		"\"x\"",
		"{\"calls\":1,\"wda\":\"x\",\"allocating\":[]}",
		"{\"calls\":[1,null,{},{\"pdn\":1,\"family\":4,\"client_id\":99999}]}",
	};

	pdn("1");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct json_object *o = json_tokener_parse(states[i]);
		struct error err = {0};
		int r = session_adopt(&session, modem.base, as_configured(), o, &ops, NULL, &err);

		assert_int_equal(r, i < 3 ? -EBADMSG : 0);
		assert_int_equal(!session, i < 3);
		session_free(&session);
		json_object_put(o);
		run_for(5); /* the modem accepts the connection meanwhile */
	}
	assert_int_equal(
		session_adopt(&session, modem.base, as_configured(), NULL, &ops, NULL, NULL),
		-EBADMSG);
}

/* --- adding and removing PDNs --- */

static void on_removed(void *arg, const struct error *err)
{
	assert_null(err);
	assert_false(seen.removed);
	seen.removed = true;
}

TEST(test_add_pdn)
{
	struct error err = {0};

	start_with("1,ip=v4");
	assert_int_equal(session_add_pdn(session, 1, &err), -EEXIST);
	err = (struct error){0};
	assert_int_equal(session_add_pdn(session, 2, &err), -ENOENT);
	pdn("2,mux=129");
	err = (struct error){0};
	assert_int_equal(session_add_pdn(session, 2, &err), -EEXIST);
	config.npdns--;
	pdn("3,apn=c");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	assert_int_equal(session_add_pdn(session, 3, &err), 0);
	asked(WDS, SETTINGS, 3);
	run_for(20);
	assert_int_equal(seen.ups, 3);
	assert_int_equal(seen.pdns[2], 3);
	assert_int_equal(fake_clients(&modem), 5);
	stop_ok();
}

TEST(test_remove_pdn)
{
	struct error err = {0};

	pdn("1,ip=v4");
	start_with("2");
	assert_int_equal(session_remove_pdn(session, 7, on_removed, NULL, &err), -ENOENT);
	assert_int_equal(session_remove_pdn(session, 2, on_removed, NULL, &err), 0);
	assert_int_equal(session_remove_pdn(session, 2, on_removed, NULL, &err), -EALREADY);
	assert_int_equal(seen.downs, 2);
	assert_false(seen.removed);
	assert_true(fake_run(&modem, &seen.removed, 3000));
	assert_int_equal(fake_asked(&modem, WDS, STOP), 2);
	assert_int_equal(fake_clients(&modem), 3);
	assert_null(json_get_element(seen.state, "calls", 1));
	shown(0, "up", "");
	assert_int_equal(session_remove_pdn(session, 1, NULL, NULL, &err), 0);
	asked(CTL, RELEASE, 3);
	stop_ok();
}

/* A network that does not answer Start Network must not keep the PDN from being removed. */
TEST(test_remove_while_dialling)
{
	config.timeout = 5;
	pdn("1,ip=v4");
	pdn("2,ip=v4");
	FAKE_RULE(&modem, WDS, START, .skip = 1, .silent = true);
	start();
	asked(WDS, START, 2);
	assert_int_equal(session_remove_pdn(session, 2, on_removed, NULL, NULL), 0);
	assert_true(fake_run(&modem, &seen.started, 1000));
	assert_true(fake_run(&modem, &seen.removed, 1000));
	assert_int_equal(seen.error.err, 0);
	assert_int_equal(fake_clients(&modem), 3);
	stop_ok();
}

/* --- redialling --- */

/* A number of transient refusals, then a call. */
TEST(test_back_off)
{
	FAKE_RULE(&modem, WDS, START, .count = 3, .error = 14, RULE_TLVS(0x11, 4, 0, 6, 0, 26, 0));
	start_with("1,ip=v4");
	shown(0, "backing-off", "insufficient_resources (3gpp reason 26)");
	asked(WDS, START, 4);
	run_for(20);
	shown(0, "up", "");
	assert_string_equal(seen.path, "1.4 idle starting; 1.4 starting backing-off; "
				       "1.4 backing-off starting; 1.4 starting backing-off; "
				       "1.4 backing-off starting; 1.4 starting backing-off; "
				       "1.4 backing-off starting; 1.4 starting up; ");
	assert_int_equal(fake_asked(&modem, CTL, ALLOCATE), 3); /* the client is kept */
	stop_ok();
}

TEST(test_retry)
{
	config.backoff_min = config.backoff_max = 60000;
	config.persist = true;
	FAKE_RULE(&modem, WDS, START, .count = 1, .error = 14, RULE_TLVS(UNKNOWN_APN));
	FAKE_RULE(&modem, WDS, START, .skip = 0, .count = 1, .error = 3);
	start_with("1,ip=v4");
	shown(0, "failed", "unknown_apn");
	run_for(100);
	assert_int_equal(fake_asked(&modem, WDS, START), 1);
	session_retry(session, 2);
	session_retry(session, 1);
	asked(WDS, START, 2);
	run_for(20);
	shown(0, "backing-off", "internal (error 3)");
	session_retry(session, 0);
	asked(WDS, START, 3);
	run_for(20);
	shown(0, "up", "");
	session_retry(session, 0);
	run_for(20);
	assert_int_equal(fake_asked(&modem, WDS, START), 3);
	/* after a suspend: the call is gone without an indication */
	fake_call(&modem, 3, false);
	session_retry(session, 0);
	asked(WDS, START, 4);
	run_for(20);
	shown(0, "up", "");
	stop_ok();
}

/* A configured trunk: the refusal of one PDN does not take the other down. */
TEST(test_persist)
{
	config.persist = true;
	FAKE_RULE(&modem, WDS, START, .count = 1, .error = 14, RULE_TLVS(UNKNOWN_APN));
	pdn("1,ip=v4");
	start_with("2,ip=v4");
	shown(0, "failed", "unknown_apn (3gpp reason 27)");
	assert_int_equal(seen.ups, 1);
	run_for(300);
	assert_int_equal(fake_asked(&modem, WDS, START), 2);
	stop_ok();
}

/* The modem's own autoconnect was faster. */
TEST(test_found)
{
	config.backoff_min = config.backoff_max = 60000;
	pdn("1,ip=v4");
	FAKE_RULE(&modem, WDS, START, .count = 1, .error = 3);
	start_ok();
	shown(0, "backing-off", "internal");
	fake_call(&modem, 3, true);
	FAKE_INDICATE(&modem, WDS, 3, STATUS, 1, 2, 0, 2, 0);
	asked(WDS, SETTINGS, 1);
	run_for(20);
	shown(0, "up", "");
	assert_int_equal(seen.ups, 1);
	stop_ok();
	assert_int_equal(fake_asked(&modem, WDS, STOP), 1);
}

/* The effect of each refusal on a PDN with IPv4 alone. */
TEST(test_verdicts)
{
	static const struct {
		uint8_t tlvs[7];
		uint16_t error;
		const char *state;
	} cases[] = {
		{{0x11, 4, 0, 6, 0, 8, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 27, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 28, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 29, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 32, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 33, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 51, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 55, 0}, 14, "failed"},
		{{0x11, 4, 0, 2, 0, 208, 0}, 14, "failed"},
		{{0x11, 4, 0, 2, 0, 231, 0}, 14, "failed"},
		{{0x11, 4, 0, 6, 0, 26, 0}, 14, "backing-off"},
		{{0x11, 4, 0, 6, 0, 38, 0}, 14, "backing-off"},
		{{0x11, 4, 0, 6, 0, 50, 0}, 14, "backing-off"}, /* IPv4 was requested */
		{{0x11, 4, 0, 6, 0, 52, 0}, 14, "backing-off"},
		{{0x11, 4, 0, 2, 0, 209, 0}, 14, "backing-off"},
		{{0x11, 4, 0, 3, 0, 27, 0}, 14, "backing-off"}, /* 27 of the call manager */
		{{0}, 34, "failed"},
		{{0}, 48, "failed"},
		{{0}, 3, "backing-off"},
		{{0}, 5, "backing-off"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (i)
			setup(NULL);
		config.persist = true;
		FAKE_RULE(&modem, WDS, START, .error = cases[i].error, .tlvs = cases[i].tlvs,
			  .tlvs_len = cases[i].tlvs[0] ? 7 : 0);
		pdn("1,ip=v4");
		start_ok();
		shown(0, cases[i].state, "");
		stop_ok();
		if (i + 1 < sizeof(cases) / sizeof(cases[0]))
			teardown(NULL);
	}
}

/* One address only, and the first family is refused for good: the other may have the address. */
TEST(test_single_address)
{
	config.persist = true;
	FAKE_RULE(&modem, WDS, START, .family = 4, .error = 14, RULE_TLVS(UNKNOWN_APN));
	FAKE_RULE(&modem, WDS, START, .family = 6, .count = 1, .delay_ms = 20, .error = 14,
		  RULE_TLVS(0x11, 4, 0, 6, 0, 52, 0));
	start_with("1");
	shown(0, "failed", "");
	asked(WDS, START, 3);
	run_for(20);
	shown(1, "up", "");
	stop_ok();
}

/* The same, but the family that was to have the address is refused for good afterwards. */
TEST(test_single_address_left)
{
	FAKE_RULE(&modem, WDS, START, .family = 4, .delay_ms = 20, .error = 14,
		  RULE_TLVS(UNKNOWN_APN));
	FAKE_RULE(&modem, WDS, START, .family = 6, .count = 1, .error = 14,
		  RULE_TLVS(0x11, 4, 0, 6, 0, 52, 0));
	start_with("1");
	shown(0, "failed", "unknown_apn");
	shown(1, "up", "");
	stop_ok();
}

/* --- events without an indication --- */

TEST(test_end_unannounced)
{
	config.poll = 1;
	start_with("1,ip=v4");
	fake_call(&modem, 3, false);
	asked(WDS, START, 2);
	run_for(20);
	assert_int_equal(seen.downs, 1);
	assert_int_equal(seen.ups, 2);
	stop_ok();
}

TEST(test_restart_unannounced)
{
	config.poll = 1;
	start_with("1");
	fake_forget_clients(&modem);
	assert_true(fake_run(&modem, &seen.lost, 3000));
	assert_non_null(strstr(seen.why, "restarted unannounced"));
	assert_int_equal(seen.downs, 2);
	assert_null(json_get_element(seen.state, "clients", 0));
}

static uint64_t packets;

static unsigned int looks; /* at the counters of all ports */

static void on_rx_packets(void *arg, uint64_t rx[QMAP_MAX_MUX])
{
	looks++;
	rx[0x81] = packets;
}

static unsigned int heard;

static void on_heard(void *arg, unsigned int pdn)
{
	heard++;
}

/* The ports are other netdevs, as after a modem has been enumerated again: nothing was received. */
TEST(test_counters_begin_again)
{
	struct session_ops watched = ops;
	struct error err = {0};

	watched.rx_packets = on_rx_packets;
	watched.heard = on_heard;
	config.watchdog = 60;
	packets = 100;
	heard = looks = 0;
	pdn("1");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	assert_int_equal(session_start(&session, modem.base, as_configured(), &watched, NULL, &err),
			 0);
	assert_true(fake_run(&modem, &seen.started, 3000));
	while (looks < 2)
		run_for(10);
	packets = 0;
	for (unsigned int i = looks; looks < i + 2;)
		run_for(10);
	assert_int_equal(heard, 0);
	packets = 1;
	while (!heard)
		run_for(10);
	stop_ok();
}

TEST(test_watchdog)
{
	struct session_ops watched = ops;
	struct error err = {0};

	watched.rx_packets = on_rx_packets;
	config.watchdog = 1;
	looks = 0;
	pdn("1");
	assert_int_equal(config_trunk_finish(&config, NULL), 0);
	assert_int_equal(session_start(&session, modem.base, as_configured(), &watched, NULL, &err),
			 0);
	assert_true(fake_run(&modem, &seen.started, 3000));
	for (int i = 0; i < 16; i++) {
		packets++;
		run_for(100);
	}
	assert_int_equal(fake_asked(&modem, WDS, START), 2);
	assert_true(looks);
	asked(WDS, START, 4);
	assert_int_equal(fake_asked(&modem, WDS, STOP), 2);
	assert_int_equal(seen.downs, 2);
	assert_non_null(strstr(seen.path, "1.4 up backing-off; "));
	stop_ok();
}

TEST(test_set)
{
	struct config_trunk old;

	start_with("1,ip=v4");
	old = config;
	config.poll = 1;
	session_set(session, &old);
	asked(WDS, STATUS, 1);
	stop_ok();
}

/* Adoption continues in the state in which an earlier process left a call. */
TEST(test_adopt_waiting)
{
	config.persist = true;
	config.backoff_min = config.backoff_max = 60000;
	FAKE_RULE(&modem, WDS, START, .family = 4, .error = 14, RULE_TLVS(UNKNOWN_APN));
	FAKE_RULE(&modem, WDS, START, .family = 6, .error = 3);
	start_with("1");
	die_and_adopt();
	assert_int_equal(seen.error.err, 0);
	shown(0, "failed", "unknown_apn");
	shown(1, "backing-off", "internal (error 3)");
	assert_int_equal(fake_asked(&modem, WDS, START), 2);
	assert_int_equal(fake_clients(&modem), 4);
	modem.nrules = 0;
	session_retry(session, 0);
	asked(WDS, START, 4);
	run_for(20);
	assert_int_equal(seen.ups, 2);
	stop_ok();
}
