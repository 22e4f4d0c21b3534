// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of the faults socket. */
#include "faultcmd.h"
#include "aggregate.h"
#include "control.h"
#include "dms.h"
#include "generate.h"
#include "nas.h"
#include "netside.h"
#include "noise.h"
#include "pdn.h"
#include "power.h"
#include "replay.h"
#include "rules.h"
#include "service.h"
#include "sim.h"
#include "stats.h"
#include "trunk.h"
#include "uplink.h"
#include "usb.h"
#include "util.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <qmap/wire.h>
#include <stdio.h>
#include <stdlib.h>

#define FOREVER	       -1
#define END_3GPP       6
#define CAUSE_REGULAR  36 /* 3GPP: regular deactivation */
#define CAUSE_REJECTED 33 /* 3GPP: requested service option not subscribed */
#define MAX_DELAY_MS   600000

struct pdn *arg_pdn(struct modem *m, struct args *a)
{
	long n = arg_number(a, "pdn", 0, 1, m->options.pdns);

	if (n)
		return &m->pdns[n - 1];
	arg_error(a, "pdn=N is missing");
	return NULL;
}

int arg_family(struct args *a)
{
	long v = arg_number(a, "family", 0, 4, 6);

	if (v == 5)
		arg_error(a, "family=5: 4 or 6 is wanted");
	return !v ? -1 : v == 4 ? FAMILY_V4 : FAMILY_V6;
}

