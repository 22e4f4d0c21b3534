// SPDX-License-Identifier: GPL-2.0-or-later
#include "usbredir.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/usb/ch9.h>
#include <usbredirparser.h>

#include "tests/modem/usb_vhci.h"
#include "usbmodem.h"

/* kernel Documentation/usb/usbip_protocol.rst; big endian */
#define CMD_SUBMIT 1
#define CMD_UNLINK 2
#define RET_SUBMIT 3
#define RET_UNLINK 4

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

#define PORT	  "/dev/vport0p1"
#define DATA_MAX  65536
#define TRANSFERS 512 /* that have no answer yet */

enum kind {
	CONTROL,
	BULK,
	INTERRUPT,
	CONFIGURATION
};

struct transfer {
	bool used;
	bool cancelled; /* QEMU may have another one of the same id already */
	enum kind kind;
	uint64_t id;
	uint8_t endpoint; /* with the direction */
	struct usb_redir_control_packet_header control;
};

struct bridge {
	int port, usbip; /* usbip: -1: unplugged */
	struct usbredirparser *parser;
	enum usb_speed speed;
	bool greeted, offered;
	struct transfer transfers[TRANSFERS]; /* by number of the request, which is one more */
	uint8_t notify;			      /* endpoint that QEMU listens to; 0: none */
	uint8_t data[DATA_MAX];
};

static struct bridge bridge = {.port = -1, .usbip = -1};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int wake[2] = {-1, -1};

bool usbredir_exists(void)
{
	return !access(PORT, F_OK);
}

/* ---- to the modem ---- */

