// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoint 0: standard requests, and the CDC requests that carry QMI. */
#include "usb_device.h"
#include "usb_desc.h"
#include "util.h"

#include <errno.h>
#include <linux/usb/cdc.h>
#include <linux/usb/ch9.h>
#include <stdlib.h>

#define TO_INTERFACE   (USB_TYPE_CLASS | USB_RECIP_INTERFACE)
#define FROM_INTERFACE (USB_DIR_IN | TO_INTERFACE)
#define DTR	       0x0001

/* A setup packet (USB 3.2 specification, table 9-3). */
struct setup {
	uint8_t type, request;
	uint16_t value, index, length;
};

static void stall(struct usb *u, const struct usb_request *r)
{
	usb_link_answer(u->link, r->seqnum, -EPIPE, NULL, 0);
}

static void reply(struct usb *u, const struct usb_request *r, const uint8_t *data, size_t len)
{
	usb_link_answer(u->link, r->seqnum, 0, data, len < r->length ? len : r->length);
}

static void get_descriptor(struct usb *u, const struct usb_request *r, const struct setup *s)
{
	uint8_t buf[USB_DESC_MAX];
	size_t len = usb_descriptor(u->speed, s->value >> 8, s->value & 0xff, buf);

	if (len)
		reply(u, r, buf, len);
	else
		stall(u, r);
}

static void standard_in(struct usb *u, const struct usb_request *r, const struct setup *s)
{
	const uint8_t self_powered[2] = {0}, configuration = u->configured;

	switch (s->request) {
	case USB_REQ_GET_DESCRIPTOR:
		get_descriptor(u, r, s);
		break;
	case USB_REQ_GET_STATUS:
		reply(u, r, self_powered, sizeof(self_powered));
		break;
	case USB_REQ_GET_CONFIGURATION:
		reply(u, r, &configuration, sizeof(configuration));
		break;
	default:
		stall(u, r);
	}
}

static void standard_out(struct usb *u, const struct usb_request *r, const struct setup *s)
{
	switch (s->request) {
	case USB_REQ_SET_CONFIGURATION:
		u->configured = s->value;
		break;
	case USB_REQ_SET_INTERFACE:
	case USB_REQ_CLEAR_FEATURE:
	case USB_REQ_SET_FEATURE:
	case USB_REQ_SET_SEL:
	case USB_REQ_SET_ISOCH_DELAY:
		break;
	default:
		stall(u, r);
		return;
	}
	usb_link_taken(u->link, r->seqnum, r->length);
}

/* Answers with the oldest message, cut to the host's buffer; with no bytes if there is none. */
static void get_response(struct usb *u, const struct usb_request *r)
{
	struct usb_blob *b = usb_blobs_take(&u->messages);

	if (!b) {
		reply(u, r, NULL, 0);
		return;
	}
	if (u->unannounced > u->messages.count)
		u->unannounced = u->messages.count; /* fetched without a notification */
	reply(u, r, b->data, b->len);
	free(b);
}

static void qmi_request(struct usb *u, const struct usb_request *r, const struct setup *s)
{
	if (s->type == FROM_INTERFACE && s->request == USB_CDC_GET_ENCAPSULATED_RESPONSE) {
		get_response(u, r);
	} else if (s->type == TO_INTERFACE && s->request == USB_CDC_SEND_ENCAPSULATED_COMMAND) {
		usb_link_taken(u->link, r->seqnum, r->length);
		if (u->dtr)
			u->message(u, r->data, r->length);
	} else if (s->type == TO_INTERFACE && s->request == USB_CDC_REQ_SET_CONTROL_LINE_STATE) {
		u->dtr = s->value & DTR;
		usb_link_taken(u->link, r->seqnum, 0);
	} else {
		stall(u, r);
	}
}

void usb_control_request(struct usb *u, const struct usb_request *r)
{
	const struct setup s = {
		.type = r->setup[0],
		.request = r->setup[1],
		.value = get_le16(r->setup + 2),
		.index = get_le16(r->setup + 4),
		.length = get_le16(r->setup + 6),
	};

	if ((s.type & USB_TYPE_MASK) == USB_TYPE_STANDARD && s.type & USB_DIR_IN)
		standard_in(u, r, &s);
	else if ((s.type & USB_TYPE_MASK) == USB_TYPE_STANDARD)
		standard_out(u, r, &s);
	else if (s.index == USB_QMI_INTERFACE)
		qmi_request(u, r, &s);
	else if (s.type == TO_INTERFACE) /* line coding and similar requests of the serial ports */
		usb_link_taken(u->link, r->seqnum, r->length);
	else
		stall(u, r);
}

void usb_notify(struct usb *u)
{
	const struct usb_cdc_notification note = {
		.bmRequestType = FROM_INTERFACE,
		.bNotificationType = USB_CDC_NOTIFY_RESPONSE_AVAILABLE,
		.wIndex = htole16(USB_QMI_INTERFACE),
	};
	struct usb_urb urb;

	while (u->unannounced && usb_urbs_take(&u->in[USB_EP_NOTIFY], &urb)) {
		u->unannounced--;
		usb_link_answer(u->link, urb.seqnum, 0, (const uint8_t *)&note, sizeof(note));
	}
}
