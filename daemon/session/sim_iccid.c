// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim_iccid.h"

#include "qmi/dms.h"

static void settle(struct sim_iccid *i)
{
	i->state = SIM_ICCID_SETTLED;
	i->settled(i->arg);
}

static void on_dms(void *arg, int err, const struct qmi_message *m)
{
	struct sim_iccid *i = arg;
	struct qmi_result res;

	if (!clients_read(i->clients, &err, m, &res) || i->state != SIM_ICCID_ASKED)
		return;
	if (!err && !res.status)
		qmi_dms_string(m, i->text, sizeof(i->text));
	settle(i);
}

static void ask_dms(struct sim_iccid *i)
{
	struct qmi_request r;

	qmi_request_init(&r, QMI_DMS_GET_ICCID);
	clients_send(i->clients, ID_DMS, &r, on_dms, i);
}

static void on_uim(void *arg, int err, const struct qmi_message *m)
{
	struct sim_iccid *i = arg;
	struct qmi_result res;

	if (!clients_read(i->clients, &err, m, &res) || i->state != SIM_ICCID_ASKED)
		return;
	if ((err || res.status || !qmi_uim_iccid(m, i->text)) && clients_id(i->clients, ID_DMS))
		ask_dms(i);
	else
		settle(i);
}

void sim_iccid_ask(struct sim_iccid *i)
{
	struct qmi_request r;

	i->state = SIM_ICCID_ASKED;
	if (!clients_id(i->clients, ID_UIM)) {
		ask_dms(i);
		return;
	}
	qmi_uim_read_iccid(&r);
	clients_send(i->clients, ID_UIM, &r, on_uim, i);
}

void sim_iccid_forget(struct sim_iccid *i)
{
	i->state = SIM_ICCID_UNKNOWN;
	i->text[0] = '\0';
}
