// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics.h"

#include <json-c/json.h>
#include <string.h>

#include "model/states.h"
#include "util/array.h"
#include "util/json_get.h"
#include "util/printable.h"

/* --- places: the objects that have values, and the labels that tell them apart --- */

enum place {
	ROOT,
	TRUNK,
	NETWORK,
	SIGNAL,
	SIM,
	QMI,
	MALFORMED,
	PDN,
	MONTH,
	CALL,
	COUNTERS,
	DROPS,
	UNKNOWN,
	PORT,
	PLACES
};

struct label {
	const char *name;
	const char *key; /* of the member with the value */
	bool hex;
};

static const struct {
	enum place parent;
	const char *key; /* of the parent's member, an object or an array of them */
	struct label labels[3];
} places[] = {
	[ROOT] = {.key = NULL},
	[TRUNK] = {.parent = ROOT, .key = "show", .labels = {{.name = "trunk", .key = "dev"}}},
	[NETWORK] = {.parent = TRUNK, .key = "network"},
	[SIGNAL] = {.parent = NETWORK,
		    .key = "signal",
		    .labels = {{.name = "radio", .key = "radio"}}},
	[SIM] = {.parent = TRUNK, .key = "sim"},
	[QMI] = {.parent = TRUNK, .key = "qmi"},
	[MALFORMED] = {.parent = QMI, .key = "malformed"},
	[PDN] = {.parent = TRUNK,
		 .key = "pdns",
		 .labels = {{.name = "pdn", .key = "number"}, {.name = "port", .key = "port"}}},
	[MONTH] = {.parent = PDN, .key = "totals", .labels = {{.name = "month", .key = "month"}}},
	[CALL] = {.parent = PDN,
		  .key = "families",
		  .labels = {{.name = "family", .key = "family"}}},
	[COUNTERS] = {.parent = ROOT, .key = "stats", .labels = {{.name = "trunk", .key = "dev"}}},
	[DROPS] = {.parent = COUNTERS, .key = "drops"},
	[UNKNOWN] = {.parent = COUNTERS,
		     .key = "unknown",
		     .labels = {{.name = "mux", .key = "mux", .hex = true}}},
	[PORT] = {.parent = COUNTERS,
		  .key = "ports",
		  .labels = {{.name = "pdn", .key = "number"}, {.name = "port", .key = "port"}}},
};
TABLE_COMPLETE(places, PLACES);

/* --- families --- */

/* The shape of the samples that one object gives. */
enum shape {
	VALUES, /* of each member in members[], labelled `by` if there are several */
	EACH,	/* of each of its numbers, labelled by its key */
	STATE,	/* one for each possible state: 1 for the text of members[0], 0 for all others */
	IS,	/* 1 if the text of members[0] is the one wanted, else 0 */
	FACTS,	/* 1, with the texts of members[] as labels */
};

struct member {
	const char *key;
	const char *as; /* value, or name, of its label */
	bool hex;
};

struct family {
	const char *name; /* with the suffix of its samples */
	const char *unit; /* NULL: none */
	const char *help;
	enum place place;
	enum shape shape;
	const char *by; /* a label's name; NULL: none */
	struct member members[7];
	const char *wanted;		      /* IS */
	const char *(*state)(unsigned int i); /* STATE; NULL beyond the last */
};

static const char *trunk_states(unsigned int i)
{
	return i < ATTACHMENT_STATES ? attachment_name(i) : NULL;
}

static const char *modem_states(unsigned int i)
{
	return i < TRUNK_STATES ? trunk_state_name(i) : NULL;
}

/* `show` has one state more than calls have: up, but with an unusable port. */
static const char *call_states(unsigned int i)
{
	if (i == CALL_STATES)
		return "damaged";
	return i < CALL_STATES ? call_state_name(i) : NULL;
}

#define AS(member, label)                                                                          \
	{                                                                                          \
		.key = (member), .as = (label)                                                     \
	}
#define HEX_AS(member, label)                                                                      \
	{                                                                                          \
		.key = (member), .as = (label), .hex = true                                        \
	}

