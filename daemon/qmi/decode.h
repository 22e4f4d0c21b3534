/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bytes of QMI messages mean, for people and programs. */
#ifndef QMAP_QMI_DECODE_H
#define QMAP_QMI_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct json_object;

/*
 * Decodes messages that stand back to back in @buf.
 *
 * @out: new array, one object per message, in every case but -ENOMEM: {offset, length, service,
 * service_id, client_id, type, transaction, message, message_id, tlvs}, responses also {result,
 * error, error_name}. Each of tlvs is {offset, type, name, length, value (hex), fields};
 * "fields" holds the parts of what is known, with "..._name" beside numbers that have one. Names
 * not known are null; a TLV whose value does not fit what it should hold has "malformed".
 *
 * -EBADMSG with a sentence when a message is malformed: the last object of @out is then what could
 * be read of it, with "malformed": {offset, reason, text}; @offset counts from the start of @buf.
 */
int qmi_decode(const uint8_t *buf, size_t len, struct json_object **out, struct error *err);

/* The array as text. */
void qmi_decode_print(FILE *file, struct json_object *messages);

#endif
