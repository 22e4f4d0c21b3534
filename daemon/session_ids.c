// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client ids. A modem has few of them (some have ten per service) and takes none back by itself, so
 * none may be lost, whenever this process dies: that one is being asked for is written down before
 * the request goes out, which one it became before anything else is done with it, and that it is
 * gone only when the modem has said so. One request at a time keeps what is written down exact.
 */
#include "session_internal.h"

#include <stdlib.h>

#include "log.h"
#include "qmi/ctl.h"
#include "qmi/names.h"

#define INVALID_CLIENT_ID 7

static void run(struct session *s);

static void job_free(struct session *s, struct id_job *j)
{
	TAILQ_REMOVE(&s->id_jobs, j, entry);
	free(j);
}

/* What a reply means for the job: a client that does not exist has been released well enough. */
static struct id_reply judge(const struct id_job *j, int err, const struct qmi_message *m)
{
	struct id_reply r = {.err = err, .id = j->id};
	struct qmi_result res;
	uint8_t service;

	if (err)
		return r;
	if (qmi_message_result(m, &res) < 0) {
		r.err = -EBADMSG;
	} else if (res.status) {
		r.qmi_error = res.error;
		r.err = j->release && res.error == INVALID_CLIENT_ID ? 0 : -EREMOTEIO;
	} else if (!j->release &&
		   (!qmi_ctl_allocated(m, &service, &r.id) || service != j->service)) {
		r.err = -EBADMSG;
	}
	return r;
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct id_job *j = TAILQ_FIRST(&s->id_jobs), job = *j;
	struct id_reply r = judge(&job, err, m);

	if (session_reply_lost(err))
		return;
	if (!err)
		s->answered = true;
	s->id_busy = false;
	job_free(s, j);
	/* Without an answer it stays written down: the modem may have given one out all the same.
	 */
	if (!job.release && r.err != -ETIMEDOUT)
		s->allocating = -1;
	if (job.fn)
		job.fn(job.arg, &r);
	session_changed(s);
	if (r.err == -ETIMEDOUT && session_giving_back(s))
		session_gave_up(s, r.err);
	run(s);
	session_kick(s);
}

static void run(struct session *s)
{
	struct id_job *j = TAILQ_FIRST(&s->id_jobs);
	struct qmi_request r;

	if (!j || s->id_busy)
		return;
	s->id_busy = true;
	if (j->release) {
		qmi_ctl_release_cid(&r, j->service, j->id);
	} else {
		s->allocating = j->service;
		session_changed(s);
		qmi_ctl_allocate_cid(&r, j->service);
	}
	qmi_client_send(s->ctl, &r, session_timeout_ms(s), on_reply, s);
}

static void job_new(struct session *s, bool release, uint8_t service, uint8_t id, id_reply_fn fn,
		    void *arg)
{
	struct id_job *j = calloc(1, sizeof(*j));

	if (!j) {
		if (fn)
			fn(arg, &(struct id_reply){.err = -ENOMEM});
		return;
	}
	j->release = release;
	j->service = service;
	j->id = id;
	j->fn = fn;
	j->arg = arg;
	TAILQ_INSERT_TAIL(&s->id_jobs, j, entry);
	run(s);
}

void session_id_allocate(struct session *s, uint8_t service, id_reply_fn fn, void *arg)
{
	job_new(s, false, service, 0, fn, arg);
}

void session_id_release(struct session *s, uint8_t service, uint8_t id, id_reply_fn fn, void *arg)
{
	job_new(s, true, service, id, fn, arg);
}

bool session_id_forget(struct session *s, void *arg)
{
	struct id_job *j;

	TAILQ_FOREACH(j, &s->id_jobs, entry)
	{
		if (j->arg != arg || (s->id_busy && j == TAILQ_FIRST(&s->id_jobs)))
			continue;
		job_free(s, j);
		return true;
	}
	return false;
}

void session_ids_clear(struct session *s)
{
	struct id_job *j;

	while ((j = TAILQ_FIRST(&s->id_jobs)))
		job_free(s, j);
	s->id_busy = false;
	s->allocating = s->leaked = -1;
}

void session_id_late(struct session *s, const struct qmi_message *m)
{
	struct qmi_result res;
	uint8_t service, id;

	if (s->phase == PHASE_OVER || qmi_message_result(m, &res) < 0 || res.status ||
	    !qmi_ctl_allocated(m, &service, &id))
		return;
	if (!s->id_busy && s->allocating == service)
		s->allocating = -1;
	session_id_release(s, service, id, NULL, NULL);
}

static bool is_known(const struct session *s, uint8_t service, uint8_t id)
{
	if (service == QMI_WDA)
		return s->wda && qmi_client_id(s->wda) == id;
	if (service == QMI_DMS)
		return s->dms && qmi_client_id(s->dms) == id;
	for (unsigned int i = 0; i < s->ncalls; i++)
		if (s->calls[i].client && qmi_client_id(s->calls[i].client) == id)
			return true;
	return false;
}

static void on_recovered(void *arg, const struct id_reply *r)
{
	struct session *s = arg;

	if (!r->err)
		s->leaked = -1;
}

/*
 * Modems count client ids up, per service or all together, or take the lowest that is free. Either
 * way the id given out last before this one is one lower, and if that is none of ours it is the one
 * that the dead process was given and could not write down.
 */
static void on_probe(void *arg, const struct id_reply *r)
{
	struct session *s = arg;
	uint8_t service = s->leaked;

	if (r->err) {
		log_warning("a %s client id may be lost in the modem until it restarts",
			    qmi_service_name(service));
		s->leaked = -1;
		return;
	}
	if (r->id > 1 && !is_known(s, service, r->id - 1))
		session_id_release(s, service, r->id - 1, NULL, NULL);
	session_id_release(s, service, r->id, on_recovered, s);
}

void session_id_recover(struct session *s)
{
	if (s->leaked < 0)
		return;
	if (s->exclusive) {
		session_id_allocate(s, s->leaked, on_probe, s);
		return;
	}
	log_warning("a %s client id may be lost: others use the control channel, so it cannot be "
		    "told from theirs",
		    qmi_service_name(s->leaked));
	s->leaked = -1;
}
