/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of session/ only. */
#ifndef QMAP_SESSION_INTERNAL_H
#define QMAP_SESSION_INTERNAL_H

#include <errno.h>
#include <sys/queue.h>

#include "clients.h"
#include "facts.h"
#include "format.h"
#include "guests.h"
#include "ids.h"
#include "watch.h"
#include "qmi/wds.h"
#include "session.h"

struct event;

/* Phase of the whole session. */
enum session_phase {
	PHASE_SETUP,	/* the modem's own steps: clients, model, data format */
	PHASE_CALLS,	/* calls are being connected */
	PHASE_ADOPT,	/* status of an earlier process's calls is being requested */
	PHASE_RUNNING,	/* started() has been called */
	PHASE_FAILING,	/* start has failed, allocated ids are being released */
	PHASE_STOPPING, /* the same on the owner's request */
	PHASE_OVER,	/* only session_free() is left */
};

enum modem_state {
	MODEM_SYNC,
	MODEM_VERSIONS,
	MODEM_WDA_CLIENT,
	MODEM_DMS_CLIENT,
	MODEM_MODEL,
	MODEM_REVISION,
	MODEM_MANUFACTURER,
	MODEM_FORMAT,
	MODEM_READY,
};

/* Events of a call. */
enum call_event {
	EV_DIAL,     /* dialling is possible */
	EV_NO_RADIO, /* dialling is impossible, for these reasons */
	EV_NO_SIM,
	EV_NO_NETWORK,
	EV_CONNECTED,	     /* settings have been read */
	EV_ENDED,	     /* by the network */
	EV_FOUND,	     /* the modem has restored it by itself */
	EV_REFUSED,	     /* temporarily */
	EV_REFUSED_FOR_GOOD, /* it will not */
	EV_CIRCUMSTANCES,    /* the SIM or network on which that verdict rested has changed */
	EV_STOP,
	EV_RELEASED, /* its client is released */
	EV_LOST,     /* the modem has lost all state of it */
	CALL_EVENTS
};

/* The request sent within a state; one follows the other: session/call.c. */
enum call_step {
	STEP_NONE,
	STEP_ALLOCATE,
	STEP_BIND,
	STEP_FAMILY,
	STEP_PREPARED, /* the client is ready for Start Network */
	STEP_CLEAR,    /* stop a call that exists in the modem's view only */
	STEP_RENEW,    /* that did not help: allocate another client */
	STEP_START,
	STEP_STATUS,
	STEP_CHECK,    /* adoption: does the call still exist? */
	STEP_STILL_UP, /* the same for a call that is up */
	STEP_HANG_UP,  /* end a call that is up */
	STEP_SETTINGS,
	STEP_STOP,
	STEP_RELEASE,
	CALL_STEPS,
	/* results of a step in place of a next one */
	STEP_CONNECTED,
	STEP_ENDED,
	STEP_REFUSED,
};

/* A data call: one IP family of one PDN, on a WDS client of its own. */
struct call {
	struct session *session; /* NULL: the PDN does not have this family */
	struct session_pdn *pdn;
	int family;
	enum call_state state;
	enum call_step step;
	struct qmi_client *client; /* NULL: no client id */
	bool prepared;		   /* the client is bound and has its family */
	bool dialled;		   /* Start Network was sent: the modem may hold a call */
	bool no_effect;		   /* the answer was that the call exists already */
	unsigned int stale;	   /* attempts in a row that ended so, without a call */
	uint32_t handle;	   /* QMI_WDS_ANY_HANDLE: unknown */
	bool suspended;
	bool told;    /* up() was called, and no down() since */
	bool reread;  /* settings have changed while they were being read */
	bool renewed; /* settings were read that up() has not reported */
	struct ip_settings settings;
	struct call_end end;
	int error; /* negative errno of a failure without a reason from the modem */
	enum call_step failed_in;
	char reason[320];      /* of the last transition */
	unsigned int attempts; /* attempts in a row that have failed, or ended soon */
	unsigned int refusals; /* for good, in a row */
	unsigned int judged;   /* circumstances.changes at the last refusal for good */
	bool asked;	       /* session_redial() without a result since */
	int hung_up_for;       /* negative errno: reason of STEP_HANG_UP */
	uint64_t up_since;     /* ms, monotonic */
	uint64_t dial_at;      /* in CALL_BACKOFF and CALL_FAILED, while the timer runs */
	struct event *timer;
	/* adoption: as saved by an earlier process */
	enum call_state was;
	char was_reason[320];
	uint64_t was_dial_at;
};

