// SPDX-License-Identifier: GPL-2.0-or-later
/* The session as JSON: for the process that adopts it, and for users. */
#include "internal.h"

#include <json-c/json.h>

#include "util/json_add.h"
#include "util/json_get.h"

/* --- saved state --- */

static struct json_object *clients_state(const struct session *s)
{
	struct json_object *a = json_object_new_array();

	for (int i = ID_WDA; i < ID_SERVICES; i++) {
		uint8_t id = clients_id(s->clients, i);

		if (id)
			json_append_pair(a, "service", clients_service(i), "id", id);
	}
	return a;
}

struct json_object *session_state(const struct session *s)
{
	struct json_object *o = json_object_new_object();

	setup_save(s->set_up, o);
	json_add_int(o, "services", clients_services(s->clients));
	facts_save(s->facts, o);
	json_object_object_add(o, "clients", clients_state(s));
	ids_save(s->ids, o);
	if (format_agreed(s->format))
		json_object_object_add(o, "format", data_format_to_json(format_agreed(s->format)));
	json_add_bool(o, "giving_back", session_giving_back(s));
	json_object_object_add(o, "calls", calls_save(s->calls));
	json_object_object_add(o, "guests", guests_state(s->guests));
	return o;
}

static int load_client(struct session *s, struct json_object *o)
{
	int64_t id = json_get_int(o, "id");

	for (int i = ID_WDA; id > 0 && id < QMI_CID_BROADCAST && i < ID_SERVICES; i++)
		if (json_get_int(o, "service") == clients_service(i) && !clients_id(s->clients, i))
			return facts_add_client(s->facts, i, id);
	return 0;
}

int session_state_load(struct session *s, struct json_object *state, struct error *err)
{
	struct json_object *o;
	int r = 0;

	if (!json_object_is_type(state, json_type_object))
		return error_set(err, -EBADMSG, "what the earlier session has left is no state");
	setup_load(s->set_up, state);
	if (json_get_object(state, "format")) {
		struct data_format format = data_format_from_json(json_get_object(state, "format"));

		format_set_agreed(s->format, &format);
	}
	s->was_giving_back = json_get_bool(state, "giving_back");
	clients_set_services(s->clients, json_get_int(state, "services"));
	facts_load(s->facts, state);
	ids_load(s->ids, state);
	for (size_t i = 0; !r && (o = json_get_element(state, "clients", i)); i++)
		r = load_client(s, o);
	r = r ?: calls_load(s->calls, state, s->was_giving_back);
	guests_load(s->guests, json_get_object(state, "guests"));
	return r ? error_set(err, r, "out of memory") : 0;
}

void session_state_release(struct session *s, struct json_object *state)
{
	struct json_object *o;

	ids_load(s->ids, state);
	ids_recover(s->ids);
	for (size_t i = 0; (o = json_get_element(state, "clients", i)); i++)
		ids_release(s->ids, json_get_int(o, "service"), json_get_int(o, "id"), NULL, NULL);
}

/* --- show --- */

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
	const struct data_format *format = format_agreed(s->format);

	setup_show(s->set_up, o);
	json_add_text(o, "control", s->setup.control);
	json_add_bool(o, "exclusive", clients_exclusive(s->clients));
	json_add_int(o, "proxy_clients", guests_count(s->guests));
	json_object_object_add(o, "format", format ? data_format_to_json(format) : NULL);
	facts_show(s->facts, o);
	json_object_object_add(o, "qmi", clients_channel(s->clients) ? show_counters(s) : NULL);
	json_object_object_add(o, "pdns", calls_show(s->calls));
	return o;
}
