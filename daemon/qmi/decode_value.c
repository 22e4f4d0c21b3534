// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode_value.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "util/json_add.h"
#include "util/array.h"
#include "field.h"
#include "names.h"

static void add_name(struct json_object *o, const char *field, const char *name)
{
	char key[48];

	snprintf(key, sizeof(key), "%s_name", field);
	json_object_object_add(o, key, name ? json_object_new_string(name) : NULL);
}

static void add_bytes_as_text(struct json_object *o, const char *name, const uint8_t *p, size_t n)
{
	char text[512];
	size_t i;

	/* Some firmware ends strings with NUL or other control characters. */
	for (i = 0; i < n && i < sizeof(text) - 1; i++)
		text[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	while (i && p[i - 1] < 0x20)
		i--;
	text[i] = '\0';
	json_add_string(o, name, text);
}

static void read_string(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c)
{
	size_t n = !strcmp(f->kind, "str8")    ? qmi_read_u8(c)
		   : !strcmp(f->kind, "str16") ? qmi_read_le16(c)
					       : c->left;
	const uint8_t *p = qmi_read_bytes(c, n);

	if (p)
		add_bytes_as_text(o, f->name, p, n);
}

static void read_address(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c)
{
	bool v6 = !strcmp(f->kind, "v6");
	char text[INET6_ADDRSTRLEN];
	const uint8_t *p = qmi_read_bytes(c, v6 ? 16 : 4);
	uint32_t v4;

	if (!p)
		return;
	v4 = htonl(qmi_get_le32(p));
	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? p : (const void *)&v4, text, sizeof(text));
	json_add_string(o, f->name, text);
}

/* Reads a list of numbers: a count, then one byte each. */
static void read_list(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c)
{
	struct json_object *numbers = json_object_new_array();

	for (unsigned int n = qmi_read_u8(c); n && !c->bad; n--)
		json_object_array_add(numbers, json_object_new_int(qmi_read_u8(c)));
	json_object_object_add(o, f->name, numbers);
}

/* Reads type and reason of a call's end; the type selects the table of names for the reason. */
static void read_end(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c)
{
	uint16_t type = qmi_read_le16(c), reason = qmi_read_le16(c);

	if (c->bad)
		return;
	json_add_int(o, "type", type);
	add_name(o, "type", qmi_end_type_name(type));
	json_add_int(o, "reason", reason);
	add_name(o, "reason", qmi_end_verbose_name(type, reason));
}

static void read_number(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c)
{
	bool is_signed = f->kind[0] == 's';
	uint64_t v = f->kind[1] == '8'	 ? qmi_read_u8(c)
		     : f->kind[1] == '1' ? qmi_read_le16(c)
		     : f->kind[1] == '3' ? qmi_read_le32(c)
					 : qmi_read_le64(c);

	if (c->bad)
		return;
	json_object_object_add(o, f->name,
			       !is_signed	   ? json_object_new_uint64(v)
			       : f->kind[1] == '8' ? json_object_new_int((int8_t)v)
						   : json_object_new_int((int16_t)v));
	if (*f->enumeration)
		add_name(o, f->name, qmi_enum_name(f->enumeration, v));
}

static const struct {
	const char *kind;
	void (*read)(struct json_object *o, const struct qmi_field *f, struct qmi_cursor *c);
} kinds[] = {
	{"u8", read_number},	{"s8", read_number},	{"s16", read_number}, {"u16", read_number},
	{"u32", read_number},	{"u64", read_number},	{"str", read_string}, {"str8", read_string},
	{"str16", read_string}, {"v4", read_address},	{"v6", read_address}, {"list", read_list},
	{"end", read_end},	{"mask", read_address},
};

static struct json_object *read_fields(const char *format, struct qmi_cursor *c)
{
	struct json_object *o = json_object_new_object();
	struct qmi_field f;

	while (!c->bad && (format = qmi_field_next(format, &f)))
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!strcmp(kinds[i].kind, f.kind))
				kinds[i].read(o, &f, c);
	return o;
}

bool qmi_decode_value(const char *format, const struct qmi_tlv *t, struct json_object **out)
{
	struct qmi_cursor c = qmi_cursor_of(t);
	unsigned int n;

	if (!strcmp(format, "raw"))
		return true;
	if (*format != '[') {
		*out = read_fields(format, &c);
		return !c.bad;
	}
	*out = json_object_new_array();
	n = format[2] == '8' ? qmi_read_u8(&c) : qmi_read_le16(&c);
	format = strchr(format, ']') + 1;
	/* The count cannot exceed the bytes: none of the fields is empty. */
	for (; n && !c.bad; n--)
		json_object_array_add(*out, read_fields(format, &c));
	return !c.bad;
}
