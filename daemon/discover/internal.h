/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of discovery share. Nobody else includes this. */
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

/* A new, empty entry; NULL (and noted) without memory. Valid until the next one. */
struct modem *discover_add(struct discovery *d);

/* Is @netdev among those found so far? */
bool discover_has_netdev(const struct discovery *d, const char *netdev);

/* A driver that drives nothing but modems, unlike those of Ethernet over USB. */
bool modem_driver_is_sure(const char *driver);

void discover_usb(struct discovery *d);
void discover_pcie(struct discovery *d);

#endif
