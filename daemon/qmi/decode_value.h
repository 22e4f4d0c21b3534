/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes values of TLVs by the formats of names.h. */
#ifndef QMAP_QMI_DECODE_VALUE_H
#define QMAP_QMI_DECODE_VALUE_H

#include "tlv.h"

struct json_object;

/*
 * Decodes @t by @format into an object, or into an array of objects for a counted list. A single
 * value without a name becomes member "value". False if the value is too short for the format; @out
 * then holds the fields read so far. @out stays as it is for a value without known fields.
 */
bool qmi_decode_value(const char *format, const struct qmi_tlv *t, struct json_object **out);

#endif
