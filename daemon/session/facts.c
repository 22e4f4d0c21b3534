// SPDX-License-Identifier: GPL-2.0-or-later
#include "facts.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "qmi/names.h"
#include "qmi/uim.h"
#include "radio.h"
#include "sim.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"

struct facts {
	struct clients *clients;
	struct ids *ids;
	const struct facts_owner *owner;
	void *arg;
	struct radio *radio;
	struct sim *sim;
	struct network *network;
	enum gate gate; /* at the last check */
	/* Circumstances of refusals for good, at the last check; zero: unknown. */
	uint16_t mcc, mnc;
	char iccid[QMI_ICCID_SIZE];
	unsigned int changes; /* of them */
};

int facts_add_client(struct facts *f, enum id_service service, uint8_t id)
{
	switch (service) {
	case ID_UIM:
		return clients_add(f->clients, service, id, sim_indication, f->sim);
	case ID_NAS:
		return clients_add(f->clients, service, id, network_indication, f->network);
	case ID_DMS:
		return clients_add(f->clients, service, id, radio_indication, f->radio);
	default:
		return clients_add(f->clients, service, id, NULL, NULL);
	}
}

static void take_client(struct facts *f, enum id_service service, const struct id_reply *r)
{
	if (!r->err)
		facts_add_client(f, service, r->id);
	if (r->err == -EREMOTEIO)
		log_debug("modem gives no %s client: %s",
			  qmi_service_name(clients_service(service)), qmi_error_name(r->qmi_error));
}

static void on_uim_client(void *arg, const struct id_reply *r)
{
	struct facts *f = arg;

	take_client(f, ID_UIM, r);
	if (!clients_giving_back(f->clients))
		sim_start(f->sim);
}

static void on_nas_client(void *arg, const struct id_reply *r)
{
	struct facts *f = arg;

	take_client(f, ID_NAS, r);
	if (!clients_giving_back(f->clients))
		network_start(f->network);
}

void facts_start(struct facts *f)
{
	sim_expect(f->sim);
	network_expect(f->network);
	radio_start(f->radio);
	if (clients_id(f->clients, ID_UIM) || clients_lack(f->clients, ID_UIM))
		sim_start(f->sim);
	else
		ids_allocate(f->ids, QMI_UIM, on_uim_client, f);
	if (clients_id(f->clients, ID_NAS) || clients_lack(f->clients, ID_NAS))
		network_start(f->network);
	else
		ids_allocate(f->ids, QMI_NAS, on_nas_client, f);
}

void facts_poll(struct facts *f, bool any_up)
{
	char why[FACTS_REASON];

	radio_poll(f->radio, network_missing(f->network, why, sizeof(why)));
	sim_poll(f->sim, any_up);
	network_poll(f->network);
}

void facts_pin_changed(struct facts *f)
{
	sim_pin_changed(f->sim);
}

void facts_ask_sim(struct facts *f)
{
	sim_ask_again(f->sim);
}

int facts_cycle_radio(struct facts *f)
{
	return radio_cycle(f->radio);
}

int facts_restart_modem(struct facts *f)
{
	return radio_restart_modem(f->radio);
}

bool facts_radio_is_due(const struct facts *f)
{
	return radio_is_due(f->radio);
}

void facts_retry_radio(struct facts *f)
{
	radio_retry(f->radio);
}

/* --- the gate --- */

enum gate facts_gate(const struct facts *f, char why[FACTS_REASON])
{
	if (radio_is_pending(f->radio) || sim_is_pending(f->sim) || network_is_pending(f->network))
		return GATE_UNKNOWN;
	if (radio_missing(f->radio, why, FACTS_REASON))
		return GATE_NO_RADIO;
	if (sim_missing(f->sim, why, FACTS_REASON))
		return GATE_NO_SIM;
	if (network_missing(f->network, why, FACTS_REASON))
		return GATE_NO_NETWORK;
	if (network_is_barred(f->network, why, FACTS_REASON))
		return GATE_ROAMING;
	return GATE_OPEN;
}

bool facts_was_open(const struct facts *f)
{
	return f->gate == GATE_OPEN;
}

unsigned int facts_changes(const struct facts *f)
{
	return f->changes;
}

/* Is it another network than at the last check? It may accept calls that the other has refused. */
static bool has_moved(struct facts *f)
{
	bool had_one = f->mcc, moved;
	uint16_t mcc, mnc;

	if (!network_plmn(f->network, &mcc, &mnc))
		return false;
	moved = f->mcc != mcc || f->mnc != mnc;
	f->mcc = mcc;
	f->mnc = mnc;
	if (moved)
		f->owner->save(f->arg);
	return had_one && moved;
}

