// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"
#include "qmi/ctl.h"
#include "qmi/names.h"

/* Open requests: enough to hide a modem's latency, few enough to find ids again. */
#define WINDOW 8

/* Number of ids below a new id to try for one whose answer was lost; for a dead process's: all. */
#define RECENT 8

/* Releases without a confirmation that are kept; further ones are only counted. */
#define MAX_UNRELEASED 16

/* Open allocations of one service. */
struct id_count {
	struct ids *ids;
	uint8_t service;
	unsigned int asked;    /* number of requests without an answer; saved */
	unsigned int given_up; /* those of them that have timed out */
	/*
	 * Requests that an earlier process had open when it died; their ids are searched for one by
	 * one (adoption).
	 */
	unsigned int leaked;
	uint8_t probe, candidate; /* an id of our own, and the one below it to try */
	bool trying;		  /* its release is in progress */
	unsigned int tries;	  /* candidates left to try */
};

struct id_job {
	TAILQ_ENTRY(id_job) entry;
	struct ids *ids;
	bool release;
	bool sent;
	uint8_t service, id;
	id_reply_fn fn; /* may be NULL */
	void *arg;
};

struct ids {
	struct clients *clients;
	const struct ids_owner *owner;
	void *arg;
	TAILQ_HEAD(id_queue, id_job) jobs;
	struct id_count counts[ID_SERVICES + 1]; /* the last: services that only guests use */
	unsigned int nunreleased;
	struct {
		uint8_t service, id;
	} unreleased[MAX_UNRELEASED];
};

static struct id_count *count_of(struct ids *ids, uint8_t service)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (clients_service(i) == service)
			return &ids->counts[i];
	return &ids->counts[ID_SERVICES];
}

