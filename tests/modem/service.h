/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatches requests: the services' tables of messages, and their common parts. */
#ifndef MODEM_SERVICE_H
#define MODEM_SERVICE_H

#include "modem.h"
#include "qmux.h"

struct conn;

/*
 * Answers one message: puts the answer's TLVs (except the result) into `out` and returns the
 * result. `c` is NULL for CTL.
 */
typedef enum qmi_error (*qmi_handler)(struct modem *m, struct client *c, const struct qmi_msg *req,
				      struct qmi_tlvs *out);

struct qmi_message {
	uint16_t id;
	const char *name;
	qmi_handler handle;
};

struct service {
	uint8_t id;
	uint16_t major, minor;
	const struct qmi_message *messages; /* ends with handle NULL */
};

extern const struct service ctl_service, wda_service, wds_service, dms_service, nas_service,
	uim_service;

/* The n-th service, NULL after the last. */
const struct service *service_at(unsigned int n);

/* Does this modem have the service, or was it started --without? */
bool service_exists(const struct modem *m, uint8_t service);

/* A message id from its name or number; -1 if there is none. */
int service_message(uint8_t service, const char *text);

/*
 * Executes a request: the answer's TLVs (except the result) go to `out`, the result is returned.
 * Checks service, client and permission before the message's own checks.
 */
enum qmi_error service_run(struct modem *m, const struct qmi_msg *req, struct qmi_tlvs *out);

/* Handles one complete QMUX message from `conn` and queues the answer. */
void service_request(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len);

/* Sends an indication to all connections; if called while answering, after that answer. */
void service_indicate(struct modem *m, uint8_t service, uint8_t client, uint16_t id,
		      const struct qmi_tlvs *tlvs);

/* Sends a CTL SYNC indication: the modem has restarted. */
void service_announce(struct modem *m);

#endif
