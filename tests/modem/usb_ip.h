/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip, device side, on one connection to vhci_hcd: each request (URB) is answered once or
 * unlinked (kernel Documentation/usb/usbip_protocol.rst).
 */
#ifndef MODEM_USB_IP_H
#define MODEM_USB_IP_H

#include "loop.h"
#include "usb_desc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_request {
	uint32_t seqnum;
	uint8_t endpoint; /* number without direction */
	bool in;
	bool zero_packet;    /* ends the transfer by a zero-length packet where one is due */
	uint32_t length;     /* of the host's buffer, or of `data` */
	uint8_t setup[8];    /* endpoint 0 */
	const uint8_t *data; /* from the host; valid during the call */
};

struct usb_link_ops {
	void (*submit)(void *arg, const struct usb_request *request);
	/* Drops this request. False: it has been answered already. */
	bool (*unlink)(void *arg, uint32_t seqnum);
	/* The host has closed the connection; the link frees itself after the call. */
	void (*closed)(void *arg);
};

struct usb_link;

/* Plugs into a free port of vhci_hcd. 0 or negative errno. */
int usb_link_new(struct loop *loop, enum usb_speed speed, const struct usb_link_ops *ops, void *arg,
		 struct usb_link **out);

/* Unplugs. No callback follows. */
void usb_link_free(struct usb_link **link);

/* Answers a request: status 0 or negative errno; `len` bytes at `data` for an IN request. */
void usb_link_answer(struct usb_link *link, uint32_t seqnum, int status, const uint8_t *data,
		     size_t len);

/* Answers an OUT request of which `len` bytes were taken. */
void usb_link_taken(struct usb_link *link, uint32_t seqnum, size_t len);

#endif
