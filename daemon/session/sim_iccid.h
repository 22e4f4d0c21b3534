/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identifies the SIM by its ICCID, by UIM, or by DMS on modems that do not read files. */
#ifndef QMAP_SESSION_SIM_ICCID_H
#define QMAP_SESSION_SIM_ICCID_H

#include "clients.h"
#include "qmi/uim.h"

enum sim_iccid_state {
	SIM_ICCID_UNKNOWN,
	SIM_ICCID_ASKED,
	SIM_ICCID_SETTLED, /* known, or the modem does not report it */
};

/* Questions that may be open: a SIM can be changed sooner than the modem answers. */
#define SIM_ICCID_QUESTIONS 8

struct sim_iccid_question {
	struct sim_iccid *of;
	unsigned int number;
};

/* Members other than @state and @text are sim_iccid.c's. */
struct sim_iccid {
	enum sim_iccid_state state;
	char text[QMI_ICCID_SIZE]; /* empty: unknown */
	struct clients *clients;
	void (*settled)(void *arg);
	void *arg;
	struct sim_iccid_question questions[SIM_ICCID_QUESTIONS];
	unsigned int number; /* of the last question */
};

/* Asks for it; settled() follows, unless sim_iccid_forget() comes first. */
void sim_iccid_ask(struct sim_iccid *i);
/* The SIM was taken out. */
void sim_iccid_forget(struct sim_iccid *i);

#endif
