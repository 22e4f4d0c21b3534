// SPDX-License-Identifier: GPL-2.0-or-later
/* A request from the host: faults, the service's answer, and its way back. */
#include "service.h"
#include "client.h"
#include "control.h"
#include "faults.h"
#include "pdn.h"
#include "power.h"
#include "replay.h"

#include <string.h>
#include <unistd.h>

/* Real modems send TLVs that no public document explains; hosts must skip them. */
#define TLV_UNDOCUMENTED 0xe1

/* Answers the message of libqmi's proxy that opens a device; there is only one here. */
static bool proxy_open(const struct conn *conn, const struct qmi_msg *req)
{
	return control_is_proxy(conn) && req->service == QMI_SERVICE_CTL && req->id == 0xff00;
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
		err = fault.error ? fault.error : service_run(m, &req, &out);
	if (fault.told && !err) {
		memcpy(out.data, fault.tlvs, fault.ntlvs);
		out.len = fault.ntlvs;
	}
	m->qmi.errors += err != QMI_OK;
	if (fault.strike == STRIKE_HOST)
		control_kill_host(conn, fault.host);
	len = build_answer(answer, &req, err, &out);
	control_answer(m, conn, answer, len, &fault);
	control_release_indications(m, &fault);
}
