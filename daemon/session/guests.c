// SPDX-License-Identifier: GPL-2.0-or-later
#include "guests.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "util/array.h"
#include "util/json_add.h"
#include "util/json_get.h"

/* Open requests of an earlier process's guests for ids of one service. */
struct lost {
	struct guests *guests;
	uint8_t count;
};

/* Ids to try below the next one. */
#define MAX_WINDOW 64

struct guests {
	struct clients *clients;
	struct ids *ids;
	struct proxy_modem *modem;
	struct lost lost[256]; /* by service */
	unsigned int nlost;    /* sum of their counts */
};

struct guests *guests_new(const char *control, struct clients *clients, struct ids *ids,
			  const struct proxy_owner *owner, void *arg)
{
	struct guests *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->clients = clients;
	g->ids = ids;
	for (unsigned int i = 0; i < ARRAY_SIZE(g->lost); i++)
		g->lost[i].guests = g;
	g->modem = proxy_modem_new(control, owner, arg);
	return g;
}

void guests_free(struct guests **g)
{
	if (*g)
		proxy_modem_free(&(*g)->modem);
	free(*g);
	*g = NULL;
}

void guests_open(struct guests *g)
{
	if (clients_channel(g->clients) && clients_alone(g->clients))
		proxy_modem_open(g->modem, clients_channel(g->clients));
}

bool guests_gone(struct guests *g)
{
	return proxy_modem_stop(g->modem);
}

void guests_clear(struct guests *g)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(g->lost); i++)
		g->lost[i].count = 0;
}

unsigned int guests_count(const struct guests *g)
{
	return proxy_modem_clients(g->modem);
}

bool guests_have(const struct guests *g, uint8_t service, uint8_t id)
{
	return proxy_modem_has(g->modem, service, id);
}

bool guests_allocate(const struct guests *g, uint8_t service)
{
	return proxy_modem_allocating(g->modem, service);
}

bool guests_unsure(const struct guests *g)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(g->lost); i++)
		if (g->lost[i].count)
			return true;
	return proxy_modem_holds(g->modem);
}

/* --- saved state --- */

static void add_id(void *arg, uint8_t service, uint8_t id)
{
	json_append_pair(arg, "service", service, "id", id);
}

static void add_allocating(void *arg, uint8_t service, uint8_t count)
{
	json_append_pair(arg, "service", service, "count", count);
}

struct json_object *guests_state(const struct guests *g)
{
	struct json_object *o = json_object_new_object(), *ids = json_object_new_array();
	struct json_object *allocating = json_object_new_array();

	proxy_modem_each_id(g->modem, add_id, ids);
	ids_each_release(g->ids, add_id, ids);
	proxy_modem_each_allocating(g->modem, add_allocating, allocating);
	for (unsigned int service = 0; service < ARRAY_SIZE(g->lost); service++)
		if (g->lost[service].count)
			add_allocating(allocating, service, g->lost[service].count);
	json_object_object_add(o, "ids", ids);
	json_object_object_add(o, "allocating", allocating);
	return o;
}

/* --- state of an earlier process --- */

/* As ids_recover() for our own ids: releases those below the next one that nothing uses. */
static void on_probe(void *arg, const struct id_reply *r)
{
	struct lost *l = arg;
	struct guests *g = l->guests;
	uint8_t service = l - g->lost;

	if (r->err)
		return; /* it stays saved: session/reset.c */
	l->count = 0;
	for (unsigned int i = 1; i <= g->nlost && i <= MAX_WINDOW && i < r->id; i++)
		if (!ids_known(g->ids, service, r->id - i))
			ids_release(g->ids, service, r->id - i, NULL, NULL);
	ids_release(g->ids, service, r->id, NULL, NULL);
}

/* Reads element @i of array @key as numbers; false beyond the end, or if it is invalid. */
static bool pair_at(struct json_object *state, const char *key, size_t i, const char *value,
		    uint8_t pair[2])
{
	struct json_object *o = json_get_element(state, key, i);
	int64_t service = json_get_int(o, "service"), v = json_get_int(o, value);

	pair[0] = service;
	pair[1] = v;
	return service > 0 && service <= UINT8_MAX && v > 0 && v <= UINT8_MAX;
}

/*
 * Their connections have ended with that process, so all ids are released. A program that shares
 * the channel may have got the ids right below a new one: then there is no search.
 */
void guests_load(struct guests *g, struct json_object *state)
{
	uint8_t p[2];

	for (size_t i = 0; pair_at(state, "ids", i, "id", p); i++)
		ids_release(g->ids, p[0], p[1], NULL, NULL);
	for (size_t i = 0; clients_alone(g->clients) && pair_at(state, "allocating", i, "count", p);
	     i++) {
		g->lost[p[0]].count = p[1];
		g->nlost += p[1];
	}
	for (unsigned int service = 0; service < ARRAY_SIZE(g->lost); service++)
		if (g->lost[service].count)
			ids_allocate(g->ids, service, on_probe, &g->lost[service]);
}
