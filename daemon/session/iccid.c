// SPDX-License-Identifier: GPL-2.0-or-later
/* Identifies the SIM by its ICCID, by UIM, or by DMS on modems that do not read files. */
#include "internal.h"

#include <string.h>

#include "qmi/dms.h"

static void told(struct session *s)
{
	s->sim.iccid_state = ICCID_TOLD;
	session_sim_iccid(s);
}

static void on_dms(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_read(s->clients, &err, m, &res) || s->sim.iccid_state != ICCID_ASKED)
		return;
	if (!err && !res.status)
		qmi_dms_string(m, s->sim.iccid, sizeof(s->sim.iccid));
	told(s);
}

static void ask_dms(struct session *s)
{
	struct qmi_request r;

	qmi_request_init(&r, QMI_DMS_GET_ICCID);
	clients_send(s->clients, ID_DMS, &r, on_dms, s);
}

static void on_uim(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_read(s->clients, &err, m, &res) || s->sim.iccid_state != ICCID_ASKED)
		return;
	if ((err || res.status || !qmi_uim_iccid(m, s->sim.iccid)) &&
	    clients_id(s->clients, ID_DMS))
		ask_dms(s);
	else
		told(s);
}

void session_iccid_ask(struct session *s)
{
	struct qmi_request r;

	s->sim.iccid_state = ICCID_ASKED;
	if (!clients_id(s->clients, ID_UIM)) {
		ask_dms(s);
		return;
	}
	qmi_uim_read_iccid(&r);
	clients_send(s->clients, ID_UIM, &r, on_uim, s);
}
