// SPDX-License-Identifier: GPL-2.0-or-later
/* The session as JSON for users. */
#include "internal.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>

#include "util/json_add.h"
#include "qmi/names.h"

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
	json_object_object_add(o, "client_id",
			       c->client ? json_object_new_int(qmi_client_id(c->client)) : NULL);
	json_object_object_add(o, "handle",
			       c->handle != QMI_WDS_ANY_HANDLE ? json_object_new_int64(c->handle)
							       : NULL);
	if (c->told)
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

static struct json_object *show_pdn(const struct session_pdn *pdn)
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

static struct json_object *show_counters(const struct session *s)
{
	const struct qmi_counters *n = qmi_channel_counters(clients_channel(s->clients));
	struct json_object *o = json_object_new_object();
	struct json_object *malformed = json_object_new_object();
	uint64_t skipped;
	const uint64_t *faults = qmi_channel_faults(clients_channel(s->clients), &skipped);

#define X(field, text) json_add_int(o, #field, n->field);
	QMI_COUNTERS(X)
#undef X
	for (int f = 0; f < QMI_FAULT_MAX; f++)
		json_add_int(malformed, qmi_fault_name(f), faults[f]);
	json_object_object_add(o, "malformed", malformed);
	json_add_int(o, "skipped_bytes", skipped);
	return o;
}

struct json_object *session_show(const struct session *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *pdns = json_object_new_array();
	const struct data_format *format = format_agreed(s->format);
	const struct session_pdn *pdn;

	json_add_text(o, "model", s->model);
	json_add_text(o, "revision", s->revision);
	json_add_text(o, "manufacturer", s->manufacturer);
	json_add_text(o, "control", s->setup.control);
	json_object_object_add(o, "exclusive",
			       json_object_new_boolean(clients_exclusive(s->clients)));
	json_add_int(o, "proxy_clients", guests_count(s->guests));
	json_object_object_add(o, "format", format ? data_format_to_json(format) : NULL);
	facts_show(s->facts, o);
	json_object_object_add(o, "qmi", clients_channel(s->clients) ? show_counters(s) : NULL);
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		json_object_array_add(pdns, show_pdn(pdn));
	json_object_object_add(o, "pdns", pdns);
	return o;
}
