// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_power.h"

#include <stdio.h>
#include <string.h>

#include "util/sysfs.h"

bool usb_power_of(const char *device, char *out, size_t size)
{
	const char *slash = strrchr(device, '/');

	if (!slash || slash == device || !sysfs_exists("%s/bInterfaceNumber", device))
		return false;
	snprintf(out, size, "%.*s", (int)(slash - device), device);
	return sysfs_exists("%s/authorized", out);
}

int usb_power_set(const char *usb, bool on)
{
	return sysfs_write(on ? "1" : "0", "%s/authorized", usb);
}
