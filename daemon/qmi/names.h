/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for the numbers in QMI messages: lower case, words joined by underscores, as in JSON. */
#ifndef QMAP_QMI_NAMES_H
#define QMAP_QMI_NAMES_H

#include <stdint.h>

#include "message.h"

/* All return NULL if there is no name. */
const char *qmi_service_name(uint8_t service); /* "WDS" */
const char *qmi_message_name(uint8_t service, uint16_t id);
const char *qmi_error_name(uint16_t error);
const char *qmi_end_name(uint16_t reason);
const char *qmi_end_type_name(uint16_t type);
const char *qmi_end_verbose_name(uint16_t type, uint16_t reason);
/* Name of @value in the enumeration that a TLV's format refers to. */
const char *qmi_enum_name(const char *enumeration, uint32_t value);

const char *qmi_type_name(enum qmi_type type);

/*
 * Name and format of a TLV. The format lists its fields, "name:kind" or "name:kind/enum", separated
 * by blanks; one field without a name is the whole value. Kinds: u8 u16 u32 u64 s8 s16, v4 (address
 * as little-endian integer), mask (netmask, likewise), v6 (16 bytes), str (the rest), str8 and str16
 * (length in so many bits, string), list (count, then one byte each), end (type and reason of a
 * verbose call end reason), raw (the rest, without a meaning that we know). "!" in front of a kind:
 * it identifies a person, a device or a place, or is secret, and no recording has it. "[u8]" or
 * "[u16]" in front of the format: a count, then that many times the fields.
 */
struct qmi_tlv_name {
	uint8_t service;
	uint16_t message;
	uint8_t where; /* QMI_IN_* */
	uint8_t type;
	const char *name;
	const char *format;
};

#define QMI_IN_REQUEST	  (1 << QMI_REQUEST)
#define QMI_IN_RESPONSE	  (1 << QMI_RESPONSE)
#define QMI_IN_INDICATION (1 << QMI_INDICATION)

const struct qmi_tlv_name *qmi_tlv_name(uint8_t service, uint16_t message, enum qmi_type type,
					uint8_t tlv);

#endif