static void job_free(struct ids *ids, struct id_job *j)
{
	TAILQ_REMOVE(&ids->jobs, j, entry);
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

/* Exclusive channels only: otherwise another program may own the id by the time it is read. */
static void note_unreleased(struct ids *ids, uint8_t service, uint8_t id)
{
	unsigned int i =
		ids->nunreleased < MAX_UNRELEASED ? ids->nunreleased++ : MAX_UNRELEASED - 1;

	ids->unreleased[i].service = service;
	ids->unreleased[i].id = id;
}

/* A repeated release might hit another program that has got the id meanwhile. */
static void note_released(const struct id_job *j, const struct id_reply *r)
{
	struct ids *ids = j->ids;

	if (r->err == -EREMOTEIO)
		log_limited(LOG_LEVEL_WARNING, MAX_UNRELEASED,
			    "modem does not take %s client id %u back: %s (QMI error %u)",
			    qmi_service_name(j->service), j->id,
			    qmi_error_name(r->qmi_error) ?: "no name known", r->qmi_error);
	if (r->err && clients_exclusive(ids->clients))
		note_unreleased(ids, j->service, j->id);
	clients_released(ids->clients, j->service, j->id);
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct id_job *j = arg, job = *j;
	struct ids *ids = job.ids;
	struct qmi_result res;
	struct id_reply r;

	if (!clients_read(ids->clients, &err, m, &res))
		return;
	r = judge(&job, err, m, &res);
	job_free(ids, j);
	/* without a usable answer it stays saved: the modem may have allocated an id all the same */
	if (job.release)
		note_released(&job, &r);
	else if (r.err == -ETIMEDOUT || r.err == -EBADMSG)
		count_of(ids, job.service)->given_up++;
	else
		count_of(ids, job.service)->asked--;
	if (job.fn)
		job.fn(job.arg, &r);
	if (!job.release && !r.err)
		search_below(count_of(ids, job.service), r.id);
	/* Requests are sent from the event loop, so this state is saved before them. */
	ids->owner->changed(ids->arg);
	if (r.err == -ETIMEDOUT && clients_giving_back(ids->clients) &&
	    !clients_exclusive(ids->clients))
		ids->owner->gave_up(ids->arg, r.err);
	ids->owner->kick(ids->arg);
}

static void send_job(struct ids *ids, struct id_job *j)
{
	struct qmi_request r;

	if (j->release)
		qmi_ctl_release_cid(&r, j->service, j->id);
	else
		qmi_ctl_allocate_cid(&r, j->service);
	clients_send(ids->clients, ID_CTL, &r, on_reply, j);
}

/* Selects jobs that may be sent now; true if any of them is an allocation. */
static bool admit(struct ids *ids, struct id_job *jobs[WINDOW], unsigned int *n)
{
	bool allocates = false;
	struct id_job *j;
	unsigned int sent = 0;

	*n = 0;
	for (j = TAILQ_FIRST(&ids->jobs); j; j = TAILQ_NEXT(j, entry))
		sent += j->sent;
	for (j = TAILQ_FIRST(&ids->jobs); j; j = TAILQ_NEXT(j, entry)) {
		if (j->sent)
			continue;
		if (sent++ >= WINDOW)
			break;
		j->sent = true;
		jobs[(*n)++] = j;
		if (j->release)
			continue;
		allocates = true;
		count_of(ids, j->service)->asked++;
	}
	return allocates;
}

/* Sends all requests since the last round together, after saving once. */
void ids_run(struct ids *ids)
{
	struct id_job *jobs[WINDOW];
	unsigned int n;

	for (int i = 0; i < ID_SERVICES; i++)
		search_on(&ids->counts[i]);
	if (admit(ids, jobs, &n))
		ids->owner->changed(ids->arg);
	for (unsigned int i = 0; i < n; i++)
		send_job(ids, jobs[i]);
}

static void job_new(struct ids *ids, bool release, uint8_t service, uint8_t id, id_reply_fn fn,
		    void *arg)
{
	struct id_job *j = calloc(1, sizeof(*j));

	if (!j) {
		if (fn)
			fn(arg, &(struct id_reply){.err = -ENOMEM});
		return;
	}
	j->ids = ids;
	j->release = release;
	j->service = service;
	j->id = id;
	j->fn = fn;
	j->arg = arg;
	TAILQ_INSERT_TAIL(&ids->jobs, j, entry);
	ids->owner->kick(ids->arg);
}

void ids_allocate(struct ids *ids, uint8_t service, id_reply_fn fn, void *arg)
{
	job_new(ids, false, service, 0, fn, arg);
}

void ids_release(struct ids *ids, uint8_t service, uint8_t id, id_reply_fn fn, void *arg)
{
	job_new(ids, true, service, id, fn, arg);
}

bool ids_forget(struct ids *ids, void *arg)
{
	struct id_job *j;

	for (j = TAILQ_FIRST(&ids->jobs); j; j = TAILQ_NEXT(j, entry)) {
		if (j->arg != arg || j->sent)
			continue;
		job_free(ids, j);
		return true;
	}
	return false;
}

void ids_clear(struct ids *ids)
{
	struct id_job *j;

	while ((j = TAILQ_FIRST(&ids->jobs)))
		job_free(ids, j);
	ids->nunreleased = 0;
	for (int i = 0; i <= ID_SERVICES; i++)
		ids->counts[i] = (struct id_count){.ids = ids, .service = ids->counts[i].service};
}

/* Ids of @service that the modem may have allocated, or be allocating, without a known owner. */
static unsigned int asked(const struct ids *ids, enum id_service service)
{
	const struct id_count *n = &ids->counts[service];
	bool probe = n->probe && !ids_known(ids, n->service, n->probe);

	return n->asked + n->leaked + probe;
}

bool ids_unsure(const struct ids *ids)
{
	if (ids->nunreleased)
		return true;
	for (int i = 0; i <= ID_SERVICES; i++)
		if (asked(ids, i))
			return true;
	return false;
}

bool ids_known(const struct ids *ids, uint8_t service, uint8_t id)
{
	return clients_have(ids->clients, service, id) || ids->owner->in_use(ids->arg, service, id);
}

bool ids_busy(const struct ids *ids)
{
	return !TAILQ_EMPTY(&ids->jobs);
}

void ids_each_release(const struct ids *ids, void (*fn)(void *arg, uint8_t service, uint8_t id),
		      void *arg)
{
	for (const struct id_job *j = TAILQ_FIRST(&ids->jobs); j; j = TAILQ_NEXT(j, entry))
		if (j->release)
			fn(arg, j->service, j->id);
}

/*
 * Releases an id that nobody waits for, unless that is being done. A modem can send such ids
 * faster than it takes them back: those beyond MAX_UNRELEASED are left to the SYNC at the end.
 */
static void release_stray(struct ids *ids, uint8_t service, uint8_t id)
{
	const struct id_job *j;
	unsigned int n = 0;

	for (j = TAILQ_FIRST(&ids->jobs); j; j = TAILQ_NEXT(j, entry)) {
		if (j->release && j->service == service && j->id == id)
			return;
		n += j->release;
	}
	if (n < MAX_UNRELEASED)
		ids_release(ids, service, id, NULL, NULL);
	else if (clients_exclusive(ids->clients))
		note_unreleased(ids, service, id);
}

/*
 * Handles a late answer to an allocation; or a duplicate of a timely one; or, on a shared channel,
 * an answer to another program.
 */
void ids_late(struct ids *ids, const struct qmi_message *m)
{
	struct qmi_result res;
	struct id_count *n;
	uint8_t service, id;

	if (qmi_message_result(m, &res) < 0 || res.status || !qmi_ctl_allocated(m, &service, &id) ||
	    ids_known(ids, service, id))
		return;
	n = count_of(ids, service);
	if ((!n->given_up && !clients_exclusive(ids->clients)) ||
	    !clients_get_own_answers(ids->clients))
		return;
	if (n->given_up) {
		n->asked--;
		n->given_up--;
	}
	release_stray(ids, service, id);
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
	if (!ids_known(n->ids, n->service, probe))
		ids_release(n->ids, n->service, probe, NULL, NULL);
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
	n->ids->owner->kick(n->ids->arg);
}

/* Called with every kick. */
static void search_on(struct id_count *n)
{
	/* an id that is being allocated for another client could be taken for a lost one */
	if (!n->probe || n->trying || n->asked != n->given_up ||
	    n->ids->owner->guest_allocates(n->ids->arg, n->service))
		return;
	do
		n->candidate = n->candidate > 1 ? n->candidate - 1 : QMI_CID_BROADCAST - 1;
	while (n->candidate != n->probe && ids_known(n->ids, n->service, n->candidate));
	if (!n->leaked || n->candidate == n->probe || !n->tries--) {
		search_over(n);
		return;
	}
	n->trying = true;
	ids_release(n->ids, n->service, n->candidate, on_candidate, n);
}

static void search(struct id_count *n, uint8_t id, unsigned int tries)
{
	n->probe = n->candidate = id;
	n->tries = tries;
	n->ids->owner->kick(n->ids->arg);
}

/* A client was allocated after one whose answer was lost. */
static void search_below(struct id_count *n, uint8_t id)
{
	struct ids *ids = n->ids;

	if (!n->service || !n->given_up || n->leaked || clients_giving_back(ids->clients) ||
	    !clients_still_exclusive(ids->clients))
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
		search(n, r->id, clients_still_exclusive(n->ids->clients) ? QMI_CID_BROADCAST : 0);
}

/*
 * Modems count client ids up and begin again at 1, per service or all together, or take the lowest
 * free one. In either case the ids allocated last before this one are the first below it that are
 * not ours; those that the dead process got and could not save are among them.
 */
static void recover(struct id_count *n)
{
	if (clients_exclusive(n->ids->clients)) {
		ids_allocate(n->ids, n->service, on_probe, n);
		return;
	}
	log_warning("%u client ids of %s may be lost: others use the control channel, so they "
		    "cannot be told from theirs",
		    n->leaked, qmi_service_name(n->service));
	n->leaked = 0;
}

void ids_recover(struct ids *ids)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (ids->counts[i].leaked)
			recover(&ids->counts[i]);
}

