/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIM card: a PIN, or none. */
#ifndef MODEM_SIM_H
#define MODEM_SIM_H

#include "modem.h"
#include "qmux.h"

/* As UIM and DMS number them. */
enum pin_state {
	PIN_NOT_VERIFIED = 1,
	PIN_VERIFIED = 2,
	PIN_DISABLED = 3,
	PIN_BLOCKED = 4,
};

#define SIM_PIN_RETRIES 3

enum pin_state sim_pin_state(const struct modem *m);

/* Try a PIN: counts down the retries if it is wrong. */
bool sim_verify(struct modem *m, const char *pin);

/* The same for {which PIN, length, digits} of a request; what is left goes to `out`. */
enum qmi_error sim_verify_message(struct modem *m, const uint8_t *info, uint16_t len,
				  struct qmi_tlvs *out);

/* Everybody who wants to know is told what the card's status is. */
void sim_tell(struct modem *m);

/* Card in or out. */
void sim_insert(struct modem *m, bool in);

/* Serial number of the card that is in: 20 digits and a zero byte. */
void sim_iccid(const struct modem *m, char iccid[21]);

/* May calls be made? */
bool sim_ready(const struct modem *m);

#endif
