// SPDX-License-Identifier: GPL-2.0-or-later
#include "assigned.h"

#include <stddef.h>
#include <string.h>

/* RFC 6890. Networks do assign private and shared addresses (100.64.0.0/10, 192.0.0.0/29). */
static const char *refused_v4(const uint8_t *a)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (a[0] == 0)
		return "unspecified";
	if (a[0] == 127)
		return "loopback";
	if (a[0] >= 224 && a[0] < 240)
		return "multicast";
	return memcmp(a, broadcast, sizeof(broadcast)) ? NULL : "broadcast";
}

/* RFC 4291. A link-local address is valid for a host. */
static const char *refused_v6(const uint8_t *a)
{
	static const uint8_t zero[16], loopback[16] = {[15] = 1},
				       mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!memcmp(a, zero, sizeof(zero)))
		return "unspecified";
	if (!memcmp(a, loopback, sizeof(loopback)))
		return "loopback";
	if (a[0] == 0xff)
		return "multicast";
	return memcmp(a, mapped, sizeof(mapped)) ? NULL : "IPv4-mapped";
}

const char *trunk_address_refused(int family, const uint8_t *address)
{
	return family == 4 ? refused_v4(address) : refused_v6(address);
}
