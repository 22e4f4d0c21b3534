// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CTL requests of the clients of our qmi-proxy; all programs share this service. The proxy passes
 * on requests for client ids and versions under transactions of its own; requests that would affect
 * the clients or calls of other programs never reach the modem. Ids are written down as those of a
 * session are (session/ids.c): before they are requested, and until the modem has released them.
 */
#include "internal.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "util/log.h"
#include "qmi/ctl.h"
#include "qmi/names.h"

#define ANSWER_MS 10000 /* libqmi's timeout for most CTL requests */
#define RELEASES  3	/* attempts to release one id */

/* --- answers --- */

/* Sends the modem's answer under the client's own transaction. */
static void pass_on(const struct proxy_job *j, const struct qmi_message *m)
{
	struct qmi_message answer = {.service = QMI_CTL,
				     .type = QMI_RESPONSE,
				     .transaction = j->transaction,
				     .id = j->message};

	if (!j->client)
		return;
	assert(j->client->ctl);
	j->client->ctl--;
	if (!m) {
		proxy_client_answer(j->client, &answer, PROXY_INTERNAL);
		return;
	}
	answer.tlvs = m->tlvs;
	proxy_client_send(j->client, &answer);
}

/*
 * The id belongs to the client, or is released if the client has left. If the modem did not answer,
 * the id stays written down: the modem may have allocated one all the same.
 */
static void on_allocated(const struct proxy_job *j, const struct qmi_message *m)
{
	struct proxy_modem *modem = j->modem;
	uint8_t service, id;
	struct qmi_result r;

	if (!m)
		return;
	modem->allocating[j->service]--;
	if (qmi_message_result(m, &r) < 0 || r.status || !qmi_ctl_allocated(m, &service, &id) ||
	    proxy_id_find(modem, service, id) || modem->nids == PROXY_MODEM_IDS)
		return;
	modem->ids[modem->nids++] =
		(struct proxy_id){.service = service, .id = id, .owner = j->client};
	if (j->client)
		j->client->ids++;
}

static void on_released(const struct proxy_job *j, const struct qmi_message *m)
{
	struct proxy_id *id = proxy_id_find(j->modem, j->service, j->id);
	struct qmi_result r = {0};

	if (!id)
		return;
	/* The modem does not know the id, so it is released. */
	if (m && !qmi_message_result(m, &r) && (!r.status || r.error == PROXY_INVALID_CLIENT))
		*id = j->modem->ids[--j->modem->nids];
	else if (id->attempts >= RELEASES)
		log_limited(LOG_LEVEL_WARNING, 4, "qmi-proxy: %s client id %u cannot be given back",
			    qmi_service_name(j->service), j->id);
}

static void on_answer(void *arg, int err, const struct qmi_message *m)
{
	struct proxy_job *j = arg;
	struct proxy_modem *modem = j->modem;

	if (err == -ENODEV || err == -EPIPE)
		return; /* on_closed() of the tap follows */
	TAILQ_REMOVE(&modem->jobs, j, entry);
	modem->njobs--;
	if (j->message == QMI_CTL_ALLOCATE_CID)
		on_allocated(j, m);
	else if (j->message == QMI_CTL_RELEASE_CID)
		on_released(j, m);
	if (j->message != QMI_CTL_GET_VERSION_INFO)
		proxy_changed(modem);
	pass_on(j, m);
	free(j);
	proxy_ctl_release(modem);
	proxy_resume(modem);
	proxy_modem_idle(modem);
}

/* --- requests --- */

static struct proxy_job *job_new(struct proxy_modem *m, struct proxy_client *c, uint16_t message,
				 uint16_t transaction)
{
	struct proxy_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->modem = m;
	j->client = c;
	j->message = message;
	j->transaction = transaction;
	TAILQ_INSERT_TAIL(&m->jobs, j, entry);
	m->njobs++;
	if (c)
		c->ctl++;
	return j;
}

static uint16_t get_versions(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_job *j = job_new(c->modem, c, m->id, m->transaction);
	struct qmi_request r;

	if (!j)
		return PROXY_INTERNAL;
	qmi_request_init(&r, QMI_CTL_GET_VERSION_INFO);
	qmi_client_send(j->modem->ctl, &r, ANSWER_MS, on_answer, j);
	return 0;
}

