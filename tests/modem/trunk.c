// SPDX-License-Identifier: GPL-2.0-or-later
#include "trunk.h"
#include "linear.skel.h"
#include "tun.h"
#include "uplink.h"
#include "usb.h"
#include "util.h"

#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MARK	     0x716d6170 /* as in linear.bpf.c */
#define READS	     64		/* reads from the trunk a round, so that other parts run, too */
#define INJECTOR_MTU 65535

struct trunk {
	struct event ev;
	struct modem *modem;
	int ifindex;
	int query; /* socket in the trunk's namespace, for ioctls */
	/* Linear injection; injector -1: by TUN write. */
	struct linear *skel;
	int injector; /* the TUN whose egress leads into the trunk */
	int injector_ifindex;
	int packet;
	uint8_t buf[4 + MAX_TRANSFER]; /* struct tun_pi: flags, protocol BE16 */
};

static void trunk_ready(struct event *ev, uint32_t events)
{
	struct trunk *t = container_of(ev, struct trunk, ev);

	for (int i = 0; i < READS; i++) {
		ssize_t n = read(ev->fd, t->buf, sizeof(t->buf));

		if (n < 4)
			return;
		uplink_receive(t->modem, t->buf + 4, n - 4);
	}
}

static int attach(struct trunk *t)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook),
		.ifindex = t->injector_ifindex,
		.attach_point = BPF_TC_EGRESS,
	};
	struct bpf_tc_opts opts = {.sz = sizeof(opts), .handle = 1, .priority = 1};
	int err;

	t->skel = linear__open();
	if (!t->skel)
		return -errno;
	t->skel->rodata->trunk_ifindex = t->ifindex;
	err = linear__load(t->skel);
	if (err)
		return err;
	err = bpf_tc_hook_create(&hook);
	if (err)
		return err;
	opts.prog_fd = bpf_program__fd(t->skel->progs.inject);
	return bpf_tc_attach(&hook, &opts);
}

static int open_packet(struct trunk *t)
{
	int mark = MARK, fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int size = 4 << 20, err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size))) {
		err = -errno;
		close(fd);
		return err;
	}
	t->packet = fd;
	return 0;
}

/*
 * The injecting device is separate from the trunk: the trunk's clsact and MTU belong to the host,
 * and packets that the host sends there must not be mistaken for downlink.
 */
static int linear_new(struct trunk *t, const char *trunk)
{
	char name[IFNAMSIZ];
	int err;

	if (snprintf(name, sizeof(name), "urb-%s", trunk) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	t->injector = tun_open(name, IFF_TUN | IFF_NO_PI, O_NONBLOCK);
	if (t->injector < 0)
		return t->injector;
	tun_quiet(name);
	t->injector_ifindex = tun_configure(name, INJECTOR_MTU, true);
	if (t->injector_ifindex < 0)
		return t->injector_ifindex;
	err = attach(t);
	return err ? err : open_packet(t);
}

static void linear_free(struct trunk *t)
{
	if (t->packet >= 0)
		close(t->packet);
	if (t->injector >= 0)
		close(t->injector);
	linear__destroy(t->skel);
	t->packet = t->injector = -1;
	t->skel = NULL;
}

int trunk_new(struct modem *m)
{
	const struct options *o = &m->options;
	struct trunk *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	m->trunk = t;
	t->modem = m;
	t->packet = t->injector = -1;
	t->query = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	t->ev = (struct event){.fd = tun_open(o->trunk, IFF_TUN, O_NONBLOCK), .ready = trunk_ready};
	if (t->ev.fd < 0)
		return t->ev.fd;
	t->ifindex = tun_configure(o->trunk, o->trunk_mtu, false);
	if (t->ifindex < 0)
		return t->ifindex;
	err = o->linear ? linear_new(t, o->trunk) : 0;
	if (err) {
		linear_free(t);
		warnx("linear injection is not to be had (%s): writing to the TUN instead",
		      strerror(-err));
	}
	return loop_add(&m->loop, &t->ev, EPOLLIN);
}

void trunk_free(struct modem *m)
{
	struct trunk *t = m->trunk;

	if (!t)
		return;
	linear_free(t);
	if (t->query >= 0)
		close(t->query);
	if (t->ev.fd >= 0)
		close(t->ev.fd);
	free(t);
	m->trunk = NULL;
}

void trunk_take_uplink(struct modem *m, bool on)
{
	if (m->trunk)
		loop_change(&m->loop, &m->trunk->ev, on ? EPOLLIN : 0);
}

const char *trunk_kind(const struct modem *m)
{
	if (m->usb)
		return "usb";
	return m->trunk->packet >= 0 ? "linear" : "tun";
}

static ssize_t send_linear(struct trunk *t, uint16_t protocol, const uint8_t *buf, size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htobe16(protocol),
		.sll_ifindex = t->injector_ifindex,
	};

	return sendto(t->packet, buf, len, 0, (struct sockaddr *)&to, sizeof(to));
}

static ssize_t send_tun(struct trunk *t, uint16_t protocol, const uint8_t *buf, size_t len)
{
	uint8_t info[4] = {0};
	struct iovec iov[] = {{info, sizeof(info)}, {(void *)buf, len}};

	put_be16(info + 2, protocol);
	return writev(t->ev.fd, iov, ARRAY_SIZE(iov));
}

/* The URBs of qmi_wwan are as large as the MTU; a larger transfer is lost entirely (usbnet.c). */
static bool beyond_urb(const struct modem *m, size_t len)
{
	int mtu = m->options.urb_mtu ? tun_get_mtu(m->trunk->query, m->options.trunk) : -1;

	return mtu >= 0 && len > (size_t)mtu;
}

void trunk_send(struct modem *m, uint16_t protocol, const uint8_t *buf, size_t len)
{
	struct trunk *t = m->trunk;
	ssize_t n;

	if (m->usb) {
		usb_send_transfer(m, buf, len);
		return;
	}
	if (beyond_urb(m, len)) {
		m->traffic.dl_beyond_urb++;
		return;
	}
	n = t->packet >= 0 ? send_linear(t, protocol, buf, len) : send_tun(t, protocol, buf, len);
	if (n < 0)
		m->traffic.dl_lost++;
}
