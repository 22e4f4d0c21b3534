/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device management service: who the modem is. */
#ifndef QMAP_QMI_DMS_H
#define QMAP_QMI_DMS_H

#include "client.h"

#define QMI_DMS_GET_MANUFACTURER 0x0021
#define QMI_DMS_GET_MODEL	 0x0022
#define QMI_DMS_GET_REVISION	 0x0023

/* The one string in the response to any of the three; false if there is none. */
bool qmi_dms_string(const struct qmi_message *m, char *s, size_t size);

#endif
