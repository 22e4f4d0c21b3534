/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A USB device that is enumerated again, as if it were unplugged and plugged in. */
#ifndef QMAP_NETDEV_USB_POWER_H
#define QMAP_NETDEV_USB_POWER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct usb_power;

/*
 * Sets @out to the directory in sysfs of the USB device to which interface @device (as trunk_dev.device)
 * belongs. False if there is none.
 */
bool usb_power_of(const char *device, char *out, size_t size);

/*
 * Forbids the kernel to use the device in directory @usb for @off_ms, and then allows it again; with
 * @off_ms 0 only the latter. Meanwhile all its drivers are unbound, and its netdevs and nodes are gone
 * (kernel Documentation/usb/authorization.rst). A process of its own does so, because each write lasts
 * until drivers and device have answered, seconds in case of a faulty one.
 *
 * Calls @done from the event loop, which may close the object, with 0 or the negative errno of the first
 * write that failed. 0 or a negative errno, then without @done.
 */
int usb_power_cycle(struct usb_power **out, struct event_base *base, const char *usb,
		    unsigned int off_ms, void (*done)(void *arg, int err), void *arg);
/* Without @done, if that is still to come. The process ends its work. */
void usb_power_close(struct usb_power **p);

#endif
