/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues of an endpoint: requests from the host, and data for it. */
#ifndef MODEM_USB_QUEUE_H
#define MODEM_USB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IN request without data yet. */
struct usb_urb {
	struct usb_urb *next;
	uint32_t seqnum;
	uint32_t length; /* of the host's buffer */
};

/* All zero is an empty queue; the same holds for struct usb_blobs. */
struct usb_urbs {
	struct usb_urb *first, **end;
	unsigned int count;
};

/* -ENOMEM, also if the queue is longer than any driver makes it. */
int usb_urbs_add(struct usb_urbs *q, uint32_t seqnum, uint32_t length);
/* Takes the oldest request; false: there is none. */
bool usb_urbs_take(struct usb_urbs *q, struct usb_urb *out);
bool usb_urbs_remove(struct usb_urbs *q, uint32_t seqnum);
void usb_urbs_clear(struct usb_urbs *q);

/* Data without a request yet. */
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
/* Takes the oldest entry, which the caller frees by free(); NULL: there is none. */
struct usb_blob *usb_blobs_take(struct usb_blobs *q);
void usb_blobs_clear(struct usb_blobs *q);

#endif
