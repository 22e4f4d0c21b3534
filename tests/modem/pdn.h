/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDN contexts and the data calls on them. */
#ifndef MODEM_PDN_H
#define MODEM_PDN_H

#include "modem.h"
#include "qmux.h"

/* Sets numbers and addresses. */
void pdns_init(struct modem *m);

/*
 * Selects the PDN for Start Network: by APN table, else by profile (0: none given), else by mux id.
 * NULL if the network knows no such APN or profile; *end then gets the reason.
 */
struct pdn *pdn_choose(struct modem *m, const struct client *c, const char *apn, uint8_t profile,
		       struct call_end *end);

/*
 * Is there a network to call, with the radio on and the SIM unlocked? If not, *end gets the
 * reason.
 */
bool pdn_on_air(const struct modem *m, struct call_end *end);

/* Ends all calls if the network is gone. */
void pdn_network_gone(struct modem *m);

/*
 * Simulates autoconnect: restores the calls of this family that clients have set up on this PDN
 * before. Returns their number.
 */
unsigned int pdn_bring_back(struct modem *m, struct pdn *pdn, enum family family);

/* Adds client `c` to the call of this family. QMI_CALL_FAILED with *end if that is not possible. */
enum qmi_error pdn_connect(struct modem *m, struct client *c, struct pdn *pdn, enum family family,
			   struct call_end *end);

/* Removes client `c` from its call; does nothing if it has none. */
void pdn_leave(struct modem *m, struct client *c);

/*
 * The network ends the call of this family: every client in it gets an indication, with the reason
 * `end` unless that is NULL.
 */
void pdn_disconnect(struct modem *m, struct pdn *pdn, enum family family,
		    const struct call_end *end);

/* Asks the clients of this PDN to read their settings again. */
void pdn_reconfigure(struct modem *m, struct pdn *pdn);

/* How the host learns of `pdn_readdress()`. */
enum readdress {
	READDRESS_SILENT,
	READDRESS_CONNECTED, /* by a status indication as for a new call */
	READDRESS_RECONFIGURE,
};

/* Both families get the address that ends in `host`, 2 to 52. */
void pdn_readdress(struct modem *m, struct pdn *pdn, unsigned int host, enum readdress how);

/* Sends `c` its packet service status. `end` NULL: no reason. */
void pdn_indicate(struct modem *m, const struct client *c, enum family family, bool connected,
		  bool reconfigure, const struct call_end *end);

#endif
