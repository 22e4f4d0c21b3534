// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include <errno.h>
#include <string.h>

#define QMUX_HEADER    6 /* marker, length (2), flags, service, client id */
#define CTL_HEADER     6 /* flags, transaction (1), message id (2), length (2) */
#define SERVICE_HEADER 7 /* flags, transaction (2), message id (2), length (2) */

static const struct {
	const char *name, *text;
} faults[] = {
#define X(sym, name, text) [QMI_FAULT_##sym] = {name, text},
	QMI_FAULTS(X)
#undef X
};

const char *qmi_fault_name(enum qmi_fault f)
{
	return faults[f].name;
}

const char *qmi_fault_text(enum qmi_fault f)
{
	return faults[f].text;
}

static int broken(struct qmi_bad *bad, enum qmi_fault fault, size_t offset)
{
	bad->fault = fault;
	bad->offset = offset;
	return -EBADMSG;
}

/* CTL counts 0, 1, 2; services use bit 1 for responses and bit 2 for indications. */
static int type_of(uint8_t service, uint8_t flags)
{
	static const int8_t ctl[] = {QMI_REQUEST, QMI_RESPONSE, QMI_INDICATION};
	static const int8_t other[] = {QMI_REQUEST, -1, QMI_RESPONSE, -1, QMI_INDICATION};

	if (service == QMI_CTL)
		return flags < sizeof(ctl) ? ctl[flags] : -1;
	return flags < sizeof(other) ? other[flags] : -1;
}

static size_t sdu_header(uint8_t service)
{
	return service == QMI_CTL ? CTL_HEADER : SERVICE_HEADER;
}

static int tlvs_check(struct qmi_tlvs tlvs, size_t at, struct qmi_bad *bad)
{
	struct qmi_tlv t;
	int r;

	while ((r = qmi_tlv_next(&tlvs, &t)) > 0)
		;
	return r ? broken(bad, QMI_FAULT_TLV, at + tlvs.off) : 0;
}

int qmi_sdu_parse(const uint8_t *buf, size_t len, struct qmi_message *m, struct qmi_bad *bad)
{
	size_t header = sdu_header(m->service);
	const uint8_t *p = buf + header - 4;
	int type;

	if (len < header)
		return broken(bad, QMI_FAULT_TRUNCATED, len);
	type = type_of(m->service, buf[0]);
	if (type < 0)
		return broken(bad, QMI_FAULT_TYPE, 0);
	m->type = type;
	m->transaction = m->service == QMI_CTL ? buf[1] : qmi_get_le16(buf + 1);
	m->id = qmi_get_le16(p);
	m->tlvs = (struct qmi_tlvs){.data = buf + header, .len = len - header};
	if (qmi_get_le16(p + 2) != len - header)
		return broken(bad, QMI_FAULT_TLV_BLOCK, header - 2);
	return tlvs_check(m->tlvs, header, bad);
}

/* Parses the QMUX header. Returns the length of the message. */
static int qmux_parse(const uint8_t *buf, size_t len, struct qmi_message *m, struct qmi_bad *bad)
{
	size_t total;

	if (len >= 1 && buf[0] != QMI_MARKER)
		return broken(bad, QMI_FAULT_MARKER, 0);
	if (len < QMUX_HEADER) {
		broken(bad, QMI_FAULT_TRUNCATED, len);
		return -EAGAIN;
	}
	m->service = buf[4];
	m->client = buf[5];
	total = qmi_get_le16(buf + 1) + 1; /* the length does not count the marker */
	if (total < QMUX_HEADER + sdu_header(m->service))
		return broken(bad, QMI_FAULT_SHORT_LENGTH, 1);
	if (total > QMI_MAX_MESSAGE)
		return broken(bad, QMI_FAULT_LONG_LENGTH, 1);
	return total;
}

int qmi_message_parse(const uint8_t *buf, size_t len, struct qmi_message *m, struct qmi_bad *bad)
{
	int total, r;

	memset(m, 0, sizeof(*m));
	total = qmux_parse(buf, len, m, bad);
	if (total < 0)
		return total;
	if ((size_t)total > len) {
		qmi_sdu_parse(buf + QMUX_HEADER, len - QMUX_HEADER, m, bad);
		broken(bad, QMI_FAULT_TRUNCATED, len);
		return -EAGAIN;
	}
	r = qmi_sdu_parse(buf + QMUX_HEADER, total - QMUX_HEADER, m, bad);
	if (r < 0) {
		bad->offset += QMUX_HEADER;
		return r;
	}
	return total;
}

int qmi_message_write(const struct qmi_message *m, uint8_t *buf, size_t size)
{
	size_t header = sdu_header(m->service);
	size_t total = QMUX_HEADER + header + m->tlvs.len;
	uint8_t *sdu = buf + QMUX_HEADER;

	if (total > size || total > QMI_MAX_MESSAGE)
		return -EMSGSIZE;
	buf[0] = QMI_MARKER;
	qmi_put_le16(buf + 1, total - 1);
	buf[3] = m->type == QMI_REQUEST ? 0 : QMI_FROM_MODEM;
	buf[4] = m->service;
	buf[5] = m->client;
	sdu[0] = m->service == QMI_CTL ? m->type : m->type * 2;
	if (m->service == QMI_CTL)
		sdu[1] = m->transaction;
	else
		qmi_put_le16(sdu + 1, m->transaction);
	qmi_put_le16(sdu + header - 4, m->id);
	qmi_put_le16(sdu + header - 2, m->tlvs.len);
	if (m->tlvs.len)
		memcpy(sdu + header, m->tlvs.data, m->tlvs.len);
	return total;
}

int qmi_message_result(const struct qmi_message *m, struct qmi_result *r)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, QMI_TLV_RESULT, &t) || t.len < 4)
		return -ENOMSG;
	r->status = qmi_get_le16(t.value);
	r->error = qmi_get_le16(t.value + 2);
	return 0;
}
