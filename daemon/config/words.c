// SPDX-License-Identifier: GPL-2.0-or-later
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "model.h"
#include "util/array.h"
#include "util/nearest.h"
#include "util/printable.h"
#include "qmap/abi.h"

static const struct config_choice qmap_choices[] = {
	{"auto", CONFIG_QMAP_AUTO}, {"off", CONFIG_QMAP_OFF}, {"v1", CONFIG_QMAP_V1},
	{"v4", CONFIG_QMAP_V4},	    {"v5", CONFIG_QMAP_V5},   {NULL, 0},
};

static const struct config_choice model_qmap_choices[] = {
	{"auto", CONFIG_QMAP_AUTO},
	{"v1", CONFIG_QMAP_V1},
	{"v4", CONFIG_QMAP_V4},
	{"v5", CONFIG_QMAP_V5},
	{NULL, 0},
};

static const struct config_choice datapath_choices[] = {
	{"auto", CONFIG_DATAPATH_AUTO},
	{"usb", CONFIG_DATAPATH_USB},
	{"shim", CONFIG_DATAPATH_SHIM},
	{"xdp", CONFIG_DATAPATH_XDP},
	{"rmnet", CONFIG_DATAPATH_RMNET},
	{"qmimux", CONFIG_DATAPATH_QMIMUX},
	{NULL, 0},
};

static const struct config_choice radio_choices[] = {
	{"on", CONFIG_RADIO_ON},
	{"keep", CONFIG_RADIO_KEEP},
	{NULL, 0},
};

static const struct config_choice roaming_choices[] = {
	{"on", CONFIG_ROAMING_ON},
	{"off", CONFIG_ROAMING_OFF},
	{NULL, 0},
};

static const struct config_choice ip_choices[] = {
	{"v4", CONFIG_IPV4},
	{"v6", CONFIG_IPV6},
	{"v4v6", CONFIG_IPV4V6},
	{NULL, 0},
};

static const struct config_choice auth_choices[] = {
	{"auto", CONFIG_AUTH_AUTO}, {"none", CONFIG_AUTH_NONE}, {"pap", CONFIG_AUTH_PAP},
	{"chap", CONFIG_AUTH_CHAP}, {"both", CONFIG_AUTH_BOTH}, {NULL, 0},
};

static const struct config_choice addresses_choices[] = {
	{"qmapd", CONFIG_ADDRESSES_QMAPD},
	{"none", CONFIG_ADDRESSES_NONE},
	{NULL, 0},
};

#define TRUNK(member) .scope = CONFIG_TRUNK, .offset = offsetof(struct config_trunk, member)
#define PDN(member)   .scope = CONFIG_PDN, .offset = offsetof(struct config_pdn, member)
#define MODEL(member) .scope = CONFIG_MODEL, .offset = offsetof(struct config_model, member)
#define MODEL_STRING(member)                                                                       \
	MODEL(member), .type = CONFIG_STRING, .size = sizeof(((struct config_model *)0)->member)
#define TRUNK_STRING(member)                                                                       \
	TRUNK(member), .type = CONFIG_STRING, .size = sizeof(((struct config_trunk *)0)->member)
#define PDN_STRING(member)                                                                         \
	PDN(member), .type = CONFIG_STRING, .size = sizeof(((struct config_pdn *)0)->member)
#define DAEMON_STRING(member)                                                                      \
	.scope = CONFIG_DAEMON, .offset = offsetof(struct config_daemon, member),                  \
	.type = CONFIG_STRING, .size = sizeof(((struct config_daemon *)0)->member)
#define CHANGE(what)	.change = CONFIG_CHANGE_##what
#define UINT(low, high) .type = CONFIG_UINT, .min = (low), .max = (high)
#define ENUM(list)	.type = CONFIG_ENUM, .choices = (list)

