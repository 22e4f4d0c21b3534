// SPDX-License-Identifier: GPL-2.0-or-later
#include "pdn.h"
#include "client.h"
#include "service.h"
#include "sim.h"
#include "util.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Verbose call end: types and reasons (WDS, Verbose Call End Reason). */
#define END_INTERNAL	       2
#define END_3GPP	       6
#define END_CALL_MANAGER       3
#define CM_NO_SERVICE	       2001
#define REASON_NO_SERVICE      3
#define INTERNAL_CARD_EVENT    218
#define INTERNAL_LOW_POWER     219
#define INTERNAL_INTERFACE_USE 241 /* interface in use, configuration does not match */
#define INTERNAL_MAX_PDN       262
#define REASON_UNSPECIFIED     1
#define CAUSE_UNKNOWN_APN      27

static struct in_addr address4(unsigned int pdn, unsigned int host)
{
	return (struct in_addr){htonl(10u << 24 | 64u << 16 | pdn << 8 | host)};
}

static struct in6_addr address6(unsigned int pdn, unsigned int host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	snprintf(text, sizeof(text), "2001:db8:64:%x::%u", pdn, host);
	inet_pton(AF_INET6, text, &a);
	return a;
}

void pdns_init(struct modem *m)
{
	for (unsigned int i = 0; i < MAX_PDNS; i++) {
		struct pdn *p = &m->pdns[i];
		unsigned int n = i + 1;

		p->modem = m;
		p->number = n;
		p->tun.fd = -1;
		p->mtu = 1500;
		strcpy(p->apn, "internet");
		p->host4 = address4(n, 2);
		p->gateway4 = address4(n, 1);
		p->dns4[0] = address4(n, 53);
		p->dns4[1] = address4(n, 54);
		p->host6 = address6(n, 2);
		p->gateway6 = address6(n, 1);
		p->dns6[0] = address6(n, 53);
		p->dns6[1] = address6(n, 54);
	}
}

/* Looks up the PDN of `apn` in a table like "internet=1,ims=2"; 0: not in it. */
static unsigned int apn_lookup(const char *table, const char *apn)
{
	size_t len = strlen(apn);

	for (const char *p = table; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncasecmp(p, apn, len) && p[len] == '=')
			return strtoul(p + len + 1, NULL, 10);
	return 0;
}

static struct pdn *pdn_number(struct modem *m, unsigned int n)
{
	return n >= 1 && n <= m->options.pdns ? &m->pdns[n - 1] : NULL;
}

static bool in_use(const struct pdn *p)
{
	return p->users[FAMILY_V4] || p->users[FAMILY_V6];
}

/* 0x80 + n is PDN n, as in Quectel's tools; any other mux id gets the first free PDN. */
static struct pdn *choose_by_mux(struct modem *m, uint8_t mux)
{
	struct pdn *p = m->by_mux[mux];

	if (!p && mux > 0x80)
		p = pdn_number(m, mux - 0x80);
	for (unsigned int i = 0; !p && i < m->options.pdns; i++)
		if (!in_use(&m->pdns[i]))
			p = &m->pdns[i];
	return p;
}

struct pdn *pdn_choose(struct modem *m, const struct client *c, const char *apn, uint8_t profile,
		       struct call_end *end)
{
	struct pdn *p;

	*end = (struct call_end){REASON_UNSPECIFIED, END_3GPP, CAUSE_UNKNOWN_APN};
	if (*apn && m->options.apns)
		return pdn_number(m, apn_lookup(m->options.apns, apn));
	if (profile)
		return pdn_number(m, profile);
	p = choose_by_mux(m, c->mux);
	if (!p)
		*end = (struct call_end){REASON_UNSPECIFIED, END_INTERNAL, INTERNAL_MAX_PDN};
	return p;
}

static bool has_network(const struct modem *m)
{
	return m->registration == REGISTERED || m->attached;
}

bool pdn_on_air(const struct modem *m, struct call_end *end)
{
	*end = (struct call_end){REASON_UNSPECIFIED, END_INTERNAL, INTERNAL_CARD_EVENT};
	if (m->operating_mode)
		end->verbose = INTERNAL_LOW_POWER;
	else if (sim_ready(m) && !has_network(m))
		*end = (struct call_end){REASON_NO_SERVICE, END_CALL_MANAGER, CM_NO_SERVICE};
	return !m->operating_mode && sim_ready(m) && has_network(m);
}

