/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User identity module service: the SIM and its PIN. */
#ifndef QMAP_QMI_UIM_H
#define QMAP_QMI_UIM_H

#include "client.h"

#define QMI_UIM_READ_TRANSPARENT 0x0020
#define QMI_UIM_VERIFY_PIN	 0x0026
#define QMI_UIM_REGISTER_EVENTS	 0x002e
#define QMI_UIM_GET_CARD_STATUS	 0x002f
#define QMI_UIM_CARD_STATUS	 0x0032 /* indication */

/* State of a SIM as far as it matters for dialling. */
enum qmi_sim_state {
	QMI_SIM_UNKNOWN, /* the modem does not report it */
	QMI_SIM_ABSENT,
	QMI_SIM_ERROR, /* it cannot be read */
	QMI_SIM_INITIALISING,
	QMI_SIM_PIN,	 /* it requires PIN 1 */
	QMI_SIM_PUK,	 /* PIN 1 is blocked */
	QMI_SIM_BLOCKED, /* permanently: the PUK was wrong ten times */
	QMI_SIM_LOCKED,	 /* locked to another network (personalisation) */
	QMI_SIM_REFUSED, /* the network does not accept it */
	QMI_SIM_READY,
	QMI_SIM_STATES
};

struct qmi_sim {
	enum qmi_sim_state state;
	unsigned int pin_retries; /* attempts left; 0: none, or unknown */
	unsigned int puk_retries;
	enum qmi_sim_lack {
		QMI_SIM_LACKS_NOTHING,
		QMI_SIM_LACKS_APPLICATION, /* an eSIM without an enabled profile */
		QMI_SIM_LACKS_SESSION,	   /* no provisioning session */
	} lacks;			   /* in QMI_SIM_INITIALISING: possible cause */
};

/* Subscribes to indications of the card's status. */
void qmi_uim_register_events(struct qmi_request *r);
/* Verifies PIN 1 of the SIM used for data calls. */
void qmi_uim_verify_pin(struct qmi_request *r, const char *pin);

/*
 * Reads from a response or indication the state of the SIM used for data calls (primary GW). False:
 * it is missing or malformed.
 */
bool qmi_uim_card_status(const struct qmi_message *m, struct qmi_sim *sim);

/* Reads the attempts left after a wrong PIN from the response to UIM's or DMS's Verify PIN. */
bool qmi_uim_retries(const struct qmi_message *m, unsigned int *pin, unsigned int *puk);

/* Serial number of a SIM (ITU-T E.118), up to 20 digits. */
#define QMI_ICCID_SIZE 21

/* Reads the file with the serial number; allowed before the PIN is entered. */
void qmi_uim_read_iccid(struct qmi_request *r);
/* Reads the response; false: it contains no digits. */
bool qmi_uim_iccid(const struct qmi_message *m, char iccid[QMI_ICCID_SIZE]);

/* Returns "ready", "pin-required", ... */
const char *qmi_sim_name(enum qmi_sim_state state);

#endif
