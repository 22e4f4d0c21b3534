/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device management service: who the modem is; the SIM's PIN where there is no UIM service. */
#ifndef QMAP_QMI_DMS_H
#define QMAP_QMI_DMS_H

#include "client.h"
#include "uim.h"

#define QMI_DMS_GET_MANUFACTURER 0x0021
#define QMI_DMS_GET_MODEL	 0x0022
#define QMI_DMS_GET_REVISION	 0x0023
#define QMI_DMS_VERIFY_PIN	 0x0028
#define QMI_DMS_GET_PIN_STATUS	 0x002b
#define QMI_DMS_GET_ICCID	 0x003c

/* The one string in the response to any of these, and Get ICCID; false if there is none. */
bool qmi_dms_string(const struct qmi_message *m, char *s, size_t size);

void qmi_dms_get_pin_status(struct qmi_request *r);
void qmi_dms_verify_pin(struct qmi_request *r, const char *pin);

/* What Get PIN Status tells of PIN 1; false: nothing. */
bool qmi_dms_pin_status(const struct qmi_message *m, struct qmi_sim *sim);

#endif
