// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Other programs on the session's channel, by way of our qmi-proxy: when they are let in, and how
 * their ids in the modem are released if this process dies first.
 */
#include "internal.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "util/json_get.h"
#include "util/log.h"
#include "proxy/proxy.h"
#include "qmi/names.h"

static void on_changed(void *arg)
{
	struct session *s = arg;

	session_changed(s);
	session_kick(s);
}

static bool owns_mux(void *arg, uint8_t mux)
{
	const struct session *s = arg;
	const struct session_pdn *pdn;

	TAILQ_FOREACH(pdn, &s->pdns, entry)
	{
		if (pdn_config(pdn)->mux == mux)
			return true;
	}
	return false;
}

void session_guests_new(struct session *s)
{
	static const struct proxy_owner owner = {.changed = on_changed, .owns_mux = owns_mux};

	s->guests = proxy_modem_new(s->setup.control, &owner, s);
}

void session_guests_free(struct session *s)
{
	proxy_modem_free(&s->guests);
}

/* Not before SYNC, which would release their ids; not if other programs read the answers, too. */
void session_guests_run(struct session *s)
{
	if (clients_channel(s->clients) && clients_alone(s->clients) && s->phase != PHASE_SETUP &&
	    s->phase != PHASE_OVER && !session_giving_back(s))
		proxy_modem_open(s->guests, clients_channel(s->clients));
}

bool session_guests_gone(struct session *s)
{
	return proxy_modem_stop(s->guests);
}

/* --- saved state --- */

static void add_pair(struct json_object *a, uint8_t service, const char *key, int64_t value)
{
	struct json_object *o = json_object_new_object();

	session_json_int(o, "service", service);
	session_json_int(o, key, value);
	json_object_array_add(a, o);
}

static void add_id(void *arg, uint8_t service, uint8_t id)
{
	add_pair(arg, service, "id", id);
}

static void add_allocating(void *arg, uint8_t service, uint8_t count)
{
	add_pair(arg, service, "count", count);
}

/*
 * Includes ids being released: {"ids": [{service, id}], "allocating": [{service, count}]}. Open
 * requests of an earlier process stay in it until they have been resolved.
 */
struct json_object *session_guests_state(const struct session *s)
{
	struct json_object *o = json_object_new_object(), *ids = json_object_new_array();
	struct json_object *allocating = json_object_new_array();
	struct id_job *j;

	proxy_modem_each_id(s->guests, add_id, ids);
	for (j = TAILQ_FIRST(&s->id_jobs); j; j = TAILQ_NEXT(j, entry))
		if (j->release)
			add_id(ids, j->service, j->id);
	proxy_modem_each_allocating(s->guests, add_allocating, allocating);
	for (unsigned int service = 0; service < 256; service++)
		if (s->guests_lost[service])
			add_allocating(allocating, service, s->guests_lost[service]);
	json_object_object_add(o, "ids", ids);
	json_object_object_add(o, "allocating", allocating);
	return o;
}

/* --- state of an earlier process --- */

/* Searches ids of @service with an open allocation, among the @window ids below the next one. */
struct search {
	struct session *session;
	uint8_t service, window;
};

/* As session_id_recover() for our own ids. */
static void on_probe(void *arg, const struct id_reply *r)
{
	struct search f = *(struct search *)arg;

	free(arg);
	if (r->err)
		return; /* it stays saved: session/reset.c */
	f.session->guests_lost[f.service] = 0;
	for (unsigned int i = 1; i <= f.window && i < r->id; i++)
		if (!session_id_known(f.session, f.service, r->id - i))
			session_id_release(f.session, f.service, r->id - i, NULL, NULL);
	session_id_release(f.session, f.service, r->id, NULL, NULL);
}

static void search(struct session *s, uint8_t service, unsigned int window)
{
	struct search *f = malloc(sizeof(*f));

	if (!f)
		return;
	*f = (struct search){.session = s, .service = service, .window = window > 64 ? 64 : window};
	session_id_allocate(s, service, on_probe, f);
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
void session_guests_load(struct session *s, struct json_object *state)
{
	struct json_object *o = json_get_object(state, "guests");
	unsigned int window = 0;
	uint8_t p[2];

	for (size_t i = 0; pair_at(o, "ids", i, "id", p); i++)
		session_id_release(s, p[0], p[1], NULL, NULL);
	for (size_t i = 0; clients_alone(s->clients) && pair_at(o, "allocating", i, "count", p);
	     i++) {
		s->guests_lost[p[0]] = p[1];
		window += p[1];
	}
	for (unsigned int service = 0; service < 256; service++)
		if (s->guests_lost[service])
			search(s, service, window);
}