static const struct family families[] = {
	{.name = "qmap_build_info",
	 .help = "version of qmapctl",
	 .place = ROOT,
	 .shape = FACTS,
	 .members = {AS("version", "version")}},
	{.name = "qmap_daemon_up",
	 .help = "1: qmapd runs",
	 .place = ROOT,
	 .shape = VALUES,
	 .members = {{.key = "running"}}},
	{.name = "qmap_trunk_info",
	 .help = "network device, data path and QMAP version of a trunk; model and firmware of its "
		 "modem",
	 .place = TRUNK,
	 .shape = FACTS,
	 .members = {AS("netdev", "netdev"), AS("datapath", "datapath"), AS("qmap", "qmap"),
		     AS("manufacturer", "manufacturer"), AS("model", "model"),
		     AS("revision", "revision")}},
	{.name = "qmap_trunk_state",
	 .help = "1 for the state of the trunk, 0 for all others",
	 .place = TRUNK,
	 .shape = STATE,
	 .by = "state",
	 .members = {{.key = "state"}},
	 .state = trunk_states},
	{.name = "qmap_modem_state",
	 .help = "1 for the state of the modem, 0 for all others",
	 .place = TRUNK,
	 .shape = STATE,
	 .by = "state",
	 .members = {{.key = "modem"}},
	 .state = modem_states},
	{.name = "qmap_rx_aggregate_max_bytes",
	 .unit = "bytes",
	 .help = "largest downlink aggregate, as agreed with the modem",
	 .place = TRUNK,
	 .shape = VALUES,
	 .members = {{.key = "dl_max_bytes"}}},
	{.name = "qmap_tx_aggregate_max_bytes",
	 .unit = "bytes",
	 .help = "largest uplink aggregate that the modem takes; 0: it has not reported a limit",
	 .place = TRUNK,
	 .shape = VALUES,
	 .members = {{.key = "ul_max_bytes"}}},
	{.name = "qmap_sim_ready",
	 .help = "1: the SIM can be used",
	 .place = SIM,
	 .shape = IS,
	 .members = {{.key = "state"}},
	 .wanted = "ready"},
	{.name = "qmap_sim_pin_retries",
	 .help = "attempts left to enter the PIN",
	 .place = SIM,
	 .shape = VALUES,
	 .members = {{.key = "pin_retries"}}},
	{.name = "qmap_network_registered",
	 .help = "1: the modem is registered with a network",
	 .place = NETWORK,
	 .shape = IS,
	 .members = {{.key = "registration"}},
	 .wanted = "registered"},
	{.name = "qmap_network_roaming",
	 .help = "1: the network is not that of the SIM's operator",
	 .place = NETWORK,
	 .shape = VALUES,
	 .members = {{.key = "roaming"}}},
	{.name = "qmap_network_info",
	 .help = "the network that the modem is registered with",
	 .place = NETWORK,
	 .shape = FACTS,
	 .members = {AS("radio", "radio"), AS("plmn", "plmn"), AS("operator", "operator")}},
	{.name = "qmap_signal_rssi_dbm",
	 .unit = "dbm",
	 .help = "received signal strength",
	 .place = SIGNAL,
	 .shape = VALUES,
	 .members = {{.key = "rssi"}}},
	{.name = "qmap_signal_rsrp_dbm",
	 .unit = "dbm",
	 .help = "received power of the reference signal",
	 .place = SIGNAL,
	 .shape = VALUES,
	 .members = {{.key = "rsrp"}}},
	{.name = "qmap_signal_rsrq_db",
	 .unit = "db",
	 .help = "received quality of the reference signal",
	 .place = SIGNAL,
	 .shape = VALUES,
	 .members = {{.key = "rsrq"}}},
	{.name = "qmap_signal_snr_db",
	 .unit = "db",
	 .help = "signal-to-noise ratio",
	 .place = SIGNAL,
	 .shape = VALUES,
	 .members = {{.key = "snr"}}},
	{.name = "qmap_qmi_messages_total",
	 .help = "messages of the control channel since it was opened",
	 .place = QMI,
	 .shape = VALUES,
	 .by = "kind",
	 .members = {AS("requests", "request"), AS("responses", "response"),
		     AS("indications", "indication"), AS("late", "late"),
		     AS("mismatched", "mismatched"), AS("unknown_client", "unknown_client"),
		     AS("unexpected", "unexpected")}},
	{.name = "qmap_qmi_timeouts_total",
	 .help = "requests without a response in time",
	 .place = QMI,
	 .shape = VALUES,
	 .members = {{.key = "timeouts"}}},
	{.name = "qmap_qmi_malformed_total",
	 .help = "malformed messages of the modem",
	 .place = MALFORMED,
	 .shape = EACH,
	 .by = "fault"},
	{.name = "qmap_pdn_info",
	 .help = "mux id, access point name and network namespace of a PDN",
	 .place = PDN,
	 .shape = FACTS,
	 .members = {HEX_AS("mux", "mux"), AS("apn", "apn"), AS("netns", "netns")}},
	{.name = "qmap_pdn_mtu_bytes",
	 .unit = "bytes",
	 .help = "MTU of the port",
	 .place = PDN,
	 .shape = VALUES,
	 .members = {{.key = "mtu"}}},
	{.name = "qmap_pdn_dead",
	 .help = "1: the PDN's link does not work (setting failover)",
	 .place = PDN,
	 .shape = VALUES,
	 .members = {{.key = "dead"}}},
	{.name = "qmap_pdn_quota_reached",
	 .help = "1: the PDN has carried its quota of this month",
	 .place = PDN,
	 .shape = VALUES,
	 .members = {{.key = "quota_reached"}}},
	{.name = "qmap_pdn_month_rx_bytes",
	 .unit = "bytes",
	 .help = "bytes received in the month, through every attach",
	 .place = MONTH,
	 .shape = VALUES,
	 .members = {{.key = "rx_bytes"}}},
	{.name = "qmap_pdn_month_tx_bytes",
	 .unit = "bytes",
	 .help = "bytes sent in the month, through every attach",
	 .place = MONTH,
	 .shape = VALUES,
	 .members = {{.key = "tx_bytes"}}},
	{.name = "qmap_call_state",
	 .help = "1 for the state of the call of this IP family, 0 for all others",
	 .place = CALL,
	 .shape = STATE,
	 .by = "state",
	 .members = {{.key = "state"}},
	 .state = call_states},
	{.name = "qmap_call_suspended",
	 .help = "1: the network has suspended the call",
	 .place = CALL,
	 .shape = VALUES,
	 .members = {{.key = "suspended"}}},
	{.name = "qmap_call_mtu_bytes",
	 .unit = "bytes",
	 .help = "MTU that the network has reported; 0: none",
	 .place = CALL,
	 .shape = VALUES,
	 .members = {{.key = "mtu"}}},
	{.name = "qmap_rx_aggregates_total",
	 .help = "aggregates received",
	 .place = COUNTERS,
	 .shape = VALUES,
	 .members = {{.key = "aggregates"}}},
	{.name = "qmap_rx_aggregate_bytes_total",
	 .unit = "bytes",
	 .help = "bytes of the aggregates received",
	 .place = COUNTERS,
	 .shape = VALUES,
	 .members = {{.key = "bytes"}}},
	{.name = "qmap_rx_frames_total",
	 .help = "good frames found in aggregates and handed on to a port",
	 .place = COUNTERS,
	 .shape = VALUES,
	 .members = {{.key = "frames"}}},
	{.name = "qmap_commands_total",
	 .help = "QMAP commands received",
	 .place = COUNTERS,
	 .shape = VALUES,
	 .members = {{.key = "commands"}}},
	{.name = "qmap_drops_total",
	 .help = "frames and packets dropped in both directions",
	 .place = DROPS,
	 .shape = EACH,
	 .by = "reason"},
	{.name = "qmap_unknown_mux_drops_total",
	 .help = "frames dropped because no PDN has their mux id",
	 .place = UNKNOWN,
	 .shape = VALUES,
	 .members = {{.key = "rx_dropped"}}},
	{.name = "qmap_port_packets_total",
	 .help = "IP packets of a port",
	 .place = PORT,
	 .shape = VALUES,
	 .by = "direction",
	 .members = {AS("rx_packets", "rx"), AS("tx_packets", "tx")}},
	{.name = "qmap_port_bytes_total",
	 .unit = "bytes",
	 .help = "bytes of these packets",
	 .place = PORT,
	 .shape = VALUES,
	 .by = "direction",
	 .members = {AS("rx_bytes", "rx"), AS("tx_bytes", "tx")}},
	{.name = "qmap_port_drops_total",
	 .help = "frames and packets of a port dropped",
	 .place = PORT,
	 .shape = VALUES,
	 .by = "direction",
	 .members = {AS("rx_dropped", "rx"), AS("tx_dropped", "tx")}},
	{.name = "qmap_port_rx_checksums_total",
	 .help = "packets received whose checksum the modem has verified, or not",
	 .place = PORT,
	 .shape = VALUES,
	 .by = "result",
	 .members = {AS("rx_csum_ok", "verified"), AS("rx_csum_none", "none")}},
	{.name = "qmap_port_commands_total",
	 .help = "QMAP commands for a port",
	 .place = PORT,
	 .shape = VALUES,
	 .members = {{.key = "commands"}}},
	{.name = "qmap_port_up",
	 .help = "1: the data call is connected, and traffic may pass",
	 .place = PORT,
	 .shape = VALUES,
	 .members = {{.key = "up"}}},
	{.name = "qmap_port_flow_off",
	 .help = "1: the modem has stopped the uplink of the port",
	 .place = PORT,
	 .shape = VALUES,
	 .members = {{.key = "flow_off"}}},
};

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static const char *type_of(const struct family *f)
{
	if (ends_in(f->name, "_total"))
		return "counter";
	return ends_in(f->name, "_info") ? "info" : "gauge";
}