static uint16_t allocate(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_modem *modem = c->modem;
	struct qmi_request r;
	struct proxy_job *j;
	uint8_t service;

	if (!qmi_ctl_asked_service(m, &service) || service == QMI_CTL)
		return PROXY_MISSING_ARGUMENT;
	if (c->ids + c->ctl >= PROXY_CLIENT_IDS || modem->allocating[service] == UINT8_MAX ||
	    modem->nids + modem->njobs >= PROXY_MODEM_IDS)
		return PROXY_NO_MORE_IDS;
	j = job_new(modem, c, m->id, m->transaction);
	if (!j)
		return PROXY_INTERNAL;
	j->service = service;
	modem->allocating[service]++;
	proxy_changed(modem);
	qmi_ctl_allocate_cid(&r, service);
	qmi_client_send(j->modem->ctl, &r, ANSWER_MS, on_answer, j);
	return 0;
}

/* @c and @transaction: the client that requested the release; NULL: no client. */
static uint16_t release_id(struct proxy_modem *m, struct proxy_id *id, struct proxy_client *c,
			   uint16_t transaction)
{
	struct proxy_job *j = job_new(m, c, QMI_CTL_RELEASE_CID, transaction);
	struct qmi_request r;

	if (!j)
		return PROXY_INTERNAL;
	j->service = id->service;
	j->id = id->id;
	id->owner = NULL;
	id->attempts++;
	qmi_ctl_release_cid(&r, id->service, id->id);
	qmi_client_send(j->modem->ctl, &r, ANSWER_MS, on_answer, j);
	return 0;
}

static uint16_t release(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_id *id;
	uint8_t service, n;

	if (!qmi_ctl_allocated(m, &service, &n))
		return PROXY_MISSING_ARGUMENT;
	id = proxy_id_find(c->modem, service, n);
	if (!id || id->owner != c)
		return PROXY_INVALID_CLIENT;
	c->ids--;
	return release_id(c->modem, id, c, m->transaction);
}

static bool is_being_released(const struct proxy_modem *m, const struct proxy_id *id)
{
	struct proxy_job *j;

	for (j = TAILQ_FIRST(&m->jobs); j; j = TAILQ_NEXT(j, entry))
		if (j->message == QMI_CTL_RELEASE_CID && j->service == id->service &&
		    j->id == id->id)
			return true;
	return false;
}

void proxy_ctl_release(struct proxy_modem *m)
{
	for (unsigned int i = 0; m->channel && i < m->nids; i++) {
		struct proxy_id *id = &m->ids[i];

		if (m->njobs >= PROXY_MODEM_CTL)
			return;
		if (!id->owner && id->attempts < RELEASES && !is_being_released(m, id))
			release_id(m, id, NULL, 0);
	}
}

void proxy_ctl_request(struct proxy_client *c, const struct qmi_message *m)
{
	uint16_t error;

	switch (m->id) {
	case QMI_CTL_GET_VERSION_INFO:
		error = get_versions(c, m);
		break;
	case QMI_CTL_ALLOCATE_CID:
		error = allocate(c, m);
		break;
	case QMI_CTL_RELEASE_CID:
		error = release(c, m);
		break;
	case QMI_CTL_SYNC:
		/* SYNC would release the ids of all programs; this client has none worth it yet. */
		proxy_client_answer(c, m, 0);
		return;
	case QMI_CTL_SET_DATA_FORMAT:
		error = PROXY_ACCESS_DENIED;
		break;
	default:
		error = PROXY_INVALID_COMMAND;
	}
	if (error)
		proxy_client_answer(c, m, error);
}

bool proxy_route_idle(const struct proxy_modem *m)
{
	for (unsigned int i = 0; m->channel && i < m->nids; i++)
		if (m->ids[i].attempts < RELEASES || is_being_released(m, &m->ids[i]))
			return false;
	return !m->njobs;
}

static void hang_up(struct proxy_client *c, void *arg)
{
	proxy_client_close(c, "its modem is being detached");
}

bool proxy_modem_stop(struct proxy_modem *m)
{
	if (!m || !m->channel)
		return true;
	if (!m->stopping) {
		m->stopping = true;
		proxy_each(m, hang_up, NULL);
	}
	return proxy_route_idle(m);
}
