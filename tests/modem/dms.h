/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The radio's operating mode. */
#ifndef MODEM_DMS_H
#define MODEM_DMS_H

#include "modem.h"

/* Numbers of DMS. */
enum operating_mode {
	MODE_ONLINE = 0,
	MODE_LOW_POWER = 1,
	MODE_OFFLINE = 3,
	MODE_RESET = 4,
	MODE_PERSISTENT_LOW_POWER = 6,
};

/* Sets the mode and sends indications to subscribers; calls end in all modes but online. */
void dms_set_mode(struct modem *m, uint8_t mode);

#endif
