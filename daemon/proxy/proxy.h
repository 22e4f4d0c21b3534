/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A qmi-proxy of our own: while qmapd owns a modem's control channel, other programs use it through
 * the same socket and with the same protocol as through libqmi's qmi-proxy (`qmicli -p`,
 * ModemManager). One server per process; without one, modems are simply not shared.
 *
 * What a client of the proxy asks of CTL is judged here and numbered anew, its client ids are its
 * own and end with its connection. Nothing that a client sends reaches the modem before it has been
 * found to be a well-formed request on a client id of that client.
 */
#ifndef QMAP_PROXY_H
#define QMAP_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct event_base;
struct proxy_modem;
struct qmi_channel;

/*
 * Listens on the abstract socket @name in this network namespace, for root and members of @group
 * (NULL: for root alone). A name that is taken is no error: it is tried again until it is free.
 * -EINVAL (name, group), -ENOMEM with @err.
 */
int proxy_server_start(struct event_base *base, const char *name, const char *group,
		       struct error *err);
/* Hangs up all clients. What they hold in modems of sessions stays written down there. */
void proxy_server_stop(void);

/*
 * A modem that a session has for itself: @control is its channel's path, as the user gave it. Only
 * from proxy_modem_open() on are clients let in; until then, those who ask for it wait a few
 * seconds. A channel that the server has opened for others is closed, they are hung up.
 *
 * @owner->changed: what proxy_modem_each_*() tell has changed; write it down before anything else
 * is sent. NULL when out of memory; everything below takes NULL and does nothing.
 */
struct proxy_owner {
	void (*changed)(void *arg);
	/* Does a PDN of the owner use this mux id? A client that bound a call of its own to it
	 * would mix its packets with that PDN's. */
	bool (*owns_mux)(void *arg, uint8_t mux);
};

struct proxy_modem *proxy_modem_new(const char *control, const struct proxy_owner *owner,
				    void *arg);
void proxy_modem_free(struct proxy_modem **m);

/* Lets clients in, on @ch; they are hung up when it is lost or freed. Nothing if they are in. */
void proxy_modem_open(struct proxy_modem *m, struct qmi_channel *ch);

/* Hangs up all clients and lets none in; true once the modem has all their ids back, false: not
 * yet, changed() will come. */
bool proxy_modem_stop(struct proxy_modem *m);

/* Does a client of the proxy have this client id? */
bool proxy_modem_has(const struct proxy_modem *m, uint8_t service, uint8_t id);

/* How many programs are connected. */
unsigned int proxy_modem_clients(const struct proxy_modem *m);

/* What is to be given back if this process dies: ids that clients have, and how many of which
 * service are being asked for. */
typedef void (*proxy_pair_fn)(void *arg, uint8_t service, uint8_t value);
void proxy_modem_each_id(const struct proxy_modem *m, proxy_pair_fn fn, void *arg);
/* Of one service; and is there any id that clients have, or may have been given? */
unsigned int proxy_modem_allocating(const struct proxy_modem *m, uint8_t service);
bool proxy_modem_holds(const struct proxy_modem *m);
void proxy_modem_each_allocating(const struct proxy_modem *m, proxy_pair_fn fn, void *arg);

#endif
