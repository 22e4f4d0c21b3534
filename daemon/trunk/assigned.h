/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that a network may assign to a port. */
#ifndef QMAP_TRUNK_ASSIGNED_H
#define QMAP_TRUNK_ASSIGNED_H

#include <stdint.h>

/*
 * Why a host on a link cannot have address @address (network byte order) of @family (4 or 6):
 * "loopback", "multicast", ...; NULL: it can.
 */
const char *trunk_address_refused(int family, const uint8_t *address);

#endif