bool metrics_describe(size_t i, char *name, size_t size, const char **help)
{
	if (i >= ARRAY_SIZE(families))
		return false;
	snprintf(name, size, "%s", families[i].name);
	*help = families[i].help;
	return true;
}

/* --- samples --- */

static struct json_object *member(struct json_object *node, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(node, key, &v);
	return v;
}

/* A label without a value is the same as none. */
static void add_label(struct json_object *labels, const char *name, struct json_object *v, bool hex)
{
	char text[16];

	if (hex && v) {
		snprintf(text, sizeof(text), "0x%02x", (unsigned int)json_object_get_int(v));
		json_object_object_add(labels, name, json_object_new_string(text));
	} else if (v) {
		json_object_object_add(labels, name,
				       json_object_new_string(json_object_get_string(v)));
	}
}

static struct json_object *copy(struct json_object *labels)
{
	struct json_object *o = json_object_new_object();

	json_object_object_foreach (labels, name, value) {
		json_object_object_add(o, name, json_object_get(value));
	}
	return o;
}

static void add_sample(struct json_object *samples, struct json_object *labels, const char *by,
		       const char *as, struct json_object *value)
{
	struct json_object *sample = json_object_new_object(), *own = copy(labels);

	if (by)
		json_object_object_add(own, by, json_object_new_string(as));
	json_object_object_add(sample, "labels", own);
	json_object_object_add(sample, "value", value);
	json_object_array_add(samples, sample);
}

