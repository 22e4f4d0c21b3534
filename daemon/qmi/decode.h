/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explains the bytes of QMI messages, for people and programs. */
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
 * @out: new array, one object per message, for every result but -ENOMEM: {offset, length, service,
 * service_id, client_id, type, transaction, message, message_id, tlvs}, responses also {result,
 * error, error_name}. Each of tlvs is {offset, type, name, length, value (hex), fields}; "fields"
 * holds the decoded parts, with "..._name" beside numbers that have one. Unknown names are null; a
 * TLV whose value does not fit its format has "malformed".
 *
 * -EBADMSG with a sentence when a message is malformed. The last object of @out then holds the
 * readable part of it, with "malformed": {offset, reason, text}; @offset counts from the start of
 * @buf.
 */
int qmi_decode(const uint8_t *buf, size_t len, struct json_object **out, struct error *err);

/* Prints the array as text. */
void qmi_decode_print(FILE *file, struct json_object *messages);

#endif
