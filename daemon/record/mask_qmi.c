// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "qmi/field.h"
#include "qmi/message.h"
#include "qmi/names.h"
#include "mask.h"

/* A row of so many digits may be an IMEI, an IMSI or a phone number. */
#define LONG_NUMBER 10

/* The rest of a value that is being masked. */
struct value {
	uint8_t *p;
	size_t left;
};

/* Cuts @n bytes off; fewer if the value is too short. */
static uint8_t *take(struct value *v, size_t *n)
{
	uint8_t *p = v->p;

	if (*n > v->left)
		*n = v->left;
	v->p += *n;
	v->left -= *n;
	return p;
}

/* Reads a count of @width bytes; 0 if the value is too short. */
static size_t take_count(struct value *v, size_t width)
{
	size_t n = width;
	const uint8_t *p = take(v, &n);

	if (n < width)
		return 0;
	return width == 1 ? *p : qmi_get_le16(p);
}

static void blank(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = !p[i] ? 0 : isdigit(p[i]) ? '0' : 'x';
}

/* A string that identifies nothing by its meaning. */
static void blank_numbers(uint8_t *p, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && isdigit(p[i])) {
			run++;
			continue;
		}
		if (run >= LONG_NUMBER)
			memset(p + i - run, '0', run);
		run = 0;
	}
}

static void mask_string(struct value *v, size_t n, bool secret)
{
	uint8_t *p = take(v, &n);

	(secret ? blank : blank_numbers)(p, n);
}

static void mask_address4(struct record_mask *k, struct value *v)
{
	size_t n = 4;
	uint8_t *p = take(v, &n);
	uint32_t address;

	if (n < 4)
		return;
	address = htonl(qmi_get_le32(p));
	record_alias4(&k->alias, (uint8_t *)&address);
	qmi_put_le32(p, ntohl(address));
}

static void mask_address6(struct record_mask *k, struct value *v)
{
	size_t n = 16;
	uint8_t *p = take(v, &n);

	if (n == 16)
		record_alias6(&k->alias, p);
}

/* Bytes of a number kind, "u16"; of a list behind its count, or of a type and a reason. */
static size_t width_of(const struct qmi_field *f, struct value *v)
{
	if (!strcmp(f->kind, "list"))
		return take_count(v, 1);
	if (!strcmp(f->kind, "end") || !strcmp(f->kind, "mask"))
		return 4;
	return f->kind[1] == '8' ? 1 : f->kind[1] == '1' ? 2 : f->kind[1] == '3' ? 4 : 8;
}

static void mask_field(struct record_mask *k, const struct qmi_field *f, struct value *v)
{
	if (!strcmp(f->kind, "str")) {
		mask_string(v, v->left, f->secret);
	} else if (!strncmp(f->kind, "str", 3)) {
		mask_string(v, take_count(v, f->kind[3] == '8' ? 1 : 2), f->secret);
	} else if (!strcmp(f->kind, "v4")) {
		mask_address4(k, v);
	} else if (!strcmp(f->kind, "v6")) {
		mask_address6(k, v);
	} else {
		size_t n = width_of(f, v);
		uint8_t *p = take(v, &n);

		if (f->secret)
			memset(p, 0, n);
	}
}

static void mask_fields(struct record_mask *k, const char *format, struct value *v)
{
	struct qmi_field f;

	while (v->left && (format = qmi_field_next(format, &f)))
		mask_field(k, &f, v);
}

static void mask_value(struct record_mask *k, const struct qmi_tlv_name *name, struct value *v)
{
	const char *format = name->format;

	if (!strcmp(format, "raw"))
		return;
	if (*format != '[') {
		if (k->hide_apn && !strcmp(name->name, "apn"))
			mask_string(v, v->left, true);
		mask_fields(k, format, v);
	} else {
		size_t n = take_count(v, format[2] == '8' ? 1 : 2);

		for (; n && v->left; n--)
			mask_fields(k, strchr(format, ']') + 1, v);
	}
	/* Later firmware appends fields. */
	memset(v->p, 0, v->left);
}

void record_mask_qmi(struct record_mask *k, uint8_t *buf, size_t len)
{
	struct qmi_message m;
	struct qmi_bad bad;
	struct qmi_tlv t;
	int n = qmi_message_parse(buf, len, &m, &bad);

	if (n < 0) {
		memset(buf, 0, len);
		return;
	}
	qmi_tlv_foreach (&t, m.tlvs) {
		const struct qmi_tlv_name *name = qmi_tlv_name(m.service, m.id, m.type, t.type);
		struct value v = {.p = buf + (t.value - buf), .left = t.len};

		if (name)
			mask_value(k, name, &v);
		else
			memset(v.p, 0, v.left);
	}
	memset(buf + n, 0, len - n);
}
