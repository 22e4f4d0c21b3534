// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One modem of our qmi-proxy: the owners of client ids, and the routing of messages. Requests on
 * services pass unchanged, since their client id identifies the client in the modem's answers. CTL,
 * whose client id all programs share, is handled by proxy/ctl.c.
 */
#include "internal.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/log.h"
#include "qmi/ctl.h"
#include "qmi/wda.h"
#include "qmi/wds.h"

void proxy_route_init(struct proxy_modem *m, const char *device)
{
	TAILQ_INIT(&m->jobs);
	snprintf(m->device, sizeof(m->device), "%s", device);
}

struct proxy_id *proxy_id_find(const struct proxy_modem *m, uint8_t service, uint8_t id)
{
	for (unsigned int i = 0; i < m->nids; i++)
		if (m->ids[i].service == service && m->ids[i].id == id)
			return (struct proxy_id *)&m->ids[i];
	return NULL;
}

bool proxy_modem_has(const struct proxy_modem *m, uint8_t service, uint8_t id)
{
	return m && proxy_id_find(m, service, id);
}

/* --- from the modem --- */

static void hang_up(struct proxy_client *c, void *arg)
{
	proxy_client_close(c, arg);
}

static void forget_ids(struct proxy_modem *m)
{
	struct proxy_job *j;

	while ((j = TAILQ_FIRST(&m->jobs))) {
		TAILQ_REMOVE(&m->jobs, j, entry);
		free(j);
	}
	m->njobs = m->nids = 0;
	memset(m->allocating, 0, sizeof(m->allocating));
}

static bool has_service(const struct proxy_client *c, uint8_t service)
{
	const struct proxy_modem *m = c->modem;

	for (unsigned int i = 0; i < m->nids; i++)
		if (m->ids[i].owner == c && m->ids[i].service == service)
			return true;
	return false;
}

static void broadcast(struct proxy_client *c, void *arg)
{
	const struct qmi_message *m = arg;

	if (has_service(c, m->service))
		proxy_client_send(c, m);
}

static bool on_message(void *arg, const struct qmi_message *msg)
{
	struct proxy_modem *m = arg;
	struct proxy_id *id;

	if (msg->service == QMI_CTL) {
		if (msg->type == QMI_INDICATION && msg->id == QMI_CTL_SYNC) {
			/*
			 * The client ids are gone, and libqmi only learns that from the end of the
			 * connection: ModemManager then probes the modem again.
			 */
			qmi_client_cancel(m->ctl);
			forget_ids(m);
			proxy_each(m, hang_up, "the modem has restarted");
			forget_ids(m);
			proxy_changed(m);
		}
		return true;
	}
	if (msg->client == QMI_CID_BROADCAST) {
		proxy_each(m, broadcast, (void *)msg);
		return true;
	}
	id = proxy_id_find(m, msg->service, msg->client);
	if (!id || !id->owner)
		return false;
	if (msg->type == QMI_RESPONSE) {
		proxy_client_answered(id->owner, msg);
		proxy_resume(m);
	}
	proxy_client_send(id->owner, msg);
	return true;
}

/* The ids stay written down: the owner of the channel knows whether the modem still has them. */
static void on_closed(void *arg)
{
	struct proxy_modem *m = arg;

	m->channel = NULL;
	qmi_client_free(&m->ctl);
	forget_ids(m);
	proxy_each(m, hang_up, "the modem is gone");
	forget_ids(m);
	proxy_modem_idle(m);
}

static const struct qmi_tap tap = {.message = on_message, .closed = on_closed};

void proxy_modem_open(struct proxy_modem *m, struct qmi_channel *ch)
{
	if (!m || m->channel || m->stopping ||
	    qmi_client_new(&m->ctl, ch, QMI_CTL, 0, NULL, NULL) < 0)
		return;
	m->channel = ch;
	qmi_channel_tap(ch, &tap, m);
	proxy_let_in(m);
}

