/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDN contexts and the data calls on them. */
#ifndef MODEM_PDN_H
#define MODEM_PDN_H

#include "modem.h"
#include "qmux.h"

/* Number them, give them addresses. */
void pdns_init(struct modem *m);

/*
 * Which PDN a Start Network means: by APN table, else by profile (0: none given), else by mux id.
 * NULL if the network knows no such APN or profile; then *end says why.
 */
struct pdn *pdn_choose(struct modem *m, const struct client *c, const char *apn, uint8_t profile,
		       struct call_end *end);

/* Is there a network to call, with radio on and the SIM open? If not, *end says why. */
bool pdn_on_air(const struct modem *m, struct call_end *end);

/* If there is no network to call any more, all calls end. */
void pdn_network_gone(struct modem *m);

/* The modem's autoconnect: calls of this family, which clients on this PDN have set up before, come
 * back. Returns how many. */
unsigned int pdn_bring_back(struct modem *m, struct pdn *pdn, enum family family);

/* Put client `c` into the call of this family. QMI_CALL_FAILED with *end if that cannot be. */
enum qmi_error pdn_connect(struct modem *m, struct client *c, struct pdn *pdn, enum family family,
			   struct call_end *end);

/* Take client `c` out of its call; does nothing if it has none. */
void pdn_leave(struct modem *m, struct client *c);

/* The network ends the call of this family: every client in it gets an indication. `end` NULL: none
 * does. */
void pdn_disconnect(struct modem *m, struct pdn *pdn, enum family family,
		    const struct call_end *end);

/* Ask the clients of this PDN to read their settings again. */
void pdn_reconfigure(struct modem *m, struct pdn *pdn);

/* What the host is to know of `pdn_readdress()`. */
enum readdress {
	READDRESS_SILENT,
	READDRESS_CONNECTED, /* a status indication as for a new call */
	READDRESS_RECONFIGURE,
};

/* Both families get the address that ends in `host`, 2 to 52. */
void pdn_readdress(struct modem *m, struct pdn *pdn, unsigned int host, enum readdress how);

/* Tell `c` its packet service status. `end` NULL: none. */
void pdn_indicate(struct modem *m, const struct client *c, enum family family, bool connected,
		  bool reconfigure, const struct call_end *end);

#endif
