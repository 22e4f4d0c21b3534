/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that delay, spoil or drop answers, and make calls fail. */
#ifndef MODEM_FAULTS_H
#define MODEM_FAULTS_H

#include "modem.h"
#include "qmux.h"

enum spoil {
	SPOIL_NONE,
	SPOIL_GARBAGE,	 /* random bytes */
	SPOIL_TRUNCATED, /* the answer cut short, with a fitting QMUX length */
	SPOIL_LENGTH,	 /* SDU and TLV lengths that contradict each other */
	SPOIL_MARKER,	 /* QMUX marker 0x02 (16-bit services) instead of 0x01 */
};

/* Events that replace an answer. */
enum strike {
	STRIKE_NONE,
	STRIKE_REBOOT, /* the modem reboots before it reads the request */
	STRIKE_DIE,    /* its process ends: the host sees it unplugged, including the netdev */
	STRIKE_ABORT,  /* WDS: "disconnected" by indication, the request has no effect */
	STRIKE_HOST,   /* the process that sent the request is killed; the request is executed */
};

/* Modifications of one answer. All zero: none. */
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
	/* In a successful answer these bytes stand for its TLVs, whole or not. */
	bool told;
	uint8_t tlvs[512];
	unsigned int ntlvs;
};

int faults_new(struct modem *m);
void faults_free(struct modem *m);

/* Collects the rules for the answer to this message and decrements their counters. */
struct fault faults_take(struct modem *m, uint8_t service, uint16_t id);

/* Writes a spoilt version of a good answer to `bad` (QMUX_MAX bytes). Returns its length. */
size_t faults_spoil(struct modem *m, const struct fault *fault, const uint8_t *good, size_t len,
		    uint8_t *bad);

/* Is this call to be refused? *end then gets the reasons. */
bool faults_refuse(struct modem *m, const struct pdn *pdn, const char *apn, enum family family,
		   struct call_end *end);

#endif
