// SPDX-License-Identifier: GPL-2.0-or-later
#include "usbmodem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/usb/ch9.h>

#include "tests/modem/usb_desc.h"
#include "tests/modem/usb_vhci.h"

#define CMD_SUBMIT  1
#define CMD_UNLINK  2
#define RET_SUBMIT  3
#define RET_UNLINK  4
#define DATA_MAX    65536
#define WAITING	    512	  /* IN requests; usbnet keeps 60 */
#define TRANSFERS   64	  /* from the host, not yet read */
#define PATIENCE_MS 30000 /* with a host that is slow */

/* kernel Documentation/usb/usbip_protocol.rst; big endian */
struct header {
	uint32_t command, seqnum, devid, direction, endpoint;
	union {
		struct {
			uint32_t flags, length, start_frame, packets, interval;
			uint8_t setup[8];
		} submit;
		struct {
			uint32_t status, actual, start_frame, packets, errors;
			uint8_t padding[8];
		} done;
		struct {
			uint32_t seqnum;
		} unlink;
	};
} __attribute__((packed));
_Static_assert(sizeof(struct header) == 48, "header");

#define ZERO_PACKET 0x40 /* flag of a request (kernel linux/usb.h, URB_ZERO_PACKET) */

struct waiting {
	uint32_t seqnum, length;
	uint8_t endpoint;
};

struct usb_modem {
	int fd;
	pthread_t thread;
	bool serving;
	struct waiting waiting[WAITING]; /* oldest first */
	unsigned int n_waiting;
	unsigned long asked; /* number of requests for downlink so far */
	enum usb_speed speed;
	struct usb_host host;
	int refusal; /* of the next transfer from the host */
	struct {
		size_t len;
		uint8_t data[DATA_MAX];
	} out[TRANSFERS];
	unsigned int out_first, out_count;
	uint8_t data[DATA_MAX];
};

/* ---- answers ---- */

static int answer(struct usb_modem *m, uint32_t command, uint32_t seqnum, int status,
		  const void *data, size_t len, size_t actual)
{
	struct header h = {.command = htobe32(command),
			   .seqnum = htobe32(seqnum),
			   .done = {.status = htobe32(status), .actual = htobe32(actual)}};
	struct iovec iov[] = {{&h, sizeof(h)}, {(void *)data, len}};

	return writev(m->fd, iov, 2) == (ssize_t)(sizeof(h) + len) ? 0 : -1;
}

static int reply(struct usb_modem *m, const struct header *h, const void *data, size_t len)
{
	size_t room = be32toh(h->submit.length);

	len = len < room ? len : room;
	return answer(m, RET_SUBMIT, be32toh(h->seqnum), 0, data, len, len);
}

static int control(struct usb_modem *m, const struct header *h)
{
	const uint8_t *s = h->submit.setup;
	static const uint8_t zero[2], one[1] = {1};
	uint8_t buf[USB_DESC_MAX];
	size_t len;

	m->host.cleared += s[0] == USB_RECIP_ENDPOINT && s[1] == USB_REQ_CLEAR_FEATURE;
	if (!(s[0] & USB_DIR_IN))
		return answer(m, RET_SUBMIT, be32toh(h->seqnum), 0, NULL, 0,
			      be32toh(h->submit.length));
	if ((s[0] & USB_TYPE_MASK) != USB_TYPE_STANDARD)
		return reply(m, h, NULL, 0);
	if (s[1] == USB_REQ_GET_STATUS)
		return reply(m, h, zero, sizeof(zero));
	if (s[1] == USB_REQ_GET_CONFIGURATION)
		return reply(m, h, one, sizeof(one));
	len = s[1] == USB_REQ_GET_DESCRIPTOR ? usb_descriptor(m->speed, s[3], s[2], buf) : 0;
	if (len)
		return reply(m, h, buf, len);
	return answer(m, RET_SUBMIT, be32toh(h->seqnum), -EPIPE, NULL, 0, 0);
}

/* ---- requests ---- */

static bool take_waiting(struct usb_modem *m, unsigned int i, struct waiting *out)
{
	if (i >= m->n_waiting)
		return false;
	*out = m->waiting[i];
	m->host.requests -= out->endpoint == USB_EP_DOWNLINK;
	m->n_waiting--;
	memmove(&m->waiting[i], &m->waiting[i + 1], (m->n_waiting - i) * sizeof(m->waiting[0]));
	return true;
}

static unsigned int find_endpoint(const struct usb_modem *m, uint8_t endpoint)
{
	unsigned int i;

	for (i = 0; i < m->n_waiting && m->waiting[i].endpoint != endpoint; i++)
		;
	return i;
}

static int in_request(struct usb_modem *m, const struct header *h)
{
	struct waiting w = {be32toh(h->seqnum), be32toh(h->submit.length), be32toh(h->endpoint)};

	if (m->n_waiting == WAITING)
		return -1;
	m->waiting[m->n_waiting++] = w;
	if (w.endpoint == USB_EP_DOWNLINK) {
		m->asked++;
		m->host.requests++;
		m->host.request_size = w.length;
	}
	return 0;
}

