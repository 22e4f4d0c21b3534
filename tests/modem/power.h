/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reboot and unplugging. */
#ifndef MODEM_POWER_H
#define MODEM_POWER_H

#include "modem.h"

enum announce {
	ANNOUNCE_BEFORE = 1,
	ANNOUNCE_AFTER = 2
};

/*
 * Loses all clients, calls and settings, and neither sends nor receives for `ms`. Sends CTL SYNC
 * indications before or after that, by the bits of `announce`.
 */
void power_reboot(struct modem *m, unsigned int ms, unsigned int announce);

/*
 * Unplugs the modem from USB, and so from power: all state is lost as in a reboot. 0 or negative
 * errno of usb_unplug().
 */
int power_unplug(struct modem *m);

/* Sets the state after power-on. */
void power_on(struct modem *m);

#endif
