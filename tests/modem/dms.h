/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The radio, as DMS has it. */
#ifndef MODEM_DMS_H
#define MODEM_DMS_H

#include "modem.h"

/* As DMS numbers them. */
enum operating_mode {
	MODE_ONLINE = 0,
	MODE_LOW_POWER = 1,
	MODE_OFFLINE = 3,
	MODE_RESET = 4,
	MODE_PERSISTENT_LOW_POWER = 6,
};

/* Calls end in all modes but online; whoever wants to know is told. */
void dms_set_mode(struct modem *m, uint8_t mode);

#endif