static int nibble(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(const char *text, uint8_t *buf, size_t size)
{
	size_t n = 0;

	for (; text[0]; text += 2) {
		int high = nibble(text[0]), low = text[1] ? nibble(text[1]) : -1;

		if (high < 0 || low < 0 || n == size)
			return -1;
		buf[n++] = high << 4 | low;
	}
	return n;
}

static struct call_end arg_end(struct args *a, uint16_t cause)
{
	return (struct call_end){
		.reason = arg_number(a, "reason", 1, 0, 65535),
		.type = arg_number(a, "type", END_3GPP, 0, 65535),
		.verbose = arg_number(a, "verbose", cause, 0, 65535),
	};
}

static int arg_count(struct args *a, int absent)
{
	return arg_number(a, "count", absent, 1, INT_MAX);
}

static void add_answer_fault(struct modem *m, struct args *a, int count, const struct fault *fault)
{
	const char *service = a->words[0], *message = a->words[1];
	int s = -1, q = -1, skip = arg_number(a, "skip", 0, 0, INT_MAX);

	if (strcmp(service, "*")) {
		s = qmi_service_from_name(service);
		if (s < 0)
			arg_error(a, "%s: no such service", service);
	}
	if (strcmp(message, "*")) {
		q = service_message(s, message);
		if (q < 0)
			arg_error(a, "%s: no such message of %s", message, service);
	}
	if (!a->error[0] && faults_add_answer(m, s, q, skip, count, fault))
		arg_error(a, "out of memory");
}

static struct json_object *cmd_delay(struct modem *m, struct args *a)
{
	long ms = arg_number(a, "ms", -1, 0, MAX_DELAY_MS);
	struct fault f = {.delayed = true, .delay_ms = ms};

	if (ms < 0)
		arg_error(a, "ms=N is missing");
	add_answer_fault(m, a, arg_count(a, FOREVER), &f);
	return NULL;
}

static struct json_object *cmd_never(struct modem *m, struct args *a)
{
	struct fault f = {.never = true};

	add_answer_fault(m, a, arg_count(a, FOREVER), &f);
	return NULL;
}

static struct json_object *cmd_error(struct modem *m, struct args *a)
{
	struct fault f = {.error = arg_number(a, "code", 0, 1, 65535)};

	if (!f.error)
		arg_error(a, "code=N is missing");
	add_answer_fault(m, a, arg_count(a, FOREVER), &f);
	return NULL;
}

static struct json_object *cmd_tell(struct modem *m, struct args *a)
{
	struct fault f = {.told = true};
	int len = hex_decode(arg_text(a, "hex") ?: "", f.tlvs, sizeof(f.tlvs));

	if (len < 0)
		arg_error(a, "hex=BYTES is missing, or longer than %zu bytes", sizeof(f.tlvs));
	f.ntlvs = len < 0 ? 0 : len;
	add_answer_fault(m, a, arg_count(a, FOREVER), &f);
	return NULL;
}

static struct json_object *cmd_spoil(struct modem *m, struct args *a)
{
	static const char *const ways[] = {
		[SPOIL_GARBAGE] = "garbage",
		[SPOIL_TRUNCATED] = "truncated",
		[SPOIL_LENGTH] = "length",
		[SPOIL_MARKER] = "marker",
	};
	const char *how = arg_text(a, "how") ?: "garbage";
	struct fault f = {.never = arg_number(a, "instead", 0, 0, 1)};

	for (size_t i = 1; i < ARRAY_SIZE(ways); i++)
		if (!strcmp(ways[i], how))
			f.spoil = i;
	if (!f.spoil)
		arg_error(a, "how=%s: garbage, truncated, length or marker is wanted", how);
	add_answer_fault(m, a, arg_count(a, 1), &f);
	return NULL;
}

static struct json_object *cmd_refuse(struct modem *m, struct args *a)
{
	struct call_end end = arg_end(a, CAUSE_REJECTED);
	long pdn = arg_number(a, "pdn", -1, 1, m->options.pdns);
	int family = arg_family(a), count = arg_count(a, FOREVER);

	if (!a->error[0] &&
	    faults_add_refusal(m, pdn, arg_text(a, "apn") ?: "", family, count, &end))
		arg_error(a, "out of memory");
	return NULL;
}

static struct json_object *cmd_clear(struct modem *m, struct args *a)
{
	faults_clear(m);
	m->stale.left = 0;
	m->card_lies.how = CARD_TRUE;
	return NULL;
}

static struct json_object *cmd_latency(struct modem *m, struct args *a)
{
	long ms = arg_number(a, "ms", -1, 0, MAX_DELAY_MS);

	if (ms < 0)
		arg_error(a, "ms=N is missing");
	else
		m->options.latency_ms = ms;
	return NULL;
}

static struct json_object *cmd_lag(struct modem *m, struct args *a)
{
	m->lag = arg_number(a, "messages", 0, 0, 64);
	return NULL;
}

static struct json_object *cmd_loopback(struct modem *m, struct args *a)
{
	m->loop_faults.lose = arg_number(a, "lose", 0, 0, INT32_MAX);
	m->loop_faults.damage = arg_number(a, "damage", 0, 0, INT32_MAX);
	return NULL;
}

static struct json_object *cmd_disconnect(struct modem *m, struct args *a)
{
	struct call_end end = arg_end(a, CAUSE_REGULAR);
	struct pdn *pdn = arg_pdn(m, a);
	int family = arg_family(a), announce = arg_number(a, "announce", 1, 0, 1);

	if (a->error[0])
		return NULL;
	if (!pdn->users[FAMILY_V4] && !pdn->users[FAMILY_V6])
		arg_error(a, "PDN %u has no call", pdn->number);
	aggregate_flush(m);
	for (int f = 0; f < FAMILIES; f++)
		if (family < 0 || family == f)
			pdn_disconnect(m, pdn, f, announce ? &end : NULL);
	return NULL;
}

static struct json_object *cmd_readdress(struct modem *m, struct args *a)
{
	static const char *const ways[] = {
		[READDRESS_SILENT] = "nothing",
		[READDRESS_CONNECTED] = "connected",
		[READDRESS_RECONFIGURE] = "reconfigure",
	};
	const char *tell = arg_text(a, "tell") ?: "nothing";
	long host = arg_number(a, "host", 6, 2, 52);
	struct pdn *pdn = arg_pdn(m, a);
	int how = -1;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (!strcmp(ways[i], tell))
			how = i;
	if (how < 0)
		arg_error(a, "tell=%s: nothing, connected or reconfigure is wanted", tell);
	if (!a->error[0])
		pdn_readdress(m, pdn, host, how);
	return NULL;
}

static struct json_object *cmd_stale(struct modem *m, struct args *a)
{
	const char *until = arg_text(a, "until") ?: "stop";
	int count = arg_count(a, 1);

	if (strcmp(until, "stop") && strcmp(until, "release"))
		arg_error(a, "until=%s: stop or release is wanted", until);
	if (a->error[0])
		return NULL;
	m->stale.left = count;
	m->stale.until_stop = !strcmp(until, "stop");
	return NULL;
}

static struct json_object *cmd_reconfigure(struct modem *m, struct args *a)
{
	struct pdn *pdn = arg_pdn(m, a);
	long mtu = arg_number(a, "mtu", 0, 1280, 9000);
	int err;

	if (a->error[0])
		return NULL;
	err = mtu ? netside_set_mtu(pdn, mtu) : 0;
	if (err)
		arg_error(a, "MTU %ld: %s", mtu, strerror(-err));
	else
		pdn_reconfigure(m, pdn);
	return NULL;
}

static void arg_address(struct args *a, const char *key, int family, bool *told, void *to)
{
	const char *text = arg_text(a, key);

	*told = text;
	if (text && inet_pton(family, text, to) != 1)
		arg_error(a, "%s=%s is no address", key, text);
}

static struct json_object *cmd_pretend(struct modem *m, struct args *a)
{
	struct pdn *pdn = arg_pdn(m, a);
	struct pdn_lies lies = {.mtu_told = arg_text(a, "mtu"),
				.mtu = arg_number(a, "mtu", 0, 0, UINT32_MAX),
				.prefix6_told = arg_text(a, "prefix6"),
				.prefix6 = arg_number(a, "prefix6", 0, 0, 255)};
	bool host_told;

	arg_address(a, "host4", AF_INET, &host_told, &lies.host4);
	arg_address(a, "mask4", AF_INET, &lies.mask_told, &lies.mask4);
	arg_address(a, "host6", AF_INET6, &lies.host6_told, &lies.host6);
	if (a->error[0])
		return NULL;
	pdn->lies = lies;
	pdn_reconfigure(m, pdn);
	return NULL;
}

static uint32_t next_transaction(void)
{
	static uint32_t transaction = 0x01020300;

	return ++transaction;
}

static struct json_object *transaction_json(uint32_t transaction)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(true));
	json_object_object_add(o, "transaction", json_object_new_int64(transaction));
	return o;
}

