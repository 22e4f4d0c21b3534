/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signal: NAS. It is polled, and modems that support it are set to report changes larger than noise
 * by themselves. Only while there is a NAS client.
 */
#ifndef QMAP_SESSION_SIGNALS_H
#define QMAP_SESSION_SIGNALS_H

#include "clients.h"
#include "qmi/nas.h"

struct json_object;

/* For network.c, which is its owner; the members are those of signals.c. */
struct signals {
	struct clients *clients;
	/* The levels have changed. */
	void (*changed)(void *arg);
	/* As session_ops.signal. */
	void (*report)(void *arg, const char *from, const char *to, int dbm);
	void *arg;
	bool old; /* the modem does not support Get Signal Info */
	unsigned int n;
	struct qmi_nas_signal levels[QMI_NAS_MAX_SIGNALS];
	struct qmi_nas_signal told; /* the last report, best radio */
};

void signals_start(struct signals *s);
void signals_poll(struct signals *s);
void signals_indication(struct signals *s, const struct qmi_message *m);
/* [{"radio", "rssi", "rsrp", "rsrq", "snr"}]. New reference. */
struct json_object *signals_show(const struct signals *s);

#endif
