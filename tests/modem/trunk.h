/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trunk: the netdev that stands for the modem's USB data interface. */
#ifndef MODEM_TRUNK_H
#define MODEM_TRUNK_H

#include "modem.h"

/*
 * Creates the trunk in the current network namespace. Injection is linear if the options request it
 * and the kernel supports it; else by TUN write, with a message. 0 or negative errno.
 */
int trunk_new(struct modem *m);
void trunk_free(struct modem *m);

/* The way of injection in use: "linear", "tun" or "usb". */
const char *trunk_kind(const struct modem *m);

/* Takes what the host sends, or leaves it in the netdev's queue. */
void trunk_take_uplink(struct modem *m, bool on);

/* Sends one transfer of this protocol (host byte order) to the host. Counts losses. */
void trunk_send(struct modem *m, uint16_t protocol, const uint8_t *buf, size_t len);

#endif
