/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LAN of a router: a host behind a veth pair, lan0 of the router and lan1 of the host, and the
 * router's rules of nftables.
 */
#ifndef VM_LAN_H
#define VM_LAN_H

#include "vm_generator.h"

struct cell;

/* The router's netdev: lan0, or its VLAN. */
const char *lan_netdev(const struct bench_case *c);
/* Creates the veth pair. Without a data path, packets of the host end at lan0. */
void lan_up(struct cell *cell);
void lan_down(void);

/* Packets of the host, which answer those of the modem. */
struct lan {
	struct cell *cell;
	int sock; /* packet socket on lan1 */
	struct bench_case load;
	struct generator g;
	unsigned long long sent, arrived; /* packets; those that the modem has read */
};

/*
 * Loads the rules and opens the connections of the case's flows from the host, through the router,
 * to the modem: downlink packets continue at sequence number 1001 and acknowledge 1.
 */
void lan_open(struct lan *lan, struct cell *cell);
void lan_close(struct lan *lan);
/* Sends the host's packets for one aggregate of the modem, and reads those that the modem gets. */
void lan_answer(struct lan *lan);
/* Reads the packets that are still on their way to the modem. Returns the number of packets that do not arrive. */
unsigned long long lan_lost(struct lan *lan);

#endif