/* New reference; NULL: not a number. */
static struct json_object *number(struct json_object *v)
{
	if (json_object_is_type(v, json_type_boolean))
		return json_object_new_int(json_object_get_boolean(v));
	if (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double))
		return json_object_get(v);
	return NULL;
}

static void add_values(const struct family *f, struct json_object *node, struct json_object *labels,
		       struct json_object *samples)
{
	for (const struct member *m = f->members; m < f->members + ARRAY_SIZE(f->members) && m->key;
	     m++) {
		struct json_object *v = number(member(node, m->key));

		if (v)
			add_sample(samples, labels, f->by, m->as, v);
	}
}

static void add_each(const struct family *f, struct json_object *node, struct json_object *labels,
		     struct json_object *samples)
{
	json_object_object_foreach (node, key, value) {
		struct json_object *v = number(value);

		if (v)
			add_sample(samples, labels, f->by, key, v);
	}
}

static void add_states(const struct family *f, struct json_object *node, struct json_object *labels,
		       struct json_object *samples)
{
	/* the modem's state is the member of an object of its own */
	struct json_object *inner = json_get_object(node, f->members[0].key);
	const char *state =
		inner ? json_get_string(inner, "state") : json_get_string(node, f->members[0].key);
	const char *name;

	for (unsigned int i = 0; state && (name = f->state(i)); i++)
		add_sample(samples, labels, f->by, name, json_object_new_int(!strcmp(name, state)));
}