static struct json_object *send_command(struct modem *m, uint8_t mux, uint8_t name,
					const uint8_t *body, size_t len)
{
	uint32_t transaction = next_transaction();

	uplink_expect_answer(m, mux, transaction);
	aggregate_command(m, mux, name, transaction, body, len);
	return transaction_json(transaction);
}

/* Mux id of a QMAP command: mux=, or that of pdn='s call. -1 with the error set. */
static int arg_mux(struct modem *m, struct args *a)
{
	long mux = arg_number(a, "mux", -1, 0, 255);
	struct pdn *pdn;

	if (m->format.dl == WDA_OFF)
		arg_error(a, "QMAP is off: there are no commands");
	if (mux >= 0 || a->error[0])
		return mux;
	pdn = arg_pdn(m, a);
	if (!pdn)
		return -1;
	if (m->by_mux[pdn->mux] == pdn)
		return pdn->mux;
	arg_error(a, "PDN %u has no call, hence no mux id", pdn->number);
	return -1;
}

static struct json_object *cmd_flow(struct modem *m, struct args *a)
{
	static uint16_t sequence;
	struct qmap_cmd_flow body = {0};
	int family = arg_family(a), mux = arg_mux(m, a);
	bool off = !strcmp(a->words[0], "disable");

	if (!off && strcmp(a->words[0], "enable"))
		arg_error(a, "%s: disable or enable is wanted", a->words[0]);
	if (a->error[0])
		return NULL;
	body.ip_family = family == FAMILY_V4 ? 1 : family == FAMILY_V6 ? 2 : 3;
	body.sequence = htobe16(++sequence);
	body.qos_id = htobe32(arg_number(a, "qos", 0, 0, UINT_MAX));
	if (m->by_mux[mux])
		m->by_mux[mux]->flow_off = off;
	return send_command(m, mux, off ? QMAP_CMD_FLOW_DISABLE : QMAP_CMD_FLOW_ENABLE,
			    (const uint8_t *)&body, sizeof(body));
}

static struct json_object *cmd_command(struct modem *m, struct args *a)
{
	uint8_t body[256];
	long name = arg_number(a, "name", 0, 1, 255);
	int mux = arg_mux(m, a), len = hex_decode(arg_text(a, "data") ?: "", body, sizeof(body));

	if (!name)
		arg_error(a, "name=N is missing");
	if (len < 0)
		arg_error(a, "data=HEX: up to %zu bytes in hex are wanted", sizeof(body));
	return a->error[0] ? NULL : send_command(m, mux, name, body, len);
}

static struct json_object *cmd_checksums(struct modem *m, struct args *a)
{
	bool on = !strcmp(a->words[0], "on");

