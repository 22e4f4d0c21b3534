/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of WDA that other files use. */
#ifndef MODEM_WDA_H
#define MODEM_WDA_H

#include "modem.h"
#include "qmux.h"

/* Restores the data format after power-on. */
void wda_reset(struct modem *m);

/* Checks the endpoint TLV (type u32, interface u32) of this tag: absent, or the modem's own? */
enum qmi_error wda_check_endpoint(const struct modem *m, const struct qmi_msg *req, uint8_t type);

#endif
