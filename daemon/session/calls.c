// SPDX-License-Identifier: GPL-2.0-or-later
#include "call.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	call_overdue(arg);
	call_consider(arg);
}

static int call_new(struct calls *cs, struct calls_pdn *pdn, int family)
{
	struct call *c = &pdn->calls[family == 6];

	c->timer = event_new(cs->env.base, -1, 0, on_timer, c);
	if (!c->timer)
		return -ENOMEM;
	c->all = cs;
	c->pdn = pdn;
	c->family = family;
	c->handle = QMI_WDS_ANY_HANDLE;
	return 0;
}

static void pdn_free(struct calls *cs, struct calls_pdn *pdn)
{
	for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		event_free(c->timer);
	TAILQ_REMOVE(&cs->pdns, pdn, entry);
	free(pdn);
}

static int pdn_new(struct calls *cs, unsigned int number)
{
	const struct config_pdn *config = config_find_pdn(cs->config, number);
	struct calls_pdn *pdn = calloc(1, sizeof(*pdn));
	int r = 0;

	if (!pdn)
		return -ENOMEM;
	pdn->all = cs;
	pdn->number = number;
	TAILQ_INSERT_TAIL(&cs->pdns, pdn, entry);
	if (config->ip & CONFIG_IPV4)
		r = call_new(cs, pdn, 4);
	if (!r && config->ip & CONFIG_IPV6)
		r = call_new(cs, pdn, 6);
	if (r)
		pdn_free(cs, pdn);
	return r;
}

void calls_free(struct calls **cs)
{
	if (!*cs)
		return;
	while (!TAILQ_EMPTY(&(*cs)->pdns))
		pdn_free(*cs, TAILQ_FIRST(&(*cs)->pdns));
	free(*cs);
	*cs = NULL;
}

struct calls *calls_new(const struct calls_env *env, const struct calls_owner *owner, void *arg)
{
	struct calls *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return NULL;
	cs->env = *env;
	cs->config = env->config;
	cs->owner = owner;
	cs->arg = arg;
	TAILQ_INIT(&cs->pdns);
	for (unsigned int i = 0; cs && i < env->config->npdns; i++)
		if (pdn_new(cs, env->config->pdns[i].number) < 0)
			calls_free(&cs);
	return cs;
}

static struct calls_pdn *find(const struct calls *cs, unsigned int number)
{
	struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (pdn->number == number)
			return pdn;
	return NULL;
}

struct call *calls_find(const struct calls *cs, unsigned int number, int family)
{
	const struct calls_pdn *pdn = find(cs, number);
	struct call *c = pdn && (family == 4 || family == 6) ? pdn_call(pdn, family == 6) : NULL;

	return c && c->family == family ? c : NULL;
}

enum call_state calls_state(const struct calls *cs, unsigned int pdn, int family)
{
	const struct call *c = calls_find(cs, pdn, family);

	return c ? c->state : CALL_GONE;
}

struct call *call_sibling(const struct call *c)
{
	struct call *other = &c->pdn->calls[!call_slot(c)];

	return other->all ? other : NULL;
}

static bool all_are(const struct calls_pdn *pdn, enum call_state state)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state != state)
			return false;
	return true;
}

bool calls_have_mux(const struct calls *cs, unsigned int mux)
{
	const struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (pdn_config(pdn)->mux == mux)
			return true;
	return false;
}

static int check_alive(const struct calls *cs, struct error *err)
{
	if (!calls_giving_back(cs))
		return 0;
	return error_set(err, -ESHUTDOWN, "the session with the modem is being ended");
}

int calls_add_pdn(struct calls *cs, unsigned int number, struct error *err)
{
	const struct config_pdn *pdn = config_find_pdn(cs->config, number);
	int r = check_alive(cs, err);

	if (r)
		return r;
	if (!pdn)
		return error_set(err, -ENOENT, "there is no PDN %u", number);
	if (find(cs, number))
		return error_set(err, -EEXIST, "there is a PDN %u already", number);
	if (calls_have_mux(cs, pdn->mux))
		return error_set(err, -EEXIST, "another PDN has mux id 0x%02x", pdn->mux);
	if (pdn_new(cs, number) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int calls_remove_pdn(struct calls *cs, unsigned int number,
		     void (*done)(void *arg, const struct error *err), void *arg, struct error *err)
{
	struct calls_pdn *pdn = find(cs, number);
	int r = check_alive(cs, err);

	if (r)
		return r;
	if (!pdn)
		return error_set(err, -ENOENT, "there is no PDN %u", number);
	if (pdn->removing)
		return error_set(err, -EALREADY, "PDN %u is being removed already", number);
	pdn->removing = true;
	pdn->removed = done;
	pdn->arg = arg;
	for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		call_event(c, EV_STOP, "the PDN is being removed");
	cs->owner->changed(cs->arg);
	cs->owner->kick(cs->arg);
	return 0;
}

void calls_retry(struct calls *cs, unsigned int number)
{
	for (struct call *c = call_first(cs); c; c = call_next(c)) {
		if (number && c->pdn->number != number)
			continue;
		c->attempts = 0;
		if (c->step == STEP_NONE && c->state != CALL_UP)
			call_consider(c);
	}
}

void calls_redial(struct calls *cs, unsigned int number)
{
	for (struct call *c = call_first(cs); c; c = call_next(c)) {
		if ((number && c->pdn->number != number) || c->pdn->removing)
			continue;
		c->attempts = c->refusals = 0;
		c->asked = c->state != CALL_STARTING;
		if (c->state == CALL_UP && c->step != STEP_HANG_UP)
			call_hang_up(c, -ECANCELED);
		else if (c->step == STEP_NONE)
			call_consider(c);
	}
}

bool calls_are_settled(const struct calls *cs, unsigned int number, bool removed)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		if ((!number || c->pdn->number == number) && (removed || !c->pdn->removing) &&
		    !call_settled(c))
			return false;
	return true;
}

/* Is a call of @pdn up, or will one be without the user? */
static bool has_hope(const struct calls *cs, const struct calls_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state != CALL_FAILED && !facts_need_person(cs->env.facts, c->state))
			return true;
	return false;
}

