/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signal: NAS. It is polled, and modems that support it are set to report changes larger than noise
 * by themselves. Only while there is a NAS client.
 */
#ifndef QMAP_SESSION_SIGNALS_H
#define QMAP_SESSION_SIGNALS_H

#include <time.h>

#include "clients.h"
#include "qmi/nas.h"

struct json_object;

/* The past hour, in steps. */
#define SIGNALS_STEP_MS (5 * 60 * 1000)
#define SIGNALS_STEPS	12

/* Upper bound of requests that are sent again in one session: a modem may never answer them. */
#define NAS_REPEATS 3

struct signals_step {
	uint64_t step; /* number of the step of CLOCK_MONOTONIC */
	time_t begin;  /* when its first level came */
	int sum, n;    /* of levels in dBm */
};

/* For network.c, which is its owner; the members are those of signals.c. */
struct signals {
	struct clients *clients;
	/* The levels have changed. */
	void (*changed)(void *arg);
	/* As session_ops.signal. */
	void (*report)(void *arg, const char *from, const char *to, int dbm);
	void *arg;
	bool old;	      /* the modem does not support Get Signal Info */
	unsigned int repeats; /* of requests whose answer was lost */
	unsigned int n;
	struct qmi_nas_signal levels[QMI_NAS_MAX_SIGNALS];
	struct qmi_nas_signal reported; /* the last report, best radio */
	unsigned int npast;
	struct signals_step
		past[SIGNALS_STEPS]; /* oldest first; steps without a level are left out */
};

void signals_start(struct signals *s);
void signals_poll(struct signals *s);
void signals_indication(struct signals *s, const struct qmi_message *m);
/* [{"radio", "rssi", "rsrp", "rsrq", "snr"}]. New reference. */
struct json_object *signals_show(const struct signals *s);
/* [{"time", "dbm"}], oldest first: the mean level of the best radio in each step. New reference. */
struct json_object *signals_history(const struct signals *s);

#endif
