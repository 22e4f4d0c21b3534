// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <string.h>

#include "util/json_get.h"
#include "output.h"
#include "table.h"

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* Prints the line above each table: the trunk, its driver and its data path. */
static void print_head(FILE *out, struct json_object *trunk)
{
	const char *qmap = json_get_string(trunk, "qmap"), *model = json_get_string(trunk, "model");
	const char *control = json_get_string(trunk, "control");
	const char *dp = json_get_string(trunk, "datapath");
	const char *state = or_empty(json_get_string(trunk, "state"));
	const char *modem_state = json_get_string(json_get_object(trunk, "modem"), "state");
	int64_t bytes = json_get_int(trunk, "dl_max_bytes");
	struct json_object *v;

	fprintf(out, "%s: ", or_empty(json_get_string(trunk, "dev")));
	if (!dp || !*dp) /* no format has been negotiated with the modem yet */
		fprintf(out, "no data path yet");
	else
		fprintf(out, "data path %s", dp);
	if (!dp || !*dp)
		qmap = NULL;
	if (qmap && strcmp(qmap, "off"))
		fprintf(out, ", QMAP %s", qmap);
	else if (qmap)
		fprintf(out, ", raw IP");
	if (bytes)
		fprintf(out, ", aggregates up to %lld bytes", (long long)bytes);
	if (model && *model)
		fprintf(out, ", %s %s", model, or_empty(json_get_string(trunk, "revision")));
	if (control && *control)
		fprintf(out, ", control %s", control);
	if (*state)
		fprintf(out, ", %s", state);
	if (modem_state && strcmp(modem_state, "ready") && strcmp(modem_state, state))
		fprintf(out, ", modem %s", modem_state);
	if (json_object_object_get_ex(trunk, "daemon", &v) && !json_object_get_boolean(v))
		fprintf(out, ", as qmapd left it: it is not running");
	fputc('\n', out);
}

/* One line: the cost of the data path, and why there is no cheaper one. */
static void print_datapath(FILE *out, struct json_object *trunk)
{
	const char *why = json_get_string(trunk, "datapath_reason");

	if (!why)
		return;
	fprintf(out, "%s: ", or_empty(json_get_string(trunk, "dev")));
	output_choice(out, json_get_string(trunk, "datapath"), json_get_int(trunk, "datapath_cost"),
		      why);
}

static void print_level(FILE *out, struct json_object *signal, const char *key, const char *name,
			const char *unit)
{
	struct json_object *v;

	if (json_object_object_get_ex(signal, key, &v) && v)
		fprintf(out, ", %s %g %s", name, json_object_get_double(v), unit);
}

/* Prints RSSI if the radio reports nothing better. */
static void print_signal(FILE *out, struct json_object *signal)
{
	struct json_object *rsrp = NULL;

	json_object_object_get_ex(signal, "rsrp", &rsrp);
	if (!rsrp)
		print_level(out, signal, "rssi", "RSSI", "dBm");
	print_level(out, signal, "rsrp", "RSRP", "dBm");
	print_level(out, signal, "rsrq", "RSRQ", "dB");
	print_level(out, signal, "snr", "SNR", "dB");
}

/* Prints registration and signal; nothing if the modem does not report them. */
static void print_network(FILE *out, struct json_object *trunk)
{
	struct json_object *network = json_get_object(trunk, "network"), *signal;
	const char *registration = json_get_string(network, "registration");
	const char *name = json_get_string(network, "operator");
	const char *plmn = json_get_string(network, "plmn");

	if (!registration)
		return;
	fprintf(out, "%s: %s", or_empty(json_get_string(trunk, "dev")), registration);
	if (!strcmp(registration, "registered") && (name || plmn))
		fprintf(out, " with %s", name ? name : plmn);
	if (json_get_bool(network, "roaming"))
		fprintf(out, ", roaming");
	for (size_t i = 0; (signal = json_get_element(network, "signal", i)); i++) {
		fprintf(out, ", %s", or_empty(json_get_string(signal, "radio")));
		print_signal(out, signal);
	}
	fputc('\n', out);
}

/* The signal of the past hour on one line, if there is more of it than the line above shows. */
static void print_history(FILE *out, struct json_object *trunk)
{
	struct json_object *history = NULL;
	size_t n;

	json_object_object_get_ex(json_get_object(trunk, "network"), "signal_history", &history);
	n = history ? json_object_array_length(history) : 0;
	if (n < 2)
		return;
	fprintf(out, "%s: signal in steps of 5 minutes:", or_empty(json_get_string(trunk, "dev")));
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %d",
			(int)json_get_int(json_object_array_get_idx(history, i), "dbm"));
	fprintf(out, " dBm\n");
}

static struct json_object *find_family(struct json_object *pdn, int family)
{
	struct json_object *f;

	for (size_t i = 0; (f = json_get_element(pdn, "families", i)); i++) {
		if (json_get_int(f, "family") == family)
			return f;
	}
	return NULL;
}

/* A family may still list an address without a call, which would mislead. */
static bool is_up(struct json_object *family)
{
	const char *state = json_get_string(family, "state");

	return state && !strcmp(state, "up");
}

