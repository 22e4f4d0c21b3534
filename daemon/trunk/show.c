// SPDX-License-Identifier: GPL-2.0-or-later
/* A trunk in `show` and `stats`. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "events/events.h"
#include "util/json_add.h"
#include "util/error_json.h"
#include "util/json_get.h"
#include "util/cpus.h"
#include "clat.h"
#include "internal.h"
#include "path.h"
#include "port_rows.h"
#include "reconcile.h"
#include "recover.h"
#include "totals.h"

/* Number of the last events shown. */
#define SHOWN_EVENTS 32

enum attachment trunk_attachment(const struct trunk *t)
{
	if (modem_state(t->modem) == TRUNK_READY)
		return ATTACHMENT_ATTACHED;
	if (modem_state(t->modem) == TRUNK_DETACHING)
		return ATTACHMENT_DETACHING;
	return t->was_ready ? ATTACHMENT_LOST : ATTACHMENT_ATTACHING;
}

static void show_format(const struct trunk *t, struct json_object *o)
{
	char version[8] = "off";

	if (t->format.version != QMAP_OFF)
		snprintf(version, sizeof(version), "v%d", t->format.version);
	json_add_string(o, "qmap", version);
	json_add_int(o, "dl_max_bytes", t->format.dl_max_bytes);
	json_add_int(o, "dl_max_datagrams", t->format.dl_max_datagrams);
	json_add_int(o, "ul_max_bytes", t->format.ul_max_bytes);
}

static struct json_object *show_modem(const struct trunk *t)
{
	struct json_object *o = json_object_new_object();
	char since[EVENTS_TIME];

	events_time_text(modem_since(t->modem), since);
	json_add_string(o, "state", trunk_state_name(modem_state(t->modem)));
	json_add_string(o, "since", since);
	json_add_text(o, "reason", modem_reason(t->modem));
	return o;
}

/* @pdns: the session's, by number; has the families. */
static struct json_object *show_families(struct json_object *pdns, unsigned int number)
{
	size_t n = pdns ? json_object_array_length(pdns) : 0;
	struct json_object *pdn, *v;

	for (size_t i = 0; i < n; i++) {
		pdn = json_object_array_get_idx(pdns, i);
		if (json_object_object_get_ex(pdn, "number", &v) &&
		    (unsigned int)json_object_get_int(v) == number &&
		    json_object_object_get_ex(pdn, "families", &v))
			return json_object_get(v);
	}
	return json_object_new_array();
}

/* Marks a call that is up with an unusable port as damaged. */
static void judge_families(const struct trunk *t, unsigned int pdn, struct json_object *families)
{
	const struct trunk_port *p = trunk_find_port(t, pdn);
	struct trunk_family f;

	for (size_t i = 0; i < json_object_array_length(families); i++) {
		struct json_object *o = json_object_array_get_idx(families, i);
		int family = json_get_int(o, "family");

		trunk_family(t, pdn, family, &f);
		if (f.state != TRUNK_FAMILY_DAMAGED)
			continue;
		json_add_string(o, "state", "damaged");
		json_add_string(o, "reason", trunk_port_damage_of(p, family));
	}
}

static struct json_object *show_port(const struct trunk *t, const struct config_pdn *pdn,
				     struct json_object *pdns)
{
	const struct trunk_port *p = trunk_find_port(t, pdn->number);
	struct json_object *o = json_object_new_object();
	struct error failure = {0};
	struct json_object *families = show_families(pdns, pdn->number);
	char cpus[CPUS_LIST];

	json_add_string(o, "port", p ? p->port.name : NULL);
	json_add_int(o, "number", pdn->number);
	json_add_int(o, "mux", pdn->mux);
	json_add_text(o, "apn", pdn->apn);
	json_add_text(o, "netns", pdn->netns);
	json_add_known(o, "ifindex", p && p->ifindex, p ? p->ifindex : 0);
	json_add_known(o, "mtu", p && p->mtu, p ? p->mtu : 0);
	json_add_string(o, "addresses", pdn->addresses == CONFIG_ADDRESSES_NONE ? "none" : "qmapd");
	json_add_int(o, "metric", p ? trunk_port_metric(p, pdn) : pdn->metric);
	json_object_object_add(o, "dead",
			       pdn->failover && p ? json_object_new_boolean(p->dead) : NULL);
	json_add_int(o, "table", p && pdn->vrf[0] ? p->vrf_table : pdn->table);
	json_add_text(o, "vrf", pdn->vrf);
	json_add_text(o, "passthrough", pdn->passthrough);
	trunk_totals_show(t, pdn, o);
	json_add_text(o, "resolv_conf", p ? p->resolv_conf : "");
	json_object_object_add(o, "clat", p ? trunk_clat_show(t, p) : NULL);
	cpus_format(p ? &p->cpus : &(cpu_set_t){0}, cpus);
	json_add_text(o, "cpus", cpus);
	json_add_bool(o, "static", !trunk_has_control(t));
	json_object_object_add(o, "damage",
			       p ? trunk_port_damage_list(p) : json_object_new_array());
	judge_families(t, pdn->number, families);
	json_object_object_add(o, "families", families);
	trunk_verdict(t, pdn->number, &failure);
	json_object_object_add(o, "failure", failure.err ? error_to_json(&failure) : NULL);
	return o;
}

