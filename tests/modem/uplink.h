/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uplink: transfers from the host, taken apart and judged. */
#ifndef MODEM_UPLINK_H
#define MODEM_UPLINK_H

#include "modem.h"

/* One transfer as read from the trunk; changed in place (checksums). */
void uplink_receive(struct modem *m, uint8_t *buf, size_t len);

/* Commands sent to the host await an answer; this one goes to the next of them. */
void uplink_expect_answer(struct modem *m, uint8_t mux, uint32_t transaction);

#endif
