// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions for dialling: an unlocked SIM, and a network. They are requested while the calls'
 * clients are being prepared, so that they cost no time; a modem (or proxy) without such a service,
 * or without an answer, is dialled all the same.
 */
#include "internal.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"
#include "qmi/names.h"

int session_add_client(struct session *s, enum id_service service, uint8_t id)
{
	switch (service) {
	case ID_UIM:
		return clients_add(s->clients, service, id, sim_indication, s->sim);
	case ID_NAS:
		return clients_add(s->clients, service, id, network_indication, s->network);
	case ID_DMS:
		return clients_add(s->clients, service, id, radio_indication, s->radio);
	default:
		return clients_add(s->clients, service, id, NULL, NULL);
	}
}

static void take_client(struct session *s, enum id_service service, const struct id_reply *r)
{
	if (!r->err)
		session_add_client(s, service, r->id);
	if (r->err == -EREMOTEIO)
		log_debug("modem gives no %s client: %s",
			  qmi_service_name(clients_service(service)), qmi_error_name(r->qmi_error));
}

static void on_uim_client(void *arg, const struct id_reply *r)
{
	struct session *s = arg;

	take_client(s, ID_UIM, r);
	if (!session_giving_back(s))
		sim_start(s->sim);
}

static void on_nas_client(void *arg, const struct id_reply *r)
{
	struct session *s = arg;

	take_client(s, ID_NAS, r);
	if (!session_giving_back(s))
		network_start(s->network);
}

void session_facts_start(struct session *s)
{
	sim_expect(s->sim);
	network_expect(s->network);
	radio_start(s->radio);
	if (clients_id(s->clients, ID_UIM) || clients_lack(s->clients, ID_UIM))
		sim_start(s->sim);
	else
		ids_allocate(s->ids, QMI_UIM, on_uim_client, s);
	if (clients_id(s->clients, ID_NAS) || clients_lack(s->clients, ID_NAS))
		network_start(s->network);
	else
		ids_allocate(s->ids, QMI_NAS, on_nas_client, s);
}

void session_facts_poll(struct session *s)
{
	char why[sizeof(s->gate_reason)];

	radio_poll(s->radio, network_missing(s->network, why, sizeof(why)));
	sim_poll(s->sim);
	network_poll(s->network);
}

enum call_event session_gate(struct session *s)
{
	if (radio_is_pending(s->radio) || sim_is_pending(s->sim) || network_is_pending(s->network))
		return CALL_EVENTS;
	if (radio_missing(s->radio, s->gate_reason, sizeof(s->gate_reason)))
		return EV_NO_RADIO;
	if (sim_missing(s->sim, s->gate_reason, sizeof(s->gate_reason)))
		return EV_NO_SIM;
	if (network_missing(s->network, s->gate_reason, sizeof(s->gate_reason)))
		return EV_NO_NETWORK;
	s->gate_reason[0] = '\0';
	return EV_DIAL;
}

/*
 * Does the change concern a call that waits? One that backs off has its own time, unless its
 * refusals may have been about this.
 */
static bool concerns(const struct call *c, bool opened)
{
	if (c->step == STEP_PREPARED)
		return true;
	if (c->step != STEP_NONE)
		return false;
	if (c->asked)
		return true;
	if (c->state == CALL_BACKOFF)
		return (opened && !c->refusals) || !event_pending(c->timer, EV_TIMEOUT, NULL);
	/* Its time has come before it was known whether it may be dialled. */
	if (c->state == CALL_FAILED)
		return c->session->config->retry_failed &&
		       !event_pending(c->timer, EV_TIMEOUT, NULL);
	return c->state == CALL_IDLE || c->state == CALL_WAIT_RADIO || c->state == CALL_WAIT_SIM ||
	       c->state == CALL_WAIT_NETWORK;
}

/* Is it another network than at the last check? It may accept calls that the other has refused. */
static bool has_moved(struct session *s)
{
	bool known = s->circumstances.mcc, moved;
	uint16_t mcc, mnc;

	if (!network_plmn(s->network, &mcc, &mnc))
		return false;
	moved = s->circumstances.mcc != mcc || s->circumstances.mnc != mnc;
	s->circumstances.mcc = mcc;
	s->circumstances.mnc = mnc;
	if (moved)
		session_changed(s);
	return known && moved;
}

/* The same for the SIM. */
static bool has_another_sim(struct session *s)
{
	const char *iccid = sim_iccid(s->sim);
	bool known = *s->circumstances.iccid;

	if (!*iccid || !strcmp(iccid, s->circumstances.iccid))
		return false;
	snprintf(s->circumstances.iccid, sizeof(s->circumstances.iccid), "%s", iccid);
	session_changed(s);
	return known;
}

void session_facts_changed(struct session *s)
{
	enum call_event gate = session_gate(s);
	/* The first check is not a change. */
	bool opened = gate == EV_DIAL && s->gate != EV_DIAL && s->gate != CALL_EVENTS;

	if (session_giving_back(s) || gate == CALL_EVENTS)
		return;
	if (has_moved(s) + has_another_sim(s) + opened)
		s->circumstances.changes++;
	s->gate = gate;
	for (struct call *c = call_first(s); c; c = call_next(c)) {
		if (concerns(c, opened))
			call_consider(c);
		call_reconsider(c);
	}
	session_kick(s);
}
