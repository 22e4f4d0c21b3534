// SPDX-License-Identifier: GPL-2.0-or-later
#include "service.h"
#include "client.h"
#include "control.h"
#include "util.h"

#include <stdlib.h>
#include <strings.h>

static const struct service *const services[] = {
	&ctl_service, &wds_service, &dms_service, &nas_service, &uim_service, &wda_service,
};

const struct service *service_at(unsigned int n)
{
	return n < ARRAY_SIZE(services) ? services[n] : NULL;
}

static const struct service *service_find(uint8_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (services[i]->id == id)
			return services[i];
	return NULL;
}

bool service_exists(const struct modem *m, uint8_t service)
{
	const char *list = m->options.without ?: "";

	return !(service == QMI_SERVICE_NAS && strcasestr(list, "nas")) &&
	       !(service == QMI_SERVICE_UIM && strcasestr(list, "uim"));
}

int service_message(uint8_t service, const char *text)
{
	const struct service *s = service_find(service);
	char *end;
	long v = strtol(text, &end, 0);

	if (end != text && !*end)
		return v >= 0 && v <= 0xffff ? (int)v : -1;
	for (const struct qmi_message *q = s ? s->messages : NULL; q && q->handle; q++)
		if (!strcasecmp(q->name, text))
			return q->id;
	return -1;
}

static qmi_handler find_handler(const struct service *s, uint16_t id)
{
	for (const struct qmi_message *q = s->messages; q->handle; q++)
		if (q->id == id)
			return q->handle;
	return NULL;
}

enum qmi_error service_run(struct modem *m, const struct qmi_msg *req, struct qmi_tlvs *out)
{
	const struct service *s = service_find(req->service);
	struct client *c = client_find(m, req->service, req->client);
	qmi_handler handle;

	if (!s)
		return QMI_INVALID_SERVICE;
	if (s->id != QMI_SERVICE_CTL && !c)
		return QMI_INVALID_CLIENT;
	if (s->id == QMI_SERVICE_CTL && req->client)
		return QMI_INVALID_CLIENT;
	if (!qmi_tlvs_whole(req))
		return QMI_MALFORMED;
	handle = find_handler(s, req->id);
	return handle ? handle(m, c, req, out) : QMI_INVALID_COMMAND;
}

void service_indicate(struct modem *m, uint8_t service, uint8_t client, uint16_t id,
		      const struct qmi_tlvs *tlvs)
{
	struct qmi_msg head = {
		.service = service, .client = client, .kind = QMI_INDICATION, .id = id};
	const struct qmi_tlvs none = {0};
	uint8_t buf[QMUX_MAX];

	m->qmi.indications++;
	control_indicate(m, buf, qmux_build(buf, &head, tlvs, &none));
}

void service_announce(struct modem *m)
{
	const struct qmi_tlvs none = {0};

	service_indicate(m, QMI_SERVICE_CTL, 0, 0x0027, &none);
}
