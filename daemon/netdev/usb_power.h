/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A USB device that is enumerated again, as if it were unplugged and plugged in. */
#ifndef QMAP_NETDEV_USB_POWER_H
#define QMAP_NETDEV_USB_POWER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Sets @out to the directory in sysfs of the USB device to which interface @device (as trunk_dev.device)
 * belongs. False if there is none.
 */
bool usb_power_of(const char *device, char *out, size_t size);

/*
 * Lets the kernel use the device in directory @usb, or not: then all its drivers are unbound, and its
 * netdevs and nodes go (kernel Documentation/usb/authorization.rst). 0 or a negative errno.
 */
int usb_power_set(const char *usb, bool on);

#endif
