// SPDX-License-Identifier: GPL-2.0-or-later
/* CTL: client ids, versions, SYNC. */
#include "client.h"
#include "service.h"
#include "util.h"

static enum qmi_error version_info(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint8_t list[1 + 5 * (MAX_SERVICES + 1)];
	const struct service *s;
	size_t len = 1;

	list[0] = 0;
	for (unsigned int i = 0; (s = service_at(i)); i++) {
		if (!service_exists(m, s->id))
			continue;
		list[0]++;
		list[len] = s->id;
		put_le16(list + len + 1, s->major);
		put_le16(list + len + 3, s->id == QMI_SERVICE_WDA ? m->model.wda_minor : s->minor);
		len += 5;
	}
	qmi_put(out, 0x01, list, len);
	return QMI_OK;
}

static enum qmi_error allocate_cid(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint8_t service, pair[2];
	enum qmi_error err = qmi_get_u8(req, 0x01, &service);

	if (err)
		return err;
	pair[0] = service;
	err = service_exists(m, service) ? client_allocate(m, service, &pair[1])
					 : QMI_INVALID_SERVICE;
	if (!err)
		qmi_put(out, 0x01, pair, sizeof(pair));
	return err;
}

static enum qmi_error release_cid(struct modem *m, struct client *c, const struct qmi_msg *req,
				  struct qmi_tlvs *out)
{
	uint16_t len;
	const uint8_t *pair = qmi_find(req, 0x01, &len);

	if (!pair)
		return QMI_MISSING_ARG;
	if (len != 2)
		return QMI_MALFORMED;
	c = client_find(m, pair[0], pair[1]);
	if (!c)
		return QMI_INVALID_CLIENT;
	client_release(m, c);
	qmi_put(out, 0x01, pair, 2);
	return QMI_OK;
}

/*
 * The request from before WDA for raw IP; modems that only speak raw IP still answer it (protocol
 * 2).
 */
static enum qmi_error set_data_format(struct modem *m, struct client *c, const struct qmi_msg *req,
				      struct qmi_tlvs *out)
{
	uint8_t format;
	enum qmi_error err = qmi_get_u8(req, 0x01, &format);

	if (err)
		return err;
	m->format.qos = format;
	qmi_put_u16(out, 0x10, 2);
	return QMI_OK;
}

static enum qmi_error sync(struct modem *m, struct client *c, const struct qmi_msg *req,
			   struct qmi_tlvs *out)
{
	m->qmi.syncs++;
	client_release_all(m);
	return QMI_OK;
}

static const struct qmi_message messages[] = {
	{0x0021, "version_info", version_info},
	{0x0022, "allocate_cid", allocate_cid},
	{0x0023, "release_cid", release_cid},
	{0x0026, "set_data_format", set_data_format},
	{0x0027, "sync", sync},
	{0},
};

const struct service ctl_service = {QMI_SERVICE_CTL, 1, 5, messages};
