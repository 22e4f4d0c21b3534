/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of a TLV's format (names.h). */
#ifndef QMAP_QMI_FIELD_H
#define QMAP_QMI_FIELD_H

#include <stdbool.h>

/* One field: "name:kind/enum". */
struct qmi_field {
	char name[32], kind[8], enumeration[24];
	bool secret; /* "!" in front of the kind */
};

/* Reads the field at @format, which may start with blanks. Returns its end; NULL: no field is left. */
const char *qmi_field_next(const char *format, struct qmi_field *f);

#endif