int calls_verdict(const struct calls *cs, unsigned int number, struct error *err)
{
	const struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if ((!number || pdn->number == number) && !pdn->removing && !has_hope(cs, pdn))
			return call_error_pdn(pdn, err);
	return 0;
}

void calls_remove_gone(struct calls *cs)
{
	struct calls_pdn *pdn, *next;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = next) {
		void (*done)(void *, const struct error *) = pdn->removed;
		void *arg = pdn->arg;

		next = TAILQ_NEXT(pdn, entry);
		if (!pdn->removing || !all_are(pdn, CALL_GONE))
			continue;
		pdn_free(cs, pdn);
		cs->owner->changed(cs->arg);
		if (done)
			done(arg, NULL);
	}
}

/* --- the life of all --- */

void calls_start(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		call_consider(c);
}

void calls_adopt(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		if (c->client)
			call_step(c, STEP_CHECK);
		else
			call_event(c, EV_ENDED, NULL);
}

void calls_expect(struct calls *cs, enum call_state state)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		c->asked |= c->state == state;
}

int calls_refused(const struct calls *cs, struct error *err)
{
	const struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (!pdn->removing && all_are(pdn, CALL_FAILED))
			return call_error_pdn(pdn, err);
	return 0;
}

void calls_stop(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		call_event(c, EV_STOP, NULL);
}

bool calls_are_gone(const struct calls *cs)
{
	for (const struct call *c = call_first(cs); c; c = call_next(c))
		if (c->state != CALL_GONE)
			return false;
	return true;
}

void calls_lose(struct calls *cs, const char *why)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		call_event(c, EV_LOST, why);
}

void calls_be_quiet(struct calls *cs)
{
	cs->quiet = true;
}

void calls_drop_clients(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		c->client = NULL;
}

void calls_clean_up(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		if (c->state == CALL_STOPPING && c->step == STEP_NONE && !c->client)
			call_event(c, EV_RELEASED, NULL);
}

bool calls_have_id(const struct calls *cs, uint8_t id)
{
	for (const struct call *c = call_first(cs); c; c = call_next(c))
		if (c->client && qmi_client_id(c->client) == id)
			return true;
	return false;
}

/* --- polling, traffic --- */

void calls_poll(struct calls *cs)
{
	for (struct call *c = call_first(cs); c; c = call_next(c))
		if (c->state == CALL_UP && c->step == STEP_NONE)
			call_step(c, STEP_STILL_UP);
}

bool calls_poll_waits(const struct calls *cs)
{
	for (const struct call *c = call_first(cs); c; c = call_next(c))
		if (c->step == STEP_STILL_UP)
			return true;
	return false;
}

uint64_t calls_rx_packets(const struct calls *cs)
{
	const struct calls_pdn *pdn;
	uint64_t sum = 0, rx[QMAP_MAX_MUX] = {0};

	cs->owner->rx_packets(cs->arg, rx);
	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		sum += rx[pdn_config(pdn)->mux % QMAP_MAX_MUX];
	return sum;
}

static bool is_up(const struct calls_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state == CALL_UP)
			return true;
	return false;
}

bool calls_any_up(const struct calls *cs)
{
	const struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (is_up(pdn))
			return true;
	return false;
}

/* Both families of a PDN share its port, hence the count. */
static void check_traffic(struct calls_pdn *pdn, uint64_t n)
{
	struct calls *cs = pdn->all;
	uint64_t now = clock_ms();

	/* At the first look there is nothing to compare with; a netdev made again counts from 0. */
	if (n > pdn->rx_packets && pdn->rx_since) {
		pdn->silent = 0;
		cs->owner->heard(cs->arg, pdn_config(pdn)->number);
	}
	if (n != pdn->rx_packets || !is_up(pdn) || !pdn->rx_since) {
		pdn->rx_packets = n;
		pdn->rx_since = now;
	} else if (now - pdn->rx_since >= cs->config->watchdog * 1000ull) {
		pdn->rx_since = now;
		if (cs->owner->silent(cs->arg, pdn_config(pdn)->number, ++pdn->silent)) {
			for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
				if (c->state == CALL_UP)
					call_hang_up(c, -ENOLINK);
		}
	} else if (now - pdn->rx_since >= cs->config->watchdog * 500ull) {
		cs->owner->quiet(cs->arg, pdn_config(pdn)->number);
	}
}

void calls_check_traffic(struct calls *cs)
{
	uint64_t rx[QMAP_MAX_MUX] = {0};
	struct calls_pdn *pdn;

	cs->owner->rx_packets(cs->arg, rx);
	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		check_traffic(pdn, rx[pdn_config(pdn)->mux % QMAP_MAX_MUX]);
}

void calls_reset_traffic(struct calls *cs)
{
	struct calls_pdn *pdn;

	for (pdn = TAILQ_FIRST(&cs->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		pdn->rx_since = 0;
}
