/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of TLVs by the formats of names.h. */
#ifndef QMAP_QMI_DECODE_VALUE_H
#define QMAP_QMI_DECODE_VALUE_H

#include "tlv.h"

struct json_object;

/*
 * The fields of @t as @format lists them: an object, or an array of objects for a counted list. A
 * single value without a name becomes member "value". False if the value is too short for the
 * format; @out then holds what was read.
 */
bool qmi_decode_value(const char *format, const struct qmi_tlv *t, struct json_object **out);

#endif
