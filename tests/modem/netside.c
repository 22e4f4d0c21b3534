// SPDX-License-Identifier: GPL-2.0-or-later
#include "netside.h"
#include "aggregate.h"
#include "tun.h"
#include "usb.h"
#include "util.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS	256 /* packets read from one PDN a round, so that the others run, too */
#define PDN_MTU 1500

static void from_network(struct pdn *pdn, const uint8_t *packet, size_t len)
{
	enum family family = packet[0] >> 4 == 6 ? FAMILY_V6 : FAMILY_V4;

	bool raw = pdn->modem->format.dl == WDA_OFF;

	if (pdn->users[family] && !(raw && pdn->mux))
		aggregate_add(pdn->modem, pdn, packet, len);
	else
		pdn->count.dl_not_connected++;
}

static void pdn_ready(struct event *ev, uint32_t events)
{
	struct pdn *pdn = container_of(ev, struct pdn, tun);
	static uint8_t buf[MAX_TRANSFER];

	pdn->drained = false;
	for (int i = 0; i < READS && !usb_transfers_congested(pdn->modem); i++) {
		ssize_t n = read(ev->fd, buf, sizeof(buf));

		if (n <= 0) {
			pdn->drained = true;
			return;
		}
		from_network(pdn, buf, n);
	}
}

void netside_send(struct pdn *pdn, const uint8_t *packet, size_t len)
{
	if (write(pdn->tun.fd, packet, len) < 0)
		pdn->count.ul_lost++;
}

static void pdn_name(const struct pdn *pdn, char *name)
{
	snprintf(name, IFNAMSIZ, "pdn%u", pdn->number);
}

int netside_set_mtu(struct pdn *pdn, uint32_t mtu)
{
	char name[IFNAMSIZ];
	int err;

	pdn_name(pdn, name);
	err = tun_set_mtu(pdn->modem->net_socket, name, mtu);
	if (!err)
		pdn->mtu = mtu;
	return err;
}

/* A host that gets no CPU for a while takes no transfers, and must not lose any for that. */
void netside_round(struct modem *m)
{
	bool held = usb_transfers_congested(m);

	for (unsigned int i = 0; i < m->options.pdns && held != m->net_held; i++)
		loop_change(&m->loop, &m->pdns[i].tun, held ? 0 : EPOLLIN);
	m->net_held = held;
}

bool netside_drained(struct modem *m)
{
	for (unsigned int i = 0; i < m->options.pdns; i++)
		if (!m->pdns[i].drained)
			return false;
	return true;
}

static int give_addresses(struct pdn *p, int ifindex)
{
	int err = tun_address4(ifindex, p->gateway4, 24); /* pdn_readdress() */

	for (int i = 0; !err && i < 2; i++)
		err = tun_address4(ifindex, p->dns4[i], 32);
	if (!err)
		err = tun_address6(ifindex, &p->gateway6, 64);
	for (int i = 0; !err && i < 2; i++)
		err = tun_address6(ifindex, &p->dns6[i], 128);
	return err;
}

static int pdn_open(struct pdn *p)
{
	char name[IFNAMSIZ];
	int ifindex;

	pdn_name(p, name);
	p->tun = (struct event){.fd = tun_open(name, IFF_TUN | IFF_NO_PI, O_NONBLOCK),
				.ready = pdn_ready};
	p->drained = true;
	if (p->tun.fd < 0)
		return p->tun.fd;
	tun_quiet(name);
	ifindex = tun_configure(name, PDN_MTU, true);
	if (ifindex < 0)
		return ifindex;
	return give_addresses(p, ifindex);
}

/* Addresses left in the namespace by an earlier run stay. */
static int open_loopback(void)
{
	struct in6_addr server6;
	struct in_addr server4;
	int err, lo = tun_configure("lo", 0, true);

	if (lo < 0)
		return lo;
	inet_pton(AF_INET, NETSIDE_SERVER4, &server4);
	inet_pton(AF_INET6, NETSIDE_SERVER6, &server6);
	err = tun_address4(lo, server4, 32);
	if (err && err != -EEXIST)
		return err;
	err = tun_address6(lo, &server6, 128);
	return err == -EEXIST ? 0 : err;
}

static int open_all(struct modem *m)
{
	int err = open_loopback();

	m->net_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (m->net_socket < 0)
		return -errno;
	for (unsigned int i = 0; !err && i < m->options.pdns; i++)
		err = pdn_open(&m->pdns[i]);
	return err;
}

int netside_new(struct modem *m)
{
	int home = netns_current();
	int err, back;

	if (home < 0)
		return home;
	err = netns_enter(m->options.net_netns);
	if (err) {
		warnx("network namespace %s: %s", m->options.net_netns ?: "of its own",
		      strerror(-err));
	} else {
		err = open_all(m);
		back = netns_return(home);
		err = err ?: back;
	}
	close(home);
	for (unsigned int i = 0; !err && i < m->options.pdns; i++)
		err = loop_add(&m->loop, &m->pdns[i].tun, EPOLLIN);
	return err;
}

void netside_free(struct modem *m)
{
	for (unsigned int i = 0; i < MAX_PDNS; i++) {
		if (m->pdns[i].tun.fd >= 0)
			close(m->pdns[i].tun.fd);
		m->pdns[i].tun.fd = -1;
	}
	if (m->net_socket >= 0)
		close(m->net_socket);
	m->net_socket = -1;
}
