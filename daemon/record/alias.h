/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stand-ins for IP addresses: the same for the same address throughout a recording, so that packets
 * still belong to the calls whose settings name them. All in network byte order.
 */
#ifndef QMAP_RECORD_ALIAS_H
#define QMAP_RECORD_ALIAS_H

#include <stdint.h>

/* Addresses beyond share the last stand-in. */
#define RECORD_ALIASES 250

struct record_alias {
	unsigned int n4, n6;
	uint8_t v4[RECORD_ALIASES][4], v6[RECORD_ALIASES][16];
};

/*
 * Replaces @addr by 198.18.N.1 (RFC 2544), or 2001:db8:0:N::1 (RFC 3849). The unspecified address
 * stays.
 */
void record_alias4(struct record_alias *a, uint8_t addr[4]);
void record_alias6(struct record_alias *a, uint8_t addr[16]);

#endif
