// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PDNs of a session, and their calls: one per IP family. PDNs can be added and removed while it
 * runs.
 */
#include "internal.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	call_overdue(arg);
	call_consider(arg);
}

static int call_new(struct session *s, struct session_pdn *pdn, int family)
{
	struct call *c = &pdn->calls[family == 6];

	c->timer = event_new(s->base, -1, 0, on_timer, c);
	if (!c->timer)
		return -ENOMEM;
	c->session = s;
	c->pdn = pdn;
	c->family = family;
	c->handle = QMI_WDS_ANY_HANDLE;
	return 0;
}

static void pdn_free(struct session *s, struct session_pdn *pdn)
{
	for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		event_free(c->timer);
	TAILQ_REMOVE(&s->pdns, pdn, entry);
	free(pdn);
}

int session_pdn_new(struct session *s, unsigned int number)
{
	const struct config_pdn *config = config_find_pdn(s->config, number);
	struct session_pdn *pdn = calloc(1, sizeof(*pdn));
	int r = 0;

	if (!pdn)
		return -ENOMEM;
	pdn->session = s;
	pdn->number = number;
	TAILQ_INSERT_TAIL(&s->pdns, pdn, entry);
	if (config->ip & CONFIG_IPV4)
		r = call_new(s, pdn, 4);
	if (!r && config->ip & CONFIG_IPV6)
		r = call_new(s, pdn, 6);
	if (r)
		pdn_free(s, pdn);
	return r;
}

void session_pdns_free(struct session *s)
{
	while (!TAILQ_EMPTY(&s->pdns))
		pdn_free(s, TAILQ_FIRST(&s->pdns));
}

static struct session_pdn *find(const struct session *s, unsigned int number)
{
	struct session_pdn *pdn;

	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (pdn->number == number)
			return pdn;
	return NULL;
}

struct call *session_call_find(const struct session *s, unsigned int number, int family)
{
	const struct session_pdn *pdn = find(s, number);
	struct call *c = pdn && (family == 4 || family == 6) ? pdn_call(pdn, family == 6) : NULL;

	return c && c->family == family ? c : NULL;
}

enum call_state session_call_state(const struct session *s, unsigned int pdn, int family)
{
	const struct call *c = session_call_find(s, pdn, family);

	return c ? c->state : CALL_GONE;
}

struct call *call_sibling(const struct call *c)
{
	struct call *other = &c->pdn->calls[!call_slot(c)];

	return other->session ? other : NULL;
}

bool session_pdn_failed(const struct session_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state != CALL_FAILED)
			return false;
	return true;
}

bool session_owns_mux(const struct session *s, unsigned int mux)
{
	const struct session_pdn *pdn;

	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if (pdn_config(pdn)->mux == mux)
			return true;
	return false;
}

static int check_alive(const struct session *s, struct error *err)
{
	if (!session_giving_back(s))
		return 0;
	return error_set(err, -ESHUTDOWN, "the session with the modem is being ended");
}

