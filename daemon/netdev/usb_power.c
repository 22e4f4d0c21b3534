// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_power.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	char path[PATH_MAX];
	ssize_t n;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/authorized", usb);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, on ? "1" : "0", 1);
	ret = n == 1 ? 0 : -errno;
	close(fd);
	return ret;
}
