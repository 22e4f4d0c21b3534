/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions for dialling: a radio that is on, an unlocked SIM, and a network. They are requested
 * while the calls' clients are being prepared, so that they cost no time; a modem (or proxy)
 * without such a service, or without an answer, is dialled all the same.
 */
#ifndef QMAP_SESSION_FACTS_H
#define QMAP_SESSION_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "clients.h"
#include "ids.h"
#include "model/states.h"

struct event_base;
struct facts;
struct json_object;

enum gate {
	GATE_UNKNOWN, /* an answer of the modem is awaited */
	GATE_OPEN,    /* dialling is possible */
	GATE_NO_RADIO,
	GATE_NO_SIM,
	GATE_NO_NETWORK,
	GATE_ROAMING, /* the modem roams, which the configuration does not allow */
	GATES
};

#define FACTS_REASON 160

struct facts_owner {
	/*
	 * The facts are known, and at least one has changed; @opened: dialling was impossible at
	 * the last check, and is possible now.
	 */
	void (*changed)(void *arg, bool opened);
	/* Calls and ids are being given back, and facts_radio_is_due() may have changed. */
	void (*kick)(void *arg);
	/* facts_save() differs: it must be saved before the callback returns. */
	void (*save)(void *arg);
	/* As session_ops.signal, run_dir. */
	void (*signal)(void *arg, const char *from, const char *to, int dbm);
	const char *(*run_dir)(void *arg);
};

/* NULL: out of memory. */
struct facts *facts_new(struct event_base *base, struct clients *clients, struct ids *ids,
			const struct config_trunk *config, const struct facts_owner *owner,
			void *arg);
void facts_free(struct facts **f);

/* Adds the session's client of @service, whose indications go to its object. -ENOMEM. */
int facts_add_client(struct facts *f, enum id_service service, uint8_t id);
/* Allocates clients of UIM and NAS, unless they exist, and requests the facts. */
void facts_start(struct facts *f);
/* Requests them again where the modem may not report a change; @any_up: a call is up. */
void facts_poll(struct facts *f, bool any_up);
/* A fact has changed, or the configuration allows other networks than before; @arg: the facts. */
void facts_check(void *arg);
/* The configuration has another PIN: it may be tried. */
void facts_pin_changed(struct facts *f);
/* Requests the SIM's status again; calls wait for the answer. */
void facts_ask_sim(struct facts *f);
/* As session_cycle_radio(), session_restart_modem(). */
int facts_cycle_radio(struct facts *f);
int facts_restart_modem(struct facts *f);
/* Has a measure switched the radio off, and the modem not answered yet whether it is on again? */
bool facts_radio_is_due(const struct facts *f);
/* The user requests another attempt to switch the radio on, or has changed radio=. */
void facts_retry_radio(struct facts *f);

/* @why: the reason if it is closed. */
enum gate facts_gate(const struct facts *f, char why[FACTS_REASON]);
/* Was dialling possible at the last check? */
bool facts_was_open(const struct facts *f);
/* Number of changes of circumstances on which a refusal for good may rest: SIM, network, gate. */
unsigned int facts_changes(const struct facts *f);
/* Does a call in @state wait for something that the user must do? */
bool facts_need_person(const struct facts *f, enum call_state state);
/* The event that ends @state, a state of waiting for a fact; as call_until(). */
void facts_until(const struct facts *f, enum call_state state, char *text, size_t size);
/* Advice about the network; as call_hint(). */
const char *facts_network_hint(const struct facts *f);

/* Adds "circumstances" and "radio" to the session's state, and reads them. */
void facts_save(const struct facts *f, struct json_object *state);
void facts_load(struct facts *f, struct json_object *state);
/* Adds "operating_mode", "sim" and "network" to the session's `show`. */
void facts_show(const struct facts *f, struct json_object *show);

#endif
