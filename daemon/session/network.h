/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registration and signal: NAS. */
#ifndef QMAP_SESSION_NETWORK_H
#define QMAP_SESSION_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients.h"

struct config_trunk;
struct event_base;
struct json_object;
struct network;

struct network_owner {
	/* The results of the functions below may have changed. */
	void (*changed)(void *arg);
	/* As session_ops.signal. */
	void (*signal)(void *arg, const char *from, const char *to, int dbm);
};

/* NULL: out of memory. */
struct network *network_new(struct event_base *base, struct clients *clients,
			    const struct config_trunk *config, const struct network_owner *owner,
			    void *arg);
void network_free(struct network **n);

/* network_start() follows; until it has an answer, calls wait. */
void network_expect(struct network *n);
/* Requests registration and signal, and that the modem reports their changes. */
void network_start(struct network *n);
/* Handles an indication of NAS; @arg: the network. */
void network_indication(void *arg, const struct qmi_message *m);
void network_poll(struct network *n);

/* Is the first answer awaited? */
bool network_is_pending(const struct network *n);
/* Sets the reason why no call is possible; false if it is. */
bool network_missing(const struct network *n, char *why, size_t size);
/* Sets the reason why roaming=off forbids calls in the present network; false if it does not. */
bool network_is_barred(const struct network *n, char *why, size_t size);
/* As call_until(). */
void network_until(const struct network *n, char *text, size_t size);
/* As call_hint(). */
const char *network_hint(const struct network *n);
/* The network that the modem is registered with; false: none, or it is unknown which. */
bool network_plmn(const struct network *n, uint16_t *mcc, uint16_t *mnc);
/* NULL while the modem has not reported it. New reference. */
struct json_object *network_show(const struct network *n);

#endif