static void add_is(const struct family *f, struct json_object *node, struct json_object *labels,
		   struct json_object *samples)
{
	const char *text = json_get_string(node, f->members[0].key);

	if (text)
		add_sample(samples, labels, NULL, NULL,
			   json_object_new_int(!strcmp(text, f->wanted)));
}

static void add_facts(const struct family *f, struct json_object *node, struct json_object *labels,
		      struct json_object *samples)
{
	struct json_object *all = copy(labels);

	for (const struct member *m = f->members; m < f->members + ARRAY_SIZE(f->members) && m->key;
	     m++)
		add_label(all, m->as, member(node, m->key), m->hex);
	add_sample(samples, all, NULL, NULL, json_object_new_int(1));
	json_object_put(all);
}

static void (*const add_shape[])(const struct family *f, struct json_object *node,
				 struct json_object *labels, struct json_object *samples) = {
	[VALUES] = add_values, [EACH] = add_each,   [STATE] = add_states,
	[IS] = add_is,	       [FACTS] = add_facts,
};
TABLE_COMPLETE(add_shape, FACTS + 1);

/* The place below @at on the way to @target. */
static enum place next_place(enum place at, enum place target)
{
	while (places[target].parent != at)
		target = places[target].parent;
	return target;
}

static void descend(const struct family *f, enum place at, struct json_object *node,
		    struct json_object *labels, struct json_object *samples);

static void descend_object(const struct family *f, enum place at, struct json_object *node,
			   struct json_object *labels, struct json_object *samples)
{
	struct json_object *own = copy(labels);
	enum place next;

	for (const struct label *l = places[at].labels; l->name; l++)
		add_label(own, l->name, member(node, l->key), l->hex);
	if (at == f->place) {
		add_shape[f->shape](f, node, own, samples);
	} else {
		next = next_place(at, f->place);
		descend(f, next, member(node, places[next].key), own, samples);
	}
	json_object_put(own);
}

static void descend(const struct family *f, enum place at, struct json_object *node,
		    struct json_object *labels, struct json_object *samples)
{
	if (json_object_is_type(node, json_type_object))
		descend_object(f, at, node, labels, samples);
	if (!json_object_is_type(node, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(node); i++) {
		struct json_object *o = json_object_array_get_idx(node, i);

		if (json_object_is_type(o, json_type_object))
			descend_object(f, at, o, labels, samples);
	}
}

/* --- the whole --- */

/* `stats` knows ports by their names, people know them by the numbers of their PDNs. */
static void number_ports(struct json_object *show, struct json_object *stats)
{
	struct json_object *pdn, *port;

	for (size_t i = 0; (pdn = json_get_element(show, "pdns", i)); i++) {
		const char *name = json_get_string(pdn, "port");

		for (size_t j = 0; name && (port = json_get_element(stats, "ports", j)); j++) {
			const char *other = json_get_string(port, "port");

			if (other && !strcmp(name, other))
				json_object_object_add(port, "number",
						       json_object_get(member(pdn, "number")));
		}
	}
}

static void number_all_ports(struct json_object *root)
{
	struct json_object *show, *stats;

	for (size_t i = 0; (show = json_get_element(root, "show", i)); i++) {
		const char *dev = json_get_string(show, "dev");

		for (size_t j = 0; dev && (stats = json_get_element(root, "stats", j)); j++) {
			const char *other = json_get_string(stats, "dev");

			if (other && !strcmp(dev, other))
				number_ports(show, stats);
		}
	}
}

static struct json_object *deep_copy(struct json_object *o)
{
	struct json_object *to = NULL;

