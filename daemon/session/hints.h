/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice for reasons that a user can act on. */
#ifndef QMAP_SESSION_HINTS_H
#define QMAP_SESSION_HINTS_H

#include "session.h"

/* By the network's reason, else by the modem's error. NULL: no advice. */
const char *hint_for_end(const struct call_end *end);
/* By the modem's error alone; 0: none. */
const char *hint_for_error(uint16_t qmi_error);

#endif