struct session_pdn {
	TAILQ_ENTRY(session_pdn) entry;
	struct session *session;
	unsigned int number;
	uint64_t rx_packets;  /* at the watchdog's last check */
	uint64_t rx_since;    /* ms, monotonic: no packets since then */
	struct call calls[2]; /* IPv4, IPv6 */
	bool removing;
	void (*removed)(void *arg, const struct error *err); /* may be NULL */
	void *arg;
};

/* SYNC at the end of giving back. */
enum reset {
	RESET_NONE,
	RESET_ASKED,
	RESET_OVER,
};

struct session {
	struct event_base *base;
	struct session_setup setup;
	const struct config_trunk *config; /* of @setup; its PDNs: see pdns */
	const struct session_ops *ops;
	void *arg;

	struct clients *clients;

	enum session_phase phase;
	enum modem_state modem;
	unsigned int attempt; /* of the modem's present step */
	char model[64], revision[96], manufacturer[64];

	TAILQ_HEAD(session_pdns, session_pdn) pdns;

	struct ids *ids;
	struct guests *guests;
	struct format *format;
	bool was_giving_back; /* an earlier process died while releasing: ids may be gone already */

	struct facts *facts;
	struct watch *watch;
	struct event *kick;	/* runs on_kick() */
	struct event *deadline; /* of the release */
	struct error error;	/* reason why start failed */
	struct error give_back_error;
	bool gave_up; /* while releasing: the modem does not answer */
	enum reset reset;
	bool rebooted;
	char lost[160]; /* not empty: reason why calls and clients are lost */
	void (*stop_done)(void *arg, const struct error *err);
	void *stop_arg;
};

static inline const struct config_pdn *pdn_config(const struct session_pdn *pdn)
{
	return config_find_pdn(pdn->session->config, pdn->number);
}

/* The first call of @pdn from family slot @i (0: IPv4, 1: IPv6) on; NULL: there is none. */
static inline struct call *pdn_call(const struct session_pdn *pdn, int i)
{
	for (; i < 2; i++)
		if (pdn->calls[i].session)
			return (struct call *)&pdn->calls[i];
	return NULL;
}

static inline int call_slot(const struct call *c)
{
	return c - c->pdn->calls;
}

/* The next call of the same PDN; NULL behind the last. */
static inline struct call *pdn_call_next(const struct call *c)
{
	return pdn_call(c->pdn, call_slot(c) + 1);
}

static inline struct call *calls_from(const struct session_pdn *pdn)
{
	struct call *c = NULL;

	for (; pdn && !c; pdn = TAILQ_NEXT(pdn, entry))
		c = pdn_call(pdn, 0);
	return c;
}

/* The calls of all PDNs, one after the other. */
static inline struct call *call_first(const struct session *s)
{
	return calls_from(TAILQ_FIRST(&s->pdns));
}

static inline struct call *call_next(const struct call *c)
{
	return pdn_call_next(c) ?: calls_from(TAILQ_NEXT(c->pdn, entry));
}

/* session.c */
void session_kick(struct session *s);
/* Start, or adoption, has failed with s->error: releases everything. */
void session_fail(struct session *s);
void session_changed(struct session *s);
/* The modem has restarted, or (@rebooted false) the channel is gone. */
void session_lost(struct session *s, bool rebooted, const char *why);
/* While releasing: further requests are pointless. */
void session_gave_up(struct session *s, int err);
static inline bool session_giving_back(const struct session *s)
{
	return s->phase >= PHASE_FAILING;
}