int session_add_pdn(struct session *s, unsigned int number, struct error *err)
{
	const struct config_pdn *pdn = config_find_pdn(s->config, number);
	int r = check_alive(s, err);

	if (r)
		return r;
	if (!pdn)
		return error_set(err, -ENOENT, "there is no PDN %u", number);
	if (find(s, number))
		return error_set(err, -EEXIST, "there is a PDN %u already", number);
	if (session_owns_mux(s, pdn->mux))
		return error_set(err, -EEXIST, "another PDN has mux id 0x%02x", pdn->mux);
	if (session_pdn_new(s, number) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	if (s->phase != PHASE_SETUP)
		session_retry(s, number);
	return 0;
}

int session_remove_pdn(struct session *s, unsigned int number,
		       void (*done)(void *arg, const struct error *err), void *arg,
		       struct error *err)
{
	struct session_pdn *pdn = find(s, number);
	int r = check_alive(s, err);

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
	session_changed(s);
	session_kick(s);
	return 0;
}

void session_retry(struct session *s, unsigned int number)
{
	if (s->phase == PHASE_SETUP || session_giving_back(s))
		return;
	for (struct call *c = call_first(s); c; c = call_next(c)) {
		if (number && c->pdn->number != number)
			continue;
		c->attempts = 0;
		if (c->step == STEP_NONE && c->state != CALL_UP)
			call_consider(c);
	}
	if (!number)
		watch_look(s->watch);
}

void session_redial(struct session *s, unsigned int number)
{
	if (s->phase == PHASE_SETUP || session_giving_back(s))
		return;
	facts_retry_radio(s->facts);
	for (struct call *c = call_first(s); c; c = call_next(c)) {
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

bool session_is_settled(const struct session *s, unsigned int number)
{
	if (s->phase != PHASE_RUNNING)
		return s->phase == PHASE_OVER;
	for (struct call *c = call_first(s); c; c = call_next(c))
		if ((!number || c->pdn->number == number) && !call_settled(c))
			return false;
	return true;
}

/* Is a call of @pdn up, or will one be without the user? */
static bool has_hope(const struct session *s, const struct session_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state != CALL_FAILED && !facts_need_person(s->facts, c->state))
			return true;
	return false;
}

int session_verdict(const struct session *s, unsigned int number, struct error *err)
{
	const struct session_pdn *pdn;

	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		if ((!number || pdn->number == number) && !pdn->removing && !has_hope(s, pdn))
			return session_error_pdn(pdn, err);
	return 0;
}

static bool is_gone(const struct session_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state != CALL_GONE)
			return false;
	return true;
}

void session_pdns_removed(struct session *s, bool all)
{
	struct session_pdn *pdn, *next;

	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = next) {
		void (*done)(void *, const struct error *) = pdn->removed;
		void *arg = pdn->arg;

		next = TAILQ_NEXT(pdn, entry);
		if (!pdn->removing || (!all && !is_gone(pdn)))
			continue;
		pdn_free(s, pdn);
		session_changed(s);
		if (done)
			done(arg, NULL);
	}
}

/* --- traffic --- */

uint64_t session_rx_packets(const struct session *s)
{
	const struct session_pdn *pdn;
	uint64_t sum = 0, rx[QMAP_MAX_MUX] = {0};

	if (s->ops->rx_packets)
		s->ops->rx_packets(s->arg, rx);
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		sum += rx[pdn_config(pdn)->mux % QMAP_MAX_MUX];
	return sum;
}

static void redial(const struct session_pdn *pdn)
{
	for (struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state == CALL_UP)
			call_hang_up(c, -ENOLINK);
}

static bool is_up(const struct session_pdn *pdn)
{
	for (const struct call *c = pdn_call(pdn, 0); c; c = pdn_call_next(c))
		if (c->state == CALL_UP)
			return true;
	return false;
}

/* Both families of a PDN share its port, hence the count. */
static void check_traffic(struct session_pdn *pdn, uint64_t n)
{
	uint64_t now = clock_ms();

	if (n != pdn->rx_packets || !is_up(pdn) || !pdn->rx_since) {
		pdn->rx_packets = n;
		pdn->rx_since = now;
	} else if (now - pdn->rx_since >= pdn->session->config->watchdog * 1000ull) {
		pdn->rx_since = now;
		redial(pdn);
	}
}

void session_check_traffic(struct session *s)
{
	uint64_t rx[QMAP_MAX_MUX] = {0};
	struct session_pdn *pdn;

	s->ops->rx_packets(s->arg, rx);
	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		check_traffic(pdn, rx[pdn_config(pdn)->mux % QMAP_MAX_MUX]);
}

void session_watch_start(struct session *s)
{
	struct session_pdn *pdn;

	for (pdn = TAILQ_FIRST(&s->pdns); pdn; pdn = TAILQ_NEXT(pdn, entry))
		pdn->rx_since = 0;
	watch_start(s->watch, s->ops->rx_packets);
}

void session_unanswered(struct session *s)
{
	if (s->phase == PHASE_RUNNING)
		watch_unanswered(s->watch);
}
