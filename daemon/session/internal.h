/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the session share. Nobody else includes this. */
#ifndef QMAP_SESSION_INTERNAL_H
#define QMAP_SESSION_INTERNAL_H

#include <errno.h>
#include <sys/queue.h>

#include "qmi/client.h"
#include "qmi/models.h"
#include "qmi/nas.h"
#include "qmi/uim.h"
#include "qmi/wds.h"
#include "session.h"

struct event;

/* One answer while giving back: whoever detaches does not want to wait long for a dead modem. */
#define GIVE_BACK_MS 5000

/* Protocol errors with a meaning of their own. */
#define QMI_INVALID_CLIENT_ID 7
#define QMI_OUT_OF_CALL	      15
#define QMI_NO_EFFECT	      26

/* Where a session stands as a whole. */
enum session_phase {
	PHASE_SETUP,	/* the modem's own steps: clients, model, data format */
	PHASE_CALLS,	/* calls are being connected */
	PHASE_ADOPT,	/* calls of an earlier process are being asked for */
	PHASE_RUNNING,	/* the owner has been told started() */
	PHASE_FAILING,	/* start has failed, what was allocated is being given back */
	PHASE_STOPPING, /* the same on the owner's wish */
	PHASE_OVER,	/* nothing left to do but session_free() */
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

/* What happens to a call. */
enum call_event {
	EV_DIAL,     /* now it may be dialled */
	EV_NO_RADIO, /* or not, for these reasons */
	EV_NO_SIM,
	EV_NO_NETWORK,
	EV_CONNECTED,	     /* settings are read */
	EV_ENDED,	     /* by the network */
	EV_FOUND,	     /* the modem has brought it back by itself */
	EV_REFUSED,	     /* it may work later */
	EV_REFUSED_FOR_GOOD, /* it will not */
	EV_CIRCUMSTANCES,    /* that verdict rested on another SIM or network */
	EV_STOP,
	EV_RELEASED, /* its client is given back */
	EV_LOST,     /* the modem has forgotten all about it */
	CALL_EVENTS
};

/* What is being asked within a state, one request after the other: session/call.c. */
enum call_step {
	STEP_NONE,
	STEP_ALLOCATE,
	STEP_BIND,
	STEP_FAMILY,
	STEP_PREPARED, /* the client is fit for Start Network */
	STEP_CLEAR,    /* the modem believes in a call that is none: it is stopped */
	STEP_RENEW,    /* that did not help: another client is asked for */
	STEP_START,
	STEP_STATUS,
	STEP_CHECK,    /* adoption: is the call still there? */
	STEP_STILL_UP, /* the same of a call that is up */
	STEP_HANG_UP,  /* it is, but to no avail */
	STEP_SETTINGS,
	STEP_STOP,
	STEP_RELEASE,
	CALL_STEPS,
	/* what a step may lead to instead of another */
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
	bool no_effect;		   /* ... and answered that the call is there already */
	unsigned int stale;	   /* attempts in a row that ended so, and without a call */
	uint32_t handle;	   /* QMI_WDS_ANY_HANDLE: not known */
	bool suspended;
	bool told;    /* up() without a down() since */
	bool reread;  /* settings have changed once more while they are being read */
	bool renewed; /* settings were read that up() has not told of */
	struct ip_settings settings;
	struct call_end end;
	int error; /* negative errno of what went wrong without the modem saying why */
	enum call_step failed_in;
	char reason[320];      /* of the last transition */
	unsigned int attempts; /* to dial that have failed in a row, or ended soon */
	unsigned int refusals; /* for good, in a row */
	unsigned int judged;   /* circumstances.changes when it was refused so */
	bool asked;	       /* session_redial(): it has not come to anything since */
	int hung_up_for;       /* negative errno: why STEP_HANG_UP */
	uint64_t up_since;     /* ms, monotonic */
	uint64_t dial_at;      /* in CALL_BACKOFF and CALL_FAILED, while the timer runs */
	struct event *timer;
	/* adoption: as an earlier process left it */
	enum call_state was;
	char was_reason[320];
	uint64_t was_dial_at;
};

struct session_pdn {
	TAILQ_ENTRY(session_pdn) entry;
	struct session *session;
	unsigned int number;
	uint64_t rx_packets;  /* when the watchdog looked last */
	uint64_t rx_since;    /* ms, monotonic: since then no more of them */
	struct call calls[2]; /* IPv4, IPv6 */
	bool removing;
	void (*removed)(void *arg, const struct error *err); /* may be NULL */
	void *arg;
};

/* The answer to an allocation or release. */
struct id_reply {
	int err;	    /* 0, -ETIMEDOUT, ...; -EREMOTEIO: refused, with @qmi_error */
	uint16_t qmi_error; /* protocol error */
	uint8_t id;
};

typedef void (*id_reply_fn)(void *arg, const struct id_reply *r);

/* Services whose client ids are given out and taken back. */
enum id_service {
	ID_WDS,
	ID_WDA,
	ID_DMS,
	ID_NAS,
	ID_UIM,
	ID_SERVICES
};

/* Ids of one service on their way. */
struct id_count {
	struct session *session;
	uint8_t service;
	unsigned int asked;    /* for, and not answered: written down */
	unsigned int given_up; /* of these: nobody waits for the answer any more */
	/* What an earlier process was asking for when it died; one by one it is found (adoption).
	 */
	unsigned int leaked;
	uint8_t probe, candidate; /* an id of our own, and the one below it that is tried */
	bool trying;		  /* its release is under way */
	unsigned int tries;	  /* candidates that may yet be tried */
};

/* Releases that were not confirmed are kept in mind; more of them only by their number. */
#define MAX_UNRELEASED 16

struct id_job {
	TAILQ_ENTRY(id_job) entry;
	struct session *session;
	bool release;
	bool sent;
	uint8_t service, id;
	id_reply_fn fn; /* may be NULL */
	void *arg;
};

/* What is known of the configured PIN and the SIM that is in, beyond this process. */
struct pin_memory {
	unsigned int tries;   /* that the modem has not called right or wrong */
	unsigned int retries; /* attempts that the SIM had left before the last of them */
	bool wrong;	      /* the modem has said so */
	unsigned int left;    /* attempts left, by such an answer to this PIN or another; 0: none */
};

enum iccid_state {
	ICCID_UNKNOWN,
	ICCID_ASKED,
	ICCID_TOLD, /* or the modem does not tell it */
};

/* The SIM, as UIM or DMS tell of it. */
struct sim {
	bool asking; /* calls wait for the first answer */
	bool dms;    /* DMS is asked: there is no UIM */
	struct qmi_sim card;
	enum iccid_state iccid_state;
	char iccid[QMI_ICCID_SIZE]; /* empty: not known */
	struct pin_memory pin;
	bool recalled;	    /* @pin is of this SIM and this PIN */
	bool verifying;	    /* the PIN has been sent */
	bool accepted;	    /* and was right; the card's status does not say so yet */
	unsigned int polls; /* ... that often */
	bool hold;	    /* not before the next poll, or until the card is another than @held */
	struct qmi_sim held;
	uint16_t refusal; /* QMI error of the last Verify PIN; 0: no answer */
	bool unwritten;	  /* what is tried cannot be written down, so it is not */
};

/* The radio, as DMS tells of it. */
struct radio {
	bool asking;
	bool known;
	uint8_t mode;	  /* enum qmi_dms_mode */
	bool hardware;	  /* a switch keeps it off */
	bool setting;	  /* it is being switched on */
	bool hold;	  /* not again before the next poll */
	uint16_t refusal; /* QMI error of the last attempt; 0: none */
	unsigned int tries;
	uint64_t tried_at; /* ms, monotonic: the last */
};

/* Registration and signal, as NAS tells of them. */
struct network {
	bool asking;
	bool known;		 /* the modem has told of it */
	bool old;		 /* it does not know Get Signal Info */
	uint64_t attached_since; /* ms: packet service is there, registration is not; 0: not so */
	struct event *patience;	 /* with that */
	struct qmi_nas_serving serving;
	unsigned int nsignals;
	struct qmi_nas_signal signals[QMI_NAS_MAX_SIGNALS];
	struct qmi_nas_signal told; /* the best one, as signal() has told it last */
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