	if (!on && strcmp(a->words[0], "off"))
		arg_error(a, "%s: on or off is wanted", a->words[0]);
	else
		aggregate_set_checksums(m, on);
	return NULL;
}

static struct json_object *cmd_uplink(struct modem *m, struct args *a)
{
	bool on = !strcmp(a->words[0], "on");

	if (!on && strcmp(a->words[0], "off"))
		arg_error(a, "%s: on or off is wanted", a->words[0]);
	else if (!m->trunk)
		arg_error(a, "the modem is on USB");
	else
		trunk_take_uplink(m, on);
	return NULL;
}

static struct json_object *cmd_malformed(struct modem *m, struct args *a)
{
	long count = arg_number(a, "count", 1, 1, 1000000);
	long seed = arg_number(a, "seed", 1, 1, UINT_MAX);
	const char *kind = arg_text(a, "kind");
	int err = a->error[0] ? 0 : noise_aggregates(m, kind, count, seed);

	if (err == -EINVAL)
		arg_error(a, "kind=%s: one of %s is wanted", kind, noise_kinds());
	else if (err == -ENOTCONN)
		arg_error(a, "no call is up");
	else if (err == -EOPNOTSUPP)
		arg_error(a, "not in the QMAP version in force (%s)",
			  aggregation_name(m->format.dl));
	return NULL;
}

static struct json_object *cmd_inject(struct modem *m, struct args *a)
{
	static uint8_t buf[MAX_TRANSFER];
	const char *text = arg_text(a, "hex") ?: "";
	int len = hex_decode(text, buf, sizeof(buf));

	if (len <= 0) {
		arg_error(a, "hex=BYTES is wanted");
		return NULL;
	}
	aggregate_flush(m);
	m->traffic.dl_injected++;
	trunk_send(m, QMAP_ETHERTYPE, buf, len);
	return NULL;
}

static struct json_object *cmd_replay(struct modem *m, struct args *a)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "aggregates", json_object_new_int(replay_aggregates(m)));
	return o;
}

static struct json_object *cmd_qmi(struct modem *m, struct args *a)
{
	static uint8_t buf[65536];
	int len = hex_decode(arg_text(a, "hex") ?: "", buf, sizeof(buf));

	if (len <= 0)
		arg_error(a, "hex=BYTES is wanted");
	else
		control_broadcast(m, buf, len);
	return NULL;
}

static struct json_object *cmd_qmi_malformed(struct modem *m, struct args *a)
{
	long count = arg_number(a, "count", 1, 1, 1000000);
	long seed = arg_number(a, "seed", 1, 1, UINT_MAX);
	const char *framing = arg_text(a, "framing") ?: "keep";

	if (strcmp(framing, "keep") && strcmp(framing, "break"))
		arg_error(a, "framing=%s: keep or break is wanted", framing);
	if (!a->error[0])
		noise_messages(m, count, seed, !strcmp(framing, "keep"));
	return NULL;
}

static unsigned int arg_announce(struct args *a)
{
	const char *when = arg_text(a, "announce") ?: "before";
	unsigned int announce = 0;

	if (!strcmp(when, "before") || !strcmp(when, "both"))
		announce |= ANNOUNCE_BEFORE;
	if (!strcmp(when, "after") || !strcmp(when, "both"))
		announce |= ANNOUNCE_AFTER;
	if (!announce && strcmp(when, "never"))
		arg_error(a, "announce=%s: before, after, both or never is wanted", when);
	return announce;
}

static struct json_object *cmd_reboot(struct modem *m, struct args *a)
{
	long ms = arg_number(a, "ms", 2000, 0, MAX_DELAY_MS);
	unsigned int announce = arg_announce(a);

	if (!a->error[0])
		power_reboot(m, ms, announce);
	return NULL;
}

static struct json_object *cmd_twice(struct modem *m, struct args *a)
{
	struct fault f = {.twice = true};

	add_answer_fault(m, a, arg_count(a, FOREVER), &f);
	return NULL;
}

static struct json_object *cmd_strike(struct modem *m, struct args *a)
{
	static const char *const strikes[] = {
		[STRIKE_REBOOT] = "reboot",
		[STRIKE_DIE] = "die",
		[STRIKE_ABORT] = "abort",
		[STRIKE_HOST] = "host",
	};
	const char *what = arg_text(a, "what") ?: "";
	struct fault f = {.reboot_ms = arg_number(a, "ms", 2000, 0, MAX_DELAY_MS),
			  .announce = arg_announce(a),
			  .host = arg_number(a, "pid", 0, 1, INT_MAX)};

