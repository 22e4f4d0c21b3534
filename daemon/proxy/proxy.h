/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A qmi-proxy of our own: while qmapd owns a modem's control channel, other programs use it through
 * the same socket and with the same protocol as through libqmi's qmi-proxy (`qmicli -p`,
 * ModemManager). There is one server per process; without it, modems are not shared.
 *
 * The server checks and renumbers the CTL requests of its clients; a client's ids are its own and
 * end with its connection. No message from a client reaches the modem before the server has found
 * it to be a well-formed request on a client id of that client.
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
 * (NULL: for root alone). A name in use is no error: the server retries until it is free. -EINVAL
 * (name, group), -ENOMEM with @err.
 */
int proxy_server_start(struct event_base *base, const char *name, const char *group,
		       struct error *err);
/*
 * Closes all connections. The ids that clients hold in modems of sessions stay written down
 * there.
 */
void proxy_server_stop(void);

/*
 * Leaves the name of libqmi's proxy to another program, if @control is a channel through that: a qmapd
 * that starts before it would keep it out. Connections stay.
 */
void proxy_stand_aside(const char *control);

/*
 * Announces a modem that a session has for itself: @control is its channel's path, as the user gave
 * it. Clients are let in after proxy_modem_open(); until then, those that ask for the modem wait a
 * few seconds. The server closes a channel to it that it has opened for clients, and their
 * connections.
 *
 * @owner->changed: the results of proxy_modem_each_*() have changed; the owner must save them
 * before any further request is sent. Returns NULL without memory; all functions below do nothing
 * with NULL.
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

/*
 * Lets clients in on @ch; their connections are closed when it is lost or freed. No effect if
 * clients are let in already.
 */
void proxy_modem_open(struct proxy_modem *m, struct qmi_channel *ch);

/*
 * Closes all connections and lets no client in. True once the modem has released all their ids;
 * false: not yet, changed() will follow.
 */
bool proxy_modem_stop(struct proxy_modem *m);

/* Does a client of the proxy have this client id? */
bool proxy_modem_has(const struct proxy_modem *m, uint8_t service, uint8_t id);

/* Number of connected programs. */
unsigned int proxy_modem_clients(const struct proxy_modem *m);

/*
 * State to release if this process dies: the ids of clients, and for each service the number of
 * open requests for one.
 */
typedef void (*proxy_pair_fn)(void *arg, uint8_t service, uint8_t value);
void proxy_modem_each_id(const struct proxy_modem *m, proxy_pair_fn fn, void *arg);
/* The latter for one service; and does any client have an id, or an open request for one? */
unsigned int proxy_modem_allocating(const struct proxy_modem *m, uint8_t service);
bool proxy_modem_holds(const struct proxy_modem *m);
void proxy_modem_each_allocating(const struct proxy_modem *m, proxy_pair_fn fn, void *arg);

#endif
