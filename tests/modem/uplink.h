/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uplink: splits transfers from the host and checks them. */
#ifndef MODEM_UPLINK_H
#define MODEM_UPLINK_H

#include "modem.h"

/* Handles one transfer from the trunk; modifies it (checksums). */
void uplink_receive(struct modem *m, uint8_t *buf, size_t len);

/* The modem has sent a command to the host: registers the answer that it expects. */
void uplink_expect_answer(struct modem *m, uint8_t mux, uint32_t transaction);

#endif
