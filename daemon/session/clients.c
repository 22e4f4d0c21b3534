// SPDX-License-Identifier: GPL-2.0-or-later
#include "clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "qmi/ctl.h"
#include "qmi/names.h"
#include "qmi/transport.h"

struct clients {
	struct qmi_channel *channel;
	struct qmi_client *own[ID_CTL + 1];
	const struct config_trunk *config;
	const struct clients_owner *owner;
	void *arg;
	uint64_t services;
	bool alone, exclusive;
	pid_t proxy;
	bool answered, giving_back;
	char malformed[64]; /* the answer read last; "": it is not */
};

static const uint8_t services[ID_CTL + 1] = {
	[ID_WDS] = QMI_WDS, [ID_WDA] = QMI_WDA, [ID_DMS] = QMI_DMS,
	[ID_NAS] = QMI_NAS, [ID_UIM] = QMI_UIM, [ID_CTL] = QMI_CTL,
};

static void on_ctl_indication(void *arg, const struct qmi_message *m)
{
	const struct clients *c = arg;

	if (m->id == QMI_CTL_SYNC)
		c->owner->synced(c->arg);
}

static void on_late(void *arg, const struct qmi_message *m)
{
	const struct clients *c = arg;

	if (m->service == QMI_CTL)
		c->owner->late(c->arg, m);
}

static void on_message(void *arg, bool from_modem, const struct qmi_message *m)
{
	const struct clients *c = arg;

	c->owner->message(c->arg, from_modem, m);
}

static void on_channel_lost(void *arg, const char *why)
{
	const struct clients *c = arg;

	c->owner->lost(c->arg, false, why);
}

int clients_open(struct clients **out, struct event_base *base, const char *control,
		 const struct config_trunk *config, const struct clients_owner *owner, void *arg,
		 struct error *err)
{
	static const struct qmi_channel_ops ops = {
		.message = on_message,
		.late = on_late,
		.lost = on_channel_lost,
	};
	struct clients *c = calloc(1, sizeof(*c));
	int ret;

	*out = c;
	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	c->config = config;
	c->owner = owner;
	c->arg = arg;
	ret = qmi_channel_open(&c->channel, base, control, &ops, c, err);
	if (!ret && qmi_client_new(&c->own[ID_CTL], c->channel, QMI_CTL, 0, on_ctl_indication, c))
		ret = error_set(err, -ENOMEM, "out of memory");
	if (ret) {
		clients_free(out);
		return ret;
	}
	c->alone = qmi_transport_exclusive(qmi_channel_transport(c->channel));
	c->proxy = qmi_transport_proxy_pid(qmi_channel_transport(c->channel));
	c->exclusive = config->sync && c->alone;
	return 0;
}

void clients_close(struct clients *c)
{
	qmi_channel_free(&c->channel);
	for (int i = 0; i <= ID_CTL; i++)
		c->own[i] = NULL;
}

void clients_free(struct clients **c)
{
	if (*c)
		clients_close(*c);
	free(*c);
	*c = NULL;
}

struct qmi_channel *clients_channel(const struct clients *c)
{
	return c->channel;
}

uint8_t clients_service(enum id_service service)
{
	return services[service];
}

int clients_add(struct clients *c, enum id_service service, uint8_t id, qmi_indication_fn fn,
		void *arg)
{
	return qmi_client_new(&c->own[service], c->channel, services[service], id, fn, arg);
}

void clients_remove(struct clients *c, enum id_service service)
{
	qmi_client_free(&c->own[service]);
}

void clients_remove_all(struct clients *c)
{
	for (int i = 0; i < ID_SERVICES; i++)
		clients_remove(c, i);
}

uint8_t clients_id(const struct clients *c, enum id_service service)
{
	return c->own[service] ? qmi_client_id(c->own[service]) : 0;
}

