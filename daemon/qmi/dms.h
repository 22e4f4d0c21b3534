/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device management service: identity of the modem; the SIM's PIN on modems without UIM service. */
#ifndef QMAP_QMI_DMS_H
#define QMAP_QMI_DMS_H

#include "client.h"
#include "uim.h"

#define QMI_DMS_EVENT_REPORT	   0x0001 /* Set Event Report; also the indication */
#define QMI_DMS_GET_MANUFACTURER   0x0021
#define QMI_DMS_GET_MODEL	   0x0022
#define QMI_DMS_GET_REVISION	   0x0023
#define QMI_DMS_VERIFY_PIN	   0x0028
#define QMI_DMS_GET_PIN_STATUS	   0x002b
#define QMI_DMS_GET_OPERATING_MODE 0x002d
#define QMI_DMS_SET_OPERATING_MODE 0x002e
#define QMI_DMS_GET_ICCID	   0x003c

enum qmi_dms_mode {
	QMI_DMS_ONLINE = 0,
	QMI_DMS_LOW_POWER = 1,
	QMI_DMS_FACTORY_TEST = 2,
	QMI_DMS_OFFLINE = 3,
	QMI_DMS_RESET = 4,
	QMI_DMS_SHUTTING_DOWN = 5,
	QMI_DMS_PERSISTENT_LOW_POWER = 6,
	QMI_DMS_MODE_ONLY_LOW_POWER = 7,
};

/* Reads the one string in the response to any of these and to Get ICCID; false if there is none. */
bool qmi_dms_string(const struct qmi_message *m, char *s, size_t size);

void qmi_dms_verify_pin(struct qmi_request *r, const char *pin);

/* The radio: subscribe to its operating mode, read it, set it. */
void qmi_dms_register_mode(struct qmi_request *r);
void qmi_dms_set_operating_mode(struct qmi_request *r, enum qmi_dms_mode mode);
/*
 * Reads the response to Get Operating Mode, or Event Report. @hardware: a switch keeps the radio
 * off (unchanged if @m does not contain it). False: @m has no mode.
 */
bool qmi_dms_operating_mode(const struct qmi_message *m, uint8_t *mode, bool *hardware);

/* Reads the state of PIN 1 from Get PIN Status; false: it is missing. */
bool qmi_dms_pin_status(const struct qmi_message *m, struct qmi_sim *sim);

#endif
