// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim_iccid.h"

#include "qmi/dms.h"

static void settle(struct sim_iccid *i)
{
	i->state = SIM_ICCID_SETTLED;
	i->settled(i->arg);
}

/* Does @q concern the SIM that is in the modem now? */
static bool is_present(const struct sim_iccid_question *q)
{
	return q->of->state == SIM_ICCID_ASKED && q->number == q->of->number;
}

static void on_dms(void *arg, int err, const struct qmi_message *m)
{
	const struct sim_iccid_question *q = arg;
	struct sim_iccid *i = q->of;
	struct qmi_result res;

	if (!clients_read(i->clients, &err, m, &res) || !is_present(q))
		return;
	if (!err && !res.status)
		qmi_dms_string(m, i->text, sizeof(i->text));
	settle(i);
}

static void ask_dms(struct sim_iccid_question *q)
{
	struct qmi_request r;

	qmi_request_init(&r, QMI_DMS_GET_ICCID);
	clients_send(q->of->clients, ID_DMS, &r, on_dms, q);
}

static void on_uim(void *arg, int err, const struct qmi_message *m)
{
	struct sim_iccid_question *q = arg;
	struct sim_iccid *i = q->of;
	struct qmi_result res;

	if (!clients_read(i->clients, &err, m, &res) || !is_present(q))
		return;
	if ((err || res.status || !qmi_uim_iccid(m, i->text)) && clients_id(i->clients, ID_DMS))
		ask_dms(q);
	else
		settle(i);
}

void sim_iccid_ask(struct sim_iccid *i)
{
	struct sim_iccid_question *q = &i->questions[++i->number % SIM_ICCID_QUESTIONS];
	struct qmi_request r;

	*q = (struct sim_iccid_question){i, i->number};
	i->state = SIM_ICCID_ASKED;
	if (!clients_id(i->clients, ID_UIM)) {
		ask_dms(q);
		return;
	}
	qmi_uim_read_iccid(&r);
	clients_send(i->clients, ID_UIM, &r, on_uim, q);
}

void sim_iccid_forget(struct sim_iccid *i)
{
	i->state = SIM_ICCID_UNKNOWN;
	i->text[0] = '\0';
}
