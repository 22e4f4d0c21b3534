/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMI messages in QMUX framing, as they cross cdc-wdm.
 *
 *   01 | length LE16 (all but the 01) | flags (80: from the modem) | service | client | SDU
 *   SDU, service 0: flags u8 (0 request, 1 response, 2 indication), transaction u8, id, length
 *   SDU, others:    flags u8 (0, 2, 4 likewise), transaction LE16, id LE16, length LE16
 *   then TLVs:      type u8, length LE16, value
 */
#ifndef MODEM_QMUX_H
#define MODEM_QMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QMUX_MARKER 0x01
#define QMUX_MAX    4096 /* bytes: the buffer of cdc-wdm (kernel qmi_wwan.c) */

#define QMI_SERVICE_CTL 0x00
#define QMI_SERVICE_WDS 0x01
#define QMI_SERVICE_DMS 0x02
#define QMI_SERVICE_NAS 0x03
#define QMI_SERVICE_UIM 0x0b
#define QMI_SERVICE_WDA 0x1a

enum qmi_error {
	QMI_OK = 0,
	QMI_MALFORMED = 1,
	QMI_INTERNAL = 3,
	QMI_CLIENTS_EXHAUSTED = 5,
	QMI_INVALID_CLIENT = 7,
	QMI_INVALID_HANDLE = 9,
	QMI_INVALID_PROFILE = 10,
	QMI_INCORRECT_PIN = 12,
	QMI_CALL_FAILED = 14,
	QMI_OUT_OF_CALL = 15,
	QMI_MISSING_ARG = 17,
	QMI_NO_EFFECT = 26,
	QMI_INVALID_SERVICE = 31,
	QMI_PIN_BLOCKED = 35,
	QMI_UIM_UNINITIALIZED = 37,
	QMI_INTERFACE_NOT_FOUND = 43,
	QMI_INVALID_ARG = 48,
	QMI_INVALID_COMMAND = 71,
	QMI_SIM_FILE_NOT_FOUND = 80,
	QMI_HARDWARE_RESTRICTED = 83,
	QMI_INCOMPATIBLE_STATE = 90,
	QMI_NOT_SUPPORTED = 94,
};

enum qmi_kind {
	QMI_REQUEST,
	QMI_RESPONSE,
	QMI_INDICATION
};

/* A received message; points into the parsed buffer. */
struct qmi_msg {
	uint8_t service;
	uint8_t client;
	enum qmi_kind kind;
	uint16_t transaction;
	uint16_t id;
	const uint8_t *tlvs;
	size_t tlv_len;
};

/* TLVs under construction; one that does not fit is dropped and sets `overflow`. */
struct qmi_tlvs {
	uint8_t data[2048];
	size_t len;
	bool overflow;
};

/*
 * Length of the message at the start of `buf`: bytes, 0 if incomplete, -1 if no QMUX message starts
 * here.
 */
int qmux_length(const uint8_t *buf, size_t len);

/* Parses a complete message. Returns 0, or -1 if its lengths contradict each other. */
int qmux_parse(const uint8_t *buf, size_t len, struct qmi_msg *msg);

/* Is the chain of TLVs complete? */
bool qmi_tlvs_whole(const struct qmi_msg *msg);

/* Finds the first TLV of this type. Returns its value, or NULL. */
const uint8_t *qmi_find(const struct qmi_msg *msg, uint8_t type, uint16_t *len);

/*
 * Read integer TLVs. QMI_OK; QMI_MISSING_ARG if absent (*value unchanged); QMI_MALFORMED if of
 * another size.
 */
enum qmi_error qmi_get_u8(const struct qmi_msg *msg, uint8_t type, uint8_t *value);
enum qmi_error qmi_get_u16(const struct qmi_msg *msg, uint8_t type, uint16_t *value);
enum qmi_error qmi_get_u32(const struct qmi_msg *msg, uint8_t type, uint32_t *value);

void qmi_put(struct qmi_tlvs *tlvs, uint8_t type, const void *value, size_t len);
void qmi_put_u8(struct qmi_tlvs *tlvs, uint8_t type, uint8_t value);
void qmi_put_u16(struct qmi_tlvs *tlvs, uint8_t type, uint16_t value);
void qmi_put_u32(struct qmi_tlvs *tlvs, uint8_t type, uint32_t value);
void qmi_put_u64(struct qmi_tlvs *tlvs, uint8_t type, uint64_t value);
void qmi_put_string(struct qmi_tlvs *tlvs, uint8_t type, const char *text);
void qmi_put_result(struct qmi_tlvs *tlvs, enum qmi_error error);

/* Writes a message from the modem into `buf` (QMUX_MAX bytes). Returns its length. */
size_t qmux_build(uint8_t *buf, const struct qmi_msg *head, const struct qmi_tlvs *first,
		  const struct qmi_tlvs *second);

const char *service_name(uint8_t service);
int qmi_service_from_name(const char *name);

#endif