	for (size_t i = 1; i < ARRAY_SIZE(strikes); i++)
		if (!strcmp(strikes[i], what))
			f.strike = i;
	if (!f.strike)
		arg_error(a, "what=%s: reboot, die, abort or host is wanted", what);
	add_answer_fault(m, a, arg_count(a, 1), &f);
	return NULL;
}

static struct json_object *plugged(struct args *a, int err)
{
	if (err == -ENODEV)
		arg_error(a, "the modem is not on USB");
	else if (err)
		arg_error(a, "%s", strerror(-err));
	return NULL;
}

static struct json_object *cmd_network(struct modem *m, struct args *a)
{
	static const char *const states[] = {
		[NOT_REGISTERED] = "none",
		[REGISTERED] = "registered",
		[SEARCHING] = "searching",
		[DENIED] = "denied",
	};
	long radio = arg_number(a, "radio", m->radio, 0, 255);
	long rsrp = arg_number(a, "rsrp", m->rsrp, -200, 0);
	long roaming = arg_number(a, "roaming", m->roaming, 0, 1);
	long mnc = arg_number(a, "mnc", m->mnc, 1, 99);
	long attached = arg_number(a, "attached", 0, 0, 1);
	int state = -1;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(states[i], a->words[0]))
			state = i;
	if (state < 0)
		arg_error(a, "%s: none, registered, searching or denied is wanted", a->words[0]);
	if (a->error[0])
		return NULL;
	m->registration = state;
	m->radio = radio;
	m->rsrp = rsrp;
	m->roaming = roaming;
	m->mnc = mnc;
	m->attached = attached;
	pdn_network_gone(m);
	nas_changed(m);
	return NULL;
}

static struct json_object *cmd_signal(struct modem *m, struct args *a)
{
	long rsrp = arg_number(a, "rsrp", m->rsrp, -200, 0);

	if (a->error[0])
		return NULL;
	m->rsrp = rsrp;
	nas_signal_changed(m);
	return NULL;
}

static struct json_object *cmd_sim(struct modem *m, struct args *a)
{
	bool in = !strcmp(a->words[0], "in");
	long card = arg_number(a, "card", m->card, 0, 9999);

	if (!in && strcmp(a->words[0], "out"))
		arg_error(a, "%s: in or out is wanted", a->words[0]);
	if (a->error[0])
		return NULL;
	if (m->card != (unsigned int)card)
		m->pin_retries = SIM_PIN_RETRIES;
	m->card = card;
	sim_insert(m, in);
	return NULL;
}

static struct json_object *cmd_radio(struct modem *m, struct args *a)
{
	static const char *const modes[] = {
		[MODE_ONLINE] = "online",
		[MODE_LOW_POWER] = "low_power",
		[MODE_OFFLINE] = "offline",
		[MODE_PERSISTENT_LOW_POWER] = "persistent_low_power",
	};
	bool held = arg_number(a, "switch", 0, 0, 1);
	int mode = -1;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (modes[i] && !strcmp(modes[i], a->words[0]))
			mode = i;
	if (mode < 0)
		arg_error(a, "%s: online, low_power, offline or persistent_low_power is wanted",
			  a->words[0]);
	if (a->error[0])
		return NULL;
	m->radio_switch = held;
	dms_set_mode(m, mode);
	return NULL;
}

static struct json_object *cmd_card(struct modem *m, struct args *a)
{
	static const char *const lies[] = {
		[CARD_TRUE] = "true",
		[CARD_LOCKED] = "locked",
		[CARD_EMPTY] = "empty",
		[CARD_INACTIVE] = "inactive",
	};
	long retries = arg_number(a, "retries", SIM_PIN_RETRIES, 0, 255);
	int how = -1;

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
		if (!strcmp(lies[i], a->words[0]))
			how = i;
	if (how < 0)
		arg_error(a, "%s: true, locked, empty or inactive is wanted", a->words[0]);
	if (a->error[0])
		return NULL;
	m->card_lies.how = how;
	m->card_lies.retries = retries;
	sim_tell(m);
	return NULL;
}

