/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs on the session's channel, by way of our qmi-proxy: when they are let in, and how
 * their ids in the modem are released if this process dies first.
 */
#ifndef QMAP_SESSION_GUESTS_H
#define QMAP_SESSION_GUESTS_H

#include "clients.h"
#include "ids.h"
#include "proxy/proxy.h"

struct guests;
struct json_object;

/* @owner: as for proxy_modem_new(); changed() means that guests_state() differs. */
struct guests *guests_new(const char *control, struct clients *clients, struct ids *ids,
			  const struct proxy_owner *owner, void *arg);
void guests_free(struct guests **g);

/* Lets them in, unless they are in already or the modem's channel is not ours alone. */
void guests_open(struct guests *g);
/* Disconnects them; true when the modem has released their ids. changed() comes until then. */
bool guests_gone(struct guests *g);
/* The modem has lost all ids. */
void guests_clear(struct guests *g);

unsigned int guests_count(const struct guests *g);
bool guests_have(const struct guests *g, uint8_t service, uint8_t id);
/* Do they wait for an id of @service? */
bool guests_allocate(const struct guests *g, uint8_t service);
/* May the modem hold an id of a guest, present or former? */
bool guests_unsure(const struct guests *g);

/*
 * Includes ids being released: {"ids": [{service, id}], "allocating": [{service, count}]}. Open
 * requests of an earlier process stay in it until they have been resolved. New reference.
 */
struct json_object *guests_state(const struct guests *g);
/* Releases the ids of @state, the guests of an earlier process; it may be NULL. */
void guests_load(struct guests *g, struct json_object *state);

#endif
