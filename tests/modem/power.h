/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rebooting. */
#ifndef MODEM_POWER_H
#define MODEM_POWER_H

#include "modem.h"

enum announce {
	ANNOUNCE_BEFORE = 1,
	ANNOUNCE_AFTER = 2
};

/*
 * Lose all clients, calls and settings; say nothing and take nothing for `ms`. CTL SYNC
 * indications before or after that, as the bits of `announce` say.
 */
void power_reboot(struct modem *m, unsigned int ms, unsigned int announce);

/*
 * Off the USB, hence without power: all is lost as in a reboot. 0 or negative errno as of
 * usb_unplug().
 */
int power_unplug(struct modem *m);

/* State as after power-on. */
void power_on(struct modem *m);

#endif
