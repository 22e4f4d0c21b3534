/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of NAS that other files use. */
#ifndef MODEM_NAS_H
#define MODEM_NAS_H

#include "modem.h"

/* Registration has changed: sends Serving System indications to subscribers. */
void nas_changed(struct modem *m);

/* RSRP has changed: sends Signal Info indications to clients that subscribed to such a change. */
void nas_signal_changed(struct modem *m);

#endif
