// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_ip.h"
#include "usb_vhci.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum command {
	CMD_SUBMIT = 1,
	CMD_UNLINK = 2,
	RET_SUBMIT = 3,
	RET_UNLINK = 4,
};

/* Offsets in a header, all big endian: the same for all four commands up to `ENDPOINT`. */
enum offset {
	AT_COMMAND = 0,
	AT_SEQNUM = 4,
	AT_DIRECTION = 12,
	AT_ENDPOINT = 16,
	AT_FLAGS = 20,	/* CMD_SUBMIT */
	AT_LENGTH = 24, /* CMD_SUBMIT */
	AT_SETUP = 40,
	AT_VICTIM = 20, /* CMD_UNLINK */
	AT_STATUS = 20, /* RET_* */
	AT_ACTUAL = 24, /* RET_SUBMIT */
	HEADER = 48,
};

#define ZERO_PACKET 0x40  /* kernel linux/usb.h, URB_ZERO_PACKET */
#define MAX_DATA    65536 /* bytes of the largest transfer accepted from a host */

struct usb_link {
	struct event ev;
	struct loop *loop;
	const struct usb_link_ops *ops;
	void *arg;
	uint8_t *out; /* bytes that the socket has not taken yet */
	size_t out_len, out_size;
	size_t in_len;
	uint8_t in[2 * (HEADER + MAX_DATA)];
};

static void link_free(struct event *ev)
{
	struct usb_link *l = container_of(ev, struct usb_link, ev);

	free(l->out);
	free(l);
}

void usb_link_free(struct usb_link **link)
{
	if (*link)
		loop_kill((*link)->loop, &(*link)->ev);
	*link = NULL;
}

static void broken(struct usb_link *l)
{
	if (l->ev.dead)
		return;
	l->ops->closed(l->arg);
	loop_kill(l->loop, &l->ev);
}

static void store(struct usb_link *l, const uint8_t *buf, size_t len)
{
	if (l->out_len + len > l->out_size) {
		size_t size = 2 * (l->out_len + len);
		uint8_t *out = realloc(l->out, size);

		if (!out) {
			broken(l);
			return;
		}
		l->out = out;
		l->out_size = size;
	}
	memcpy(l->out + l->out_len, buf, len);
	l->out_len += len;
	loop_change(l->loop, &l->ev, EPOLLIN | EPOLLOUT);
}

static void flush(struct usb_link *l)
{
	ssize_t n = send(l->ev.fd, l->out, l->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN)
			broken(l);
		return;
	}
	memmove(l->out, l->out + n, l->out_len - n);
	l->out_len -= n;
	if (!l->out_len)
		loop_change(l->loop, &l->ev, EPOLLIN);
}

static void write_all(struct usb_link *l, const uint8_t *header, const uint8_t *data, size_t len)
{
	struct iovec iov[] = {{(void *)header, HEADER}, {(void *)data, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov)};
	ssize_t n = 0;

	if (l->ev.dead)
		return;
	if (!l->out_len)
		n = sendmsg(l->ev.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN) {
		broken(l);
		return;
	}
	n = n < 0 ? 0 : n;
	if (n < HEADER)
		store(l, header + n, HEADER - n);
	n = n < HEADER ? 0 : n - HEADER;
	if (!l->ev.dead && (size_t)n < len)
		store(l, data + n, len - n);
}

static void build_header(uint8_t *h, enum command command, uint32_t seqnum, int status,
			 size_t actual)
{
	memset(h, 0, HEADER);
	put_be32(h + AT_COMMAND, command);
	put_be32(h + AT_SEQNUM, seqnum);
	put_be32(h + AT_STATUS, status);
	if (command == RET_SUBMIT)
		put_be32(h + AT_ACTUAL, actual);
}

void usb_link_answer(struct usb_link *link, uint32_t seqnum, int status, const uint8_t *data,
		     size_t len)
{
	uint8_t h[HEADER];

	build_header(h, RET_SUBMIT, seqnum, status, len);
	write_all(link, h, data, len);
}

void usb_link_taken(struct usb_link *link, uint32_t seqnum, size_t len)
{
	uint8_t h[HEADER];

	build_header(h, RET_SUBMIT, seqnum, 0, len);
	write_all(link, h, NULL, 0);
}

static void take_back(struct usb_link *l, const uint8_t *h)
{
	uint8_t answer[HEADER];
	bool pending = l->ops->unlink(l->arg, get_be32(h + AT_VICTIM));

	build_header(answer, RET_UNLINK, get_be32(h + AT_SEQNUM), pending ? -ECONNRESET : 0, 0);
	write_all(l, answer, NULL, 0);
}

/* Parses one request at `h`. Returns its length, 0 if incomplete, -1 if malformed. */
static ssize_t parse(struct usb_link *l, const uint8_t *h, size_t len)
{
	struct usb_request r;
	size_t total = HEADER;

	if (len < HEADER)
		return 0;
	if (get_be32(h + AT_COMMAND) == CMD_UNLINK) {
		take_back(l, h);
		return HEADER;
	}
	r = (struct usb_request){
		.seqnum = get_be32(h + AT_SEQNUM),
		.endpoint = get_be32(h + AT_ENDPOINT) & 0x0f,
		.in = get_be32(h + AT_DIRECTION),
		.zero_packet = get_be32(h + AT_FLAGS) & ZERO_PACKET,
		.length = get_be32(h + AT_LENGTH),
		.data = h + HEADER,
	};
	memcpy(r.setup, h + AT_SETUP, sizeof(r.setup));
	if (get_be32(h + AT_COMMAND) != CMD_SUBMIT || (!r.in && r.length > MAX_DATA))
		return -1;
	total += r.in ? 0 : r.length;
	if (len < total)
		return 0;
	l->ops->submit(l->arg, &r);
	return total;
}

static void consume(struct usb_link *l)
{
	size_t done = 0;

	while (!l->ev.dead) {
		ssize_t n = parse(l, l->in + done, l->in_len - done);

		if (n < 0)
			broken(l);
		if (n <= 0)
			break;
		done += n;
	}
	memmove(l->in, l->in + done, l->in_len - done);
	l->in_len -= done;
}

static void link_ready(struct event *ev, uint32_t events)
{
	struct usb_link *l = container_of(ev, struct usb_link, ev);
	ssize_t n;

	if (events & EPOLLOUT)
		flush(l);
	if (ev->dead || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(ev->fd, l->in + l->in_len, sizeof(l->in) - l->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		broken(l);
		return;
	}
	l->in_len += n;
	consume(l);
}

int usb_link_new(struct loop *loop, enum usb_speed speed, const struct usb_link_ops *ops, void *arg,
		 struct usb_link **out)
{
	struct usb_link *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->ops = ops;
	l->arg = arg;
	l->ev = (struct event){.fd = vhci_plug(speed), .ready = link_ready, .free = link_free};
	if (l->ev.fd < 0) {
		err = l->ev.fd;
		free(l);
		return err;
	}
	err = loop_add(loop, &l->ev, EPOLLIN);
	if (err) {
		close(l->ev.fd);
		free(l);
		return err;
	}
	*out = l;
	return 0;
}
