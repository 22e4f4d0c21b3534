// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats.h"
#include "client.h"
#include "control.h"
#include "generate.h"
#include "noise.h"
#include "service.h"
#include "sink.h"
#include "trunk.h"
#include "usb.h"
#include "util.h"

#include <stdio.h>

static void add_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static void add_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

#define X(name, text) add_number(o, #name, n->name);
static void add_pdn_counters(struct json_object *o, const struct pdn_counters *n)
{
	PDN_COUNTERS(X)
}

static struct json_object *trunk_json(const struct trunk_counters *n)
{
	struct json_object *o = json_object_new_object();

	TRUNK_COUNTERS(X)
	return o;
}

static struct json_object *qmi_json(struct modem *m)
{
	struct json_object *o = json_object_new_object(), *clients = json_object_new_object();
	const struct qmi_counters *n = &m->qmi;
	unsigned int told = 0;
	const struct service *s;

	QMI_COUNTERS(X)
	add_number(o, "connections", control_connections(m));
	for (unsigned int i = 0; (s = service_at(i)); i++)
		if (s->id != QMI_SERVICE_CTL)
			add_number(clients, service_name(s->id), client_count(m, s->id));
	client_foreach(m, QMI_SERVICE_NAS, c) told += c->signal_events;
	add_number(o, "signal_clients", told);
	json_object_object_add(o, "clients", clients);
	return o;
}
#undef X

#define X(name, text)                                                                              \
	add_number(o, #name, n->name);                                                             \
	total += n->name;
static struct json_object *violations_json(const struct violations *n)
{
	struct json_object *o = json_object_new_object();
	uint64_t total = 0;

	VIOLATIONS(X)
	add_number(o, "total", total);
	return o;
}

static struct json_object *warnings_json(const struct warnings *n)
{
	struct json_object *o = json_object_new_object();
	uint64_t total = 0;

	WARNINGS(X)
	add_number(o, "total", total);
	return o;
}
#undef X

static struct json_object *model_json(const struct modem *m)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", m->model.name);
	add_text(o, "full_name", m->model.full_name);
	add_text(o, "revision", m->model.revision);
	add_bool(o, "forced_qmap", m->model.forced);
	return o;
}

static struct json_object *format_json(const struct data_format *f)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "ul", aggregation_name(f->ul));
	add_text(o, "dl", aggregation_name(f->dl));
	add_number(o, "dl_max_size", f->dl_max_size);
	add_number(o, "dl_max_datagrams", f->dl_max_datagrams);
	add_number(o, "dl_padding", f->dl_padding);
	add_number(o, "ul_max_size", f->ul_max_size);
	add_number(o, "ul_max_datagrams", f->ul_max_datagrams);
	return o;
}

static struct json_object *answers_json(const struct modem *m)
{
	struct json_object *o = json_object_new_object();
	struct answer_times t = control_times(m);

	add_number(o, "sum_us", t.sum_us);
	add_number(o, "busy_us", t.busy_us);
	add_number(o, "outstanding", t.outstanding);
	return o;
}

static struct json_object *sink_json(const struct sink_counters *n)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "ok", n->ok);
	add_number(o, "bad", n->bad);
	add_number(o, "missing", n->missing);
	add_number(o, "late", n->late);
	return o;
}

static struct json_object *pdn_json(const struct modem *m, const struct pdn *p)
{
	struct json_object *o = json_object_new_object();
	struct sink_counters sink = sink_counters(m, p);
	bool up = p->users[FAMILY_V4] || p->users[FAMILY_V6];

	add_bool(o, "v4", p->users[FAMILY_V4]);
	add_bool(o, "v6", p->users[FAMILY_V6]);
	add_number(o, "mux", up ? p->mux : 0);
	add_number(o, "mtu", p->mtu);
	add_bool(o, "flow_off", p->flow_off);
	add_pdn_counters(o, &p->count);
	json_object_object_add(o, "sink", sink_json(&sink));
	return o;
}

/* Also counts connected calls. */
static struct json_object *pdns_json(const struct modem *m, unsigned int *calls)
{
	struct json_object *o = json_object_new_object();
	char key[8];

	*calls = 0;
	for (unsigned int i = 0; i < m->options.pdns; i++) {
		const struct pdn *p = &m->pdns[i];

		snprintf(key, sizeof(key), "%u", p->number);
		json_object_object_add(o, key, pdn_json(m, p));
		*calls += !!p->users[FAMILY_V4] + !!p->users[FAMILY_V6];
	}
	return o;
}

struct json_object *stats_json(struct modem *m)
{
	struct json_object *o = json_object_new_object();
	unsigned int calls;

	json_object_object_add(o, "model", model_json(m));
	add_text(o, "inject", trunk_kind(m));
	if (m->usb)
		json_object_object_add(o, "usb", usb_json(m));
	add_bool(o, "silent", m->silent);
	json_object_object_add(o, "format", format_json(&m->format));
	json_object_object_add(o, "qmi", qmi_json(m));
	json_object_object_add(o, "answers", answers_json(m));
	json_object_object_add(o, "trunk", trunk_json(&m->traffic));
	json_object_object_add(o, "violations", violations_json(&m->violations));
	json_object_object_add(o, "warnings", warnings_json(&m->warnings));
	json_object_object_add(o, "generate", generate_json(m));
	json_object_object_add(o, "noise", noise_json(m));
	json_object_object_add(o, "pdn", pdns_json(m, &calls));
	add_number(o, "calls", calls);
	return o;
}

struct json_object *stats_at(struct modem *m, const char *path)
{
	struct json_object *all = stats_json(m), *part = all;
	char key[64];

	while (part && *path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key)) {
			part = NULL;
			break;
		}
		memcpy(key, path, len);
		key[len] = '\0';
		path += len + (path[len] == '.');
		if (!json_object_object_get_ex(part, key, &part))
			part = NULL;
	}
	json_object_get(part);
	json_object_put(all);
	return part;
}

void stats_reset(struct modem *m)
{
	m->violations = (struct violations){0};
	m->warnings = (struct warnings){0};
	m->traffic = (struct trunk_counters){0};
	m->qmi = (struct qmi_counters){0};
	for (unsigned int i = 0; i < MAX_PDNS; i++)
		m->pdns[i].count = (struct pdn_counters){0};
	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (c->pdn)
			c->tx_bytes = c->rx_bytes = 0;
	}
	control_reset_times(m);
	sink_reset(m);
}
