// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls as JSON: for the process that adopts them, and for users. */
#include "call.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>

#include "qmi/names.h"
#include "util/json_add.h"
#include "util/json_get.h"

/* --- saved state --- */

static struct json_object *end_json(const struct call_end *e)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "reason", e->reason);
	json_add_int(o, "verbose_type", e->verbose_type);
	json_add_int(o, "verbose_reason", e->verbose_reason);
	json_add_int(o, "error", e->qmi_error);
	return o;
}

static struct json_object *call_json(const struct call *c)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "pdn", c->pdn->number);
	json_add_int(o, "family", c->family);
	json_add_string(o, "state", call_state_name(c->state));
	json_add_string(o, "reason", c->reason);
	json_add_int(o, "attempts", c->attempts);
	json_add_int(o, "refusals", c->refusals);
	json_add_int(o, "stale", c->stale);
	json_add_int(o, "dial_at", c->dial_at);
	json_object_object_add(o, "end", end_json(&c->end));
	if (!c->client)
		return o;
	json_add_int(o, "client_id", qmi_client_id(c->client));
	json_add_bool(o, "prepared", c->prepared);
	json_add_int(o, "handle", c->handle);
	return o;
}

struct json_object *calls_save(const struct calls *cs)
{
	struct json_object *a = json_object_new_array();

	for (struct call *c = call_first(cs); c; c = call_next(c))
		json_object_array_add(a, call_json(c));
	return a;
}

static void load_was(struct call *c, struct json_object *o)
{
	struct json_object *end = json_get_object(o, "end");
	int was = call_state_find(json_get_string(o, "state"));

	c->was = was < 0 ? CALL_IDLE : was;
	c->attempts = json_get_int(o, "attempts");
	c->refusals = json_get_int(o, "refusals");
	c->stale = json_get_int(o, "stale");
	c->was_dial_at = json_get_int(o, "dial_at");
	json_copy_text(o, "reason", c->was_reason, sizeof(c->was_reason));
	c->end.reason = json_get_int(end, "reason");
	c->end.verbose_type = json_get_int(end, "verbose_type");
	c->end.verbose_reason = json_get_int(end, "verbose_reason");
	c->end.qmi_error = json_get_int(end, "error");
}

static int load_call(struct calls *cs, struct json_object *o)
{
	struct call *c = calls_find(cs, json_get_int(o, "pdn"), json_get_int(o, "family"));
	int64_t id = json_get_int(o, "client_id");

	if (c && !c->client)
		load_was(c, o);
	if (id <= 0 || id >= QMI_CID_BROADCAST)
		return 0;
	if (!c || c->client) {
		/* This call is no longer configured. */
		ids_release(cs->env.ids, QMI_WDS, id, NULL, NULL);
		return 0;
	}
	c->prepared = json_get_bool(o, "prepared");
	c->handle = json_get_int(o, "handle");
	return qmi_client_new(&c->client, clients_channel(cs->env.clients), QMI_WDS, id,
			      call_indication, c);
}

int calls_load(struct calls *cs, struct json_object *state, bool gave_back)
{
	struct json_object *o;
	int ret = 0;

	cs->was_giving_back = gave_back;
	for (size_t i = 0; !ret && (o = json_get_element(state, "calls", i)); i++)
		ret = load_call(cs, o);
	return ret;
}

/* --- show --- */

static struct json_object *address_text(int family, const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	return json_object_new_string(text);
}

static struct json_object *show_end(const struct call_end *e)
{
	struct json_object *o;

	if (!e->reason && !e->verbose_type && !e->qmi_error)
		return NULL;
	o = json_object_new_object();
	json_add_int(o, "reason", e->reason);
	json_add_text(o, "name", qmi_end_name(e->reason));
	json_add_int(o, "verbose_type", e->verbose_type);
	json_add_text(o, "verbose_type_name", qmi_end_type_name(e->verbose_type));
	json_add_int(o, "verbose_reason", e->verbose_reason);
	json_add_text(o, "verbose_name", qmi_end_verbose_name(e->verbose_type, e->verbose_reason));
	json_add_int(o, "error", e->qmi_error);
	json_add_text(o, "error_name", qmi_error_name(e->qmi_error));
	return o;
}

static void show_settings(struct json_object *o, const struct ip_settings *ip)
{
	struct json_object *dns = json_object_new_array();

	json_object_object_add(o, "address", address_text(ip->family, ip->address));
	json_add_int(o, "prefix", ip->prefix);
	json_object_object_add(o, "gateway",
			       ip->has_gateway ? address_text(ip->family, ip->gateway) : NULL);
	for (unsigned int i = 0; i < ip->ndns; i++)
		json_object_array_add(dns, address_text(ip->family, ip->dns[i]));
	json_object_object_add(o, "dns", dns);
	json_add_int(o, "mtu", ip->mtu);
}

static struct json_object *show_call(const struct call *c)
{
	struct json_object *o = json_object_new_object();
	int64_t ms = call_dials_in_ms(c);
	char until[160];

	json_add_int(o, "family", c->family);
	json_add_text(o, "state", call_state_name(c->state));
	json_add_bool(o, "suspended", c->suspended);
	json_add_known(o, "client_id", c->client, c->client ? qmi_client_id(c->client) : 0);
	json_add_known(o, "handle", c->handle != QMI_WDS_ANY_HANDLE, c->handle);
	if (c->announced)
		show_settings(o, &c->settings);
	json_add_text(o, "reason", c->reason);
	call_until(c, until, sizeof(until));
	json_add_text(o, "until", until);
	json_add_text(o, "hint", call_hint(c));
	json_object_object_add(o, "retry_in",
			       ms < 0 ? NULL : json_object_new_int64((ms + 999) / 1000));
	json_object_object_add(o, "call_end", show_end(&c->end));
	return o;
}

static struct json_object *show_pdn(const struct calls_pdn *pdn)
{
	struct json_object *o = json_object_new_object();
	struct json_object *families = json_object_new_array();

	json_add_int(o, "number", pdn->number);
	json_add_int(o, "mux", pdn_config(pdn)->mux);
	json_add_text(o, "apn", pdn_config(pdn)->apn);
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		json_object_array_add(families, show_call(c));
	json_object_object_add(o, "families", families);
	return o;
}

struct json_object *calls_show(const struct calls *cs)
{
	struct json_object *pdns = json_object_new_array();
	const struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		json_object_array_add(pdns, show_pdn(pdn));
	return pdns;
}
