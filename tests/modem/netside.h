/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network side: one TUN per PDN in a network namespace, with the addresses that the PDN's
 * gateway and servers have, so that real programs answer there.
 */
#ifndef MODEM_NETSIDE_H
#define MODEM_NETSIDE_H

#include "modem.h"

/* Addresses that all PDNs reach, on lo of the network side. */
#define NETSIDE_SERVER4 "198.51.100.1"
#define NETSIDE_SERVER6 "2001:db8:ffff::1"

/* Create the TUNs; the calling thread is back in its namespace afterwards. 0 or negative errno. */
int netside_new(struct modem *m);
void netside_free(struct modem *m);

/* A packet of the host's to the network. */
void netside_send(struct pdn *pdn, const uint8_t *packet, size_t len);

/* What the host is told and the network side sends at most: 0 or negative errno. */
int netside_set_mtu(struct pdn *pdn, uint32_t mtu);

/* Was everything read that the network side had? */
bool netside_drained(struct modem *m);

#endif
