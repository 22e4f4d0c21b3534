/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the session share. Nobody else includes this. */
#ifndef QMAP_SESSION_INTERNAL_H
#define QMAP_SESSION_INTERNAL_H

#include <errno.h>
#include <sys/queue.h>

#include "qmi/client.h"
#include "qmi/models.h"
#include "qmi/wds.h"
#include "session.h"

struct event;

/* One answer while giving back: whoever detaches does not want to wait long for a dead modem. */
#define GIVE_BACK_MS 5000

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

enum call_state {
	CALL_IDLE,
	CALL_ALLOCATE,
	CALL_BIND,
	CALL_FAMILY,
	CALL_START,
	CALL_STATUS,
	CALL_CHECK,
	CALL_SETTINGS,
	CALL_CONNECTED,
	CALL_DISCONNECTED,
	CALL_FAILED,
	CALL_STOP,
	CALL_RELEASE,
	CALL_GONE,
	CALL_STATES
};

/* A data call: one IP family of one PDN, on a WDS client of its own. */
struct call {
	struct session *session;
	const struct config_pdn *pdn;
	int family;
	enum call_state state;
	struct qmi_client *client; /* NULL: no client id */
	bool dialled;		   /* Start Network was sent: the modem may hold a call */
	uint32_t handle;	   /* QMI_WDS_ANY_HANDLE: not known */
	bool suspended;
	bool told;    /* up() without a down() since */
	bool renewed; /* settings were read that up() has not told of */
	struct ip_settings settings;
	struct call_end end;
	int error; /* negative errno of what went wrong without the modem saying why */
	enum call_state failed_in; /* in CALL_FAILED */
};

/* The answer to an allocation or release. */
struct id_reply {
	int err;	    /* 0, -ETIMEDOUT, ...; -EREMOTEIO: refused, with @qmi_error */
	uint16_t qmi_error; /* protocol error */
	uint8_t id;
};

typedef void (*id_reply_fn)(void *arg, const struct id_reply *r);

struct id_job {
	TAILQ_ENTRY(id_job) entry;
	struct session *session;
	bool release;
	bool sent;
	uint8_t service, id;
	id_reply_fn fn; /* may be NULL */
	void *arg;
};

struct session {
	struct event_base *base;
	struct config_trunk config;
	const struct session_ops *ops;
	void *arg;

	struct qmi_channel *channel;
	struct qmi_client *ctl, *wda, *dms;
	bool exclusive; /* nobody else has the channel open */
	bool answered;	/* the modem has answered anything at all */

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

	struct call *calls;
	unsigned int ncalls;

	TAILQ_HEAD(id_queue, id_job) id_jobs;
	/* Ids being asked for: how many, of which service. Written down. One service at a time. */
	unsigned int nallocating;
	uint8_t allocating;
	/* The same as an earlier process has left it: what it was given is to be found (adoption).
	 */
	unsigned int nleaked;
	uint8_t leaked;
	bool was_giving_back; /* an earlier process died doing so: ids may be gone already */

	struct event *kick;	/* look at the whole again */
	struct event *deadline; /* of giving back */
	struct error error;	/* why start failed */
	struct error give_back_error;
	bool gave_up; /* giving back: the modem does not answer */
	bool rebooted;
	char lost[160]; /* not empty: why calls and clients are lost */
	void (*stop_done)(void *arg, const struct error *err);
	void *stop_arg;
};

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
	unsigned int ms = s->config.timeout * 1000;

	return session_giving_back(s) && ms > GIVE_BACK_MS ? GIVE_BACK_MS : ms;
}
/* The channel is gone: on_channel_lost() follows, and says all there is to say. */
static inline bool session_reply_lost(int err)
{
	return err == -ENODEV || err == -EPIPE;
}

/* The modem does not answer: nothing is given back, another process may adopt it later. */
void session_adopt_failed(struct session *s);

/* session_modem.c */
void session_modem_enter(struct session *s, enum modem_state state);

/* session_format.c: the ladder of QMAP versions. */
/* First version to ask for; false with s->error if the model does not allow what config wants. */
bool session_format_first(struct session *s);
void session_format_request(struct session *s, struct qmi_request *r);
/* 0: agreed; 1: refused, the next version is to be asked for; negative: none is left. */
int session_format_answer(struct session *s, const struct qmi_message *m,
			  const struct qmi_result *res);

/* session_endpoint.c: s->endpoint, once s->known is. */
void session_endpoint(struct session *s);

/* session_call.c */
int session_calls_new(struct session *s);
void call_enter(struct call *c, enum call_state state);
void call_indication(void *arg, const struct qmi_message *m);
/* Ends what the call is doing and gives its client back. */
void call_give_back(struct call *c);
/* The modem has lost all calls and clients. */
void call_lost(struct call *c);
const char *call_state_name(const struct call *c);
const char *call_doing(enum call_state state);

/* session_ids.c: client ids, written down before and after. */
void session_id_allocate(struct session *s, uint8_t service, id_reply_fn fn, void *arg);
void session_id_release(struct session *s, uint8_t service, uint8_t id, id_reply_fn fn, void *arg);
/* Takes back an allocation that has not been sent yet. */
bool session_id_forget(struct session *s, void *arg);
/* Sends what may be sent now; comes with every kick. */
void session_ids_run(struct session *s);
void session_ids_clear(struct session *s);
/* An allocation that was given up on has been answered after all. */
void session_id_late(struct session *s, const struct qmi_message *m);
/* Gives back what a dead process was allocating; kicks when done. */
void session_id_recover(struct session *s);

/* session_state.c */
struct json_object;
void session_json_int(struct json_object *o, const char *key, int64_t v);
struct json_object *session_format_json(const struct data_format *f);
int session_state_load(struct session *s, struct json_object *state, struct error *err);

/* session_reason.c: sentences. */
/* Why @c, which is in CALL_FAILED, is not connected. */
void call_refusal(const struct call *c, char *s, size_t size);
void session_error_silent(struct session *s);
void session_error_pdn(struct session *s, const struct config_pdn *pdn);
void session_error_step(struct session *s, const char *doing, int err, uint16_t qmi_error);
void session_error_format(struct session *s);

#endif
