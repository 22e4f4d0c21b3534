/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The USB device: endpoints and their queues. */
#ifndef MODEM_USB_DEVICE_H
#define MODEM_USB_DEVICE_H

#include "loop.h"
#include "usb_ip.h"
#include "usb_queue.h"

struct modem;

#define USB_ENDPOINTS 16

struct usb {
	struct modem *modem;
	/* A QMI message from the host. */
	void (*message)(struct usb *u, const uint8_t *data, size_t len);
	struct usb_link *link; /* NULL: unplugged */
	enum usb_speed speed;
	bool configured;
	bool dtr; /* without it the modem answers no request, as MDM9x30 and later */
	struct usb_urbs in[USB_ENDPOINTS];
	/* uplink transfers that the modem has not taken yet, with --ul-rate */
	struct usb_urbs out;
	struct usb_blobs out_data; /* each begins with its sequence number */
	unsigned int out_bytes;
	struct timer taking;
	struct usb_blobs transfers; /* downlink transfers without a waiting request */
	struct usb_blobs messages;  /* answers and indications */
	unsigned int unannounced;   /* messages without a notification so far */
	uint32_t urb_size;	    /* buffer size of the last request for downlink */
	unsigned int plugs;	    /* times plugged in */
};

/* Handles and answers a request on endpoint 0. */
void usb_control_request(struct usb *u, const struct usb_request *r);

/* Notifies the host of messages, as far as requests wait on the notification endpoint. */
void usb_notify(struct usb *u);

#endif