	return json_object_deep_copy(o, &to, NULL) ? NULL : to;
}

static struct json_object *family_json(const struct family *f, struct json_object *root)
{
	struct json_object *o = json_object_new_object(), *samples = json_object_new_array();
	struct json_object *labels = json_object_new_object();

	descend(f, ROOT, root, labels, samples);
	json_object_put(labels);
	json_object_object_add(o, "name", json_object_new_string(f->name));
	json_object_object_add(o, "type", json_object_new_string(type_of(f)));
	json_object_object_add(o, "unit", f->unit ? json_object_new_string(f->unit) : NULL);
	json_object_object_add(o, "help", json_object_new_string(f->help));
	json_object_object_add(o, "samples", samples);
	return o;
}

struct json_object *metrics_json(struct json_object *show, struct json_object *stats, bool running)
{
	struct json_object *root = json_object_new_object(), *out = json_object_new_array();

	json_object_object_add(root, "version", json_object_new_string(QMAP_VERSION));
	json_object_object_add(root, "running", json_object_new_boolean(running));
	json_object_object_add(root, "show", deep_copy(show));
	json_object_object_add(root, "stats", deep_copy(stats));
	number_all_ports(root);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct json_object *o = family_json(&families[i], root);

		if (json_get_element(o, "samples", 0))
			json_object_array_add(out, o);
		else
			json_object_put(o);
	}
	json_object_put(root);
	return out;
}

/* --- text --- */

static void print_sample(FILE *out, const char *name, struct json_object *sample)
{
	struct json_object *number = member(sample, "value");
	const char *separator = "{";

	fputs(name, out);
	json_object_object_foreach (json_get_object(sample, "labels"), label, value) {
		fprintf(out, "%s%s=\"", separator, label);
		for (const char *p = json_object_get_string(value); *p; p++) {
			if (*p == '\\' || *p == '"')
				fputc('\\', out);
			fputc(*p, out);
		}
		fputc('"', out);
		separator = ",";
	}
	if (*separator == ',')
		fputc('}', out);
	if (json_object_is_type(number, json_type_double))
		fprintf(out, " %.10g\n", json_object_get_double(number));
	else
		fprintf(out, " %s\n", json_object_get_string(number));
}

/*
 * OpenMetrics names a family without the suffix of its samples. The older format describes samples,
 * and knows neither units nor the type info.
 */
static void print_head(FILE *out, enum metrics_format format, struct json_object *family)
{
	const char *name = json_get_string(family, "name"), *unit = json_get_string(family, "unit");
	const char *type = json_get_string(family, "type");
	int len = strlen(name);

	if (format == METRICS_OPENMETRICS && strcmp(type, "gauge"))
		len = strrchr(name, '_') - name;
	if (format == METRICS_PROMETHEUS && !strcmp(type, "info"))
		type = "gauge";
	fprintf(out, "# TYPE %.*s %s\n", len, name, type);
	if (format == METRICS_OPENMETRICS && unit)
		fprintf(out, "# UNIT %.*s %s\n", len, name, unit);
	fprintf(out, "# HELP %.*s %s\n", len, name, json_get_string(family, "help"));
}

void metrics_print(FILE *out, enum metrics_format format, struct json_object *all)
{
	struct json_object *family, *sample;

	/* No label holds a newline, or what is not UTF-8. */
	printable_json(all);
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		family = json_object_array_get_idx(all, i);
		print_head(out, format, family);
		for (size_t j = 0; (sample = json_get_element(family, "samples", j)); j++)
			print_sample(out, json_get_string(family, "name"), sample);
	}
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
}
