// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmi/fd_scan.h"
#include "util/sysfs.h"
#include "dev.h"

#define DRIVERS	  "/sys/bus/usb/drivers/"
#define PARAMETER "/sys/module/" USB_DRIVER "/parameters/interfaces"
#define LIST_SIZE 256 /* of the parameter (kmod-shim/usb.c) */

/* "1-1:1.4": the last component of its path. */
static const char *interface_of(const char *device)
{
	const char *slash = strrchr(device, '/');

	return slash ? slash + 1 : device;
}

/* --- drivers that an interface may be moved to --- */

bool usb_driver_fits(const char *name)
{
	char driver[USB_DRIVER_SIZE];

	trunk_dev_driver(name, driver, sizeof(driver));
	return (!strcmp(driver, USB_DRIVER) || !strcmp(driver, "qmi_wwan")) &&
	       sysfs_exists("/sys/class/net/%s/device/bInterfaceNumber", name);
}

/* Older modems have control and data on two interfaces, which qmi_wwan joins. */
static int check_interface(const char *name, struct error *why)
{
	if (!usb_driver_fits(name))
		return error_set(why, -EOPNOTSUPP,
				 "%s is not a netdev of qmi_wwan, from which " USB_DRIVER
				 " takes over",
				 name);
	if (sysfs_number(16, "/sys/class/net/%s/device/bNumEndpoints", name) >= 3)
		return 0;
	return error_set(why, -EOPNOTSUPP,
			 "the modem of %s has control channel and data on different interfaces",
			 name);
}

/* A qmapd closes the device by itself before it moves the interface. */
static int check_holder(const char *name, struct error *why)
{
	char path[80], holder[32] = "";
	struct stat st;
	pid_t pid = 0;

	if (trunk_dev_control(name, path, sizeof(path), NULL) || stat(path, &st) ||
	    fd_scan_device(st.st_rdev, &pid) <= 0)
		return 0;
	fd_scan_name(pid, holder, sizeof(holder));
	if (!strcmp(holder, "qmapd"))
		return 0;
	error_set(why, -EOPNOTSUPP,
		  "%s (pid %d) has %s open, which goes when " USB_DRIVER " takes over", holder,
		  (int)pid, path);
	error_hint(why, "stop that program first, or use --datapath shim");
	return -EOPNOTSUPP;
}

int usb_driver_probe(const char *name, struct error *why)
{
	char driver[USB_DRIVER_SIZE];
	int ret = check_interface(name, why);

	if (ret)
		return ret;
	trunk_dev_driver(name, driver, sizeof(driver));
	if (!strcmp(driver, USB_DRIVER))
		return 0;
	if (sysfs_exists(DRIVERS USB_DRIVER))
		return check_holder(name, why);
	error_set(why, -EOPNOTSUPP, "the driver " USB_DRIVER " is not loaded");
	error_hint(why, "modprobe " USB_DRIVER " (package qmap-dkms, or make install-module)");
	return -EOPNOTSUPP;
}

bool usb_driver_of(const char *device, char driver[USB_DRIVER_SIZE])
{
	driver[0] = '\0';
	if (!device[0] || !sysfs_exists("%s/bInterfaceNumber", device))
		return false;
	sysfs_link(driver, USB_DRIVER_SIZE, "%s/driver", device);
	return true;
}

/* --- the list of interfaces that qmap_usb may bind: "1-1:1.4,1-2:1.4" --- */

/* Copies @list without @interface. */
static void without(char to[LIST_SIZE], const char *list, const char *interface)
{
	size_t len = strlen(interface), n = 0, word;

	for (to[0] = '\0'; *list; list += word) {
		list += strspn(list, ", \n");
		word = strcspn(list, ", \n");
		if (!word || (word == len && !strncmp(list, interface, len)) ||
		    n + word + 2 > LIST_SIZE)
			continue;
		n += snprintf(to + n, LIST_SIZE - n, "%s%.*s", n ? "," : "", (int)word, list);
	}
}

static int list_interface(const char *interface, bool on)
{
	char now[LIST_SIZE], then[LIST_SIZE + 32], rest[LIST_SIZE];

	if (!sysfs_text(now, sizeof(now), PARAMETER) && !sysfs_exists(PARAMETER))
		return -ENOENT;
	without(rest, now, interface);
	snprintf(then, sizeof(then), "%s%s%.24s", rest, on && rest[0] ? "," : "",
		 on ? interface : "");
	/* an empty text would not be written at all */
	return sysfs_write(then[0] ? then : "\n", PARAMETER);
}

void usb_driver_forget(const char *device)
{
	if (device[0])
		list_interface(interface_of(device), false);
}

/* --- moving --- */

static int bind_to(const char *driver, const char *interface)
{
	int ret = 0;

	if (!strcmp(driver, USB_DRIVER))
		ret = list_interface(interface, true);
	return ret ?: sysfs_write(interface, DRIVERS "%s/bind", driver);
}

int usb_driver_move(const char *device, const char *driver, struct error *err)
{
	const char *interface = interface_of(device);
	char now[USB_DRIVER_SIZE];
	int ret = 0;

	if (!usb_driver_of(device, now))
		return error_set(err, -ENODEV, "the modem's USB interface %s is gone", interface);
	if (!strcmp(now, driver))
		return 0;
	if (!strcmp(now, USB_DRIVER))
		list_interface(interface, false);
	if (now[0])
		ret = sysfs_write(interface, DRIVERS "%s/unbind", now);
	if (ret)
		return error_set(err, ret, "cannot take USB interface %s from driver %s: %s",
				 interface, now, strerror(-ret));
	ret = bind_to(driver, interface);
	if (!ret)
		return 0;
	error_set(err, ret, "driver %s does not take USB interface %s: %s", driver, interface,
		  strerror(-ret));
	error_hint(err, "the kernel's log may say why");
	if (!strcmp(driver, USB_DRIVER))
		list_interface(interface, false);
	if (now[0])
		bind_to(now, interface);
	return ret;
}
