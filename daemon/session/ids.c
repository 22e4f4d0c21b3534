// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client ids. A modem has few of them (some have ten per service) and releases none by itself, so
 * none may be lost, even if this process dies at any moment: the number of open requests is saved
 * before they are sent, an allocated id before its first use, and an id stays saved until the modem
 * has confirmed its release.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "proxy/proxy.h"
#include "qmi/ctl.h"
#include "qmi/names.h"

/* Open requests: enough to hide a modem's latency, few enough to find ids again. */
#define WINDOW 8

/* Number of ids below a new id to try for one whose answer was lost; for a dead process's: all. */
#define RECENT 8

static struct id_count *count_of(struct session *s, uint8_t service)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (clients_service(i) == service)
			return &s->ids[i];
	return &s->ids[ID_SERVICES];
}

static void job_free(struct session *s, struct id_job *j)
{
	TAILQ_REMOVE(&s->id_jobs, j, entry);
	free(j);
}

/* Result of a reply for the job: a client that does not exist is released. */
static struct id_reply judge(const struct id_job *j, int err, const struct qmi_message *m,
			     const struct qmi_result *res)
{
	struct id_reply r = {.err = err == -ENOMSG ? -EBADMSG : err, .id = j->id};
	uint8_t service;

	if (err)
		return r;
	if (res->status) {
		r.qmi_error = res->error;
		r.err = j->release && res->error == QMI_INVALID_CLIENT_ID ? 0 : -EREMOTEIO;
	} else if (!j->release &&
		   (!qmi_ctl_allocated(m, &service, &r.id) || service != j->service)) {
		r.err = -EBADMSG;
	}
	return r;
}

static void search_below(struct id_count *n, uint8_t id);
static void search_on(struct id_count *n);

/* Without a usable answer it stays saved: the modem may have allocated an id all the same. */
static void note_allocated(struct id_count *n, const struct id_reply *r)
{
	if (r->err == -ETIMEDOUT || r->err == -EBADMSG)
		n->given_up++;
	else
		n->asked--;
}

/* A repeated release might hit another program that has got the id meanwhile. */
static void note_released(const struct id_job *j, const struct id_reply *r)
{
	struct session *s = j->session;

	if (r->err == -EREMOTEIO)
		log_warning("modem does not take %s client id %u back: %s (QMI error %u)",
			    qmi_service_name(j->service), j->id,
			    qmi_error_name(r->qmi_error) ?: "no name known", r->qmi_error);
	if (r->err && clients_exclusive(s->clients))
		session_id_unreleased(s, j->service, j->id);
	clients_released(s->clients, j->service, j->id);
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct id_job *j = arg, job = *j;
	struct session *s = job.session;
	struct qmi_result res;
	struct id_reply r;

	if (!clients_read(s->clients, &err, m, &res))
		return;
	r = judge(&job, err, m, &res);
	job_free(s, j);
	if (job.release)
		note_released(&job, &r);
	else
		note_allocated(count_of(s, job.service), &r);
	if (job.fn)
		job.fn(job.arg, &r);
	if (!job.release && !r.err)
		search_below(count_of(s, job.service), r.id);
	/* Requests are sent from the event loop, so this state is saved before them. */
	session_changed(s);
	if (r.err == -ETIMEDOUT && session_giving_back(s) && !clients_exclusive(s->clients))
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
	clients_send(s->clients, ID_CTL, &r, on_reply, j);
}

/* Selects jobs that may be sent now; true if any of them is an allocation. */
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
		count_of(s, j->service)->asked++;
	}
	return allocates;
}

/* Sends all requests since the last round together, after saving once. */
void session_ids_run(struct session *s)
{
	struct id_job *jobs[WINDOW];
	unsigned int n;

	for (int i = 0; i < ID_SERVICES; i++)
		search_on(&s->ids[i]);
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
	s->nunreleased = 0;
	memset(s->guests_lost, 0, sizeof(s->guests_lost));
	for (int i = 0; i <= ID_SERVICES; i++)
		s->ids[i] = (struct id_count){.session = s, .service = s->ids[i].service};
}

void session_id_unreleased(struct session *s, uint8_t service, uint8_t id)
{
	unsigned int i = s->nunreleased < MAX_UNRELEASED ? s->nunreleased++ : MAX_UNRELEASED - 1;

	s->unreleased[i].service = service;
	s->unreleased[i].id = id;
}

unsigned int session_ids_asked(const struct session *s, enum id_service service)
{
	const struct id_count *n = &s->ids[service];
	bool probe = n->probe && !session_id_known(s, n->service, n->probe);

	return n->asked + n->leaked + probe;
}

bool session_ids_unsure(const struct session *s)
{
	if (s->nunreleased || proxy_modem_holds(s->guests))
		return true;
	for (int i = 0; i < 256; i++)
		if (s->guests_lost[i])
			return true;
	for (int i = 0; i <= ID_SERVICES; i++)
		if (session_ids_asked(s, i))
			return true;
	return false;
}