/* The same for the SIM. */
static bool has_another_sim(struct facts *f)
{
	const char *iccid = sim_iccid(f->sim);
	bool had_one = *f->iccid;

	if (!*iccid || !strcmp(iccid, f->iccid))
		return false;
	snprintf(f->iccid, sizeof(f->iccid), "%s", iccid);
	f->owner->save(f->arg);
	return had_one;
}

void facts_check(void *arg)
{
	struct facts *f = arg;
	char why[FACTS_REASON];
	enum gate gate = facts_gate(f, why);
	/* The first check is not a change. */
	bool opened = gate == GATE_OPEN && f->gate != GATE_OPEN && f->gate != GATE_UNKNOWN;

	if (clients_giving_back(f->clients))
		f->owner->kick(f->arg);
	if (clients_giving_back(f->clients) || gate == GATE_UNKNOWN)
		return;
	if (has_moved(f) + has_another_sim(f) + opened)
		f->changes++;
	f->gate = gate;
	f->owner->changed(f->arg, opened);
}

bool facts_need_person(const struct facts *f, enum call_state state)
{
	return (state == CALL_WAIT_SIM && sim_needs_person(f->sim)) ||
	       (state == CALL_WAIT_RADIO && radio_needs_person(f->radio));
}

void facts_until(const struct facts *f, enum call_state state, char *text, size_t size)
{
	if (state == CALL_WAIT_RADIO)
		radio_until(f->radio, text, size);
	else if (state == CALL_WAIT_SIM)
		snprintf(text, size, "%s", sim_until(f->sim));
	else if (state == CALL_WAIT_NETWORK)
		network_until(f->network, text, size);
	else if (state == CALL_WAIT_HOME)
		snprintf(text, size, "in the home network, or with roaming=on");
}

const char *facts_network_hint(const struct facts *f)
{
	return network_hint(f->network);
}

/* --- JSON --- */

void facts_save(const struct facts *f, struct json_object *state)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "mcc", f->mcc);
	json_add_int(o, "mnc", f->mnc);
	json_add_string(o, "iccid", f->iccid);
	json_object_object_add(state, "circumstances", o);
	json_object_object_add(state, "radio", radio_save(f->radio));
}

void facts_load(struct facts *f, struct json_object *state)
{
	struct json_object *o = json_get_object(state, "circumstances");

	radio_load(f->radio, json_get_object(state, "radio"));
	f->mcc = json_get_int(o, "mcc");
	f->mnc = json_get_int(o, "mnc");
	json_copy_text(o, "iccid", f->iccid, sizeof(f->iccid));
}

void facts_show(const struct facts *f, struct json_object *show)
{
	json_add_text(show, "operating_mode", radio_mode(f->radio));
	json_object_object_add(show, "sim", sim_show(f->sim));
	json_object_object_add(show, "network", network_show(f->network));
}

/* --- the object --- */

static void on_radio_save(void *arg)
{
	const struct facts *f = arg;

	f->owner->save(f->arg);
}

static const char *run_dir(void *arg)
{
	const struct facts *f = arg;

	return f->owner->run_dir(f->arg);
}

static void on_signal(void *arg, const char *from, const char *to, int dbm)
{
	const struct facts *f = arg;

	f->owner->signal(f->arg, from, to, dbm);
}

static const struct radio_owner radio_owner = {.changed = facts_check, .save = on_radio_save};
static const struct sim_owner sim_owner = {.changed = facts_check, .run_dir = run_dir};
static const struct network_owner network_owner = {.changed = facts_check, .signal = on_signal};

struct facts *facts_new(struct event_base *base, struct clients *clients, struct ids *ids,
			const struct config_trunk *config, const struct facts_owner *owner,
			void *arg)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->clients = clients;
	f->ids = ids;
	f->owner = owner;
	f->arg = arg;
	f->radio = radio_new(clients, config, &radio_owner, f);
	f->sim = sim_new(clients, config, &sim_owner, f);
	f->network = network_new(base, clients, config, &network_owner, f);
	if (!f->radio || !f->sim || !f->network)
		facts_free(&f);
	return f;
}

void facts_free(struct facts **fp)
{
	struct facts *f = *fp;

	if (!f)
		return;
	network_free(&f->network);
	sim_free(&f->sim);
	radio_free(&f->radio);
	free(f);
	*fp = NULL;
}
