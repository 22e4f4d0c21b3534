// SPDX-License-Identifier: GPL-2.0-or-later
/* The session as JSON for the process that adopts it. */
#include "internal.h"

#include <json-c/json.h>
#include <stdio.h>

#include "util/json_add.h"
#include "util/json_get.h"

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
	json_object_object_add(o, "state", json_object_new_string(call_state_name(c->state)));
	json_object_object_add(o, "reason", json_object_new_string(c->reason));
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

static struct json_object *calls_state(const struct session *s)
{
	struct json_object *a = json_object_new_array();

	for (struct call *c = call_first(s); c; c = call_next(c))
		json_object_array_add(a, call_json(c));
	return a;
}

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

	json_object_object_add(o, "model", json_object_new_string(s->model));
	json_object_object_add(o, "revision", json_object_new_string(s->revision));
	json_object_object_add(o, "manufacturer", json_object_new_string(s->manufacturer));
	json_add_int(o, "services", clients_services(s->clients));
	facts_save(s->facts, o);
	json_object_object_add(o, "clients", clients_state(s));
	ids_save(s->ids, o);
	if (format_agreed(s->format))
		json_object_object_add(o, "format", data_format_to_json(format_agreed(s->format)));
	json_add_bool(o, "giving_back", session_giving_back(s));
	json_object_object_add(o, "calls", calls_state(s));
	json_object_object_add(o, "guests", guests_state(s->guests));
	return o;
}

/* Ids are 1..254; any other value of @key is no client. */
static uint8_t id_of(struct json_object *o, const char *key)
{
	int64_t id = json_get_int(o, key);

	return id > 0 && id < QMI_CID_BROADCAST ? id : 0;
}

static void load_text(struct json_object *o, const char *key, char *s, size_t size)
{
	const char *v = json_get_string(o, key);

	snprintf(s, size, "%s", v ? v : "");
}

static void load_format(struct session *s, struct json_object *o)
{
	struct data_format format;

	if (!o)
		return;
	format = data_format_from_json(o);
	format_set_agreed(s->format, &format);
}

static int load_client(struct session *s, struct json_object *o)
{
	uint8_t id = id_of(o, "id");

	for (int i = ID_WDA; id && i < ID_SERVICES; i++)
		if (json_get_int(o, "service") == clients_service(i) && !clients_id(s->clients, i))
			return facts_add_client(s->facts, i, id);
	return 0;
}

static void load_end(struct call_end *e, struct json_object *o)
{
	e->reason = json_get_int(o, "reason");
	e->verbose_type = json_get_int(o, "verbose_type");
	e->verbose_reason = json_get_int(o, "verbose_reason");
	e->qmi_error = json_get_int(o, "error");
}

static void load_was(struct call *c, struct json_object *o)
{
	int was = call_state_find(json_get_string(o, "state"));

	c->was = was < 0 ? CALL_IDLE : was;
	c->attempts = json_get_int(o, "attempts");
	c->refusals = json_get_int(o, "refusals");
	c->stale = json_get_int(o, "stale");
	c->was_dial_at = json_get_int(o, "dial_at");
	load_text(o, "reason", c->was_reason, sizeof(c->was_reason));
	load_end(&c->end, json_get_object(o, "end"));
}

static int load_call(struct session *s, struct json_object *o)
{
	struct call *c = session_call_find(s, json_get_int(o, "pdn"), json_get_int(o, "family"));
	uint8_t id = id_of(o, "client_id");

	if (c && !c->client)
		load_was(c, o);
	if (!id)
		return 0;
	if (!c || c->client) {
		/* This call is no longer configured. */
		ids_release(s->ids, QMI_WDS, id, NULL, NULL);
		return 0;
	}
	c->prepared = json_get_bool(o, "prepared");
	c->handle = json_get_int(o, "handle");
	return qmi_client_new(&c->client, clients_channel(s->clients), QMI_WDS, id, call_indication,
			      c);
}

int session_state_load(struct session *s, struct json_object *state, struct error *err)
{
	struct json_object *o;
	int r = 0;

	if (!json_object_is_type(state, json_type_object))
		return error_set(err, -EBADMSG, "what the earlier session has left is no state");
	load_text(state, "model", s->model, sizeof(s->model));
	load_text(state, "revision", s->revision, sizeof(s->revision));
	load_text(state, "manufacturer", s->manufacturer, sizeof(s->manufacturer));
	format_identify(s->format, s->model, s->revision);
	load_format(s, json_get_object(state, "format"));
	s->was_giving_back = json_get_bool(state, "giving_back");
	clients_set_services(s->clients, json_get_int(state, "services"));
	facts_load(s->facts, state);
	ids_load(s->ids, state);
	for (size_t i = 0; !r && (o = json_get_element(state, "clients", i)); i++)
		r = load_client(s, o);
	for (size_t i = 0; !r && (o = json_get_element(state, "calls", i)); i++)
		r = load_call(s, o);
	guests_load(s->guests, json_get_object(state, "guests"));
	return r ? error_set(err, r, "out of memory") : 0;
}
