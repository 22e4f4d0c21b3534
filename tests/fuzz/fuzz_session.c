// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole session with a hostile modem. The first bytes configure it; each later byte is an action
 * of the modem (answers that are wrong, late, missing or twice, indications, garbage, hanging up),
 * of the owner (adding and removing PDNs, changing settings, stop, crash and adoption), or lets
 * time pass. In every case our messages are well-formed, callbacks come once with values in range,
 * and a stop ends.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/session/session.h"
#include "daemon/util/log.h"
#include "tests/unit/unit_modem.h"
#include "tests/unit/virtual_time.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_TLVS     240
#define STOP_AT_MOST 300000 /* ms: a Start Network may be given two minutes */

static struct fake_modem modem;
static struct session *session;
static struct config_trunk config;
static struct json_object *state; /* as last saved */
static bool started, stopped;

static const uint8_t *bytes;
static size_t left;
static uint8_t tlvs[FAKE_RULES][MAX_TLVS]; /* of the rules */

static void must(bool what)
{
	if (!what)
		abort();
}

static uint8_t next(void)
{
	if (!left)
		return 0;
	left--;
	return *bytes++;
}

static size_t take(uint8_t *to, size_t size)
{
	size_t n = next() % size;

	for (size_t i = 0; i < n; i++)
		to[i] = next();
	return n;
}

/* --- the owner --- */

static int on_format(void *arg, const struct data_format *f, struct error *err)
{
	must(f->version >= 0);
	return next() == 0xff ? error_set(err, -EIO, "no data path") : 0;
}

static void on_up(void *arg, unsigned int pdn, const struct ip_settings *s)
{
	must(pdn && (s->family == 4 || s->family == 6) && s->ndns <= 2);
	must(s->prefix <= (s->family == 4 ? 32u : 128u));
}

static void on_down(void *arg, unsigned int pdn, int family, const struct call_end *why)
{
	must(pdn && (family == 4 || family == 6) && why);
}

static void on_changed(void *arg)
{
	if (!session)
		return;
	json_object_put(state);
	state = session_state(session);
}

static void on_transition(void *arg, const struct session_transition *t)
{
	must(t->from < CALL_STATES && t->to < CALL_STATES && t->reason);
}

static void on_rx_packets(void *arg, uint64_t rx[QMAP_MAX_MUX])
{
	uint8_t mask = next();

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++)
		rx[mux] = mux & mask;
}

static void on_signal(void *arg, const char *from, const char *to, int dbm)
{
	must(from && to);
}

static void on_started(void *arg, const struct error *err)
{
	must(!started && (!err || (err->err && err->text[0])));
	started = true;
}

static void on_lost(void *arg, const char *why)
{
	must(why && why[0]);
	if (next() & 1)
		session_free(&session);
}

static void on_stopped(void *arg, const struct error *err)
{
	must(!stopped);
	stopped = true;
}

static void on_removed(void *arg, const struct error *err)
{
}

static const struct session_ops ops = {
	.format = on_format,
	.up = on_up,
	.down = on_down,
	.changed = on_changed,
	.transition = on_transition,
	.rx_packets = on_rx_packets,
	.signal = on_signal,
	.started = on_started,
	.lost = on_lost,
};

static void configure(void)
{
	static const char *const pdns[] = {"1,apn=internet", "2,ip=v4", "3,ip=v6,user=u,password=p",
					   "4,profile=3"};
	uint8_t flags = next();

	config_trunk_init(&config);
	strcpy(config.dev, "wwan0");
	strcpy(config.control, modem.path);
	for (unsigned int i = 0; i <= flags % 4u; i++)
		must(!config_pdn_add(&config, pdns[i], NULL));
	config.sync = flags & 4;
	config.persist = flags & 8;
	strcpy(config.pin, flags & 16 ? "1234" : "");
	config.poll = flags & 32 ? 5 : 0;
	config.watchdog = flags & 64 ? 4 : 0;
	if (flags & 128 && config.npdns == 1)
		config.qmap = CONFIG_QMAP_OFF;
	config.timeout = 2;
	config.backoff_min = 100;
	config.backoff_max = 2000;
	must(!config_trunk_finish(&config, NULL));
}

/* --- time --- */