/* clang-format off */
static const struct config_word words[] = {
	{.key = "dev", TRUNK_STRING(dev), .identity = true, .metavar = "DEV",
	 .help = "network device that carries the aggregates"},
	{.key = "control", TRUNK_STRING(control), .metavar = "PATH", CHANGE(REPLACE),
	 .help = "QMI device or unix socket; qmi-proxy:PATH; none: data path alone"},
	{.key = "qmap", TRUNK(qmap), ENUM(qmap_choices), CHANGE(REPLACE),
	 .help = "QMAP version; auto: the highest that the modem agrees to"},
	{.key = "datapath", TRUNK(datapath), ENUM(datapath_choices), CHANGE(IN_PLACE),
	 .help = "way of splitting aggregates; auto: the cheapest that works here"},
	{.key = "dl-max-bytes", TRUNK(dl_max_bytes), UINT(0, QMAP_MAX_AGGREGATE), .metavar = "N",
	 CHANGE(REPLACE),
	 .help = "largest downlink aggregate to ask for; 0: what suits the modem"},
	{.key = "dl-max-datagrams", TRUNK(dl_max_datagrams), UINT(0, 255), .metavar = "N",
	 CHANGE(REPLACE),
	 .help = "most frames per downlink aggregate; 0: likewise"},
	{.key = "sync", TRUNK(sync), .type = CONFIG_BOOL, CHANGE(IN_PLACE),
	 .help = "may QMI SYNC be sent when nobody else uses the channel"},
	{.key = "timeout", TRUNK(timeout), UINT(1, 600), .metavar = "SECONDS", CHANGE(IN_PLACE),
	 .help = "how long to wait for one QMI answer"},
	{.key = "backoff-min", TRUNK(backoff_min), UINT(10, 3600000), .metavar = "MS",
	 CHANGE(IN_PLACE),
	 .help = "wait before a call is dialled again; doubled each time"},
	{.key = "backoff-max", TRUNK(backoff_max), UINT(10, 3600000), .metavar = "MS",
	 CHANGE(IN_PLACE),
	 .help = "... and at most so long"},
	{.key = "retry-failed", TRUNK(retry_failed), UINT(0, 86400), .metavar = "SECONDS",
	 CHANGE(IN_PLACE),
	 .help = "most time until what was refused for good is redialled; 0: never"},
	{.key = "radio", TRUNK(radio), ENUM(radio_choices), CHANGE(IN_PLACE),
	 .help = "switch on a radio that is off, or keep it as it is"},
	{.key = "roaming", TRUNK(roaming), ENUM(roaming_choices), CHANGE(IN_PLACE),
	 .help = "allow data while the modem roams"},
	{.key = "pin", TRUNK_STRING(pin), .secret = true, .metavar = "DIGITS", CHANGE(IN_PLACE),
	 .help = "the SIM's PIN; entered while two or more attempts are left"},
	{.key = "poll", TRUNK(poll), UINT(0, 3600), .metavar = "SECONDS", CHANGE(IN_PLACE),
	 .help = "how often the modem is asked for signal and calls; 0: never"},
	{.key = "watchdog", TRUNK(watchdog), UINT(0, 86400), .metavar = "SECONDS", CHANGE(IN_PLACE),
	 .help = "redial a PDN that has received nothing for so long; 0: never"},
	{.key = "recover", TRUNK_STRING(recover), .metavar = "off|RUNGS", CHANGE(IN_PLACE),
	 .help = "measures for a link that is dead: redial,radio,reset,usb,hook"},
	{.key = "steer", TRUNK_STRING(steer), .metavar = "auto|off|CPUS", CHANGE(IN_PLACE),
	 .help = "CPUs that received packets are spread to, as 1-3"},
	{.key = "port", TRUNK_STRING(port), .metavar = "NAME", CHANGE(REPLACE),
	 .help = "names of the ports, with %n for the PDN's number; default DEV.%n"},
	{.key = "hook", TRUNK_STRING(hook), .metavar = "PATHS", CHANGE(IN_PLACE),
	 .help = "programs to run when a port or the modem comes, changes or goes"},
	{.key = "hook-timeout", TRUNK(hook_timeout), UINT(1, 3600), .metavar = "SECONDS",
	 CHANGE(IN_PLACE),
	 .help = "how long each of them may run"},
	{.key = "keep-secrets", TRUNK(keep_secrets), .type = CONFIG_BOOL, .file_only = true,
	 CHANGE(NOTHING),
	 .help = "passwords that are not given are those of the attached trunk"},
	{.key = "number", PDN(number), UINT(1, 254), .identity = true, .metavar = "N",
	 .help = "the N in the port's name"},
	{.key = "mux", PDN(mux), UINT(1, 254), .metavar = "ID", CHANGE(REPLACE),
	 .help = "mux id; default 0x80 + N"},
	{.key = "ip", PDN(ip), ENUM(ip_choices), CHANGE(REDIAL),
	 .help = "IP families to connect; default v4v6"},
	{.key = "apn", PDN_STRING(apn), .metavar = "NAME", CHANGE(REDIAL),
	 .help = "access point name; default: the modem's profile"},
	{.key = "profile", PDN(profile), UINT(0, 255), .metavar = "N", CHANGE(REDIAL),
	 .help = "3GPP profile of the modem to dial; 0: its own choice"},
	{.key = "user", PDN_STRING(user), .metavar = "NAME", CHANGE(REDIAL),
	 .help = "user name"},
	{.key = "password", PDN_STRING(password), .secret = true, .metavar = "TEXT", CHANGE(REDIAL),
	 .help = "password"},
	{.key = "auth", PDN(auth), ENUM(auth_choices), CHANGE(REDIAL),
	 .help = "authentication; auto: none without user, else both"},
	{.key = "netns", PDN_STRING(netns), .metavar = "NAME", CHANGE(REPLACE),
	 .help = "network namespace to move the port to, as in `ip netns`"},
	{.key = "metric", PDN(metric), UINT(1, UINT_MAX), .metavar = "N", CHANGE(IN_PLACE),
	 .help = "metric of the default route; default 700 + N"},
	{.key = "failover", PDN(failover), UINT(0, UINT_MAX), .metavar = "N", CHANGE(IN_PLACE),
	 .help = "added to the metric while the link is dead; needs watchdog; 0: nothing"},
	{.key = "quota", PDN(quota), UINT(0, UINT_MAX), .metavar = "MB", CHANGE(IN_PLACE),
	 .help = "megabytes a month after which there is an event; 0: none"},
	{.key = "default-route", PDN(default_route), .type = CONFIG_BOOL, CHANGE(IN_PLACE),
	 .help = "add a default route through the port; default yes"},
	{.key = "table", PDN(table), UINT(0, UINT_MAX), .metavar = "N", CHANGE(IN_PLACE),
	 .help = "routing table of the PDN's own, with rules that choose it; 0: main"},
	{.key = "vrf", PDN_STRING(vrf), .metavar = "NAME", CHANGE(REPLACE),
	 .help = "VRF to put the port into; its routing table is the default route's"},
	{.key = "slaac", PDN(slaac), .type = CONFIG_BOOL, CHANGE(REDIAL),
	 .help = "obey the network's router advertisements, too; default no"},
	{.key = "passthrough", PDN_STRING(passthrough), .metavar = "NAME", CHANGE(REDIAL),
	 .help = "network device of the host that gets the IPv4 address (with a hook)"},
	{.key = "lan", PDN_STRING(lan), .metavar = "NAME", CHANGE(REDIAL),
	 .help = "network device that hooks give the PDN's IPv6 prefix to"},
	{.key = "clat", PDN_STRING(clat), .metavar = "auto|off|PREFIX", CHANGE(IN_PLACE),
	 .help = "IPv4 by 464XLAT on an IPv6-only network: auto, off, or a NAT64 prefix"},
	{.key = "addresses", PDN(addresses), ENUM(addresses_choices), CHANGE(REDIAL),
	 .help = "who sets addresses, MTU and routes; none: another program"},
	{.key = "id", MODEL_STRING(id), .identity = true, .metavar = "VID:PID",
	 .help = "USB or PCI id of the modem"},
	{.key = "name", MODEL_STRING(name), .metavar = "NAME",
	 .help = "beginnings of the model's name, separated by blanks"},
	{.key = "interface", MODEL(interface), UINT(0, 255), .metavar = "N",
	 .help = "USB interface that carries data"},
	{.key = "qmap", MODEL(qmap), ENUM(model_qmap_choices),
	 .help = "highest QMAP version to ask for; auto: any"},
	{.key = "dl-max-bytes", MODEL(dl_max_bytes), UINT(1536, QMAP_MAX_AGGREGATE), .metavar = "N",
	 .help = "largest downlink aggregate that it likes to send"},
	{.key = "forced", MODEL(forced), .type = CONFIG_BOOL,
	 .help = "does it send QMAP whatever it is told"},
	{.key = "note", MODEL_STRING(note), .metavar = "TEXT",
	 .help = "what probe says of it"},
	{.key = "qmi-proxy", DAEMON_STRING(qmi_proxy), .metavar = "yes|no|NAME",
	 .help = "let other programs use the modems as through libqmi's qmi-proxy, whose name is "
		 "qmi-proxy (default: yes)"},
	{.key = "qmi-proxy-group", DAEMON_STRING(qmi_proxy_group), .metavar = "GROUP",
	 .help = "members of GROUP may use them so, not root alone"},
	{.key = "totals-minutes", .scope = CONFIG_DAEMON,
	 .offset = offsetof(struct config_daemon, totals_minutes), UINT(1, 10080), .metavar = "N",
	 .help = "minutes between two writes of the totals (default: 10)"},
};
/* clang-format on */

