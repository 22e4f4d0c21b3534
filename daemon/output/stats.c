// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>

#include "util/array.h"
#include "datapath/counters.h"
#include "util/json_get.h"
#include "output.h"
#include "table.h"

/* Counters in the order of their columns. The first column holds the port's name. */
static const struct {
	const char *key;
	struct output_column column;
} counters[] = {
	{"rx_packets", {"RX-PACKETS", OUTPUT_RIGHT}},  {"rx_bytes", {"RX-BYTES", OUTPUT_RIGHT}},
	{"rx_dropped", {"RX-DROP", OUTPUT_RIGHT}},     {"rx_csum_ok", {"CSUM-OK", OUTPUT_RIGHT}},
	{"rx_csum_none", {"CSUM-NONE", OUTPUT_RIGHT}}, {"tx_packets", {"TX-PACKETS", OUTPUT_RIGHT}},
	{"tx_bytes", {"TX-BYTES", OUTPUT_RIGHT}},      {"tx_dropped", {"TX-DROP", OUTPUT_RIGHT}},
	{"commands", {"COMMANDS", OUTPUT_RIGHT}},
};

#define NCOUNTERS ARRAY_SIZE(counters)

static void print_head(FILE *out, struct json_object *trunk)
{
	const char *dev = json_get_string(trunk, "dev"), *dp = json_get_string(trunk, "datapath");

	fprintf(out,
		"%s: data path %s, %lld aggregates, %lld bytes, %lld frames (%.1f per aggregate)",
		dev ? dev : "?", dp ? dp : "?", (long long)json_get_int(trunk, "aggregates"),
		(long long)json_get_int(trunk, "bytes"), (long long)json_get_int(trunk, "frames"),
		json_get_double(trunk, "frames_per_aggregate"));
	if (json_get_int(trunk, "commands"))
		fprintf(out, ", %lld commands", (long long)json_get_int(trunk, "commands"));
	fputc('\n', out);
}

static void port_row(struct output_table *t, struct json_object *port)
{
	const char *name = json_get_string(port, "port");

	output_table_row(t);
	output_table_cell(t, "%s", name ? name : "");
	output_table_cell(t, "0x%02x", (unsigned int)json_get_int(port, "mux"));
	for (size_t i = 0; i < NCOUNTERS; i++) {
		if (json_object_object_get_ex(port, counters[i].key, NULL))
			output_table_cell(t, "%lld",
					  (long long)json_get_int(port, counters[i].key));
		else
			output_table_cell(t, "%s", ""); /* rmnet does not count it */
	}
}

static void print_ports(const struct output *output, FILE *out, struct json_object *trunk)
{
	struct output_column columns[NCOUNTERS + 3] = {{"PORT", 0}, {"MUX", 0}};
	struct output_table *t;
	struct json_object *port;

	for (size_t i = 0; i < NCOUNTERS; i++)
		columns[i + 2] = counters[i].column;
	t = output_table_new(out, output->colour, columns);
	if (!t)
		return;
	for (size_t i = 0; (port = json_get_element(trunk, "ports", i)); i++)
		port_row(t, port);
	output_table_end(t);
}

static void print_drops(const struct output *output, FILE *out, struct json_object *trunk)
{
	struct json_object *drops = json_get_object(trunk, "drops");

	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++) {
		int64_t n = json_get_int(drops, qmap_drop_name(i));

		if (n || output->verbose)
			fprintf(out, "dropped %lld %s (%s)\n", (long long)n, qmap_drop_name(i),
				qmap_drop_text(i));
	}
}

void output_stats(const struct output *output, FILE *out, struct json_object *trunks)
{
	size_t n = json_object_array_length(trunks);

	if (!n)
		fprintf(out, "Nothing is attached, or waits for its modem: see `qmapctl show`.\n");
	for (size_t i = 0; i < n; i++) {
		struct json_object *trunk = json_object_array_get_idx(trunks, i);
		struct json_object *o;

		if (i)
			fputc('\n', out);
		print_head(out, trunk);
		print_ports(output, out, trunk);
		print_drops(output, out, trunk);
		for (size_t j = 0; (o = json_get_element(trunk, "unknown", j)); j++)
			fprintf(out, "dropped %lld frames of mux id 0x%02x, which no PDN has\n",
				(long long)json_get_int(o, "rx_dropped"),
				(unsigned int)json_get_int(o, "mux"));
	}
}
