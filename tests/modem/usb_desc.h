/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB descriptors of a Quectel RG500Q: five interfaces, QMI on number 4. */
#ifndef MODEM_USB_DESC_H
#define MODEM_USB_DESC_H

#include <stddef.h>
#include <stdint.h>

/* Speeds as numbered by vhci_hcd (kernel enum usb_device_speed). */
enum usb_speed {
	USB_HIGH = 3,
	USB_SUPER = 5,
};

/* Endpoint numbers of the QMI interface; IN ones without the direction bit. */
#define USB_EP_NOTIFY	8
#define USB_EP_DOWNLINK 14
#define USB_EP_UPLINK	5

#define USB_QMI_INTERFACE 4

#define USB_DESC_MAX 512 /* bytes of the largest descriptor */

/*
 * Writes the descriptor of this type and index (wValue of GET_DESCRIPTOR) to `buf` (USB_DESC_MAX
 * bytes). Returns its length, 0 if there is none.
 */
size_t usb_descriptor(enum usb_speed speed, uint8_t type, uint8_t index, uint8_t *buf);

#endif
