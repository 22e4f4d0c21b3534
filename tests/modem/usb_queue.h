/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits on either side of an endpoint: requests of the host's, and data for it. */
#ifndef MODEM_USB_QUEUE_H
#define MODEM_USB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IN request that waits for data. */
struct usb_urb {
	struct usb_urb *next;
	uint32_t seqnum;
	uint32_t length; /* of the host's buffer */
};

/* All zero is an empty queue, of this and the next kind. */
struct usb_urbs {
	struct usb_urb *first, **end;
	unsigned int count;
};

/* -ENOMEM, also where the queue is longer than any driver makes it. */
int usb_urbs_add(struct usb_urbs *q, uint32_t seqnum, uint32_t length);
/* The oldest one; false: there is none. */
bool usb_urbs_take(struct usb_urbs *q, struct usb_urb *out);
bool usb_urbs_remove(struct usb_urbs *q, uint32_t seqnum);
void usb_urbs_clear(struct usb_urbs *q);

/* Data that waits for a request. */
struct usb_blob {
	struct usb_blob *next;
	size_t len;
	uint8_t data[];
};

struct usb_blobs {
	struct usb_blob *first, **end;
	unsigned int count;
};

int usb_blobs_add(struct usb_blobs *q, const uint8_t *data, size_t len);
/* The oldest one, to be freed by free(); NULL: there is none. */
struct usb_blob *usb_blobs_take(struct usb_blobs *q);
void usb_blobs_clear(struct usb_blobs *q);

#endif
