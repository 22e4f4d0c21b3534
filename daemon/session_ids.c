// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client ids. A modem has few of them (some have ten per service) and takes none back by itself, so
 * none may be lost, whenever this process dies: how many are being asked for is written down before
 * the requests go out, which ones they became before anything else is done with them, and that they
 * are gone only when the modem has said so.
 */
#include "session_internal.h"

#include <stdlib.h>

#include "log.h"
#include "proxy.h"
#include "qmi/ctl.h"
#include "qmi/names.h"

/* Requests under way at once: enough to hide a modem's latency, few enough to find ids again. */
#define WINDOW 8

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
		r.err = j->release && res.error == QMI_INVALID_CLIENT_ID ? 0 : -EREMOTEIO;
	} else if (!j->release &&
		   (!qmi_ctl_allocated(m, &service, &r.id) || service != j->service)) {
		r.err = -EBADMSG;
	}
	return r;
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct id_job *j = arg, job = *j;
	struct session *s = job.session;
	struct id_reply r = judge(&job, err, m);

	if (session_reply_lost(err))
		return;
	if (!err)
		s->answered = true;
	job_free(s, j);
	/* Without an answer it stays written down: the modem may have given one out all the same.
	 */
	if (!job.release && r.err != -ETIMEDOUT)
		s->nallocating--;
	else if (!job.release)
		s->ngiven_up++;
	if (job.fn)
		job.fn(job.arg, &r);
	/* Requests that @fn has made leave from the event loop, so this still comes before them. */
	session_changed(s);
	if (r.err == -ETIMEDOUT && session_giving_back(s))
		session_gave_up(s, r.err);
	session_kick(s);
}

static void send_job(struct session *s, struct id_job *j)
{
	struct qmi_request r;

	if (j->release)
		qmi_ctl_release_cid(&r, j->service, j->id);
	else
		qmi_ctl_allocate_cid(&r, j->service);
	qmi_client_send(s->ctl, &r, session_timeout_ms(s), on_reply, j);
}

/* Marks what may be sent now; true if any of it is an allocation. */
static bool admit(struct session *s, struct id_job *jobs[WINDOW], unsigned int *n)
{
	bool allocates = false;
	struct id_job *j;
	unsigned int sent = 0;

	*n = 0;
	for (j = TAILQ_FIRST(&s->id_jobs); j; j = TAILQ_NEXT(j, entry))
		sent += j->sent;
	for (j = TAILQ_FIRST(&s->id_jobs); j; j = TAILQ_NEXT(j, entry)) {
		if (j->sent)
			continue;
		if (sent++ >= WINDOW)
			break;
		j->sent = true;
		jobs[(*n)++] = j;
		if (j->release)
			continue;
		allocates = true;
		s->allocating = j->service;
		s->nallocating++;
	}
	return allocates;
}

/* All that was asked for since the last round goes out together, and is written down once. */
void session_ids_run(struct session *s)
{
	struct id_job *jobs[WINDOW];
	unsigned int n;

	if (admit(s, jobs, &n))
		session_changed(s);
	for (unsigned int i = 0; i < n; i++)
		send_job(s, jobs[i]);
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
	j->session = s;
	j->release = release;
	j->service = service;
	j->id = id;
	j->fn = fn;
	j->arg = arg;
	TAILQ_INSERT_TAIL(&s->id_jobs, j, entry);
	session_kick(s);
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

	for (j = TAILQ_FIRST(&s->id_jobs); j; j = TAILQ_NEXT(j, entry)) {
		if (j->arg != arg || j->sent)
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
	s->nallocating = s->ngiven_up = s->nleaked = 0;
}

bool session_id_known(const struct session *s, uint8_t service, uint8_t id)
{
	if (proxy_modem_has(s->guests, service, id))
		return true;
	if (service == QMI_WDA)
		return s->wda && qmi_client_id(s->wda) == id;
	if (service == QMI_DMS)
		return s->dms && qmi_client_id(s->dms) == id;
	if (service != QMI_WDS)
		return false;
	for (struct call *c = call_first(s); c; c = call_next(c))
		if (c->client && qmi_client_id(c->client) == id)
			return true;
	return false;
}

/*
 * The answer to an allocation that was given up on; or, once more, one that was had in time; or, on
 * a channel that others use, an answer that is theirs.
 */
void session_id_late(struct session *s, const struct qmi_message *m)
{
	struct qmi_result res;
	uint8_t service, id;
	bool ours;

	if (s->phase == PHASE_OVER || qmi_message_result(m, &res) < 0 || res.status ||
	    !qmi_ctl_allocated(m, &service, &id) || session_id_known(s, service, id))
		return;
	ours = s->ngiven_up && s->allocating == service;
	if (!ours && !s->exclusive)
		return;
	if (ours) {
		s->nallocating--;
		s->ngiven_up--;
	}
	session_id_release(s, service, id, NULL, NULL);
}

static void on_recovered(void *arg, const struct id_reply *r)
{
	struct session *s = arg;

	if (!r->err)
		s->nleaked = 0;
}

/*
 * Modems count client ids up, per service or all together, or take the lowest that is free. Either
 * way those given out last before this one stand right below it, and which of them is none of ours
 * the dead process was given and could not write down. One that does not exist is refused.
 */
static void on_probe(void *arg, const struct id_reply *r)
{
	struct session *s = arg;

	if (r->err) {
		log_warning("a %s client id may be lost in the modem until it restarts",
			    qmi_service_name(s->leaked));
		s->nleaked = 0;
		return;
	}
	for (unsigned int i = 1; i <= s->nleaked && i < r->id; i++)
		if (!session_id_known(s, s->leaked, r->id - i))
			session_id_release(s, s->leaked, r->id - i, NULL, NULL);
	session_id_release(s, s->leaked, r->id, on_recovered, s);
}

void session_id_recover(struct session *s)
{
	if (!s->nleaked)
		return;
	if (s->exclusive) {
		session_id_allocate(s, s->leaked, on_probe, s);
		return;
	}
	log_warning("a %s client id may be lost: others use the control channel, so it cannot be "
		    "told from theirs",
		    qmi_service_name(s->leaked));
	s->nleaked = 0;
}
