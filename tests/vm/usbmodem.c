// SPDX-License-Identifier: GPL-2.0-or-later
#include "usbmodem.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/usb/ch9.h>

#include "tests/modem/loop.h"
#include "tests/modem/usb_device.h"

#define TRANSFERS   64	  /* from the host, not yet read */
#define PATIENCE_MS 30000 /* with a host that is slow */

struct usb_modem {
	struct loop loop;
	struct usb usb;
	pthread_t thread;
	bool serving;
	unsigned long asked; /* number of requests for downlink so far */
	struct usb_host host;
	int refusal;	     /* of the next transfer from the host */
	bool deaf;	     /* to the next request to clear a halt */
	uint32_t unanswered; /* number of that request; 0: none */
	struct usb_blobs out;
};

/* ---- requests ---- */

static void control(struct usb_modem *m, const struct usb_request *r)
{
	bool clears = r->setup[0] == USB_RECIP_ENDPOINT && r->setup[1] == USB_REQ_CLEAR_FEATURE;

	m->host.cleared += clears;
	if (!clears || !m->deaf) {
		usb_control_request(&m->usb, r);
		return;
	}
	m->deaf = false;
	m->unanswered = r->seqnum;
}

static void in_request(struct usb_modem *m, const struct usb_request *r)
{
	if (usb_urbs_add(&m->usb.in[r->endpoint], r->seqnum, r->length)) {
		usb_link_answer(m->usb.link, r->seqnum, -ENOMEM, NULL, 0);
		return;
	}
	if (r->endpoint == USB_EP_DOWNLINK) {
		m->asked++;
		m->host.request_size = r->length;
	}
}

static void out_request(struct usb_modem *m, const struct usb_request *r)
{
	int refusal = m->refusal;

	m->refusal = 0;
	if (refusal) {
		usb_link_answer(m->usb.link, r->seqnum, refusal, NULL, 0);
		return;
	}
	m->host.ends_transfers = r->zero_packet;
	/* without a reader a transfer is lost */
	if (r->endpoint == USB_EP_UPLINK && r->length && m->out.count < TRANSFERS)
		usb_blobs_add(&m->out, r->data, r->length);
	usb_link_taken(m->usb.link, r->seqnum, r->length);
}

static void submit(void *arg, const struct usb_request *r)
{
	if (!r->endpoint)
		control(arg, r);
	else if (r->in)
		in_request(arg, r);
	else
		out_request(arg, r);
}

static bool take_back(void *arg, uint32_t seqnum)
{
	struct usb_modem *m = arg;
	unsigned int i;

	if (seqnum == m->unanswered) {
		m->unanswered = 0;
		return true;
	}
	for (i = 0; i < USB_ENDPOINTS; i++)
		if (usb_urbs_remove(&m->usb.in[i], seqnum))
			return true;
	return false;
}

static void closed(void *arg)
{
	struct usb_modem *m = arg;

	m->usb.link = NULL;
}

/* The tests speak no QMI. */
static void ignore(struct usb *u, const uint8_t *data, size_t len)
{
}

/* Handles requests of the host within @ms. 1, 0 if there is none, -1 if the connection is broken. */
static int serve(struct usb_modem *m, int ms)
{
	int n = m->usb.link ? loop_turn(&m->loop, ms) : -1;

	m->host.requests = m->usb.in[USB_EP_DOWNLINK].count;
	return m->usb.link ? n : -1;
}

