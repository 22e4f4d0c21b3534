// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Only devices are examined: any other path may lie on a file system that does not answer. */
static bool is_device(const char *path, dev_t *rdev)
{
	struct stat st;

	if (strncmp(path, "/dev/", 5) || strstr(path, "/../") || stat(path, &st) < 0 ||
	    !S_ISCHR(st.st_mode))
		return false;
	*rdev = st.st_rdev;
	return true;
}

bool proxy_device_same(const char *device, const char *path)
{
	dev_t a, b;

	return !strcmp(device, path) || (is_device(device, &a) && is_device(path, &b) && a == b);
}

/* Base name of the target of /sys/dev/char/MAJOR:MINOR/@link; empty: no such link. */
static void link_name(dev_t rdev, const char *link, char *name, size_t size)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/%s", major(rdev), minor(rdev), link);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	snprintf(name, size, "%s", n > 0 ? basename(target) : "");
}

/*
 * cdc-wdm belongs to the driver that has the interface; a port of the wwan framework names its
 * protocol in its type (drivers/net/wwan/wwan_core.c).
 */
bool proxy_device_is_modem(const char *path, char *real, size_t size)
{
	char subsystem[32], driver[32], resolved[PATH_MAX];
	dev_t rdev;

	if (!is_device(path, &rdev) || !realpath(path, resolved))
		return false;
	if ((size_t)snprintf(real, size, "%s", resolved) >= size)
		return false;
	link_name(rdev, "subsystem", subsystem, sizeof(subsystem));
	link_name(rdev, "device/driver", driver, sizeof(driver));
	if (!strcmp(subsystem, "usbmisc"))
		return !strncmp(driver, "qmi_wwan", 8);
	return !strcmp(subsystem, "wwan") && strstr(real, "qmi");
}
