/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of a session: one per PDN and IP family. A call that ends is redialled, one that cannot
 * be dialled yet waits for the facts. PDNs can be added and removed at any time.
 */
#ifndef QMAP_SESSION_CALLS_H
#define QMAP_SESSION_CALLS_H

#include "clients.h"
#include "facts.h"
#include "format.h"
#include "ids.h"
#include "session.h"

struct calls;

/* What calls use. */
struct calls_env {
	struct event_base *base;
	const struct config_trunk *config;
	struct clients *clients;
	struct ids *ids;
	struct format *format;
	struct facts *facts;
};

struct calls_owner {
	/* As session_ops.up, down, transition, rx_packets. */
	void (*up)(void *arg, unsigned int pdn, const struct ip_settings *settings);
	void (*down)(void *arg, unsigned int pdn, int family, const struct call_end *why);
	void (*transition)(void *arg, const struct session_transition *t);
	void (*rx_packets)(void *arg, uint64_t rx[QMAP_MAX_MUX]);
	/* calls_save() differs: it must be saved before the callback returns. */
	void (*changed)(void *arg);
	/* The state of a call has changed; calls_clean_up() is to be called from the event loop. */
	void (*kick)(void *arg);
	/* The modem does not know the client of an adopted call: it has restarted. */
	void (*forgotten)(void *arg);
	/* The modem did not answer whether an adopted call exists. */
	void (*adopt_failed)(void *arg);
	/* As session_ops.quiet, silent, heard. */
	void (*quiet)(void *arg, unsigned int pdn);
	bool (*silent)(void *arg, unsigned int pdn, unsigned int times);
	void (*heard)(void *arg, unsigned int pdn);
	/* A request of calls_poll() was not answered in time. */
	void (*unanswered)(void *arg);
};

/* Creates the calls of all PDNs of the configuration. NULL: out of memory. */
struct calls *calls_new(const struct calls_env *env, const struct calls_owner *owner, void *arg);
void calls_free(struct calls **cs);

/* --- PDNs; @number 0 stands for all of them --- */

/* As session_add_pdn(), but does not dial. */
int calls_add_pdn(struct calls *cs, unsigned int number, struct error *err);
int calls_remove_pdn(struct calls *cs, unsigned int number,
		     void (*done)(void *arg, const struct error *err), void *arg,
		     struct error *err);
/* As session_retry(), session_redial(). */
void calls_retry(struct calls *cs, unsigned int number);
void calls_redial(struct calls *cs, unsigned int number);
/* CALL_GONE if there is no such call. */
enum call_state calls_state(const struct calls *cs, unsigned int number, int family);
/* @removed: PDNs that are being removed count, too. */
bool calls_are_settled(const struct calls *cs, unsigned int number, bool removed);
/* As session_verdict(). */
int calls_verdict(const struct calls *cs, unsigned int number, struct error *err);

/* --- the life of all --- */

/* Dials those that may be dialled. */
void calls_start(struct calls *cs);
/* Asks the modem for the calls of calls_load(). */
void calls_adopt(struct calls *cs);
/* As facts_owner.changed. */
void calls_facts_changed(struct calls *cs, bool opened);
/* Calls in @state count as not settled until their next result. */
void calls_expect(struct calls *cs, enum call_state state);
/* Was a PDN, or all of its families, refused for good? -ECONNREFUSED and the reason. */
int calls_refused(const struct calls *cs, struct error *err);
/* Ends every call, and gives its client back. */
void calls_stop(struct calls *cs);
bool calls_are_gone(const struct calls *cs);
/* The modem has lost all calls and clients. */
void calls_lose(struct calls *cs, const char *why);
/* No up(), down() or transition() any more. */
void calls_be_quiet(struct calls *cs);
/* The channel is closed, and the clients with it. */
void calls_drop_clients(struct calls *cs);
/* Ends calls that are to go and have no client. */
void calls_clean_up(struct calls *cs);
/* Removes PDNs whose calls are gone. */
void calls_remove_gone(struct calls *cs);

/* --- polling, traffic --- */

bool calls_any_up(const struct calls *cs);
/* Asks for the status of calls that are up. */
void calls_poll(struct calls *cs);
/* Is an answer to that awaited? */
bool calls_poll_waits(const struct calls *cs);
/* Packets that the ports of all PDNs have received. */
uint64_t calls_rx_packets(const struct calls *cs);
/* Dials PDNs again that have received nothing for config->watchdog seconds. */
void calls_check_traffic(struct calls *cs);
/* That time begins now. */
void calls_reset_traffic(struct calls *cs);

/* --- what others ask --- */

/* Does a call have the WDS client @id? */
bool calls_have_id(const struct calls *cs, uint8_t id);
bool calls_have_mux(const struct calls *cs, unsigned int mux);

/* For the process that adopts them. New reference. */
struct json_object *calls_save(const struct calls *cs);
/*
 * Reads "calls" of an earlier process's @state. @gave_back: it died while releasing, so client ids
 * may be gone already. -ENOMEM.
 */
int calls_load(struct calls *cs, struct json_object *state, bool gave_back);
/* "pdns" of `show`. New reference. */
struct json_object *calls_show(const struct calls *cs);

#endif
