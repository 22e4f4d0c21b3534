/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other parts need of NAS. */
#ifndef MODEM_NAS_H
#define MODEM_NAS_H

#include "modem.h"

/* Registration has changed: Serving System indications to those who registered for them. */
void nas_changed(struct modem *m);

/* So has RSRP: Signal Info indications to those who asked to be told of that much. */
void nas_signal_changed(struct modem *m);

#endif