/* Is IPv4 there by 464XLAT? Its own call has failed then, or is not configured. */
static bool is_translated(struct json_object *pdn)
{
	const char *state = json_get_string(json_get_object(pdn, "clat"), "state");

	return state && !strcmp(state, "on");
}

static void address_cell(struct output_table *t, struct json_object *pdn, int family, bool lost)
{
	struct json_object *f = find_family(pdn, family);
	const char *address = json_get_string(f, "address");

	if (family == 4 && is_translated(pdn) && !lost)
		output_table_cell(t, "%s (464XLAT)",
				  json_get_string(json_get_object(pdn, "clat"), "address"));
	else if (!f)
		output_table_cell(t, "%s", "");
	else if (!is_up(f))
		output_table_cell(t, "%s", or_empty(json_get_string(f, "state")));
	else if (lost)
		output_table_cell(t, "%s", "lost");
	else
		output_table_cell(t, "%s/%d", or_empty(address), (int)json_get_int(f, "prefix"));
}

static bool is_damaged(struct json_object *family)
{
	const char *state = json_get_string(family, "state");

	return state && !strcmp(state, "damaged");
}

/*
 * "up" if every requested family is up, "partial" if some are, "damaged" if none is although the
 * modem has a call. On a lost trunk none is up, even if the modem still has the call.
 */
static const char *pdn_state(struct json_object *pdn, bool lost)
{
	size_t up = 0, damaged = 0, n = 0;
	struct json_object *f;

	for (; (f = json_get_element(pdn, "families", n)); n++) {
		up += (is_up(f) || (json_get_int(f, "family") == 4 && is_translated(pdn))) && !lost;
		damaged += is_damaged(f) && !lost;
	}
	if (!n)
		return json_get_bool(pdn, "static") ? "static" : "down";
	if (up == n)
		return "up";
	if (up)
		return "partial";
	return damaged ? "damaged" : "down";
}

static const char *state_colour(const char *state)
{
	if (!strcmp(state, "up") || !strcmp(state, "static"))
		return "green";
	return strcmp(state, "down") ? "yellow" : "red";
}

static void pdn_row(struct output_table *t, struct json_object *pdn, bool lost)
{
	const char *state = pdn_state(pdn, lost);
	int64_t mtu = json_get_int(pdn, "mtu");

	output_table_row(t);
	output_table_cell(t, "%s", or_empty(json_get_string(pdn, "port")));
	output_table_cell(t, "0x%02x", (unsigned int)json_get_int(pdn, "mux"));
	output_table_cell(t, "%s", or_empty(json_get_string(pdn, "apn")));
	output_table_cell(t, "%s", state);
	output_table_colour(t, state_colour(state));
	address_cell(t, pdn, 4, lost);
	address_cell(t, pdn, 6, lost);
	if (mtu)
		output_table_cell(t, "%lld", (long long)mtu);
	else
		output_table_cell(t, "%s", "");
	output_table_cell(t, "%s", or_empty(json_get_string(pdn, "netns")));
	output_table_cell(t, "%s", or_empty(json_get_string(pdn, "resolv_conf")));
}

static const struct output_column columns[] = {
	{"PORT", 0},	       {"MUX", 0},   {"APN", 0}, {"STATE", 0}, {"IPV4", 0}, {"IPV6", 0},
	{"MTU", OUTPUT_RIGHT}, {"NETNS", 0}, {"DNS", 0}, {NULL, 0},
};

static void print_table(const struct output *output, FILE *out, struct json_object *trunk)
{
	struct output_table *t = output_table_new(out, output->colour, columns);
	const char *state = json_get_string(trunk, "state");
	bool lost = state && !strcmp(state, "lost");
	struct json_object *pdn;

	if (!t)
		return;
	for (size_t i = 0; (pdn = json_get_element(trunk, "pdns", i)); i++)
		pdn_row(t, pdn, lost);
	output_table_end(t);
}

/* Prints the most specific reason of those the modem gave: the network's, its own, or QMI's. */
static void print_end(FILE *out, struct json_object *end)
{
	const char *verbose = json_get_string(end, "verbose_name");
	const char *type = json_get_string(end, "verbose_type_name");
	const char *name = json_get_string(end, "name"),
		   *error = json_get_string(end, "error_name");

	if (type)
		fprintf(out, "%s (%s reason %d)", verbose ? verbose : "no name known", type,
			(int)json_get_int(end, "verbose_reason"));
	else if (json_get_int(end, "verbose_type"))
		fprintf(out, "no name known (type %d reason %d)",
			(int)json_get_int(end, "verbose_type"),
			(int)json_get_int(end, "verbose_reason"));
	else if (json_get_int(end, "reason"))
		fprintf(out, "%s (call end reason %d)", name ? name : "no name known",
			(int)json_get_int(end, "reason"));
	else
		fprintf(out, "%s (QMI error %d)", error ? error : "no name known",
			(int)json_get_int(end, "error"));
}

