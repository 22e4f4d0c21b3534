// SPDX-License-Identifier: GPL-2.0-or-later
/* The session as JSON for users. */
#include "internal.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>

#include "util/json_add.h"
#include "qmi/names.h"

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
