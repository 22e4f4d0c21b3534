// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb.h"
#include "control.h"
#include "qmux.h"
#include "uplink.h"
#include "usb_device.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_TRANSFERS 64 /* most transfers waiting for the host; further ones are lost */
#define BUSY	      16 /* from this number on the host counts as behind */
#define MAX_MESSAGES  64

static void give(struct usb *u, const struct usb_urb *urb, const uint8_t *buf, size_t len)
{
	/*
	 * A transfer larger than the request is a babble and lost entirely: the host sizes its
	 * buffers so that they end inside a packet (kernel usbnet.c, usbnet_change_mtu()).
	 */
	if (len > urb->length) {
		u->modem->traffic.dl_beyond_urb++;
		usb_link_answer(u->link, urb->seqnum, -EOVERFLOW, NULL, 0);
	} else {
		usb_link_answer(u->link, urb->seqnum, 0, buf, len);
	}
}

void usb_send_transfer(struct modem *m, const uint8_t *buf, size_t len)
{
	struct usb *u = m->usb;
	struct usb_urb urb;

	if (!u->link || !u->configured)
		m->traffic.dl_lost++;
	else if (usb_urbs_take(&u->in[USB_EP_DOWNLINK], &urb))
		give(u, &urb, buf, len);
	else if (u->transfers.count >= MAX_TRANSFERS || usb_blobs_add(&u->transfers, buf, len))
		m->traffic.dl_lost++;
}

void usb_send_message(struct modem *m, const uint8_t *buf, size_t len)
{
	struct usb *u = m->usb;

	if (!u->link)
		return;
	for (size_t n; len; buf += n, len -= n) {
		n = len < QMUX_MAX ? len : QMUX_MAX;
		if (u->messages.count >= MAX_MESSAGES || usb_blobs_add(&u->messages, buf, n)) {
			m->qmi.overruns++;
			break;
		}
		u->unannounced++;
	}
	usb_notify(u);
}

bool usb_transfers_congested(const struct modem *m)
{
	return m->usb && m->usb->transfers.count >= BUSY;
}

/* Only a host that listens can be behind. */
bool usb_messages_congested(const struct modem *m)
{
	return m->usb && m->usb->messages.count && m->usb->in[USB_EP_NOTIFY].count;
}

static void in_request(struct usb *u, const struct usb_request *r)
{
	struct usb_urb urb = {.seqnum = r->seqnum, .length = r->length};

	if (r->endpoint == USB_EP_DOWNLINK) {
		struct usb_blob *b = usb_blobs_take(&u->transfers);

		u->urb_size = r->length;
		if (b) {
			give(u, &urb, b->data, b->len);
			free(b);
			return;
		}
	}
	if (usb_urbs_add(&u->in[r->endpoint], r->seqnum, r->length))
		usb_link_answer(u->link, r->seqnum, -ENOMEM, NULL, 0);
	else if (r->endpoint == USB_EP_NOTIFY)
		usb_notify(u);
}

static void take_transfer(struct usb *u, uint32_t seqnum, const uint8_t *data, size_t len)
{
	static uint8_t buf[MAX_TRANSFER];

	usb_link_taken(u->link, seqnum, len);
	memcpy(buf, data, len);
	uplink_receive(u->modem, buf, len);
}

/* ---- a slow network: the modem takes a transfer when it has sent the one before ---- */

static void take_later(struct usb *u)
{
	if (u->out.first)
		loop_arm(&u->modem->loop, &u->taking,
			 now_us() +
				 (uint64_t)u->out.first->length * 8000 / u->modem->options.ul_rate);
}

/* Data whose request the host has taken back is in front of the next one's. */
static void take_oldest(struct timer *timer)
{
	struct usb *u = container_of(timer, struct usb, taking);
	struct usb_urb urb;
	struct usb_blob *b;
	uint32_t seqnum;

	if (!usb_urbs_take(&u->out, &urb))
		return;
	while ((b = usb_blobs_take(&u->out_data))) {
		memcpy(&seqnum, b->data, sizeof(seqnum));
		u->out_bytes -= b->len - sizeof(seqnum);
		if (seqnum == urb.seqnum)
			take_transfer(u, seqnum, b->data + sizeof(seqnum), b->len - sizeof(seqnum));
		free(b);
		if (seqnum == urb.seqnum)
			break;
	}
	take_later(u);
}