/* @now: the reason holds at this moment; false: it held when qmapd ended. */
static void print_reason(FILE *out, const char *port, struct json_object *family, bool now)
{
	const char *until = now ? json_get_string(family, "until") : NULL;
	const char *hint = json_get_string(family, "hint");
	struct json_object *end = json_get_object(family, "call_end");
	const char *reason = json_get_string(family, "reason");
	const char *state = json_get_string(family, "state");
	bool waits = state && (!strncmp(state, "waiting", 7) || !strcmp(state, "radio-off") ||
			       !strcmp(state, "roaming"));

	/* The line about the port's damage covers both families. */
	if (is_up(family) || is_damaged(family) || (!end && !reason))
		return;
	fprintf(out, "%s: IPv%d %s: ", port, (int)json_get_int(family, "family"), or_empty(state));
	/* The reason for waiting is more useful than the one for the last end. */
	if (end && !waits)
		print_end(out, end);
	else
		fputs(reason ? reason : "", out);
	if (until)
		fprintf(out, "; %s %s", waits ? "goes on" : "dialled again", until);
	if (hint)
		fprintf(out, "; %s", hint);
	fputc('\n', out);
}

/* "off" is not shown, nor is a port whose IPv4 is up. */
static void print_clat(FILE *out, const char *port, struct json_object *clat)
{
	const char *state = json_get_string(clat, "state"),
		   *reason = json_get_string(clat, "reason");

	if (!state)
		return;
	if (!strcmp(state, "on"))
		fprintf(out, "%s: IPv4 by 464XLAT with NAT64 prefix %s", port,
			or_empty(json_get_string(clat, "prefix")));
	else if (!strcmp(state, "no-nat64"))
		fprintf(out, "%s: no IPv4: the network offers no NAT64", port);
	else if (!strcmp(state, "looking"))
		fprintf(out, "%s: looking for the network's NAT64 prefix", port);
	else
		fprintf(out, "%s: no IPv4 by 464XLAT", port);
	fprintf(out, "%s%s\n", reason ? ": " : "", reason ? reason : "");
}

static void print_link(FILE *out, const char *port, struct json_object *pdn)
{
	if (json_get_bool(pdn, "dead"))
		fprintf(out, "%s: its link is dead; metric %lld until it works\n", port,
			(long long)json_get_int(pdn, "metric"));
}

static void print_damage(FILE *out, const char *name, struct json_object *of)
{
	struct json_object *d;

	for (size_t i = 0; (d = json_get_element(of, "damage", i)); i++)
		fprintf(out, "%s: %s\n", name, or_empty(json_object_get_string(d)));
}

static void print_reasons(FILE *out, struct json_object *trunk)
{
	const char *why = json_get_string(trunk, "reason");
	const char *dev = or_empty(json_get_string(trunk, "dev"));
	bool now = !json_object_object_get_ex(trunk, "daemon", NULL);
	struct json_object *pdn, *f;

	if (why)
		fprintf(out, "%s: %s\n", dev, why);
	print_damage(out, dev, trunk);
	for (size_t i = 0; (pdn = json_get_element(trunk, "pdns", i)); i++) {
		print_damage(out, or_empty(json_get_string(pdn, "port")), pdn);
		print_link(out, or_empty(json_get_string(pdn, "port")), pdn);
		print_clat(out, or_empty(json_get_string(pdn, "port")),
			   json_get_object(pdn, "clat"));
		for (size_t j = 0; (f = json_get_element(pdn, "families", j)); j++)
			print_reason(out, or_empty(json_get_string(pdn, "port")), f, now);
	}
}

/* What the PDNs have carried this month: of those with a quota, or of all. */
static void print_totals(FILE *out, struct json_object *trunk, bool all)
{
	struct json_object *pdn;

	for (size_t i = 0; (pdn = json_get_element(trunk, "pdns", i)); i++) {
		struct json_object *month = json_get_element(pdn, "totals", 0);
		int64_t rx = json_get_int(month, "rx_bytes"), tx = json_get_int(month, "tx_bytes");
		int64_t quota = json_get_int(pdn, "quota");

		if (!month || !(quota || all))
			continue;
		fprintf(out, "%s: in %s %.1f MB received, %.1f MB sent",
			or_empty(json_get_string(pdn, "port")), json_get_string(month, "month"),
			rx / 1e6, tx / 1e6);
		if (quota)
			fprintf(out, ", %.0f %% of the quota of %lld MB", (rx + tx) / 1e4 / quota,
				(long long)quota);
		fputc('\n', out);
	}
}

void output_show_head(FILE *out, struct json_object *trunk)
{
	print_head(out, trunk);
	print_network(out, trunk);
}

void output_show(const struct output *output, FILE *out, struct json_object *trunks)
{
	size_t n = json_object_array_length(trunks);

	if (!n)
		fprintf(out, "Nothing is attached.\n");
	for (size_t i = 0; i < n; i++) {
		struct json_object *trunk = json_object_array_get_idx(trunks, i);

		if (i)
			fputc('\n', out);
		print_head(out, trunk);
		print_datapath(out, trunk);
		print_network(out, trunk);
		print_history(out, trunk);
		print_table(output, out, trunk);
		print_totals(out, trunk, output->verbose);
		print_reasons(out, trunk);
	}
}