/* Moves a member of the session's object to the trunk's. */
static void take(struct json_object *o, struct json_object *session, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_object_get_ex(session, key, &v))
		json_object_object_add(o, key, json_object_get(v));
}

struct json_object *trunk_show(const struct trunk *t)
{
	struct json_object *o = json_object_new_object(), *ports = json_object_new_array();
	struct json_object *session = t->session ? session_show(t->session) : NULL, *pdns = NULL;

	json_add_string(o, "dev", t->config.dev);
	json_add_text(o, "netdev", t->dev.ifindex ? t->dev.name : "");
	json_object_object_add(o, "ifindex",
			       t->dev.ifindex ? json_object_new_int64(t->dev.ifindex) : NULL);
	json_add_string(o, "state", attachment_name(trunk_attachment(t)));
	json_add_text(o, "reason",
		      modem_reason(t->modem)[0] ? modem_reason(t->modem)
						: modem_why_lost(t->modem));
	json_object_object_add(o, "damage", trunk_damage_list(t));
	json_object_object_add(o, "modem", show_modem(t));
	trunk_show_datapath(t, o);
	show_format(t, o);
	json_add_string(o, "control", t->setup.control);
	take(o, session, "exclusive");
	take(o, session, "proxy_clients");
	take(o, session, "manufacturer");
	take(o, session, "model");
	take(o, session, "revision");
	take(o, session, "operating_mode");
	take(o, session, "sim");
	take(o, session, "network");
	json_object_object_get_ex(session, "pdns", &pdns);
	for (unsigned int i = 0; i < t->config.npdns; i++)
		json_object_array_add(ports, show_port(t, &t->config.pdns[i], pdns));
	json_object_object_add(o, "pdns", ports);
	json_object_object_add(o, "recover", trunk_recover_show(t));
	take(o, session, "qmi");
	json_object_object_add(o, "events",
			       events_last_json(t->env.events, t->config.dev, SHOWN_EVENTS));
	json_object_put(session);
	return o;
}

static void forget(struct json_object *o, const char *const *keys)
{
	for (; *keys; keys++)
		json_object_object_add(o, *keys, NULL);
}

void trunk_show_shorten(struct json_object *show)
{
	static const char *const keys[] = {"failure", NULL};
	static const char *const family_keys[] = {"until", "hint", "call_end", NULL};
	struct json_object *pdn, *family;

	json_object_object_add(show, "events", json_object_new_array());
	for (size_t i = 0; (pdn = json_get_element(show, "pdns", i)); i++) {
		forget(pdn, keys);
		for (size_t j = 0; (family = json_get_element(pdn, "families", j)); j++)
			forget(family, family_keys);
	}
}

void trunk_family(const struct trunk *t, unsigned int pdn, int family, struct trunk_family *out)
{
	const struct trunk_port *p = trunk_find_port(t, pdn);
	const struct ip_settings *s = p ? &p->settings[family == 6] : NULL;

	*out = (struct trunk_family){.state = TRUNK_FAMILY_DOWN};
	if (!s || !s->family || !t->session ||
	    session_call_state(t->session, pdn, family) != CALL_UP)
		return;
	*out = (struct trunk_family){
		.state = trunk_port_damage_of(p, family) ? TRUNK_FAMILY_DAMAGED : TRUNK_FAMILY_UP,
		.dev = t->config.dev,
		.port = p->port.name,
		.ifindex = p->ifindex,
		.pdn = trunk_port_pdn(p),
		.settings = s,
		.resolv_conf = p->resolv_conf,
	};
}

bool trunk_has_datapath(const struct trunk *t)
{
	return t->dp;
}

int trunk_stats(struct trunk *t, struct datapath_stats *out, struct error *err)
{
	int ret;

	if (!t->dp) {
		error_set(err, -EBUSY, "%s waits for its modem and has no counters now",
			  t->config.dev);
		error_hint(err, "`qmapctl show %s` says what it waits for", t->config.dev);
		return -EBUSY;
	}
	ret = t->ops->stats(t->dp, out, err);
	/* mux id 0 is that of the raw data path, for its one PDN with any mux id */
	for (unsigned int i = 0; i < out->nports && !ret; i++)
		for (unsigned int j = 0; j < t->nports; j++)
			if (!out->ports[i].mux || t->ports[j].port.mux == out->ports[i].mux)
				memcpy(out->ports[i].name, t->ports[j].port.name,
				       sizeof(out->ports[i].name));
	return ret;
}

const char *trunk_datapath(const struct trunk *t)
{
	return t->ops ? t->ops->name : "";
}
