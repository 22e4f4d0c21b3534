// SPDX-License-Identifier: GPL-2.0-or-later
#include "counters.h"

#include <json-c/json.h>
#include <stddef.h>

#include "util/json_add.h"
#include "util/array.h"

static const struct {
	const char *name;
	const char *text;
} reasons[] = {
#define X(sym, name, text) [QMAP_DROP_##sym] = {name, text},
	QMAP_DROP_REASONS(X)
#undef X
};

_Static_assert(ARRAY_SIZE(reasons) == QMAP_DROP_MAX, "a name for each reason");

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

static struct json_object *port_json(const struct datapath_port_stats *p, bool by_frame)
{
	struct json_object *o = json_object_new_object();
	const struct qmap_port_stats *s = &p->count;

	add(o, "mux", p->mux);
	json_add_bool(o, "up", p->up);
	if (by_frame)
		json_add_bool(o, "flow_off", p->flow_off);
	add(o, "rx_packets", s->rx_packets);
	add(o, "rx_bytes", s->rx_bytes);
	add(o, "tx_packets", s->tx_packets);
	add(o, "tx_bytes", s->tx_bytes);
	add(o, "rx_csum_ok", s->rx_csum_ok);
	add(o, "rx_csum_none", s->rx_csum_none);
	if (by_frame)
		add(o, "rx_dropped", s->rx_dropped);
	add(o, "tx_dropped", s->tx_dropped);
	if (by_frame)
		add(o, "commands", s->commands);
	json_add_text(o, "port", p->name);
	return o;
}

/* The numbers tell an administrator which PDNs the modem sends without a port here. */
static struct json_object *unknown_json(const struct datapath_stats *s)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++) {
		struct json_object *o;

		if (!s->unknown[mux])
			continue;
		o = json_object_new_object();
		add(o, "mux", mux);
		add(o, "rx_dropped", s->unknown[mux]);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *counters_to_json(const char *dev, const char *datapath,
				     const struct datapath_stats *s)
{
	struct json_object *o = json_object_new_object(), *ports = json_object_new_array();
	const struct qmap_trunk_stats *ts = &s->trunk;

	add(o, "aggregates", ts->aggregates);
	add(o, "bytes", ts->bytes);
	add(o, "frames", ts->frames);
	json_object_object_add(
		o, "frames_per_aggregate",
		json_object_new_double(ts->aggregates ? (double)ts->frames / ts->aggregates : 0));
	if (s->by_frame) {
		struct json_object *drops = json_object_new_object();

		add(o, "commands", ts->commands);
		for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
			add(drops, reasons[i].name, ts->drops[i]);
		json_object_object_add(o, "drops", drops);
	}
	for (unsigned int i = 0; i < s->nports; i++)
		json_object_array_add(ports, port_json(&s->ports[i], s->by_frame));
	json_object_object_add(o, "ports", ports);
	json_object_object_add(o, "unknown", unknown_json(s));
	json_add_text(o, "dev", dev);
	json_add_text(o, "datapath", datapath);
	return o;
}