/* --- saved state --- */

void ids_save(const struct ids *ids, struct json_object *state)
{
	struct json_object *allocating = json_object_new_array();
	struct json_object *unreleased = json_object_new_array();

	for (int i = 0; i < ID_SERVICES; i++)
		if (asked(ids, i))
			json_append_pair(allocating, "service", clients_service(i), "count",
					 asked(ids, i));
	for (unsigned int i = 0; i < ids->nunreleased; i++)
		json_append_pair(unreleased, "service", ids->unreleased[i].service, "id",
				 ids->unreleased[i].id);
	json_object_object_add(state, "allocating", allocating);
	json_object_object_add(state, "unreleased", unreleased);
}

void ids_load(struct ids *ids, struct json_object *state)
{
	struct json_object *o;

	for (size_t i = 0; (o = json_get_element(state, "allocating", i)); i++) {
		int64_t n = json_get_int(o, "count");

		for (int j = 0; j < ID_SERVICES; j++)
			if (json_get_int(o, "service") == clients_service(j) && n > 0 &&
			    n <= UINT8_MAX)
				ids->counts[j].leaked = n;
	}
	for (size_t i = 0; (o = json_get_element(state, "unreleased", i)); i++) {
		int64_t id = json_get_int(o, "id");

		if (id > 0 && id < QMI_CID_BROADCAST && clients_exclusive(ids->clients))
			note_unreleased(ids, json_get_int(o, "service"), id);
	}
}

/* --- the object --- */

struct ids *ids_new(struct clients *clients, const struct ids_owner *owner, void *arg)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	ids->clients = clients;
	ids->owner = owner;
	ids->arg = arg;
	TAILQ_INIT(&ids->jobs);
	for (int i = 0; i <= ID_SERVICES; i++)
		ids->counts[i] = (struct id_count){
			.ids = ids, .service = i < ID_SERVICES ? clients_service(i) : 0};
	return ids;
}

void ids_free(struct ids **ids)
{
	if (*ids)
		ids_clear(*ids);
	free(*ids);
	*ids = NULL;
}