/* Drops the requests that the test modem has recorded, which this fuzzer does not read. */
static void tidy_up(void)
{
	if (modem.nlog > FAKE_LOG / 2)
		modem.nlog = 0;
	if (fake_clients(&modem) > 200)
		fake_forget_clients(&modem);
}

static void turn(void)
{
	event_base_loop(modem.base, EVLOOP_NONBLOCK);
	tidy_up();
}

static void pass(unsigned int ms)
{
	uint64_t until = virtual_ms + ms;

	while (virtual_ms < until) {
		bool never = false;

		fake_run(&modem, &never, until - virtual_ms < 500 ? until - virtual_ms : 500);
		tidy_up();
	}
}

static void some_turns(void)
{
	for (int i = next() % 16; i >= 0; i--)
		turn();
}

static void some_time(void)
{
	pass(next() * 10);
}

static void much_time(void)
{
	pass(next() * 300);
}

/* --- the modem --- */

static const struct {
	uint8_t service;
	uint16_t message;
} asked[] = {
	{CTL, 0x21},  {CTL, 0x22},  {CTL, 0x23},  {CTL, 0x27},	{DMS, 0x22},
	{DMS, 0x21},  {DMS, 0x23},  {DMS, 0x2d},  {DMS, 0x2e},	{DMS, 0x28},
	{DMS, 0x2b},  {WDA, 0x20},  {WDS, 0x20},  {WDS, 0x21},	{WDS, 0x22},
	{WDS, 0x2d},  {WDS, 0x4d},  {WDS, 0xa2},  {0x03, 0x03}, {0x03, 0x24},
	{0x03, 0x4f}, {0x03, 0x50}, {0x0b, 0x2e}, {0x0b, 0x2f}, {0x0b, 0x26},
};

static struct rule rule_for_something(void)
{
	size_t i = next() % (sizeof(asked) / sizeof(asked[0]));

	return (struct rule){
		.service = asked[i].service, .message = asked[i].message, .count = next() % 4};
}

static void add(struct rule r)
{
	if (modem.nrules == FAKE_RULES)
		modem.nrules = 0;
	modem.used[modem.nrules] = 0;
	fake_add_rule(&modem, r);
}

static void is_silent(void)
{
	struct rule r = rule_for_something();

	r.silent = true;
	add(r);
}

static void refuses(void)
{
	struct rule r = rule_for_something();

	r.error = next();
	if (next() & 1) {
		r.tlvs = tlvs[modem.nrules % FAKE_RULES];
		r.tlvs_len = take(tlvs[modem.nrules % FAKE_RULES], MAX_TLVS);
	}
	add(r);
}

static void answers_nonsense(void)
{
	struct rule r = rule_for_something();

	r.tlvs = tlvs[modem.nrules % FAKE_RULES];
	r.tlvs_len = take(tlvs[modem.nrules % FAKE_RULES], MAX_TLVS);
	add(r);
}

static void babbles_first(void)
{
	struct rule r = rule_for_something();

	r.before = tlvs[modem.nrules % FAKE_RULES];
	r.before_len = take(tlvs[modem.nrules % FAKE_RULES], MAX_TLVS);
	add(r);
}

static void answers_twice(void)
{
	struct rule r = rule_for_something();

	r.twice = true;
	add(r);
}

static void answers_late(void)
{
	struct rule r = rule_for_something();

	r.delay_ms = next() * 40;
	add(r);
}

static void behaves(void)
{
	modem.nrules = 0;
	modem.mute = false;
}

static void is_mute(void)
{
	modem.mute = true;
}

static void indicates(void)
{
	static const struct {
		uint8_t service;
		uint16_t message;
	} kinds[] = {{WDS, 0x22},  {WDS, 0x2d}, {0x03, 0x24}, {0x03, 0x51}, {0x03, 0x4e},
		     {0x0b, 0x32}, {CTL, 0x27}, {CTL, 0x22},  {DMS, 0x01},  {WDA, 0x20}};
	size_t i = next() % (sizeof(kinds) / sizeof(kinds[0]));
	uint8_t client = next(), block[MAX_TLVS];
	size_t len = take(block, sizeof(block));

	client = kinds[i].service == CTL ? 0 : client & 0x80 ? 0xff : client % 16;
	fake_indicate(&modem, kinds[i].service, client, kinds[i].message, block, len);
	turn();
}