static struct json_object *cmd_connect(struct modem *m, struct args *a)
{
	struct pdn *pdn = arg_pdn(m, a);
	int family = arg_family(a);
	unsigned int n = 0;

	if (a->error[0])
		return NULL;
	for (int f = 0; f < FAMILIES; f++)
		if (family < 0 || family == f)
			n += pdn_bring_back(m, pdn, f);
	if (!n)
		arg_error(a, "PDN %u has no client that is set up for it", pdn->number);
	return NULL;
}

static struct json_object *cmd_unplug(struct modem *m, struct args *a)
{
	return plugged(a, power_unplug(m));
}

static struct json_object *cmd_plug(struct modem *m, struct args *a)
{
	return plugged(a, usb_plug(m));
}

static struct json_object *cmd_generate(struct modem *m, struct args *a)
{
	const char *pdn = arg_text(a, "pdn") ?: "all";
	long v = arg_number(a, "v", 4, 4, 6);
	struct generate_request r = {
		.pdn = strcmp(pdn, "all") ? arg_number(a, "pdn", 0, 1, m->options.pdns) : 0,
		.family = v == 6 ? FAMILY_V6 : FAMILY_V4,
		.count = arg_number(a, "count", 1000, 0, LONG_MAX),
		.size = arg_number(a, "size", 1400, 0, 65535),
		.rate = arg_number(a, "rate", 0, 0, 10000000),
	};
	int err;

	if (a->error[0])
		return NULL;
	err = generate_start(m, &r);
	if (err == -ENOTCONN)
		arg_error(a, "no IPv%d call is up there", v == 6 ? 6 : 4);
	else if (err)
		arg_error(a, "size=%u: too small or too large for an IPv%d packet", r.size,
			  v == 6 ? 6 : 4);
	return NULL;
}

static struct json_object *cmd_stats(struct modem *m, struct args *a)
{
	const char *key = arg_text(a, "key");
	struct json_object *o = key ? stats_at(m, key) : stats_json(m);

	if (!o)
		arg_error(a, "key=%s: nothing of that name in stats", key);
	return o;
}

static struct json_object *cmd_reset(struct modem *m, struct args *a)
{
	stats_reset(m);
	return NULL;
}

