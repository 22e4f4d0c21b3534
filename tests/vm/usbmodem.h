/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data side of a modem on USB, plugged into vhci_hcd: enough for qmi_wwan to create a netdev.
 * One transfer at a time, in step with the host, so that the cost of one can be counted.
 */
#ifndef VM_USBMODEM_H
#define VM_USBMODEM_H

#include <stddef.h>

struct usb_modem;

/* Plugs in and waits for netdev @name. NULL on failure, after a message on stderr. */
struct usb_modem *usb_modem_plug(const char *name);
void usb_modem_unplug(struct usb_modem **m);

/*
 * While the host is being configured a thread answers its requests, because the configuring process
 * waits for the answers. While packets run, the calls below do.
 */
int usb_modem_serve(struct usb_modem *m);
void usb_modem_quiet(struct usb_modem *m);

/* Sends one bulk transfer to the host; returns once the host has it and asks for more. 0 or -1. */
int usb_modem_send(struct usb_modem *m, const void *data, size_t len);

/* Reads one bulk transfer from the host. Returns its length, 0 after @ms without one. */
size_t usb_modem_recv(struct usb_modem *m, void *buf, size_t size, int ms);

#endif