#define NWORDS ARRAY_SIZE(words)

const struct config_word *config_word_next(enum config_scope scope,
					   const struct config_word *previous)
{
	size_t i = previous ? (size_t)(previous - words) + 1 : 0;

	for (; i < NWORDS; i++) {
		if (words[i].scope == scope)
			return &words[i];
	}
	return NULL;
}

/* JSON keys are snake_case, options and files have dashes. */
static bool same_key(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
			return false;
	}
	return *a == *b;
}

static const char *const scope_names[] = {
	[CONFIG_TRUNK] = "trunk",
	[CONFIG_PDN] = "PDN",
	[CONFIG_MODEL] = "model",
	[CONFIG_DAEMON] = "[qmapd] section",
};
TABLE_COMPLETE(scope_names, CONFIG_SCOPES);

static void unknown_key(enum config_scope scope, const char *key, struct error *err)
{
	const struct config_word *w = NULL;
	struct nearest near;
	char list[256] = "";
	size_t len = 0;

	nearest_init(&near, key);
	while ((w = config_word_next(scope, w))) {
		nearest_offer(&near, w->key);
		if (!w->identity && len < sizeof(list))
			len += snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
					w->key);
	}
	error_set(err, -EINVAL, "a %s has no setting \"%.40s\"", scope_names[scope], key);
	if (near.best)
		error_hint(err, "did you mean \"%s\"?", near.best);
	else
		error_hint(err, "there are %s", list);
}