const struct command fault_commands[] = {
	{"delay", 2, "ms skip count", "SERVICE MESSAGE ms=N [skip=0] [count=N]",
	 "answers come late; not the first `skip` of them, and then `count` times", cmd_delay},
	{"never", 2, "skip count", "SERVICE MESSAGE [skip=0] [count=N]", "no answers", cmd_never},
	{"twice", 2, "skip count", "SERVICE MESSAGE [skip=0] [count=N]", "each answer two times",
	 cmd_twice},
	{"error", 2, "code skip count", "SERVICE MESSAGE code=N [skip=0] [count=N]",
	 "QMI error, nothing is done", cmd_error},
	{"strike", 2, "what ms announce pid skip count",
	 "SERVICE MESSAGE what=reboot|die|abort|host [ms=2000] [announce=...] [pid=N] [skip=0] "
	 "[count=1]",
	 "instead of the answer a reboot, the end of this process, an indication that the call has "
	 "ended, or the end of who has asked",
	 cmd_strike},
	{"spoil", 2, "how instead skip count",
	 "SERVICE MESSAGE how=garbage|truncated|length|marker [instead=1] [skip=0] [count=1]",
	 "a malformed message before the answer, or instead of it", cmd_spoil},
	{"tell", 2, "hex skip count", "SERVICE MESSAGE hex=TLVS [skip=0] [count=N]",
	 "a successful answer has these bytes, and not its own TLVs", cmd_tell},
	{"refuse", 0, "pdn apn family reason type verbose count",
	 "[pdn=N] [apn=NAME] [family=4|6] [reason=1] [type=6] [verbose=33] [count=N]",
	 "Start Network fails with these call end reasons", cmd_refuse},
	{"clear", 0, "", "", "forget all of the above", cmd_clear},
	{"latency", 0, "ms", "ms=N", "time that other answers take", cmd_latency},
	{"lag", 0, "messages", "messages=N",
	 "the last N messages to the host wait until others push them out", cmd_lag},
	{"loopback", 0, "lose damage", "[lose=N] [damage=N]",
	 "every Nth packet of WDA loopback does not come back, or not as it was", cmd_loopback},
	{"disconnect", 0, "pdn family reason type verbose announce",
	 "pdn=N [family=4|6] [reason=1] [type=6] [verbose=36] [announce=0|1]",
	 "the network ends the call, and the modem tells of it, or not", cmd_disconnect},
	{"connect", 0, "pdn family", "pdn=N [family=4|6]",
	 "the modem brings calls back by itself, as with autoconnect", cmd_connect},
	{"network", 1, "radio rsrp roaming mnc attached",
	 "registered|searching|denied|none [radio=8] [rsrp=DBM] [roaming=0|1] [mnc=1] "
	 "[attached=0|1]",
	 "registration changes; without it calls end, unless packet service is attached all the "
	 "same",
	 cmd_network},
	{"signal", 0, "rsrp", "rsrp=DBM", "who wants to be told of so much is told", cmd_signal},
	{"sim", 1, "card", "in|out [card=N]",
	 "the card is taken out, or comes back with its PIN not entered, or another one", cmd_sim},
	{"radio", 1, "switch", "online|low_power|offline|persistent_low_power [switch=0|1]",
	 "the operating mode; a switch keeps it so", cmd_radio},
	{"card", 1, "retries", "locked|empty|inactive|true [retries=3]",
	 "the card's status says that the PIN is wanted, that there is no application, that it has "
	 "no "
	 "session, or what is true",
	 cmd_card},
	{"reconfigure", 0, "pdn mtu", "pdn=N [mtu=BYTES]",
	 "other settings, and a status indication that says so", cmd_reconfigure},
	{"pretend", 0, "pdn mtu host4 mask4 host6 prefix6",
	 "pdn=N [mtu=N] [host4=A] [mask4=A] [host6=A] [prefix6=N]",
	 "the settings that are told, and a status indication; without any, the truth again",
	 cmd_pretend},
	{"readdress", 0, "pdn host tell", "pdn=N [host=6] [tell=nothing|connected|reconfigure]",
	 "other addresses, ending in `host`, and a status indication or none", cmd_readdress},
	{"stale", 0, "until count", "[until=stop|release] [count=1]",
	 "Start Network has no effect and leads to no call, until Stop Network or the client's "
	 "release",
	 cmd_stale},
	{"flow", 1, "pdn mux family qos", "disable|enable pdn=N|mux=N [family=4|6] [qos=N]",
	 "QMAP flow control", cmd_flow},
	{"command", 0, "name pdn mux data", "name=N pdn=N|mux=N [data=HEX]",
	 "any other QMAP command", cmd_command},
	{"checksums", 1, "", "on|off", "vouch for checksums (v4, v5) or not", cmd_checksums},
	{"uplink", 1, "", "on|off", "take packets of the host, or leave them in its queue",
	 cmd_uplink},
	{"malformed", 0, "count seed kind", "[count=1] [seed=1] [kind=KIND]",
	 "malformed aggregates, to UDP port 7009", cmd_malformed},
	{"inject", 0, "hex", "hex=BYTES", "a transfer as it is", cmd_inject},
	{"replay", 0, "", "", "the aggregates of the recording, as they are", cmd_replay},
	{"qmi-malformed", 0, "count seed framing", "[count=1] [seed=1] [framing=keep|break]",
	 "malformed QMI messages to all hosts", cmd_qmi_malformed},
	{"qmi", 0, "hex", "hex=BYTES", "a message as it is to all hosts", cmd_qmi},
	{"reboot", 0, "ms announce", "[ms=2000] [announce=before|after|both|never]",
	 "lose everything and be silent for a while", cmd_reboot},
	{"unplug", 0, "", "", "off the USB, and without power", cmd_unplug},
	{"plug", 0, "", "", "back on the USB", cmd_plug},
	{"generate", 0, "pdn count size v rate",
	 "[pdn=N|all] [count=1000] [size=1400] [v=4|6] [rate=N]",
	 "downlink UDP with a pattern (pattern.h), to port 7001; packets per PDN, IP bytes, "
	 "packets/s",
	 cmd_generate},
	{"stats", 0, "key", "[key=DOTTED.PATH]", "state and counters", cmd_stats},
	{"reset", 0, "", "", "all counters to zero", cmd_reset},
	{"wait", 3, "timeout", "PATH ==|!=|>=|<=|<|> VALUE [timeout=5000]",
	 "until stats say so, at most so many ms", NULL},
};

const unsigned int fault_command_count = ARRAY_SIZE(fault_commands);
