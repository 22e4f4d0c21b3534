// SPDX-License-Identifier: GPL-2.0-or-later
#include "service.h"
#include "client.h"
#include "control.h"
#include "faults.h"
#include "pdn.h"
#include "power.h"
#include "replay.h"
#include "util.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* Real modems send TLVs that no public document explains; hosts must skip them. */
#define TLV_UNDOCUMENTED 0xe1

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

/* Answers the message of libqmi's proxy that opens a device; there is only one here. */
static bool proxy_open(const struct conn *conn, const struct qmi_msg *req)
{
	return control_is_proxy(conn) && req->service == QMI_SERVICE_CTL && req->id == 0xff00;
}

/* Checks service, client and permission before any message's own checks. */
static enum qmi_error run(struct modem *m, const struct qmi_msg *req, struct qmi_tlvs *out)
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

/* The network ends a call that has not begun yet. */
static void wds_abort(struct modem *m, const struct qmi_msg *req)
{
	static const struct call_end end = {1, 6, 38}; /* unspecified; 3GPP: network failure */
	const struct client *c = client_find(m, req->service, req->client);

	m->qmi.starts++;
	m->qmi.never_answered++;
	if (c && c->service == QMI_SERVICE_WDS)
		pdn_indicate(m, c, c->ip_family == 6 ? FAMILY_V6 : FAMILY_V4, false, false, &end);
}

/* The order of TLVs is not defined: the result comes first or last by turns. */
static size_t build_answer(uint8_t *buf, const struct qmi_msg *req, enum qmi_error err,
			   struct qmi_tlvs *out)
{
	static const uint8_t undocumented[3] = {0x01, 0x5a, 0x00};
	struct qmi_msg head = *req;
	struct qmi_tlvs result = {0};
	bool first = req->transaction & 1;

	head.kind = QMI_RESPONSE;
	qmi_put_result(&result, out->overflow ? QMI_INTERNAL : err);
	if (req->service != QMI_SERVICE_CTL && !err)
		qmi_put(out, TLV_UNDOCUMENTED, undocumented, sizeof(undocumented));
	return first ? qmux_build(buf, &head, &result, out) : qmux_build(buf, &head, out, &result);
}

void service_request(struct modem *m, struct conn *conn, const uint8_t *buf, size_t len)
{
	struct qmi_tlvs out = {0};
	uint8_t answer[QMUX_MAX];
	struct fault fault;
	enum qmi_error err;
	struct qmi_msg req;

	if (qmux_parse(buf, len, &req)) {
		m->qmi.malformed++;
		return;
	}
	if (req.kind != QMI_REQUEST) {
		m->qmi.not_requests++;
		return;
	}
	if (m->silent) {
		m->qmi.ignored++;
		return;
	}
	m->qmi.requests++;
	fault = faults_take(m, req.service, req.id);
	if (fault.strike == STRIKE_DIE)
		_exit(0);
	if (fault.strike == STRIKE_REBOOT) {
		power_reboot(m, fault.reboot_ms, fault.announce);
		return;
	}
	if (fault.strike == STRIKE_ABORT) {
		wds_abort(m, &req);
		return;
	}
	control_hold_indications(m);
	if (m->replay && !fault.error && replay_answer(m, conn, &req)) {
		control_release_indications(m, &fault);
		return;
	}
	if (proxy_open(conn, &req))
		err = QMI_OK;
	else if (m->replay)
		err = fault.error ?: QMI_NOT_SUPPORTED;
	else
		err = fault.error ? fault.error : run(m, &req, &out);
	m->qmi.errors += err != QMI_OK;
	if (fault.strike == STRIKE_HOST)
		control_kill_host(conn, fault.host);
	len = build_answer(answer, &req, err, &out);
	control_answer(m, conn, answer, len, &fault);
	control_release_indications(m, &fault);
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