static void sends_noise(void)
{
	uint8_t noise[MAX_TLVS];

	fake_send(&modem, noise, take(noise, sizeof(noise)));
	turn();
}

static void restarts(void)
{
	fake_forget_clients(&modem);
	if (next() & 1)
		fake_indicate(&modem, CTL, 0, 0x27, NULL, 0);
}

static void hangs_up(void)
{
	fake_hang_up(&modem);
	turn();
}

/* --- actions of the owner --- */

static const struct session_setup *as_configured(void)
{
	static struct session_setup wanted;

	session_setup_init(&wanted, &config);
	return &wanted;
}

/* The configuration keeps a PDN that has been removed, so that it may come again. */
static void add_pdn(void)
{
	static const char *const texts[] = {"5", "6,ip=v4", "1", "7,ip=v6,apn=x"};
	const char *text = texts[next() % 4];
	unsigned int number = text[0] - '0', n = config.npdns;

	if (!config_find_pdn(&config, number)) {
		must(!config_pdn_add(&config, text, NULL));
		config.pdns[n].mux = 0x80 + number;
	}
	if (session)
		session_add_pdn(session, number, NULL);
}

static void remove_pdn(void)
{
	if (session)
		session_remove_pdn(session, 1 + next() % 7, on_removed, NULL, NULL);
}

static void set(void)
{
	struct config_trunk old = config;

	config.timeout = 1 + next() % 3;
	config.watchdog = next() % 8;
	config.poll = next() % 8;
	strcpy(config.pin, next() & 1 ? "4321" : "");
	if (session)
		session_set(session, &old);
}

static void retry(void)
{
	if (session)
		session_retry(session, next() % 8);
}

static void redial(void)
{
	if (session)
		session_redial(session, next() % 8);
}

static void look(void)
{
	struct json_object *o;

	if (!session)
		return;
	o = session_show(session);
	must(json_object_to_json_string(o));
	json_object_put(o);
	session_is_settled(session, next() % 8);
	session_verdict(session, next() % 8, NULL);
}

static void begin(void)
{
	started = stopped = false;
	if (session_start(&session, modem.base, as_configured(), &ops, NULL, NULL))
		session = NULL;
}

static void stop(void)
{
	if (!session)
		return;
	stopped = false;
	session_stop(session, on_stopped, NULL);
	for (unsigned int ms = 0; !stopped && ms < STOP_AT_MOST; ms += 1000)
		pass(1000);
	must(stopped);
	session_free(&session);
}

static void stop_and_begin(void)
{
	stop();
	begin();
}

/* Adopts the saved state, which may come from another version or be corrupted. */
static void crash_and_adopt(void)
{
	struct json_object *copy;
	char *text = strdup(json_object_to_json_string(state));
	size_t len = strlen(text);

	session_free(&session);
	for (int n = next() % 4; n > 0; n--)
		text[next() * len / 256] = next();
	turn();
	started = stopped = false;
	copy = json_tokener_parse(text);
	if (copy && session_adopt(&session, modem.base, as_configured(), copy, &ops, NULL, NULL))
		session = NULL;
	json_object_put(copy);
	free(text);
	if (!session)
		begin();
}

static void begin_if_over(void)
{
	if (!session)
		begin();
}

static void (*const deeds[])(void) = {
	some_turns, some_turns,	    some_turns,	      some_time,     much_time,	    is_silent,
	refuses,    refuses,	    answers_nonsense, babbles_first, answers_twice, answers_late,
	behaves,    is_mute,	    indicates,	      indicates,     sends_noise,   restarts,
	hangs_up,   add_pdn,	    remove_pdn,	      set,	     retry,	    redial,
	look,	    stop_and_begin, crash_and_adopt,  begin_if_over,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bytes = data;
	left = size;
	fake_open(&modem);
	configure();
	begin();
	while (left)
		deeds[next() % (sizeof(deeds) / sizeof(deeds[0]))]();
	behaves();
	stop();
	json_object_put(state);
	state = NULL;
	fake_close(&modem);
	return 0;
}
