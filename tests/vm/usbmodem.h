/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data side of a modem on USB, plugged into vhci_hcd: enough for qmi_wwan to create a netdev.
 * One transfer at a time, in step with the host, so that the cost of one can be counted.
 */
#ifndef VM_USBMODEM_H
#define VM_USBMODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/modem/usb_desc.h"

struct usb_modem;

/* Plugs in and waits for netdev @name. NULL on failure, after a message on stderr. */
struct usb_modem *usb_modem_plug(const char *name, enum usb_speed speed);
void usb_modem_unplug(struct usb_modem **m);

/*
 * While the host is being configured a thread answers its requests, because the configuring process
 * waits for the answers. While packets run, the calls below do.
 */
int usb_modem_serve(struct usb_modem *m);
void usb_modem_quiet(struct usb_modem *m);

/*
 * Sends one bulk transfer to the host; returns once the host has it and asks for more. One that the host's
 * request has no room for is a babble, and lost whole. 0 or -1.
 */
int usb_modem_send(struct usb_modem *m, const void *data, size_t len);

/* Ends the host's oldest request for downlink with the error @status, and waits as above. */
int usb_modem_fail(struct usb_modem *m, int status);

/*
 * Ends the host's oldest request for downlink by a stall and waits for nothing. The host's next request
 * to clear a halt gets no answer.
 */
int usb_modem_stall(struct usb_modem *m);

/* The next transfer from the host fails with @status. */
void usb_modem_refuse(struct usb_modem *m, int status);

/* What the host does. */
struct usb_host {
	unsigned int requests; /* for downlink that wait */
	uint32_t request_size; /* of the last one */
	unsigned int cleared;  /* halts of endpoints */
	bool ends_transfers;   /* by a zero-length packet, where one is due */
};
const struct usb_host *usb_modem_host(const struct usb_modem *m);

/* This thread runs on while devices are suspended, if there is the module of tests/vm/bare for it. */
void usb_modem_unfrozen(void);

/* Reads one bulk transfer from the host. Returns its length, 0 after @ms without one. */
size_t usb_modem_recv(struct usb_modem *m, void *buf, size_t size, int ms);

#endif
