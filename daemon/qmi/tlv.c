// SPDX-License-Identifier: GPL-2.0-or-later
#include "tlv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define TLV_HEADER 3

int qmi_tlv_next(struct qmi_tlvs *w, struct qmi_tlv *t)
{
	size_t left = w->len - w->off;
	const uint8_t *p = w->data + w->off;

	if (!left)
		return 0;
	if (left < TLV_HEADER || qmi_get_le16(p + 1) > left - TLV_HEADER)
		return -EBADMSG;
	t->type = p[0];
	t->len = qmi_get_le16(p + 1);
	t->value = p + TLV_HEADER;
	w->off += TLV_HEADER + t->len;
	return 1;
}

bool qmi_tlv_find(struct qmi_tlvs block, uint8_t type, struct qmi_tlv *t)
{
	qmi_tlv_foreach (t, block)
		if (t->type == type)
			return true;
	return false;
}

struct qmi_cursor qmi_cursor_of(const struct qmi_tlv *t)
{
	return (struct qmi_cursor){.p = t->value, .left = t->len};
}

const uint8_t *qmi_read_bytes(struct qmi_cursor *c, size_t len)
{
	const uint8_t *p = c->p;

	if (c->bad || len > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += len;
	c->left -= len;
	return p;
}

uint8_t qmi_read_u8(struct qmi_cursor *c)
{
	const uint8_t *p = qmi_read_bytes(c, 1);

	return p ? *p : 0;
}

uint16_t qmi_read_le16(struct qmi_cursor *c)
{
	const uint8_t *p = qmi_read_bytes(c, 2);

	return p ? qmi_get_le16(p) : 0;
}

uint32_t qmi_read_le32(struct qmi_cursor *c)
{
	const uint8_t *p = qmi_read_bytes(c, 4);

	return p ? qmi_get_le32(p) : 0;
}

uint64_t qmi_read_le64(struct qmi_cursor *c)
{
	const uint8_t *p = qmi_read_bytes(c, 8);

	return p ? qmi_get_le32(p) | (uint64_t)qmi_get_le32(p + 4) << 32 : 0;
}

bool qmi_tlv_u8(struct qmi_tlvs block, uint8_t type, uint8_t *v)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(block, type, &t) || t.len < 1)
		return false;
	*v = t.value[0];
	return true;
}

bool qmi_tlv_le16(struct qmi_tlvs block, uint8_t type, uint16_t *v)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(block, type, &t) || t.len < 2)
		return false;
	*v = qmi_get_le16(t.value);
	return true;
}

bool qmi_tlv_le32(struct qmi_tlvs block, uint8_t type, uint32_t *v)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(block, type, &t) || t.len < 4)
		return false;
	*v = qmi_get_le32(t.value);
	return true;
}

bool qmi_tlv_string(struct qmi_tlvs block, uint8_t type, char *s, size_t size)
{
	struct qmi_tlv t;
	size_t n;

	if (!qmi_tlv_find(block, type, &t))
		return false;
	n = t.len < size - 1 ? t.len : size - 1;
	for (size_t i = 0; i < n; i++)
		s[i] = t.value[i] < 0x20 || t.value[i] > 0x7e ? ' ' : (char)t.value[i];
	while (n && s[n - 1] == ' ')
		n--;
	s[n] = '\0';
	return true;
}

void qmi_buf_init(struct qmi_buf *b)
{
	b->len = 0;
	b->overflow = false;
}

void qmi_put_tlv(struct qmi_buf *b, uint8_t type, const void *value, size_t len)
{
	uint8_t *p = b->data + b->len;

	assert(b->len <= sizeof(b->data));
	if (len > sizeof(b->data) || b->len + TLV_HEADER + len > sizeof(b->data)) {
		b->overflow = true;
		return;
	}
	p[0] = type;
	qmi_put_le16(p + 1, len);
	if (len)
		memcpy(p + TLV_HEADER, value, len);
	b->len += TLV_HEADER + len;
}

void qmi_put_tlv_u8(struct qmi_buf *b, uint8_t type, uint8_t v)
{
	qmi_put_tlv(b, type, &v, sizeof(v));
}

void qmi_put_tlv_le16(struct qmi_buf *b, uint8_t type, uint16_t v)
{
	uint8_t le[2];

	qmi_put_le16(le, v);
	qmi_put_tlv(b, type, le, sizeof(le));
}

void qmi_put_tlv_le32(struct qmi_buf *b, uint8_t type, uint32_t v)
{
	uint8_t le[4];

	qmi_put_le32(le, v);
	qmi_put_tlv(b, type, le, sizeof(le));
}

void qmi_put_tlv_string(struct qmi_buf *b, uint8_t type, const char *s)
{
	qmi_put_tlv(b, type, s, strlen(s));
}
