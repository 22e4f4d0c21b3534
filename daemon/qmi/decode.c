// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "util/json_add.h"
#include "decode_value.h"
#include "names.h"

static void add_hex(struct json_object *o, const char *key, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = malloc(2 * n + 1);

	if (!hex)
		return;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	json_object_object_add(o, key, json_object_new_string_len(hex, 2 * n));
	free(hex);
}

static struct json_object *decode_tlv(const struct qmi_message *m, const struct qmi_tlv *t,
				      size_t offset)
{
	const struct qmi_tlv_name *n = qmi_tlv_name(m->service, m->id, m->type, t->type);
	struct json_object *o = json_object_new_object(), *fields = NULL;
	bool fits = true;

	json_add_int(o, "offset", offset);
	json_add_int(o, "type", t->type);
	json_add_string(o, "name", n ? n->name : NULL);
	json_add_int(o, "length", t->len);
	add_hex(o, "value", t->value, t->len);
	if (n)
		fits = qmi_decode_value(n->format, t, &fields);
	json_object_object_add(o, "fields", fields);
	if (!fits)
		json_add_string(o, "malformed", "value is shorter than what it should hold");
	return o;
}

static void decode_result(struct json_object *o, const struct qmi_message *m)
{
	struct qmi_result res;

	if (m->type != QMI_RESPONSE || qmi_message_result(m, &res) < 0)
		return;
	json_add_string(o, "result", res.status ? "failure" : "success");
	json_add_int(o, "error", res.error);
	json_add_string(o, "error_name", qmi_error_name(res.error));
}

/* Decodes TLVs up to the end, or to the first one that does not fit. */
static struct json_object *decode_tlvs(const struct qmi_message *m, const uint8_t *buf)
{
	struct json_object *a = json_object_new_array();
	struct qmi_tlvs walk = m->tlvs;
	struct qmi_tlv t;

	for (size_t at = 0; qmi_tlv_next(&walk, &t) > 0; at = walk.off)
		json_object_array_add(a, decode_tlv(m, &t, m->tlvs.data + at - buf));
	return a;
}

static void decode_message(struct json_object *o, const struct qmi_message *m, const uint8_t *buf)
{
	const char *service = qmi_service_name(m->service);

	json_add_string(o, "service", service);
	json_add_int(o, "service_id", m->service);
	json_add_int(o, "client_id", m->client);
	json_add_string(o, "type", qmi_type_name(m->type));
	json_add_int(o, "transaction", m->transaction);
	json_add_string(o, "message", qmi_message_name(m->service, m->id));
	json_add_int(o, "message_id", m->id);
	decode_result(o, m);
	json_object_object_add(o, "tlvs", decode_tlvs(m, buf));
}

static int decode_malformed(struct json_object *o, const struct qmi_bad *bad, size_t at,
			    struct error *err)
{
	struct json_object *m = json_object_new_object();

	json_add_int(m, "offset", at + bad->offset);
	json_add_string(m, "reason", qmi_fault_name(bad->fault));
	json_add_string(m, "text", qmi_fault_text(bad->fault));
	json_object_object_add(o, "malformed", m);
	return error_set(err, -EBADMSG, "malformed QMI at byte %zu: %s", at + bad->offset,
			 qmi_fault_text(bad->fault));
}

int qmi_decode(const uint8_t *buf, size_t len, struct json_object **out, struct error *err)
{
	struct json_object *a = json_object_new_array();
	size_t at = 0;

	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	*out = a;
	while (at < len) {
		struct json_object *o = json_object_new_object();
		struct qmi_message m;
		struct qmi_bad bad;
		int r = qmi_message_parse(buf + at, len - at, &m, &bad);

		json_object_array_add(a, o);
		json_add_int(o, "offset", at);
		json_add_int(o, "length", r > 0 ? r : (int)(len - at));
		if (r > 0 || m.tlvs.data)
			decode_message(o, &m, buf);
		if (r < 0)
			return decode_malformed(o, &bad, at, err);
		at += r;
	}
	return 0;
}