void pdn_network_gone(struct modem *m)
{
	struct call_end end;

	if (pdn_on_air(m, &end))
		return;
	for (unsigned int i = 0; i < m->options.pdns; i++)
		for (int f = 0; f < FAMILIES; f++)
			pdn_disconnect(m, &m->pdns[i], f, &end);
}

static bool waits(const struct client *c, const struct pdn *pdn, enum family family)
{
	return !c->pdn && c->bound && c->mux == (pdn->mux ? pdn->mux : 0x80 + pdn->number) &&
	       c->ip_family == (family == FAMILY_V4 ? 4 : 6);
}

unsigned int pdn_bring_back(struct modem *m, struct pdn *pdn, enum family family)
{
	struct call_end end;
	unsigned int n = 0;

	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (!waits(c, pdn, family) || pdn_connect(m, c, pdn, family, &end))
			continue;
		pdn_indicate(m, c, family, true, false, NULL);
		n++;
	}
	return n;
}

enum qmi_error pdn_connect(struct modem *m, struct client *c, struct pdn *pdn, enum family family,
			   struct call_end *end)
{
	uint8_t mux = c->mux;

	/* A PDN has one mux id, and a mux id one PDN. */
	if ((in_use(pdn) && pdn->mux != mux) || (m->by_mux[mux] && m->by_mux[mux] != pdn)) {
		*end = (struct call_end){REASON_UNSPECIFIED, END_INTERNAL, INTERNAL_INTERFACE_USE};
		return QMI_CALL_FAILED;
	}
	pdn->mux = mux;
	pdn->users[family]++;
	m->by_mux[mux] = pdn;
	c->pdn = pdn;
	c->family = family;
	m->next_handle += 0x10;
	c->handle = m->next_handle;
	c->tx_bytes = pdn->count.ul_bytes;
	c->rx_bytes = pdn->count.dl_bytes;
	return QMI_OK;
}

void pdn_leave(struct modem *m, struct client *c)
{
	struct pdn *p = c->pdn;

	if (!p)
		return;
	p->users[c->family]--;
	if (!in_use(p)) {
		m->by_mux[p->mux] = NULL;
		p->flow_off = false;
	}
	c->tx_bytes = p->count.ul_bytes - c->tx_bytes;
	c->rx_bytes = p->count.dl_bytes - c->rx_bytes;
	c->pdn = NULL;
	c->handle = 0;
}

void pdn_indicate(struct modem *m, const struct client *c, enum family family, bool connected,
		  bool reconfigure, const struct call_end *end)
{
	struct qmi_tlvs tlvs = {0};
	uint8_t status[2] = {connected ? 2 : 1, reconfigure};
	uint8_t verbose[4];

	qmi_put_u8(&tlvs, 0x12, family == FAMILY_V4 ? 4 : 6);
	qmi_put(&tlvs, 0x01, status, sizeof(status));
	if (end) {
		put_le16(verbose, end->type);
		put_le16(verbose + 2, end->verbose);
		qmi_put_u16(&tlvs, 0x10, end->reason);
		qmi_put(&tlvs, 0x11, verbose, sizeof(verbose));
	} else if (connected) {
		qmi_put_u8(&tlvs, 0x15, 0); /* XLAT: not capable */
		qmi_put_u16(&tlvs, 0x34, 0x8880);
	}
	service_indicate(m, QMI_SERVICE_WDS, c->id, 0x0022, &tlvs);
}

void pdn_disconnect(struct modem *m, struct pdn *pdn, enum family family,
		    const struct call_end *end)
{
	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (c->pdn != pdn || c->family != family)
			continue;
		pdn_leave(m, c);
		if (end)
			pdn_indicate(m, c, family, false, false, end);
	}
}

void pdn_reconfigure(struct modem *m, struct pdn *pdn)
{
	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (c->pdn == pdn)
			pdn_indicate(m, c, c->family, true, true, NULL);
	}
}

void pdn_readdress(struct modem *m, struct pdn *pdn, unsigned int host, enum readdress how)
{
	pdn->host4 = address4(pdn->number, host);
	pdn->host6 = address6(pdn->number, host);
	if (how == READDRESS_SILENT)
		return;
	client_foreach(m, QMI_SERVICE_WDS, c)
	{
		if (c->pdn == pdn)
			pdn_indicate(m, c, c->family, true, how == READDRESS_RECONFIGURE, NULL);
	}
}
