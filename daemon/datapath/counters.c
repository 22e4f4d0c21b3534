// SPDX-License-Identifier: GPL-2.0-or-later
#include "counters.h"

#include <json-c/json.h>
#include <stddef.h>

static const struct {
	const char *name;
	const char *text;
} reasons[] = {
#define X(sym, name, text) [QMAP_DROP_##sym] = {name, text},
	QMAP_DROP_REASONS(X)
#undef X
};

_Static_assert(sizeof(reasons) / sizeof(reasons[0]) == QMAP_DROP_MAX, "a name for each reason");

const char *qmap_drop_name(unsigned int reason)
{
	return reason < QMAP_DROP_MAX ? reasons[reason].name : NULL;
}

const char *qmap_drop_text(unsigned int reason)
{
	return reason < QMAP_DROP_MAX ? reasons[reason].text : NULL;
}

static void add(struct json_object *o, const char *key, __u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

struct json_object *counters_port_json(unsigned int mux, const struct qmap_port_stats *s, bool up,
				       bool flow_off)
{
	struct json_object *o = json_object_new_object();

	add(o, "mux", mux);
	json_object_object_add(o, "up", json_object_new_boolean(up));
	json_object_object_add(o, "flow_off", json_object_new_boolean(flow_off));
	add(o, "rx_packets", s->rx_packets);
	add(o, "rx_bytes", s->rx_bytes);
	add(o, "tx_packets", s->tx_packets);
	add(o, "tx_bytes", s->tx_bytes);
	add(o, "rx_csum_ok", s->rx_csum_ok);
	add(o, "rx_csum_none", s->rx_csum_none);
	add(o, "rx_dropped", s->rx_dropped);
	add(o, "tx_dropped", s->tx_dropped);
	add(o, "commands", s->commands);
	return o;
}

struct json_object *counters_trunk_json(const struct qmap_trunk_stats *ts,
					struct json_object *ports)
{
	struct json_object *o = json_object_new_object(), *drops = json_object_new_object();

	add(o, "aggregates", ts->aggregates);
	add(o, "bytes", ts->bytes);
	add(o, "frames", ts->frames);
	json_object_object_add(
		o, "frames_per_aggregate",
		json_object_new_double(ts->aggregates ? (double)ts->frames / ts->aggregates : 0));
	add(o, "commands", ts->commands);
	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		add(drops, reasons[i].name, ts->drops[i]);
	json_object_object_add(o, "drops", drops);
	json_object_object_add(o, "ports", ports);
	return o;
}
