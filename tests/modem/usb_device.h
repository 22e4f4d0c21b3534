/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device behind the link: endpoints and what waits there. */
#ifndef MODEM_USB_DEVICE_H
#define MODEM_USB_DEVICE_H

#include "usb_ip.h"
#include "usb_queue.h"

struct modem;

#define USB_ENDPOINTS 16

struct usb {
	struct modem *modem;
	struct usb_link *link; /* NULL: unplugged */
	enum usb_speed speed;
	bool configured;
	bool dtr; /* without it no request is answered, as on MDM9x30 and later */
	struct usb_urbs in[USB_ENDPOINTS];
	struct usb_blobs transfers; /* downlink that found no request waiting */
	struct usb_blobs messages;  /* answers and indications */
	unsigned int unannounced;   /* of these */
	uint32_t urb_size;	    /* of the last request for downlink */
	unsigned int plugs;	    /* times plugged in */
};

/* A request on endpoint 0: answers it. */
void usb_control_request(struct usb *u, const struct usb_request *r);

/* Notify the host of messages, as many as there are requests on the notification endpoint. */
void usb_notify(struct usb *u);

#endif
