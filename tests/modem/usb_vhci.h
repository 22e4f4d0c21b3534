/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of the kernel's virtual host controller, vhci_hcd. */
#ifndef MODEM_USB_VHCI_H
#define MODEM_USB_VHCI_H

#include "usb_desc.h"

/*
 * Plugs a device of this speed into a free port. Returns a non-blocking stream socket that speaks
 * usbip; closing it unplugs. -ENOENT: vhci_hcd is missing; -EBUSY: all ports are taken.
 */
int vhci_plug(enum usb_speed speed);

/* Plugs into another host controller instead, with the same result; NULL: none. */
extern int (*vhci_replacement)(enum usb_speed speed);

#endif