const struct config_word *config_word_find(enum config_scope scope, const char *key,
					   struct error *err)
{
	const struct config_word *w = NULL;

	while ((w = config_word_next(scope, w))) {
		if (same_key(w->key, key))
			return w;
	}
	unknown_key(scope, key, err);
	return NULL;
}

static void join_choices(const struct config_word *w, const char *separator, char *buf, size_t size)
{
	size_t len = 0;

	for (const struct config_choice *c = w->choices; c->name && len < size; c++)
		len += snprintf(buf + len, size - len, "%s%s", len ? separator : "", c->name);
}

void config_word_metavar(const struct config_word *w, char *buf, size_t size)
{
	if (w->type == CONFIG_ENUM)
		join_choices(w, "|", buf, size);
	else
		snprintf(buf, size, "%s", w->type == CONFIG_BOOL ? "yes|no" : w->metavar);
}

void config_word_allowed(const struct config_word *w, char *buf, size_t size)
{
	switch (w->type) {
	case CONFIG_STRING:
		snprintf(buf, size,
			 "at most %zu characters of UTF-8, none of them a control character",
			 w->size - 1);
		break;
	case CONFIG_UINT:
		snprintf(buf, size, "a number from %u to %u", w->min, w->max);
		break;
	case CONFIG_BOOL:
		snprintf(buf, size, "yes or no");
		break;
	case CONFIG_ENUM:
		join_choices(w, ", ", buf, size);
		break;
	}
}

static int bad_value(const struct config_word *w, const char *value, struct error *err)
{
	char allowed[128];

	config_word_allowed(w, allowed, sizeof(allowed));
	if (w->secret)
		return error_set(err, -EINVAL, "bad %s: allowed: %s", w->key, allowed);
	return error_set(err, -EINVAL, "bad %s \"%.60s\": allowed: %s", w->key, value, allowed);
}

static int set_string(const struct config_word *w, void *member, const char *value)
{
	size_t len = strlen(value);

	if (len >= w->size)
		return -EINVAL;
	if (!is_printable(value, len))
		return -EINVAL;
	/* Clear the rest, so that memcmp() can compare two configurations. */
	memset(member, 0, w->size);
	memcpy(member, value, len);
	return 0;
}

/*
 * Parses decimal or 0x...: no sign, no blanks; unlike with strtoul's base 0, a leading zero has no
 * meaning.
 */
