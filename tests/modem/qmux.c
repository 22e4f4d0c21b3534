// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmux.h"
#include "util.h"

#include <stdlib.h>
#include <strings.h>

#define QMUX_HEADER 6
#define SDU_CTL	    6
#define SDU_SERVICE 7

static const struct {
	uint8_t id;
	const char *name;
} service_names[] = {
	{QMI_SERVICE_CTL, "ctl"}, {QMI_SERVICE_WDS, "wds"}, {QMI_SERVICE_DMS, "dms"},
	{QMI_SERVICE_NAS, "nas"}, {QMI_SERVICE_UIM, "uim"}, {QMI_SERVICE_WDA, "wda"},
};

const char *service_name(uint8_t service)
{
	for (size_t i = 0; i < ARRAY_SIZE(service_names); i++)
		if (service_names[i].id == service)
			return service_names[i].name;
	return NULL;
}

int qmi_service_from_name(const char *name)
{
	char *end;
	long v;

	for (size_t i = 0; i < ARRAY_SIZE(service_names); i++)
		if (!strcasecmp(service_names[i].name, name))
			return service_names[i].id;
	v = strtol(name, &end, 0);
	return end == name || *end || v < 0 || v > 255 ? -1 : (int)v;
}

int qmux_length(const uint8_t *buf, size_t len)
{
	size_t total;

	if (!len)
		return 0;
	if (buf[0] != QMUX_MARKER)
		return -1;
	if (len < 3)
		return 0;
	total = (size_t)get_le16(buf + 1) + 1;
	if (total < QMUX_HEADER || total > QMUX_MAX)
		return -1;
	return len < total ? 0 : (int)total;
}

static int parse_kind(uint8_t flags, bool ctl, enum qmi_kind *kind)
{
	switch (ctl ? flags << 1 : flags) {
	case 0:
		*kind = QMI_REQUEST;
		return 0;
	case 2:
		*kind = QMI_RESPONSE;
		return 0;
	case 4:
		*kind = QMI_INDICATION;
		return 0;
	}
	return -1;
}

int qmux_parse(const uint8_t *buf, size_t len, struct qmi_msg *msg)
{
	const uint8_t *sdu = buf + QMUX_HEADER;
	size_t head, sdu_len;
	bool ctl;

	if (len < QMUX_HEADER)
		return -1;
	msg->service = buf[4];
	msg->client = buf[5];
	ctl = msg->service == QMI_SERVICE_CTL;
	head = ctl ? SDU_CTL : SDU_SERVICE;
	sdu_len = len - QMUX_HEADER;
	if (sdu_len < head || parse_kind(sdu[0], ctl, &msg->kind))
		return -1;
	msg->transaction = ctl ? sdu[1] : get_le16(sdu + 1);
	msg->id = get_le16(sdu + head - 4);
	msg->tlv_len = get_le16(sdu + head - 2);
	msg->tlvs = sdu + head;
	return msg->tlv_len == sdu_len - head ? 0 : -1;
}

bool qmi_tlvs_whole(const struct qmi_msg *msg)
{
	size_t left = msg->tlv_len;
	const uint8_t *p = msg->tlvs;

	while (left) {
		size_t n;

		if (left < 3)
			return false;
		n = 3 + (size_t)get_le16(p + 1);
		if (n > left)
			return false;
		p += n;
		left -= n;
	}
	return true;
}

const uint8_t *qmi_find(const struct qmi_msg *msg, uint8_t type, uint16_t *len)
{
	size_t left = msg->tlv_len;
	const uint8_t *p = msg->tlvs;

	while (left >= 3) {
		size_t n = 3 + (size_t)get_le16(p + 1);

		if (n > left)
			return NULL;
		if (p[0] == type) {
			*len = n - 3;
			return p + 3;
		}
		p += n;
		left -= n;
	}
	return NULL;
}