/* The modem does not answer: releases nothing, so that another process can adopt it later. */
void session_adopt_failed(struct session *s);

/* session/rooms.c: the channel and the objects on it. Errors as clients_open(). */
int session_rooms_new(struct session *s, struct error *err);
void session_rooms_free(struct session *s);

/* session/modem.c */
void session_modem_enter(struct session *s, enum modem_state state);

/* session/pdn.c: the lists of PDNs and calls. */
int session_pdn_new(struct session *s, unsigned int number);
void session_pdns_free(struct session *s);
struct call *session_call_find(const struct session *s, unsigned int pdn, int family);
/* The other family's call of the same PDN; NULL if there is none. */
struct call *call_sibling(const struct call *c);
/* Ends @c, which is up; @why: -ENOLINK, -ECANCELED. */
void call_hang_up(struct call *c, int why);
/* Was every call refused for good? */
bool session_pdn_failed(const struct session_pdn *pdn);
bool session_owns_mux(const struct session *s, unsigned int mux);
/* Packets that the ports of all PDNs have received. */
uint64_t session_rx_packets(const struct session *s);
/* Dials PDNs again that have received nothing for config->watchdog seconds. */
void session_check_traffic(struct session *s);
/* Starts polling, and counting that time, from the beginning. */
void session_watch_start(struct session *s);
/* A call's request of a poll was not answered in time. */
void session_unanswered(struct session *s);
/* Removes PDNs whose calls are gone; at the end (@all) the rest, too. */
void session_pdns_removed(struct session *s, bool all);

/* session/table.c: a call's states. */
/* The only way from state to state. @reason NULL: none. */
void call_event(struct call *c, enum call_event event, const char *reason);
/* Was @c refused for good because of circumstances that have changed? Then it is redialled. */
void call_reconsider(struct call *c);
/* Dials if nothing prevents it, otherwise waits. */
void call_consider(struct call *c);
bool call_settled(const struct call *c);

/* The facts have changed: calls may continue. As facts_owner.changed. */
void session_facts_changed(struct session *s, bool opened);

/* session/call.c: a call's requests. */
void call_step(struct call *c, enum call_step step);
/* Takes the client from its present state to Start Network. */
void call_prepare(struct call *c);
void call_indication(void *arg, const struct qmi_message *m);
/* The timer of @c has fired while Start Network was open. */
void call_overdue(struct call *c);
/* Drops the open requests. */
void call_cancel(struct call *c);
const char *call_doing(enum call_step step);

/* session/reset.c: true while SYNC is open; a kick follows. */
bool session_reset(struct session *s);

/* session/state.c */
struct json_object;
int session_state_load(struct session *s, struct json_object *state, struct error *err);

/* session/end.c: effect of a refusal. */
enum end_verdict {
	END_TRANSIENT,
	END_FOR_GOOD,
	END_OTHER_FAMILY, /* the network only accepts the PDN's other family */
};
enum end_verdict call_verdict(const struct call *c);
/* Has it failed because the network assigns one address only, and the other family was first? */
bool call_gave_way(const struct call *c);

/*
 * session/until.c: the event that ends the state of @c, as in "it goes on <text>"; empty if none is
 * needed.
 */
void call_until(const struct call *c, char *s, size_t size);
/*
 * session/reason.c: returns advice for the user about the state that @c waits in, or NULL if there
 * is none.
 */
const char *call_hint(const struct call *c);
/* ms until it is dialled; -1: it does not wait for a time. */
int64_t call_dials_in_ms(const struct call *c);

/* session/reason.c: sentences. */
/* Sets the reason why @c was refused. */
void call_refusal(const struct call *c, char *s, size_t size);
void session_error_silent(struct session *s);
/*
 * Sets the reason why @pdn, which has failed or waits for the user, is not connected. Returns
 * err->err.
 */
int session_error_pdn(const struct session_pdn *pdn, struct error *err);
void session_error_step(struct session *s, const char *doing, int err, uint16_t qmi_error);

#endif