void usb_modem_unfrozen(void)
{
	int fd = open("/sys/module/unfrozen/parameters/me", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		perror("unfrozen");
	close(fd);
}

static void *serve_all(void *arg)
{
	struct usb_modem *m = arg;

	usb_modem_unfrozen();
	while (__atomic_load_n(&m->serving, __ATOMIC_ACQUIRE) && serve(m, 5) >= 0)
		;
	return NULL;
}

int usb_modem_serve(struct usb_modem *m)
{
	if (m->serving)
		return 0;
	m->serving = true;
	return pthread_create(&m->thread, NULL, serve_all, m) ? -1 : 0;
}

void usb_modem_quiet(struct usb_modem *m)
{
	if (!m->serving)
		return;
	__atomic_store_n(&m->serving, false, __ATOMIC_RELEASE);
	pthread_join(m->thread, NULL);
	/* On a larger MTU the host unlinks all its requests and makes new ones. */
	while (serve(m, 50) > 0)
		;
}

/* ---- transfers ---- */

/* The host's oldest request for downlink. 0 or -1. */
static int oldest(struct usb_modem *m, struct usb_urb *urb)
{
	while (!usb_urbs_take(&m->usb.in[USB_EP_DOWNLINK], urb))
		if (serve(m, PATIENCE_MS) <= 0)
			return -1;
	return 0;
}

static int send_transfer(struct usb_modem *m, const void *data, size_t len, int status)
{
	unsigned long asked;
	struct usb_urb urb;

	if (oldest(m, &urb))
		return -1;
	asked = m->asked;
	if (len > urb.length) {
		status = -EOVERFLOW;
		len = 0;
	}
	usb_link_answer(m->usb.link, urb.seqnum, status, data, len);
	while (m->asked == asked)
		if (serve(m, PATIENCE_MS) <= 0)
			return -1;
	return 0;
}

int usb_modem_send(struct usb_modem *m, const void *data, size_t len)
{
	return send_transfer(m, data, len, 0);
}

int usb_modem_fail(struct usb_modem *m, int status)
{
	return send_transfer(m, NULL, 0, status);
}

int usb_modem_stall(struct usb_modem *m)
{
	struct usb_urb urb;

	if (oldest(m, &urb))
		return -1;
	m->deaf = true;
	usb_link_answer(m->usb.link, urb.seqnum, -EPIPE, NULL, 0);
	return 0;
}

void usb_modem_refuse(struct usb_modem *m, int status)
{
	m->refusal = status;
}

const struct usb_host *usb_modem_host(const struct usb_modem *m)
{
	return &m->host;
}

size_t usb_modem_recv(struct usb_modem *m, void *buf, size_t size, int ms)
{
	struct usb_blob *b;
	size_t len;

	while (!(b = usb_blobs_take(&m->out)))
		if (serve(m, ms) <= 0)
			return 0;
	len = b->len < size ? b->len : size;
	memcpy(buf, b->data, len);
	free(b);
	return len;
}

/* ---- plugging ---- */

void usb_modem_unplug(struct usb_modem **m)
{
	unsigned int i;

	if (!*m)
		return;
	usb_modem_quiet(*m);
	usb_link_free(&(*m)->usb.link);
	loop_fini(&(*m)->loop);
	for (i = 0; i < USB_ENDPOINTS; i++)
		usb_urbs_clear(&(*m)->usb.in[i]);
	usb_blobs_clear(&(*m)->out);
	free(*m);
	*m = NULL;
}

struct usb_modem *usb_modem_plug(const char *name, enum usb_speed speed)
{
	static const struct usb_link_ops ops = {
		.submit = submit, .unlink = take_back, .closed = closed};
	struct usb_modem *m = calloc(1, sizeof(*m));
	int i, err;

	if (!m)
		return NULL;
	m->usb.speed = speed;
	m->usb.message = ignore;
	err = loop_init(&m->loop) ?: usb_link_new(&m->loop, speed, &ops, m, &m->usb.link);
	/* The device is probed while its requests are answered. */
	for (i = 0; i < 2000 && !err && !if_nametoindex(name); i++)
		err = serve(m, 5) < 0 ? -ENODEV : 0;
	if (!err && if_nametoindex(name))
		return m;
	fprintf(stderr, "no netdev %s came of the modem on vhci_hcd: %s\n", name, strerror(-err));
	usb_modem_unplug(&m);
	return NULL;
}