static void keep_transfer(struct usb *u, const struct usb_request *r)
{
	static uint8_t buf[sizeof(r->seqnum) + MAX_TRANSFER];

	memcpy(buf, &r->seqnum, sizeof(r->seqnum));
	memcpy(buf + sizeof(r->seqnum), r->data, r->length);
	if (usb_blobs_add(&u->out_data, buf, sizeof(r->seqnum) + r->length) ||
	    usb_urbs_add(&u->out, r->seqnum, r->length)) {
		usb_link_answer(u->link, r->seqnum, -ENOMEM, NULL, 0);
		return;
	}
	u->out_bytes += r->length;
	u->taking.fire = take_oldest;
	if (!u->taking.armed)
		take_later(u);
}

static void out_request(struct usb *u, const struct usb_request *r)
{
	/* a zero-length packet only ends the previous transfer */
	if (r->endpoint != USB_EP_UPLINK || !r->length || r->length > MAX_TRANSFER)
		usb_link_taken(u->link, r->seqnum, r->length);
	else if (u->modem->options.ul_rate)
		keep_transfer(u, r);
	else
		take_transfer(u, r->seqnum, r->data, r->length);
}

static void submit(void *arg, const struct usb_request *r)
{
	struct usb *u = arg;

	if (!r->endpoint)
		usb_control_request(u, r);
	else if (r->in)
		in_request(u, r);
	else
		out_request(u, r);
}

static bool take_back(void *arg, uint32_t seqnum)
{
	struct usb *u = arg;

	for (unsigned int i = 0; i < USB_ENDPOINTS; i++)
		if (usb_urbs_remove(&u->in[i], seqnum))
			return true;
	return usb_urbs_remove(&u->out, seqnum);
}

static void forget(struct usb *u)
{
	u->link = NULL;
	u->configured = u->dtr = false;
	u->unannounced = 0;
	u->urb_size = 0;
	for (unsigned int i = 0; i < USB_ENDPOINTS; i++)
		usb_urbs_clear(&u->in[i]);
	loop_disarm(&u->modem->loop, &u->taking);
	usb_urbs_clear(&u->out);
	usb_blobs_clear(&u->out_data);
	u->out_bytes = 0;
	usb_blobs_clear(&u->transfers);
	usb_blobs_clear(&u->messages);
	control_close_usb(u->modem);
}

static void closed(void *arg)
{
	forget(arg);
}

int usb_plug(struct modem *m)
{
	static const struct usb_link_ops ops = {
		.submit = submit, .unlink = take_back, .closed = closed};
	struct usb *u = m->usb;
	int err;

	if (!u)
		return -ENODEV;
	if (u->link)
		return -EALREADY;
	err = usb_link_new(&m->loop, u->speed, &ops, u, &u->link);
	if (err)
		return err;
	err = control_open_usb(m);
	if (err)
		usb_link_free(&u->link);
	else
		u->plugs++;
	return err;
}

int usb_unplug(struct modem *m)
{
	struct usb *u = m->usb;

	if (!u)
		return -ENODEV;
	if (!u->link)
		return -EALREADY;
	usb_link_free(&u->link);
	forget(u);
	return 0;
}

static void on_message(struct usb *u, const uint8_t *data, size_t len)
{
	control_usb_message(u->modem, data, len);
}

int usb_new(struct modem *m)
{
	if (!m->options.usb)
		return 0;
	m->usb = calloc(1, sizeof(*m->usb));
	if (!m->usb)
		return -ENOMEM;
	m->usb->modem = m;
	m->usb->message = on_message;
	m->usb->speed = m->options.high_speed ? USB_HIGH : USB_SUPER;
	return usb_plug(m);
}

void usb_free(struct modem *m)
{
	usb_unplug(m);
	free(m->usb);
	m->usb = NULL;
}

struct json_object *usb_json(const struct modem *m)
{
	struct json_object *o;
	const struct usb *u = m->usb;

	if (!u)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "plugged", json_object_new_boolean(u->link != NULL));
	json_object_object_add(o, "configured", json_object_new_boolean(u->configured));
	json_object_object_add(o, "dtr", json_object_new_boolean(u->dtr));
	json_object_object_add(o, "listening",
			       json_object_new_boolean(u->in[USB_EP_NOTIFY].count > 0));
	json_object_object_add(o, "messages", json_object_new_int64(u->messages.count));
	json_object_object_add(o, "urbs", json_object_new_int64(u->in[USB_EP_DOWNLINK].count));
	json_object_object_add(o, "urb_size", json_object_new_int64(u->urb_size));
	json_object_object_add(o, "out_bytes", json_object_new_int64(u->out_bytes));
	json_object_object_add(o, "plugs", json_object_new_int64(u->plugs));
	return o;
}
