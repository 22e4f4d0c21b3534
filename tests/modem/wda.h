/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other parts need of WDA. */
#ifndef MODEM_WDA_H
#define MODEM_WDA_H

#include "modem.h"
#include "qmux.h"

/* The data format as after power-on. */
void wda_reset(struct modem *m);

/* Endpoint TLV (type u32, interface u32) of this tag: absent, or the modem's own? */
enum qmi_error wda_check_endpoint(const struct modem *m, const struct qmi_msg *req, uint8_t type);

#endif