static int set_uint(const struct config_word *w, unsigned int *member, const char *value)
{
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	const char *digits = hex ? value + 2 : value;
	unsigned long long n;
	char *end;

	if (!*digits ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	n = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || n < w->min || n > w->max)
		return -EINVAL;
	*member = n;
	return 0;
}

static int set_bool(bool *member, const char *value)
{
	static const struct {
		const char *name;
		bool value;
	} names[] = {{"yes", true},  {"no", false},  {"on", true},
		     {"off", false}, {"true", true}, {"false", false}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i].name, value)) {
			*member = names[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_choice(const struct config_word *w, int *member, const char *value)
{
	for (const struct config_choice *c = w->choices; c->name; c++) {
		if (!strcmp(c->name, value)) {
			*member = c->value;
			return 0;
		}
	}
	return -EINVAL;
}

int config_word_set(const struct config_word *w, void *object, const char *value, struct error *err)
{
	void *member = (char *)object + w->offset;
	int ret = -EINVAL;

	switch (w->type) {
	case CONFIG_STRING:
		ret = set_string(w, member, value);
		break;
	case CONFIG_UINT:
		ret = set_uint(w, member, value);
		break;
	case CONFIG_BOOL:
		ret = set_bool(member, value);
		break;
	case CONFIG_ENUM:
		ret = set_choice(w, member, value);
		break;
	}
	return ret ? bad_value(w, value, err) : 0;
}

const char *config_word_choice(const struct config_word *w, int value)
{
	for (const struct config_choice *c = w->choices; c->name; c++) {
		if (c->value == value)
			return c->name;
	}
	return "?";
}

static size_t member_size(const struct config_word *w)
{
	switch (w->type) {
	case CONFIG_STRING:
		return w->size;
	case CONFIG_UINT:
		return sizeof(unsigned int);
	case CONFIG_BOOL:
		return sizeof(bool);
	case CONFIG_ENUM:
		return sizeof(int);
	}
	return 0;
}

/* memcmp() works because strings are cleared to their end. */
bool config_word_equal(const struct config_word *w, const void *a, const void *b)
{
	return !memcmp((const char *)a + w->offset, (const char *)b + w->offset, member_size(w));
}

void config_word_text(const struct config_word *w, const void *object, char *buf)
{
	const void *member = (const char *)object + w->offset;

	switch (w->type) {
	case CONFIG_STRING:
		snprintf(buf, CONFIG_TEXT_MAX, "%s", (const char *)member);
		break;
	case CONFIG_UINT:
		snprintf(buf, CONFIG_TEXT_MAX, "%u", *(const unsigned int *)member);
		break;
	case CONFIG_BOOL:
		snprintf(buf, CONFIG_TEXT_MAX, "%s", *(const bool *)member ? "yes" : "no");
		break;
	case CONFIG_ENUM:
		snprintf(buf, CONFIG_TEXT_MAX, "%s", config_word_choice(w, *(const int *)member));
		break;
	}
}

struct json_object *config_word_to_json(const struct config_word *w, const void *object)
{
	const void *member = (const char *)object + w->offset;

	switch (w->type) {
	case CONFIG_STRING:
		return json_object_new_string(member);
	case CONFIG_UINT:
		return json_object_new_int64(*(const unsigned int *)member);
	case CONFIG_BOOL:
		return json_object_new_boolean(*(const bool *)member);
	case CONFIG_ENUM:
		return json_object_new_string(config_word_choice(w, *(const int *)member));
	}
	return NULL;
}

static enum json_type json_type_of(const struct config_word *w)
{
	switch (w->type) {
	case CONFIG_UINT:
		return json_type_int;
	case CONFIG_BOOL:
		return json_type_boolean;
	case CONFIG_STRING:
	case CONFIG_ENUM:
		break;
	}
	return json_type_string;
}

int config_word_from_json(const struct config_word *w, void *object, struct json_object *value,
			  struct error *err)
{
	const char *text = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_of(w)))
		return error_set(err, -EINVAL, "%s must be a JSON %s", w->key,
				 json_type_to_name(json_type_of(w)));
	/* "\u0000" is a legal JSON string that would end a C string early. */
	if (json_object_is_type(value, json_type_string) &&
	    strlen(text) != (size_t)json_object_get_string_len(value))
		return error_set(err, -EINVAL, "%s contains a zero byte", w->key);
	return config_word_set(w, object, text, err);
}
