// SPDX-License-Identifier: GPL-2.0-or-later
#include "top.h"

#include <json-c/json.h>
#include <string.h>

#include "util/json_get.h"
#include "output.h"

/* One trunk or port, now and before. */
struct pair {
	struct json_object *now, *before; /* NULL: not there */
	double seconds;
};

static struct json_object *named(struct json_object *array, const char *key, const char *name)
{
	for (size_t i = 0; name && array && i < json_object_array_length(array); i++) {
		struct json_object *o = json_object_array_get_idx(array, i);
		const char *other = json_get_string(o, key);

		if (other && !strcmp(other, name))
			return o;
	}
	return NULL;
}

static struct json_object *array_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, json_type_array) ? v : NULL;
}

/* Per second. */
static double rate(const struct pair *p, const char *key)
{
	int64_t grown = json_get_int(p->now, key) - json_get_int(p->before, key);

	return p->before && p->seconds > 0 && grown > 0 ? grown / p->seconds : 0;
}

/* "12.3M": at most six characters. */
static const char *scaled(double v, char text[16])
{
	static const char units[] = " kMGT";
	size_t i = 0;

	for (; v >= (i ? 999.95 : 999.5) && i < sizeof(units) - 2; i++)
		v /= 1000;
	if (i)
		snprintf(text, 16, "%.1f%c", v, units[i]);
	else
		snprintf(text, 16, "%.0f", v);
	return text;
}

static double dropped(const struct pair *trunk)
{
	struct pair drops = {.now = json_get_object(trunk->now, "drops"),
			     .before = json_get_object(trunk->before, "drops"),
			     .seconds = trunk->seconds};
	double sum = 0;

	if (!drops.now)
		return 0;
	json_object_object_foreach (drops.now, reason, count) {
		(void)count;
		sum += rate(&drops, reason);
	}
	return sum;
}

/* Aggregates a second, how full they were, and dropped packets. */
static void print_aggregates(FILE *out, const struct pair *trunk, struct json_object *show)
{
	double aggregates = rate(trunk, "aggregates"), frames = rate(trunk, "frames");
	double bytes = aggregates > 0 ? rate(trunk, "bytes") / aggregates : 0;
	int64_t most = json_get_int(show, "dl_max_bytes");
	char a[16], d[16];

	fprintf(out, "  %s aggregates/s, %.1f frames each, %.0f bytes", scaled(aggregates, a),
		aggregates > 0 ? frames / aggregates : 0, bytes);
	if (most)
		fprintf(out, " (%.0f %% of %lld)", 100 * bytes / most, (long long)most);
	fprintf(out, ", %s drops/s\n", scaled(dropped(trunk), d));
}

/* "up", "waiting-for-sim": of the family that is furthest. */
static const char *state_of(struct json_object *pdn)
{
	const char *state = NULL;
	struct json_object *f;

	for (size_t i = 0; (f = json_get_element(pdn, "families", i)); i++) {
		const char *one = json_get_string(f, "state");

		if (one && (!state || !strcmp(one, "up")))
			state = one;
	}
	return state ? state : "static";
}

static void print_port(FILE *out, struct json_object *pdn, const struct pair *port)
{
	const char *name = json_get_string(pdn, "port");
	char rx_bits[16], rx[16], tx_bits[16], tx[16], drops[16];

	fprintf(out, "  %-15s %-12.12s %8s %8s %8s %8s %7s%s\n", name ? name : "-", state_of(pdn),
		scaled(rate(port, "rx_bytes") * 8, rx_bits), scaled(rate(port, "rx_packets"), rx),
		scaled(rate(port, "tx_bytes") * 8, tx_bits), scaled(rate(port, "tx_packets"), tx),
		scaled(rate(port, "rx_dropped") + rate(port, "tx_dropped"), drops),
		json_get_bool(port->now, "flow_off") ? " stopped" : "");
}

static void print_ports(FILE *out, struct json_object *show, const struct pair *trunk)
{
	struct json_object *pdn;

	fprintf(out, "  %-15s %-12s %8s %8s %8s %8s %7s\n", "PORT", "STATE", "RX-BIT/S", "RX-PKT/S",
		"TX-BIT/S", "TX-PKT/S", "DROPS/S");
	for (size_t i = 0; (pdn = json_get_element(show, "pdns", i)); i++) {
		const char *name = json_get_string(pdn, "port");
		struct pair port = {
			.now = named(array_of(trunk->now, "ports"), "port", name),
			.before = named(array_of(trunk->before, "ports"), "port", name),
			.seconds = trunk->seconds,
		};

		print_port(out, pdn, &port);
	}
}

void output_top(FILE *out, struct json_object *show, struct json_object *before,
		struct json_object *now, double seconds)
{
	for (size_t i = 0; i < json_object_array_length(show); i++) {
		struct json_object *trunk = json_object_array_get_idx(show, i);
		const char *dev = json_get_string(trunk, "dev");
		struct pair p = {
			.now = named(now, "dev", dev),
			.before = named(before, "dev", dev),
			.seconds = seconds,
		};

		output_show_head(out, trunk);
		if (p.now)
			print_aggregates(out, &p, trunk);
		print_ports(out, trunk, &p);
		fputc('\n', out);
	}
}