static int out_request(struct usb_modem *m, const struct header *h, size_t len)
{
	unsigned int at = (m->out_first + m->out_count) % TRANSFERS;
	int refusal = m->refusal;

	m->refusal = 0;
	if (refusal)
		return answer(m, RET_SUBMIT, be32toh(h->seqnum), refusal, NULL, 0, 0);
	m->host.ends_transfers = be32toh(h->submit.flags) & ZERO_PACKET;
	/* without a reader a transfer is lost */
	if (be32toh(h->endpoint) == USB_EP_UPLINK && len && m->out_count < TRANSFERS) {
		memcpy(m->out[at].data, m->data, len);
		m->out[at].len = len;
		m->out_count++;
	}
	return answer(m, RET_SUBMIT, be32toh(h->seqnum), 0, NULL, 0, len);
}

static int take_back(struct usb_modem *m, const struct header *h)
{
	uint32_t victim = be32toh(h->unlink.seqnum);
	struct waiting ignored;
	unsigned int i;

	for (i = 0; i < m->n_waiting && m->waiting[i].seqnum != victim; i++)
		;
	return answer(m, RET_UNLINK, be32toh(h->seqnum),
		      take_waiting(m, i, &ignored) ? -ECONNRESET : 0, NULL, 0, 0);
}

static bool read_all(int fd, void *buf, size_t len)
{
	return !len || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

/*
 * Handles one request of the host within @ms. 1, 0 if there is none, -1 if the connection is
 * broken.
 */
static int serve_one(struct usb_modem *m, int ms)
{
	struct pollfd pfd = {.fd = m->fd, .events = POLLIN};
	struct header h;
	size_t len;

	if (poll(&pfd, 1, ms) <= 0)
		return 0;
	if (!read_all(m->fd, &h, sizeof(h)))
		return -1;
	if (be32toh(h.command) == CMD_UNLINK)
		return take_back(m, &h) ? -1 : 1;
	len = be32toh(h.submit.length);
	if (!be32toh(h.direction) && (len > DATA_MAX || !read_all(m->fd, m->data, len)))
		return -1;
	if (!be32toh(h.endpoint))
		return control(m, &h) ? -1 : 1;
	return (be32toh(h.direction) ? in_request(m, &h) : out_request(m, &h, len)) ? -1 : 1;
}

static void *serve(void *arg)
{
	struct usb_modem *m = arg;

	while (__atomic_load_n(&m->serving, __ATOMIC_ACQUIRE) && serve_one(m, 5) >= 0)
		;
	return NULL;
}

int usb_modem_serve(struct usb_modem *m)
{
	if (m->serving)
		return 0;
	m->serving = true;
	return pthread_create(&m->thread, NULL, serve, m) ? -1 : 0;
}

void usb_modem_quiet(struct usb_modem *m)
{
	if (!m->serving)
		return;
	__atomic_store_n(&m->serving, false, __ATOMIC_RELEASE);
	pthread_join(m->thread, NULL);
	/* On a larger MTU the host unlinks all its requests and makes new ones. */
	while (serve_one(m, 50) > 0)
		;
}

/* ---- transfers ---- */

static int send_transfer(struct usb_modem *m, const void *data, size_t len, int status)
{
	struct waiting w = {};
	unsigned long asked;

	while (find_endpoint(m, USB_EP_DOWNLINK) == m->n_waiting)
		if (serve_one(m, PATIENCE_MS) <= 0)
			return -1;
	take_waiting(m, find_endpoint(m, USB_EP_DOWNLINK), &w);
	asked = m->asked;
	if (len > w.length) {
		status = -EOVERFLOW;
		len = 0;
	}
	if (answer(m, RET_SUBMIT, w.seqnum, status, data, len, len))
		return -1;
	while (m->asked == asked)
		if (serve_one(m, PATIENCE_MS) <= 0)
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
	size_t len;

	while (!m->out_count)
		if (serve_one(m, ms) <= 0)
			return 0;
	len = m->out[m->out_first].len;
	if (len > size)
		len = size;
	memcpy(buf, m->out[m->out_first].data, len);
	m->out_first = (m->out_first + 1) % TRANSFERS;
	m->out_count--;
	return len;
}

/* ---- plugging ---- */

void usb_modem_unplug(struct usb_modem **m)
{
	if (!*m)
		return;
	usb_modem_quiet(*m);
	close((*m)->fd);
	free(*m);
	*m = NULL;
}

struct usb_modem *usb_modem_plug(const char *name, enum usb_speed speed)
{
	struct usb_modem *m = calloc(1, sizeof(*m));
	int i;

	if (!m)
		return NULL;
	m->speed = speed;
	m->fd = vhci_plug(speed);
	if (m->fd < 0 || fcntl(m->fd, F_SETFL, 0)) {
		fprintf(stderr, "vhci_hcd: %s\n", strerror(-m->fd));
		free(m);
		return NULL;
	}
	/* The device is probed while its requests are answered. */
	for (i = 0; i < 2000 && !if_nametoindex(name); i++)
		if (serve_one(m, 5) < 0)
			break;
	if (if_nametoindex(name))
		return m;
	fprintf(stderr, "no netdev %s came of the modem on USB\n", name);
	usb_modem_unplug(&m);
	return NULL;
}