void proxy_route_clear(struct proxy_modem *m)
{
	if (m->channel)
		qmi_channel_tap(m->channel, NULL, NULL);
	m->channel = NULL;
	qmi_client_free(&m->ctl);
	forget_ids(m);
	proxy_each(m, hang_up, "its modem is shared no longer");
	forget_ids(m);
}

/* --- from clients --- */

bool proxy_route_has_room(const struct proxy_client *c)
{
	const struct proxy_modem *m = c->modem;

	return !m || (c->requests < PROXY_CLIENT_REQUESTS && m->requests < PROXY_MODEM_REQUESTS &&
		      c->ctl < PROXY_CLIENT_CTL && m->njobs < PROXY_MODEM_CTL);
}

static void note(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_slot *s = c->slots;

	while (s->used)
		s++;
	*s = (struct proxy_slot){.service = m->service,
				 .id = m->client,
				 .transaction = m->transaction,
				 .since = clock_ms(),
				 .used = true};
	c->requests++;
	c->modem->requests++;
}

/* Examine every TLV of that type: the modem might take any of them. */
static bool binds_our_mux(const struct proxy_modem *m, const struct qmi_message *msg)
{
	struct qmi_tlv t;

	qmi_tlv_foreach (&t, msg->tlvs) {
		if (t.type == QMI_WDS_TLV_BIND_MUX && t.len &&
		    m->owner->owns_mux(m->arg, t.value[0]))
			return true;
	}
	return false;
}

/*
 * The data format belongs to the trunk and applies to the calls of all programs: a client that
 * switched aggregation off would cut off all PDNs. The same holds for the mux ids of the trunk's
 * PDNs.
 */
static bool is_ours(const struct proxy_modem *m, const struct qmi_message *msg)
{
	if (!m->owner)
		return false;
	if (msg->service == QMI_WDA)
		return msg->id == QMI_WDA_SET_DATA_FORMAT;
	return msg->service == QMI_WDS && msg->id == QMI_WDS_BIND_MUX_DATA_PORT &&
	       binds_our_mux(m, msg);
}

void proxy_route_request(struct proxy_client *c, const struct qmi_message *m)
{
	struct proxy_id *id = proxy_id_find(c->modem, m->service, m->client);

	if (m->service == QMI_CTL)
		proxy_ctl_request(c, m);
	else if (!id || id->owner != c)
		proxy_client_answer(c, m, PROXY_INVALID_CLIENT);
	else if (is_ours(c->modem, m))
		proxy_client_answer(c, m, PROXY_ACCESS_DENIED);
	else if (qmi_channel_forward(c->modem->channel, m) < 0)
		proxy_client_answer(c, m, PROXY_INTERNAL);
	else
		note(c, m);
}

void proxy_route_left(struct proxy_client *c)
{
	struct proxy_modem *m = c->modem;
	struct proxy_job *j;

	assert(m->requests >= c->requests);
	m->requests -= c->requests;
	for (unsigned int i = 0; i < m->nids; i++)
		if (m->ids[i].owner == c)
			m->ids[i].owner = NULL;
	for (j = TAILQ_FIRST(&m->jobs); j; j = TAILQ_NEXT(j, entry))
		if (j->client == c)
			j->client = NULL;
	proxy_ctl_release(m);
	proxy_resume(m);
	proxy_modem_idle(m);
}

/* --- state to save --- */

void proxy_modem_each_id(const struct proxy_modem *m, proxy_pair_fn fn, void *arg)
{
	for (unsigned int i = 0; m && i < m->nids; i++)
		fn(arg, m->ids[i].service, m->ids[i].id);
}

void proxy_modem_each_allocating(const struct proxy_modem *m, proxy_pair_fn fn, void *arg)
{
	for (unsigned int s = 0; m && s < 256; s++)
		if (m->allocating[s])
			fn(arg, s, m->allocating[s]);
}

unsigned int proxy_modem_allocating(const struct proxy_modem *m, uint8_t service)
{
	return m ? m->allocating[service] : 0;
}

bool proxy_modem_holds(const struct proxy_modem *m)
{
	for (unsigned int s = 0; m && s < 256; s++)
		if (m->allocating[s])
			return true;
	return m && m->nids;
}
