/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internet checksums of IP packets (RFC 1071), in memory order: stored without conversion. */
#ifndef MODEM_CHECKSUM_H
#define MODEM_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ones' complement sum of `len` bytes added to `sum`, folded to 16 bits, not complemented. */
uint16_t checksum_add(uint16_t sum, const void *data, size_t len);

/* The part of a packet that the transport checksum covers. */
struct transport {
	bool checked; /* TCP or UDP, complete (no fragment, no v6 extension header) */
	uint8_t protocol;
	size_t offset;	 /* of the transport header */
	size_t len;	 /* of header and payload */
	size_t field;	 /* offset of the checksum field from the packet's start */
	uint16_t pseudo; /* sum of the pseudo header */
	bool none;	 /* UDP over IPv4 without a checksum */
};

/* `packet` is an IP packet whose IP length is `len`. */
struct transport checksum_transport(const uint8_t *packet, size_t len);

/*
 * Are the IPv4 header's and the transport checksum right? `t` describes the same packet,
 * t->checked.
 */
bool checksum_good(const uint8_t *packet, const struct transport *t);

/* Fills in the transport checksum. */
void checksum_fill(uint8_t *packet, const struct transport *t);

#endif
