/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIM card: a PIN, or none. */
#ifndef MODEM_SIM_H
#define MODEM_SIM_H

#include "modem.h"

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

/* May calls be made? */
bool sim_ready(const struct modem *m);

#endif
