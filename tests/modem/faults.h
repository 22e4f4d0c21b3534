/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that make answers late, wrong or missing, and calls fail. */
#ifndef MODEM_FAULTS_H
#define MODEM_FAULTS_H

#include "modem.h"
#include "qmux.h"

enum spoil {
	SPOIL_NONE,
	SPOIL_GARBAGE,	 /* random bytes */
	SPOIL_TRUNCATED, /* the answer cut short, its QMUX length saying so */
	SPOIL_LENGTH,	 /* SDU and TLV lengths that do not fit in one another */
	SPOIL_MARKER,	 /* QMUX marker 0x02 (16-bit services) instead of 0x01 */
};

/* What happens instead of an answer. */
enum strike {
	STRIKE_NONE,
	STRIKE_REBOOT, /* the modem reboots, before it has read the request */
	STRIKE_DIE,    /* its process ends: to the host it is as unplugged, netdev and all */
	STRIKE_ABORT,  /* WDS: "disconnected" by indication, nothing is done */
	STRIKE_HOST,   /* the process that has asked is killed; what it asked for is done */
};

/* What is to happen to one answer. All zero: nothing. */
struct fault {
	bool delayed;
	unsigned int delay_ms;
	bool never;
	bool twice;
	enum strike strike;
	unsigned int reboot_ms; /* of STRIKE_REBOOT, as for power_reboot() */
	unsigned int announce;
	pid_t host; /* of STRIKE_HOST; 0: the socket's peer */
	enum qmi_error error;
	enum spoil spoil; /* sent before the answer, or instead of it if `never` */
};

int faults_new(struct modem *m);
void faults_free(struct modem *m);

/* What the rules want for the answer to this message; uses up counted ones. */
struct fault faults_take(struct modem *m, uint8_t service, uint16_t id);

/* A spoilt version of a good answer in `bad` (QMUX_MAX bytes). Returns its length. */
size_t faults_spoil(struct modem *m, const struct fault *fault, const uint8_t *good, size_t len,
		    uint8_t *bad);

/* Is this call to be refused? Then *end says with which reasons. */
bool faults_refuse(struct modem *m, const struct pdn *pdn, const char *apn, enum family family,
		   struct call_end *end);

#endif
