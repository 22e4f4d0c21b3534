/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMI messages on a stream: the QMUX header (01, length, flags, service, client id), the service's
 * header (flags, transaction, message id, length) and TLVs.
 *
 * Transactions have 8 bits on CTL and 16 bits elsewhere; the flags that distinguish request and
 * response differ between the two as well.
 */
#ifndef QMAP_QMI_MESSAGE_H
#define QMAP_QMI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlv.h"

#define QMI_MARKER	  0x01
#define QMI_FROM_MODEM	  0x80 /* flag of the QMUX header */
#define QMI_CID_BROADCAST 0xff

enum qmi_service {
	QMI_CTL = 0x00,
	QMI_WDS = 0x01,
	QMI_DMS = 0x02,
	QMI_NAS = 0x03,
	QMI_UIM = 0x0b,
	QMI_WDA = 0x1a,
};

enum qmi_type {
	QMI_REQUEST,
	QMI_RESPONSE,
	QMI_INDICATION
};

/* Faults of received bytes: X(symbol, name used in counters and JSON, meaning). */
#define QMI_FAULTS(X)                                                                              \
	X(MARKER, "marker", "message does not begin with 0x01")                                    \
	X(SHORT_LENGTH, "short_length", "QMUX length too small for the headers")                   \
	X(LONG_LENGTH, "long_length", "QMUX length beyond the largest message")                    \
	X(TRUNCATED, "truncated", "message ends before its QMUX length")                           \
	X(TYPE, "type", "flags are neither request nor response nor indication")                   \
	X(TLV_BLOCK, "tlv_block", "length of the TLVs differs from what the message holds")        \
	X(TLV, "tlv", "TLV is cut short")

enum qmi_fault {
#define X(sym, name, text) QMI_FAULT_##sym,
	QMI_FAULTS(X)
#undef X
	QMI_FAULT_MAX
};

const char *qmi_fault_name(enum qmi_fault f);
const char *qmi_fault_text(enum qmi_fault f);

struct qmi_message {
	uint8_t service;
	uint8_t client;
	enum qmi_type type;
	uint16_t transaction;
	uint16_t id;
	struct qmi_tlvs tlvs; /* point into the parsed bytes */
};

/* Position and reason of a malformed message. */
struct qmi_bad {
	enum qmi_fault fault;
	size_t offset;
};

/*
 * Parses the message at @buf. Returns its length; -EAGAIN if @len bytes are only its beginning
 * (@bad then says "truncated", at @len); -EBADMSG with @bad. @m holds the parts parsed until then.
 */
int qmi_message_parse(const uint8_t *buf, size_t len, struct qmi_message *m, struct qmi_bad *bad);

/* Parses a message without QMUX header; @len must be exact, m->service and m->client set. */
int qmi_sdu_parse(const uint8_t *buf, size_t len, struct qmi_message *m, struct qmi_bad *bad);

/* Writes @m with the TLVs of m->tlvs. Returns the length, or -EMSGSIZE beyond @size. */
int qmi_message_write(const struct qmi_message *m, uint8_t *buf, size_t size);

/* Result of a response. */
struct qmi_result {
	uint16_t status; /* 0: success */
	uint16_t error;	 /* protocol error, 0 if there is none */
};

/* Reads the result of a response. -ENOMSG if it has none, or only a part of it. */
int qmi_message_result(const struct qmi_message *m, struct qmi_result *r);

/* Upper bound of headers examined inside malformed bytes of one read. */
#define QMI_STREAM_LOOKS 512

/*
 * Splits a stream into messages. A read may return a part of a message or several. Garbage is
 * skipped up to the next byte that can begin a message from a modem, and its bytes are counted by
 * reason. If a message is cut short and another follows, the following one survives: a whole
 * message from the modem inside an unfinished one, or inside one without a marker behind it, counts
 * as the next message.
 */
struct qmi_stream {
	uint8_t buf[2 * QMI_MAX_MESSAGE];
	size_t len;
	size_t off; /* start of the bytes not handed out yet */
	uint64_t faults[QMI_FAULT_MAX];
	uint64_t skipped; /* in bytes */
	/* A message with valid headers and malformed TLVs is dropped; may be NULL. */
	void (*malformed)(void *arg, const struct qmi_message *m, enum qmi_fault fault);
	void *arg;
	unsigned int looks; /* headers examined since the last read */
};

/* Room for one more read, valid until qmi_stream_filled(). At least QMI_MAX_MESSAGE bytes. */
uint8_t *qmi_stream_room(struct qmi_stream *s, size_t *size);
void qmi_stream_filled(struct qmi_stream *s, size_t len);

/* 1: @m is the next message, valid until the next qmi_stream_room(). 0: it needs more bytes. */
int qmi_stream_next(struct qmi_stream *s, struct qmi_message *m);

#endif
