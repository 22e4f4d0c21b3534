/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call. Only for the files behind calls.h: calls.c, call.c, table.c, end.c, until.c, reason.c,
 * calls_json.c.
 */
#ifndef QMAP_SESSION_CALL_H
#define QMAP_SESSION_CALL_H

#include <errno.h>
#include <sys/queue.h>

#include "calls.h"
#include "qmi/wds.h"

struct event;

/* Events of a call. */
enum call_event {
	EV_DIAL,     /* dialling is possible */
	EV_NO_RADIO, /* dialling is impossible, for these reasons */
	EV_NO_SIM,
	EV_NO_NETWORK,
	EV_ROAMING,
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
	struct calls *all; /* NULL: the PDN does not have this family */
	struct calls_pdn *pdn;
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
	bool announced; /* up() was called, and no down() since */
	bool reread;	/* settings have changed while they were being read */
	bool renewed;	/* settings were read that up() has not reported */
	struct ip_settings settings;
	struct call_end end;
	int error; /* negative errno of a failure without a reason from the modem */
	enum call_step failed_in;
	char reason[320];      /* of the last transition */
	unsigned int attempts; /* attempts in a row that have failed, or ended soon */
	unsigned int refusals; /* for good, in a row */
	unsigned int judged;   /* facts_changes() at the last refusal for good */
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

struct calls_pdn {
	TAILQ_ENTRY(calls_pdn) entry;
	struct calls *all;
	unsigned int number;
	uint64_t rx_packets;  /* at the watchdog's last check */
	unsigned int silent;  /* times in a row that it has found none */
	uint64_t rx_since;    /* ms, monotonic: no packets since then */
	struct call calls[2]; /* IPv4, IPv6 */
	bool removing;
	void (*removed)(void *arg, const struct error *err); /* may be NULL */
	void *arg;
};

struct calls {
	struct calls_env env;
	const struct config_trunk *config; /* of @env */
	const struct calls_owner *owner;
	void *arg;
	TAILQ_HEAD(calls_pdns, calls_pdn) pdns;
	bool quiet;
	bool was_giving_back; /* an earlier process died while releasing: ids may be gone already */
};

static inline const struct config_pdn *pdn_config(const struct calls_pdn *pdn)
{
	return config_find_pdn(pdn->all->config, pdn->number);
}

/* The first call of @pdn from family slot @i (0: IPv4, 1: IPv6) on; NULL: there is none. */
static inline struct call *pdn_call(const struct calls_pdn *pdn, int i)
{
	for (; i < 2; i++)
		if (pdn->calls[i].all)
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

static inline struct call *calls_from(const struct calls_pdn *pdn)
{
	struct call *c = NULL;

	for (; pdn && !c; pdn = TAILQ_NEXT(pdn, entry))
		c = pdn_call(pdn, 0);
	return c;
}

/* The calls of all PDNs, one after the other. */
static inline struct call *call_first(const struct calls *cs)
{
	return calls_from(TAILQ_FIRST(&cs->pdns));
}

static inline struct call *call_next(const struct call *c)
{
	return pdn_call_next(c) ?: calls_from(TAILQ_NEXT(c->pdn, entry));
}

static inline bool calls_giving_back(const struct calls *cs)
{
	return clients_giving_back(cs->env.clients);
}

/* calls.c */
/* The other family's call of the same PDN; NULL if there is none. */
struct call *call_sibling(const struct call *c);
struct call *calls_find(const struct calls *cs, unsigned int number, int family);

/* table.c: a call's states. */
/* The only way from state to state. @reason NULL: none. */
void call_event(struct call *c, enum call_event event, const char *reason);
/* Dials if nothing prevents it, otherwise waits. */
void call_consider(struct call *c);
bool call_settled(const struct call *c);

/* call.c: a call's requests. */
void call_step(struct call *c, enum call_step step);
/* Takes the client from its present state to Start Network. */
void call_prepare(struct call *c);
/* Ends @c, which is up; @why: -ENOLINK, -ECANCELED, -EPERM. */
void call_hang_up(struct call *c, int why);
void call_indication(void *arg, const struct qmi_message *m);
/* The timer of @c has fired while Start Network was open. */
void call_overdue(struct call *c);
/* Drops the open requests. */
void call_cancel(struct call *c);
const char *call_doing(enum call_step step);

/* end.c: effect of a refusal. */
enum end_verdict {
	END_TRANSIENT,
	END_FOR_GOOD,
	END_OTHER_FAMILY, /* the network only accepts the PDN's other family */
};
enum end_verdict call_verdict(const struct call *c);
/* Has it failed because the network assigns one address only, and the other family was first? */
bool call_gave_way(const struct call *c);

/* until.c: the event that ends the state of @c, as in "it goes on <text>"; empty if none is needed. */
void call_until(const struct call *c, char *s, size_t size);
/* ms until it is dialled; -1: it does not wait for a time. */
int64_t call_dials_in_ms(const struct call *c);

/* reason.c: sentences. */
/* Returns advice for the user about the state that @c waits in, or NULL if there is none. */
const char *call_hint(const struct call *c);
/* Sets the reason why @c was refused. */
void call_refusal(const struct call *c, char *s, size_t size);
/*
 * Sets the reason why @pdn, which has failed or waits for the user, is not connected. Returns
 * err->err.
 */
int call_error_pdn(const struct calls_pdn *pdn, struct error *err);

#endif