static enum qmi_error find_sized(const struct qmi_msg *msg, uint8_t type, uint16_t size,
				 const uint8_t **value)
{
	uint16_t len;

	*value = qmi_find(msg, type, &len);
	if (!*value)
		return QMI_MISSING_ARG;
	return len == size ? QMI_OK : QMI_MALFORMED;
}

enum qmi_error qmi_get_u8(const struct qmi_msg *msg, uint8_t type, uint8_t *value)
{
	const uint8_t *p;
	enum qmi_error err = find_sized(msg, type, 1, &p);

	if (!err)
		*value = *p;
	return err;
}

enum qmi_error qmi_get_u16(const struct qmi_msg *msg, uint8_t type, uint16_t *value)
{
	const uint8_t *p;
	enum qmi_error err = find_sized(msg, type, 2, &p);

	if (!err)
		*value = get_le16(p);
	return err;
}

enum qmi_error qmi_get_u32(const struct qmi_msg *msg, uint8_t type, uint32_t *value)
{
	const uint8_t *p;
	enum qmi_error err = find_sized(msg, type, 4, &p);

	if (!err)
		*value = get_le32(p);
	return err;
}

void qmi_put(struct qmi_tlvs *tlvs, uint8_t type, const void *value, size_t len)
{
	if (tlvs->len + 3 + len > sizeof(tlvs->data)) {
		tlvs->overflow = true;
		return;
	}
	tlvs->data[tlvs->len] = type;
	put_le16(tlvs->data + tlvs->len + 1, len);
	memcpy(tlvs->data + tlvs->len + 3, value, len);
	tlvs->len += 3 + len;
}

void qmi_put_u8(struct qmi_tlvs *tlvs, uint8_t type, uint8_t value)
{
	qmi_put(tlvs, type, &value, sizeof(value));
}

void qmi_put_u16(struct qmi_tlvs *tlvs, uint8_t type, uint16_t value)
{
	value = htole16(value);
	qmi_put(tlvs, type, &value, sizeof(value));
}

void qmi_put_u32(struct qmi_tlvs *tlvs, uint8_t type, uint32_t value)
{
	value = htole32(value);
	qmi_put(tlvs, type, &value, sizeof(value));
}

void qmi_put_u64(struct qmi_tlvs *tlvs, uint8_t type, uint64_t value)
{
	value = htole64(value);
	qmi_put(tlvs, type, &value, sizeof(value));
}

void qmi_put_string(struct qmi_tlvs *tlvs, uint8_t type, const char *text)
{
	qmi_put(tlvs, type, text, strlen(text));
}

void qmi_put_result(struct qmi_tlvs *tlvs, enum qmi_error error)
{
	uint8_t value[4];

	put_le16(value, error != QMI_OK);
	put_le16(value + 2, error);
	qmi_put(tlvs, 0x02, value, sizeof(value));
}

size_t qmux_build(uint8_t *buf, const struct qmi_msg *head, const struct qmi_tlvs *first,
		  const struct qmi_tlvs *second)
{
	bool ctl = head->service == QMI_SERVICE_CTL;
	size_t sdu = ctl ? SDU_CTL : SDU_SERVICE, tlvs = first->len + second->len;
	size_t len = QMUX_HEADER + sdu + tlvs;
	uint8_t *p = buf + QMUX_HEADER;

	buf[0] = QMUX_MARKER;
	put_le16(buf + 1, len - 1);
	buf[3] = 0x80;
	buf[4] = head->service;
	buf[5] = head->client;
	p[0] = ctl ? head->kind : head->kind << 1;
	if (ctl)
		p[1] = head->transaction;
	else
		put_le16(p + 1, head->transaction);
	put_le16(p + sdu - 4, head->id);
	put_le16(p + sdu - 2, tlvs);
	memcpy(p + sdu, first->data, first->len);
	memcpy(p + sdu + first->len, second->data, second->len);
	return len;
}
