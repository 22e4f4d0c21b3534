/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network side: one TUN per PDN in a network namespace, with the addresses of the PDN's gateway
 * and servers, so that real programs answer there.
 */
#ifndef MODEM_NETSIDE_H
#define MODEM_NETSIDE_H

#include "modem.h"

/* Addresses reachable from all PDNs, on lo of the network side. */
#define NETSIDE_SERVER4 "198.51.100.1"
#define NETSIDE_SERVER6 "2001:db8:ffff::1"

/* Creates the TUNs and returns with the thread in its own namespace. 0 or negative errno. */
int netside_new(struct modem *m);
void netside_free(struct modem *m);

/* Passes a packet of the host to the network. */
void netside_send(struct pdn *pdn, const uint8_t *packet, size_t len);

/* Sets the MTU that the host is told and that limits the network side. 0 or negative errno. */
int netside_set_mtu(struct pdn *pdn, uint32_t mtu);

/* After each round: leaves packets in the TUNs while a host on USB is behind. */
void netside_round(struct modem *m);

/* Have all packets from the network side been read? */
bool netside_drained(struct modem *m);

#endif