bool session_id_known(const struct session *s, uint8_t service, uint8_t id)
{
	if (proxy_modem_has(s->guests, service, id))
		return true;
	if (clients_have(s->clients, service, id))
		return true;
	for (struct call *c = call_first(s); c && service == QMI_WDS; c = call_next(c))
		if (c->client && qmi_client_id(c->client) == id)
			return true;
	return false;
}

/*
 * Handles a late answer to an allocation; or a duplicate of a timely one; or, on a shared channel,
 * an answer to another program.
 */
void session_id_late(struct session *s, const struct qmi_message *m)
{
	struct qmi_result res;
	struct id_count *n;
	uint8_t service, id;

	if (s->phase == PHASE_OVER || qmi_message_result(m, &res) < 0 || res.status ||
	    !qmi_ctl_allocated(m, &service, &id) || session_id_known(s, service, id))
		return;
	n = count_of(s, service);
	if ((!n->given_up && !clients_exclusive(s->clients)) ||
	    !clients_get_own_answers(s->clients))
		return;
	if (n->given_up) {
		n->asked--;
		n->given_up--;
	}
	session_id_release(s, service, id, NULL, NULL);
}

/* --- ids whose answer was lost --- */

static void set_aside(struct id_count *n)
{
	n->asked += n->leaked;
	n->given_up += n->leaked;
	n->leaked = 0;
}

/* An id that was not found stays saved, unless all ids were tried: then there is none. */
static void search_over(struct id_count *n)
{
	uint8_t probe = n->probe;

	if (n->candidate != probe)
		set_aside(n);
	n->leaked = 0;
	n->probe = 0;
	if (!session_id_known(n->session, n->service, probe))
		session_id_release(n->session, n->service, probe, NULL, NULL);
}

/* The modem answers INVALID_CLIENT_ID for ids it never allocated. */
static void on_candidate(void *arg, const struct id_reply *r)
{
	struct id_count *n = arg;

	n->trying = false;
	if (r->err)
		search_over(n);
	else if (r->qmi_error != QMI_INVALID_CLIENT_ID)
		n->leaked--;
	session_kick(n->session);
}

/* An id that is being allocated for another client could be taken for a lost one. */
static bool is_quiet(const struct id_count *n)
{
	return n->asked == n->given_up && !proxy_modem_allocating(n->session->guests, n->service);
}

static uint8_t below(uint8_t id)
{
	return id > 1 ? id - 1 : QMI_CID_BROADCAST - 1;
}

/* Called with every kick. */
static void search_on(struct id_count *n)
{
	if (!n->probe || n->trying || !is_quiet(n))
		return;
	do
		n->candidate = below(n->candidate);
	while (n->candidate != n->probe && session_id_known(n->session, n->service, n->candidate));
	if (!n->leaked || n->candidate == n->probe || !n->tries--) {
		search_over(n);
		return;
	}
	n->trying = true;
	session_id_release(n->session, n->service, n->candidate, on_candidate, n);
}

static void search(struct id_count *n, uint8_t id, unsigned int tries)
{
	n->probe = n->candidate = id;
	n->tries = tries;
	session_kick(n->session);
}

/* A client was allocated after one whose answer was lost. */
static void search_below(struct id_count *n, uint8_t id)
{
	struct session *s = n->session;

	if (!n->service || !n->given_up || n->leaked || session_giving_back(s) ||
	    !clients_still_exclusive(s->clients))
		return;
	n->leaked = n->given_up;
	n->asked -= n->given_up;
	n->given_up = 0;
	search(n, id, RECENT);
}

static void on_probe(void *arg, const struct id_reply *r)
{
	struct id_count *n = arg;

	if (r->err)
		set_aside(n);
	else
		search(n, r->id,
		       clients_still_exclusive(n->session->clients) ? QMI_CID_BROADCAST : 0);
}

/*
 * Modems count client ids up and begin again at 1, per service or all together, or take the lowest
 * free one. In either case the ids allocated last before this one are the first below it that are
 * not ours; those that the dead process got and could not save are among them.
 */
static void recover(struct id_count *n)
{
	if (clients_exclusive(n->session->clients)) {
		session_id_allocate(n->session, n->service, on_probe, n);
		return;
	}
	log_warning("a %s client id may be lost: others use the control channel, so it cannot be "
		    "told from theirs",
		    qmi_service_name(n->service));
	n->leaked = 0;
}

void session_id_recover(struct session *s)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (s->ids[i].leaked)
			recover(&s->ids[i]);
}

void session_ids_init(struct session *s)
{
	TAILQ_INIT(&s->id_jobs);
	for (int i = 0; i <= ID_SERVICES; i++)
		s->ids[i] = (struct id_count){.session = s,
					      .service = i < ID_SERVICES ? clients_service(i) : 0};
}