	struct qmi_channel *channel;
	struct qmi_client *ctl, *wda, *dms, *nas, *uim;
	uint64_t services; /* bit n: the modem has service n; 0: it does not say */
	bool alone;	   /* nobody else has the channel open */
	bool exclusive;	   /* and SYNC may be sent */
	bool answered;	   /* the modem has answered anything at all */

	enum session_phase phase;
	enum modem_state modem;
	unsigned int attempt; /* of the modem's present step */
	char model[64], revision[96], manufacturer[64];
	const struct qmi_model *known;
	struct qmi_endpoint endpoint;
	struct data_format format;
	bool formatted;
	unsigned int step; /* of the ladder of versions */
	struct {
		uint16_t qmi_error; /* of the last version that was refused */
		uint32_t echoed;    /* or the aggregation that came back instead */
	} refusal;

	TAILQ_HEAD(session_pdns, session_pdn) pdns;

	TAILQ_HEAD(id_queue, id_job) id_jobs;
	struct id_count ids[ID_SERVICES + 1]; /* the last: services that only guests use */
	unsigned int nunreleased;
	struct {
		uint8_t service, id;
	} unreleased[MAX_UNRELEASED];
	struct proxy_modem *guests; /* other programs on the channel */
	uint8_t guests_lost[256];   /* by service: what theirs were asking for, as above */
	bool was_giving_back;	    /* an earlier process died doing so: ids may be gone already */

