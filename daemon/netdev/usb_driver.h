/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver of a modem's USB interface. qmap_usb, the shim's own, binds no interface by itself: the
 * interface is named in its parameter and moved by the files bind and unbind of both drivers.
 *
 * An interface is given by its path in /sys/devices, as trunk_dev_device() returns it. Moving it
 * makes a new netdev and a new control device, and the modem forgets its QMI clients.
 */
#ifndef QMAP_NETDEV_USB_DRIVER_H
#define QMAP_NETDEV_USB_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define USB_DRIVER	"qmap_usb"
#define USB_DRIVER_SIZE 32 /* of a driver's name */

/* Is the device behind netdev @name a USB interface that qmap_usb has, or that qmi_wwan has? */
bool usb_driver_fits(const char *name);

/*
 * Can qmap_usb drive the interface behind netdev @name now? -EOPNOTSUPP with the reason: no such
 * interface, an endpoint is missing, the driver is not loaded, or another program than qmapd has the
 * control device open and would lose it.
 */
int usb_driver_probe(const char *name, struct error *why);

/* Name of the driver that has the interface @device; "": none. False: there is no such interface. */
bool usb_driver_of(const char *device, char driver[USB_DRIVER_SIZE]);

/*
 * Moves interface @device to @driver and returns when that has made its netdev; 0, too, if @driver
 * has it. After a failure the former driver has it again, if that works. A modem that does not
 * answer delays this by up to 10 seconds. -ENODEV: the interface is gone.
 */
int usb_driver_move(const char *device, const char *driver, struct error *err);

/* Takes @device, which may be gone, out of the parameter of qmap_usb. */
void usb_driver_forget(const char *device);

#endif