void clients_released(struct clients *c, uint8_t service, uint8_t id)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (services[i] == service && clients_id(c, i) == id)
			clients_remove(c, i);
}

bool clients_have(const struct clients *c, uint8_t service, uint8_t id)
{
	for (int i = 0; i < ID_SERVICES; i++)
		if (services[i] == service && clients_id(c, i) == id)
			return id;
	return false;
}

void clients_send_within(struct clients *c, enum id_service service, struct qmi_request *r,
			 unsigned int ms, qmi_reply_fn fn, void *arg)
{
	qmi_client_send(c->own[service], r, ms, fn, arg);
}

void clients_send(struct clients *c, enum id_service service, struct qmi_request *r,
		  qmi_reply_fn fn, void *arg)
{
	clients_send_within(c, service, r, clients_timeout_ms(c), fn, arg);
}

static void on_answer_only(void *arg, int err, const struct qmi_message *m)
{
	struct qmi_result res;

	clients_answer(arg, &err, m, &res);
}

void clients_send_only(struct clients *c, enum id_service service, struct qmi_request *r)
{
	clients_send(c, service, r, on_answer_only, c);
}

void clients_cancel_ctl(struct clients *c)
{
	qmi_client_cancel(c->own[ID_CTL]);
}

bool clients_read(struct clients *c, int *err, const struct qmi_message *m, struct qmi_result *res)
{
	c->malformed[0] = 0;
	if (*err == -ENODEV || *err == -EPIPE)
		return false; /* on_channel_lost() follows */
	if (*err == -ETIMEDOUT)
		snprintf(c->malformed, sizeof(c->malformed), "%s",
			 qmi_channel_malformed(c->channel));
	if (*err)
		return true;
	c->answered = true;
	*err = qmi_message_result(m, res);
	if (*err)
		snprintf(c->malformed, sizeof(c->malformed), "%s message 0x%04x: it has no result",
			 qmi_service_name(m->service), m->id);
	return true;
}

const char *clients_malformed(const struct clients *c)
{
	return c->malformed[0] ? c->malformed : NULL;
}

bool clients_forgotten(struct clients *c, const struct qmi_result *res)
{
	if (!res->status || res->error != QMI_INVALID_CLIENT_ID)
		return false;
	c->owner->lost(c->arg, true,
		       "modem has restarted unannounced: its calls and client ids are gone");
	return true;
}

bool clients_answer(struct clients *c, int *err, const struct qmi_message *m,
		    struct qmi_result *res)
{
	return clients_read(c, err, m, res) && (*err || !clients_forgotten(c, res));
}

bool clients_answered(const struct clients *c)
{
	return c->answered;
}

void clients_give_back(struct clients *c)
{
	c->giving_back = true;
}

bool clients_giving_back(const struct clients *c)
{
	return c->giving_back;
}

unsigned int clients_timeout_ms(const struct clients *c)
{
	unsigned int ms = c->config->timeout * 1000;

	return c->giving_back && ms > GIVE_BACK_MS ? GIVE_BACK_MS : ms;
}

void clients_set_services(struct clients *c, uint64_t mask)
{
	c->services = mask;
}

uint64_t clients_services(const struct clients *c)
{
	return c->services;
}

bool clients_lack(const struct clients *c, enum id_service service)
{
	return c->services && !(c->services & 1ull << services[service]);
}

bool clients_alone(const struct clients *c)
{
	return c->alone;
}

bool clients_exclusive(const struct clients *c)
{
	return c->exclusive;
}

bool clients_still_exclusive(const struct clients *c)
{
	return c->exclusive && qmi_transport_exclusive(qmi_channel_transport(c->channel));
}

bool clients_get_own_answers(const struct clients *c)
{
	const struct qmi_transport *t = qmi_channel_transport(c->channel);

	return qmi_transport_routed(t) || qmi_transport_exclusive(t);
}

pid_t clients_proxy(const struct clients *c)
{
	return c->proxy;
}
