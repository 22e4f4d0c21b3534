/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIM card, with or without a PIN. */
#ifndef MODEM_SIM_H
#define MODEM_SIM_H

#include "modem.h"
#include "qmux.h"

/* Numbers of UIM and DMS. */
enum pin_state {
	PIN_NOT_VERIFIED = 1,
	PIN_VERIFIED = 2,
	PIN_DISABLED = 3,
	PIN_BLOCKED = 4,
};

#define SIM_PIN_RETRIES 3

enum pin_state sim_pin_state(const struct modem *m);

/* Verifies a PIN; a wrong one costs a retry. */
bool sim_verify(struct modem *m, const char *pin);

/* The same for {PIN number, length, digits} of a request; `out` gets the retries left. */
enum qmi_error sim_verify_message(struct modem *m, const uint8_t *info, uint16_t len,
				  struct qmi_tlvs *out);

/* Sends the card's status to subscribers. */
void sim_tell(struct modem *m);

/* Inserts or removes the card. */
void sim_insert(struct modem *m, bool in);

/* Serial number of the inserted card: 20 digits and a zero byte. */
void sim_serial(const struct modem *m, char iccid[21]);

/* May calls be made? */
bool sim_ready(const struct modem *m);

#endif