	struct radio radio;
	struct sim sim;
	struct network network;
	enum call_event gate; /* as calls were last told of it */
	char gate_reason[160];
	/* What refusals for good rest on, as of the last look; zero: not known. How often it has
	 * changed. */
	struct {
		uint16_t mcc, mnc;
		char iccid[QMI_ICCID_SIZE];
		unsigned int changes;
	} circumstances;

	struct event *kick;	/* look at the whole again */
	struct event *deadline; /* of giving back */
	struct event *poll, *watchdog;
	uint64_t heard;	     /* from the modem, when it was looked at last */
	unsigned int silent; /* rounds in a row without an answer */
	bool judged;	     /* of this one it is known */
	struct error error;  /* why start failed */
	struct error give_back_error;
	bool gave_up; /* giving back: the modem does not answer */
	enum reset reset;
	bool rebooted;
	char lost[160]; /* not empty: why calls and clients are lost */
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
/* Start, or adoption, cannot go on: s->error says why, all is given back. */
void session_fail(struct session *s);
void session_changed(struct session *s);
/* The modem has restarted, or (@rebooted false) the channel is gone. */
void session_lost(struct session *s, bool rebooted, const char *why);
/* Giving back: there is no point in asking further. */
void session_gave_up(struct session *s, int err);
static inline bool session_giving_back(const struct session *s)
{
	return s->phase >= PHASE_FAILING;
}
static inline unsigned int session_timeout_ms(const struct session *s)
{
	unsigned int ms = s->config->timeout * 1000;

	return session_giving_back(s) && ms > GIVE_BACK_MS ? GIVE_BACK_MS : ms;
}
/* The channel is gone: on_channel_lost() follows, and says all there is to say. */
static inline bool session_reply_lost(int err)
{
	return err == -ENODEV || err == -EPIPE;
}

/* The modem does not answer: nothing is given back, another process may adopt it later. */
void session_adopt_failed(struct session *s);

/* session/modem.c */
void session_modem_enter(struct session *s, enum modem_state state);

/* session/format.c: the ladder of QMAP versions. */
/* First version to ask for; false with s->error if the model does not allow what config wants. */
bool session_format_first(struct session *s);
void session_format_request(struct session *s, struct qmi_request *r);
/* 0: agreed; 1: refused, the next version is to be asked for; negative: none is left. */
int session_format_answer(struct session *s, const struct qmi_message *m,
			  const struct qmi_result *res);

/* session/facts.c: what stands in the way of dialling. */
/* Asks for clients of UIM and NAS, unless there are some, and what they know. */
void session_facts_start(struct session *s);
/* EV_DIAL, EV_NO_RADIO, EV_NO_SIM or EV_NO_NETWORK with the reason in s->gate_reason; CALL_EVENTS: not known
 * yet.
 */
enum call_event session_gate(struct session *s);
/* Something is known anew: show has changed, calls may go on. */
void session_facts_changed(struct session *s);
/* From time to time: has the modem restarted unnoticed, how good is the signal? */
void session_facts_poll(struct session *s);
/* Is it the answer to a client that the modem does not know? Then it has restarted: session_lost().
 */
bool session_forgotten(struct session *s, const struct qmi_result *res);
/* For requests whose answer changes nothing but that. */
void session_ignore(void *arg, int err, const struct qmi_message *m);

/* session/radio.c: asks whether the radio is on, and switches it on if it may. */
void session_radio_start(struct session *s);
void session_radio_poll(struct session *s);
void session_radio_indication(void *arg, const struct qmi_message *m);
/* A person asks for another attempt, or has configured something else. */
void session_radio_anew(struct session *s);
bool session_radio_missing(const struct session *s, char *why, size_t size);
bool session_radio_needs_person(const struct session *s);
/* As call_until(). */
void session_radio_until(const struct session *s, char *text, size_t size);

/* session/sim.c, session/network.c: each asks, and takes what comes by itself. */
void session_sim_start(struct session *s);
void session_sim_indication(void *arg, const struct qmi_message *m);
/* Asks once more while calls wait for the SIM. */
void session_sim_poll(struct session *s);
/* The same because something has been configured: calls wait for the answer. */
void session_sim_anew(struct session *s);
/* The ICCID is known, or not told. */
void session_sim_iccid(struct session *s);
/* Attempts that the PIN has left, by the least that the modem has said; 0: not told. */
unsigned int session_sim_pin_left(const struct session *s);
/* session/iccid.c: asks for s->sim.iccid; session_sim_iccid() follows. */
void session_iccid_ask(struct session *s);
/* session/pin.c: what is remembered, in a file. */
/* s->sim.pin, for the configured PIN. */
void session_pin_recall(struct session *s);
/* Writes s->sim.pin down. Negative errno: it is not. */
int session_pin_note(struct session *s);
/* The SIM is open: its counter stands at the top again, and a PIN that was neither right nor wrong
 * may be tried anew. */
void session_pin_opened(struct session *s);
/* Is it a person who must do something about the SIM? */
bool session_sim_needs_person(const struct session *s);
/* As call_until(). */
const char *session_sim_until(const struct session *s);
/* Why no call can be made; false if it can. */
bool session_sim_missing(const struct session *s, char *why, size_t size);
int session_network_new(struct session *s);
void session_network_free(struct session *s);
void session_network_start(struct session *s);
/* As call_until(). */
void session_network_until(const struct session *s, char *text, size_t size);
/* As call_hint(). */
const char *session_network_hint(const struct session *s);
void session_network_indication(void *arg, const struct qmi_message *m);
void session_network_poll(struct session *s);
/* session/signal.c: asks, has the modem tell, and takes it. Only while there is a NAS client. */
void session_signal_start(struct session *s);
void session_signal_poll(struct session *s);
void session_signal_indication(struct session *s, const struct qmi_message *m);
bool session_network_missing(const struct session *s, char *why, size_t size);

/* session/endpoint.c: s->known, by the device's id or by what the modem says of itself. */
void session_find_model(struct session *s);
/* s->endpoint, once s->known is. */
void session_endpoint(struct session *s);

/* session/pdn.c: which PDNs and calls there are. */
int session_pdn_new(struct session *s, unsigned int number);
void session_pdns_free(struct session *s);
struct call *session_call_find(const struct session *s, unsigned int pdn, int family);
/* The other family's call of the same PDN; NULL if there is none. */
struct call *call_sibling(const struct call *c);
/* Ends @c, which is up; -ENOLINK, -ECANCELED: why. */
void call_hang_up(struct call *c, int why);
/* Every call has been refused for good. */
bool session_pdn_failed(const struct session_pdn *pdn);
/* PDNs whose calls are gone are taken off the list; at the end of all (@all) the rest, too. */
void session_pdns_removed(struct session *s, bool all);

/* session/table.c: a call's states. */
/* The one way from state to state. @reason NULL: nothing to say. */
void call_event(struct call *c, enum call_event event, const char *reason);
/* Is @c refused for good because of circumstances that have changed? Then it is dialled again. */
void call_reconsider(struct call *c);
/* Dials if nothing is in the way, waits for it otherwise. */
void call_consider(struct call *c);
bool call_settled(const struct call *c);

/* session/call.c: a call's requests. */
void call_step(struct call *c, enum call_step step);
/* From where the client stands to Start Network. */
void call_prepare(struct call *c);
void call_indication(void *arg, const struct qmi_message *m);
/* Start Network is under way, and its time is over: the timer of @c has fired. */
void call_overdue(struct call *c);
/* The requests under way are of no interest any more. */
void call_cancel(struct call *c);
const char *call_doing(enum call_step step);

/* session/watch.c: what is looked at from time to time. */
int session_watch_new(struct session *s);
void session_watch_free(struct session *s);
/* Asks the modem now what it is asked from time to time. */
void session_watch_look(struct session *s);
/* One of these questions was not answered in time. */
void session_watch_unanswered(struct session *s);
/* Begins anew. */
void session_watch_start(struct session *s);
void session_watch_stop(struct session *s);

/* session/ids.c: client ids, written down before and after. */
void session_id_allocate(struct session *s, uint8_t service, id_reply_fn fn, void *arg);
void session_id_release(struct session *s, uint8_t service, uint8_t id, id_reply_fn fn, void *arg);
/* Takes back an allocation that has not been sent yet. */
bool session_id_forget(struct session *s, void *arg);
/* Sends what may be sent now; comes with every kick. */
void session_ids_run(struct session *s);
void session_ids_init(struct session *s);
void session_ids_clear(struct session *s);
/* Where the client of @service is kept that is the session's, not a call's. */
struct qmi_client **session_client(struct session *s, enum id_service service);
uint8_t session_service(enum id_service service);
/* An allocation that was given up on has been answered after all. */
void session_id_late(struct session *s, const struct qmi_message *m);
/* Gives back what a dead process was allocating; kicks when done. */
void session_id_recover(struct session *s);
/* The modem has not confirmed that it has taken this one back. Exclusive channels only. */
void session_id_unreleased(struct session *s, uint8_t service, uint8_t id);
/* How many of one service the modem may have given out, or be giving out, that nobody here has. */
unsigned int session_ids_asked(const struct session *s, enum id_service service);
/* May ids be guessed at, and SYNC be sent? Somebody else may have opened the device meanwhile. */
bool session_is_alone(const struct session *s);
/* May the modem hold an id that nobody here has, of ours or of a guest that is gone? */
bool session_ids_unsure(const struct session *s);

/* session/reset.c: true while the modem is being asked to forget all clients; a kick follows. */
bool session_reset(struct session *s);

/* Is it in use here, by us or by a guest? */
bool session_id_known(const struct session *s, uint8_t service, uint8_t id);

/* session/guests.c: other programs on the channel. */
void session_guests_new(struct session *s);
void session_guests_free(struct session *s);
/* Lets them in when it is time; comes with every kick. */
void session_guests_run(struct session *s);
/* Hangs them up; true when the modem has their ids back. A kick comes until then. */
bool session_guests_gone(struct session *s);
struct json_object *session_guests_state(const struct session *s);
void session_guests_load(struct session *s, struct json_object *state);

/* session/state.c */
struct json_object;
void session_json_int(struct json_object *o, const char *key, int64_t v);
int session_state_load(struct session *s, struct json_object *state, struct error *err);

/* session/end.c: what a refusal means. */
enum end_verdict {
	END_TRANSIENT,
	END_FOR_GOOD,
	END_OTHER_FAMILY, /* the network gives the PDN's other family only */
};
enum end_verdict call_verdict(const struct call *c);
/* Has it failed because the network gives one address only, and the other family was first? */
bool call_gave_way(const struct call *c);

/* session/until.c: what ends the state of @c, as in "it goes on <text>"; empty if nothing has to.
 */
void call_until(const struct call *c, char *s, size_t size);
/*
 * session/reason.c: returns a sentence about what a person can do to get @c out of the state that it
 * waits in, or NULL if nothing in particular is known.
 */
const char *call_hint(const struct call *c);
/* ms until it is dialled; -1: it does not wait for a time. */
int64_t call_dials_in_ms(const struct call *c);

/* session/reason.c: sentences. */
/* Why @c was refused. */
void call_refusal(const struct call *c, char *s, size_t size);
void session_error_silent(struct session *s);
/* Why @pdn, which has failed or waits for a person, is not connected. Returns err->err. */
int session_error_pdn(const struct session_pdn *pdn, struct error *err);
void session_error_step(struct session *s, const char *doing, int err, uint16_t qmi_error);
void session_error_format(struct session *s);

#endif