/* One that has just been unplugged reads no more. */
static void to_modem(const struct bridge *b, const void *data, size_t len)
{
	if (send(b->usbip, data, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		perror("usbredir: emulator");
}

static void submit(struct bridge *b, const struct transfer *t, uint32_t length,
		   const uint8_t *setup, const uint8_t *data)
{
	bool in = t->endpoint & USB_DIR_IN;
	struct header h = {.command = htobe32(CMD_SUBMIT),
			   .direction = htobe32(in),
			   .endpoint = htobe32(t->endpoint & USB_ENDPOINT_NUMBER_MASK),
			   .submit = {.length = htobe32(length)}};
	unsigned int i;

	for (i = 0; i < TRANSFERS && b->transfers[i].used; i++)
		;
	if (i == TRANSFERS || b->usbip < 0)
		return;
	b->transfers[i] = *t;
	b->transfers[i].used = true;
	h.seqnum = htobe32(i + 1);
	if (setup)
		memcpy(h.submit.setup, setup, sizeof(h.submit.setup));
	to_modem(b, &h, sizeof(h));
	if (!in && length)
		to_modem(b, data, length);
}

static void on_control(void *priv, uint64_t id, struct usb_redir_control_packet_header *c,
		       uint8_t *data, int len)
{
	struct transfer t = {.kind = CONTROL, .id = id, .endpoint = c->endpoint, .control = *c};
	struct usb_ctrlrequest setup = {.bRequestType = c->requesttype,
					.bRequest = c->request,
					.wValue = htole16(c->value),
					.wIndex = htole16(c->index),
					.wLength = htole16(c->length)};
	struct bridge *b = priv;

	submit(b, &t, c->length, (const uint8_t *)&setup, data);
	usbredirparser_free_packet_data(b->parser, data);
}

static void on_bulk(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *h, uint8_t *data,
		    int len)
{
	struct transfer t = {.kind = BULK, .id = id, .endpoint = h->endpoint};
	struct bridge *b = priv;

	submit(b, &t, h->length | h->length_high << 16, NULL, data);
	usbredirparser_free_packet_data(b->parser, data);
}

static void on_configuration(void *priv, uint64_t id,
			     struct usb_redir_set_configuration_header *set)
{
	struct transfer t = {.kind = CONFIGURATION, .id = id};
	struct usb_ctrlrequest setup = {.bRequest = USB_REQ_SET_CONFIGURATION,
					.wValue = htole16(set->configuration)};

	t.control.value = set->configuration;
	submit(priv, &t, 0, (const uint8_t *)&setup, NULL);
}

static void on_alternate(void *priv, uint64_t id, struct usb_redir_set_alt_setting_header *set)
{
	struct usb_redir_alt_setting_status_header done = {.interface = set->interface,
							   .alt = set->alt};
	struct bridge *b = priv;

	usbredirparser_send_alt_setting_status(b->parser, id, &done);
}

static void listen_on(struct bridge *b, uint8_t endpoint)
{
	const struct transfer t = {.kind = INTERRUPT, .endpoint = endpoint};

	submit(b, &t, 16, NULL, NULL);
}

static void on_start_interrupts(void *priv, uint64_t id,
				struct usb_redir_start_interrupt_receiving_header *start)
{
	struct usb_redir_interrupt_receiving_status_header done = {.endpoint = start->endpoint};
	struct bridge *b = priv;

	usbredirparser_send_interrupt_receiving_status(b->parser, id, &done);
	if (b->notify != start->endpoint)
		listen_on(b, start->endpoint);
	b->notify = start->endpoint;
}

static void on_stop_interrupts(void *priv, uint64_t id,
			       struct usb_redir_stop_interrupt_receiving_header *stop)
{
	struct usb_redir_interrupt_receiving_status_header done = {.endpoint = stop->endpoint};
	struct bridge *b = priv;

	usbredirparser_send_interrupt_receiving_status(b->parser, id, &done);
	b->notify = 0;
}

static void on_cancel(void *priv, uint64_t id)
{
	struct header h = {.command = htobe32(CMD_UNLINK)};
	struct bridge *b = priv;
	unsigned int i;

	for (i = 0; i < TRANSFERS; i++)
		if (b->transfers[i].used && b->transfers[i].id == id &&
		    !b->transfers[i].cancelled && b->transfers[i].kind != INTERRUPT)
			break;
	if (i == TRANSFERS || b->usbip < 0)
		return;
	b->transfers[i].cancelled = true;
	/* the number of the request that unlinks is that of the one unlinked, with another bit */
	h.seqnum = htobe32((i + 1) | 0x10000);
	h.unlink.seqnum = htobe32(i + 1);
	to_modem(b, &h, sizeof(h));
}

/* ---- from the modem ---- */

static uint8_t status_of(int status)
{
	switch (status) {
	case 0:
		return usb_redir_success;
	case -ECONNRESET:
		return usb_redir_cancelled;
	case -EPIPE:
		return usb_redir_stall;
	case -EOVERFLOW:
		return usb_redir_babble;
	default:
		return usb_redir_ioerror;
	}
}

static void answer(struct bridge *b, struct transfer *t, int status, uint32_t len)
{
	struct usb_redir_configuration_status_header configured = {
		.status = status_of(status), .configuration = t->control.value};
	struct usb_redir_bulk_packet_header bulk = {.endpoint = t->endpoint,
						    .status = status_of(status),
						    .length = len,
						    .length_high = len >> 16};
	struct usb_redir_interrupt_packet_header interrupt = {
		.endpoint = t->endpoint, .status = status_of(status), .length = len};
	uint32_t carried = t->endpoint & USB_DIR_IN ? len : 0;
	uint8_t *data = carried ? b->data : NULL;

	t->used = false;
	switch (t->kind) {
	case CONTROL:
		t->control.status = status_of(status);
		t->control.length = len;
		usbredirparser_send_control_packet(b->parser, t->id, &t->control, data, carried);
		break;
	case BULK:
		usbredirparser_send_bulk_packet(b->parser, t->id, &bulk, data, carried);
		break;
	case INTERRUPT:
		if (b->notify != t->endpoint)
			break;
		if (!status)
			usbredirparser_send_interrupt_packet(b->parser, t->id, &interrupt, data,
							     carried);
		listen_on(b, t->endpoint);
		break;
	case CONFIGURATION:
		usbredirparser_send_configuration_status(b->parser, t->id, &configured);
		break;
	}
}

static bool read_all(int fd, void *buf, size_t len)
{
	return !len || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

/* False: the modem has been unplugged. */
static bool from_modem(struct bridge *b)
{
	struct transfer *t;
	struct header h;
	uint32_t i, len;
	int status;

	if (!read_all(b->usbip, &h, sizeof(h)))
		return false;
	i = (be32toh(h.seqnum) & 0xffff) - 1;
	if (i >= TRANSFERS || !b->transfers[i].used)
		return true; /* the answer to an unlink that came too late */
	t = &b->transfers[i];
	status = (int)be32toh(h.done.status);
	if (be32toh(h.command) == RET_UNLINK) {
		if (status)
			answer(b, t, status, 0);
		return true;
	}
	len = be32toh(h.done.actual);
	if (t->endpoint & USB_DIR_IN && (len > DATA_MAX || !read_all(b->usbip, b->data, len)))
		return false;
	answer(b, t, status, len);
	return true;
}

/* ---- the device ---- */

static void add_endpoint(struct usb_redir_ep_info_header *info, const uint8_t *d, uint8_t interface)
{
	unsigned int i = (d[2] & USB_DIR_IN) >> 3 | (d[2] & USB_ENDPOINT_NUMBER_MASK);

	info->type[i] = d[3] & USB_ENDPOINT_XFERTYPE_MASK;
	info->interval[i] = d[6];
	info->interface[i] = interface;
	info->max_packet_size[i] = d[4] | d[5] << 8;
}

/* QEMU asks for the contents of the descriptors before it reads them. */
static void describe(struct bridge *b)
{
	struct usb_redir_interface_info_header interfaces = {};
	struct usb_redir_ep_info_header endpoints = {};
	uint8_t desc[USB_DESC_MAX];
	size_t len = usb_descriptor(b->speed, USB_DT_CONFIG, 0, desc), at;
	unsigned int n = 0;

	memset(endpoints.type, usb_redir_type_invalid, sizeof(endpoints.type));
	endpoints.type[0] = endpoints.type[16] = usb_redir_type_control;
	endpoints.max_packet_size[0] = endpoints.max_packet_size[16] = 64;
	for (at = 0; at + 2 <= len && desc[at]; at += desc[at]) {
		const uint8_t *d = desc + at;

		if (d[1] == USB_DT_INTERFACE) {
			interfaces.interface[n] = d[2];
			interfaces.interface_class[n] = d[5];
			interfaces.interface_subclass[n] = d[6];
			interfaces.interface_protocol[n++] = d[7];
		} else if (d[1] == USB_DT_ENDPOINT) {
			add_endpoint(&endpoints, d, interfaces.interface[n - 1]);
		}
	}
	interfaces.interface_count = n;
	usbredirparser_send_interface_info(b->parser, &interfaces);
	usbredirparser_send_ep_info(b->parser, &endpoints);
}

static void offer(struct bridge *b)
{
	uint8_t desc[USB_DESC_MAX];
	struct usb_redir_device_connect_header device = {
		.speed = b->speed == USB_SUPER ? usb_redir_speed_super : usb_redir_speed_high};

	usb_descriptor(b->speed, USB_DT_DEVICE, 0, desc);
	device.vendor_id = desc[8] | desc[9] << 8;
	device.product_id = desc[10] | desc[11] << 8;
	device.device_version_bcd = desc[12] | desc[13] << 8;
	describe(b);
	usbredirparser_send_device_connect(b->parser, &device);
	b->offered = true;
}

static void unplug(struct bridge *b)
{
	close(b->usbip);
	b->usbip = -1;
	b->notify = 0;
	b->offered = false;
	memset(b->transfers, 0, sizeof(b->transfers));
	usbredirparser_send_device_disconnect(b->parser);
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
	((struct bridge *)priv)->greeted = true;
}

static void ignore(void *priv)
{
}

static void on_log(void *priv, int level, const char *text)
{
	if (level <= usbredirparser_warning)
		fprintf(stderr, "usbredir: %s\n", text);
}

static int port_read(void *priv, uint8_t *data, int len)
{
	ssize_t n = read(((struct bridge *)priv)->port, data, len);

	return n < 0 && errno == EAGAIN ? 0 : n ?: -1;
}

static int port_write(void *priv, uint8_t *data, int len)
{
	ssize_t n = write(((struct bridge *)priv)->port, data, len);

	return n < 0 && errno == EAGAIN ? 0 : n;
}

static bool turn(struct bridge *b)
{
	struct pollfd pfd[3] = {{.fd = b->port, .events = POLLIN},
				{.fd = b->usbip, .events = POLLIN},
				{.fd = wake[0], .events = POLLIN}};
	char c;

	if (usbredirparser_has_data_to_write(b->parser))
		pfd[0].events |= POLLOUT;
	if (poll(pfd, 3, -1) < 0)
		return errno == EINTR;
	pthread_mutex_lock(&lock);
	if (pfd[2].revents)
		pfd[2].revents = read(wake[0], &c, 1);
	if (pfd[0].revents & POLLIN && usbredirparser_do_read(b->parser) == -1)
		fprintf(stderr, "usbredir: QEMU has hung up\n");
	if (b->usbip >= 0 && b->greeted && !b->offered)
		offer(b);
	if (pfd[1].revents && b->usbip == pfd[1].fd && !from_modem(b))
		unplug(b);
	usbredirparser_do_write(b->parser);
	pthread_mutex_unlock(&lock);
	return true;
}

static void *serve(void *arg)
{
	usb_modem_unfrozen();
	while (turn(arg))
		;
	return NULL;
}

static int start(struct bridge *b)
{
	uint32_t caps[USB_REDIR_CAPS_SIZE] = {};
	pthread_t thread;

	b->port = open(PORT, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (b->port < 0 || pipe2(wake, O_CLOEXEC))
		return -errno;
	b->parser = usbredirparser_create();
	b->parser->priv = b;
	b->parser->log_func = on_log;
	b->parser->read_func = port_read;
	b->parser->write_func = port_write;
	b->parser->hello_func = on_hello;
	b->parser->reset_func = ignore;
	b->parser->control_packet_func = on_control;
	b->parser->bulk_packet_func = on_bulk;
	b->parser->set_configuration_func = on_configuration;
	b->parser->set_alt_setting_func = on_alternate;
	b->parser->start_interrupt_receiving_func = on_start_interrupts;
	b->parser->stop_interrupt_receiving_func = on_stop_interrupts;
	b->parser->cancel_data_packet_func = on_cancel;
	b->parser->device_disconnect_ack_func = ignore;
	usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_device_disconnect_ack);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
	usbredirparser_init(b->parser, "modem", caps, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
	return pthread_create(&thread, NULL, serve, b) ? -EAGAIN : 0;
}

static int plug(enum usb_speed speed)
{
	int fds[2], err = bridge.parser ? 0 : start(&bridge);

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	pthread_mutex_lock(&lock);
	bridge.usbip = fds[1];
	bridge.speed = speed;
	pthread_mutex_unlock(&lock);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return write(wake[1], "", 1) == 1 ? fds[0] : -errno;
}

__attribute__((constructor)) static void replace(void)
{
	if (usbredir_exists())
		vhci_replacement = plug;
}
