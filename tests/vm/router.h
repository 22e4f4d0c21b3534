/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router in this thread's network namespace, between a raw-IP netdev "port1" that is there already and a
 * LAN, a veth pair without offloads: lan0 of the router, lan1 of its hosts; with a VLAN lan0.7 and lan1.7.
 *
 * IPv4 of 192.168.0.0/16 is masqueraded as 10.1.0.1, IPv6 of fd00:30b8::/64 becomes 2001:db8::/64; only the
 * LAN opens connections. As a flow table checks neither windows nor checksums, conntrack does not, either.
 */
#ifndef VM_ROUTER_H
#define VM_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#define ROUTER_PUBLIC	0x0a010001 /* 10.1.0.1 */
#define ROUTER_LAN	0xc0a80000 /* 192.168.0.0 */
#define ROUTER_LAN_IPV6 "fd00:30b8::"
#define ROUTER_LAN_MTU	1300

/* The address of lan0. */
extern const uint8_t router_mac[6];

struct router_options {
	bool vlan;
	bool flowtable; /* TCP and UDP */
};

/* Returns a packet socket for whole Ethernet frames of all hosts, or -1. */
int router_up(const struct router_options *o);
/* Gives hosts their hardware addresses, one line of ip-neighbour(8) each. Returns 0 or -1. */
int router_neighbours(const char *lines);
/* Packets that have been forwarded without the flow table; -1: unknown. */
long long router_slow_packets(void);

#endif
