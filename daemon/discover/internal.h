/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of discover/ only. */
#ifndef QMAP_DISCOVER_INTERNAL_H
#define QMAP_DISCOVER_INTERNAL_H

#include "discover.h"
#include "util/sysfs.h"

struct discovery {
	const char *sysfs;
	struct modem *list;
	size_t n;
	bool out_of_memory;
};

/*
 * Appends an empty entry, valid until the next call. Without memory it notes the error and returns
 * NULL.
 */
struct modem *discover_add(struct discovery *d);

/* Has discovery found @netdev already? */
bool discover_has_netdev(const struct discovery *d, const char *netdev);

/* Does the driver bind to modems only, unlike the drivers of Ethernet over USB? */
bool modem_driver_is_sure(const char *driver);

void discover_usb(struct discovery *d);
void discover_pcie(struct discovery *d);

#endif
