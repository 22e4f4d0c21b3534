// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signal: NAS. It is polled, and modems that support it are set to report changes larger than noise
 * by themselves.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* dB. The signal of a modem at rest varies by less. */
#define STEP 5

#define INVALID_COMMAND 71
#define NOT_SUPPORTED	94

static bool is_unknown(const struct qmi_result *res)
{
	return res->status && (res->error == INVALID_COMMAND || res->error == NOT_SUPPORTED);
}

static int level(const struct qmi_nas_signal *v)
{
	return v->rsrp != QMI_NAS_NOT_TOLD ? v->rsrp : v->rssi;
}

static void describe(const struct qmi_nas_signal *v, char *s, size_t size)
{
	snprintf(s, size, "%s %s %d dBm", qmi_nas_radio_name(v->radio),
		 v->rsrp != QMI_NAS_NOT_TOLD ? "RSRP" : "RSSI", level(v));
}

/* Compares with the last report, so that a slow change is reported as well. */
static void tell(struct session *s)
{
	struct network *n = &s->network;
	const struct qmi_nas_signal now = n->signals[0], was = n->told;
	char from[48], to[48];

	if (!n->nsignals || (was.radio == now.radio && abs(level(&was) - level(&now)) < STEP))
		return;
	n->told = now;
	describe(&was, from, sizeof(from));
	describe(&now, to, sizeof(to));
	if (was.radio && s->ops->signal)
		s->ops->signal(s->arg, from, to, level(&now));
}

static void on_signal(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct network *n = &s->network;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res) || err)
		return;
	if (is_unknown(&res) && !n->old) {
		n->old = true;
		session_signal_poll(s);
		return;
	}
	n->nsignals = res.status ? 0 : qmi_nas_signals(m, n->signals);
	tell(s);
	session_facts_changed(s);
}

void session_signal_poll(struct session *s)
{
	struct qmi_request r;

	if (s->network.old)
		qmi_nas_get_signal_strength(&r);
	else
		qmi_nas_get_signal_info(&r);
	clients_send(s->clients, ID_NAS, &r, on_signal, s);
}

static void register_signal(struct session *s)
{
	struct qmi_request r;

	qmi_nas_register_signal(&r);
	clients_send_only(s->clients, ID_NAS, &r);
}

/* Without levels of its own a modem would report each dB: then it is only polled. */
static void on_levels(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res) || err || res.status)
		return;
	register_signal(s);
}

static void on_delta(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_request r;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res) || err)
		return;
	if (!res.status) {
		register_signal(s);
		return;
	}
	qmi_nas_config_signal_levels(&r, STEP);
	clients_send(s->clients, ID_NAS, &r, on_levels, s);
}

void session_signal_start(struct session *s)
{
	struct qmi_request r;

	session_signal_poll(s);
	qmi_nas_config_signal_delta(&r, STEP);
	clients_send(s->clients, ID_NAS, &r, on_delta, s);
}

/* A radio missing in a report has not changed, or is gone: the next poll shows which. */
static void merge(struct network *n, const struct qmi_nas_signal *news, unsigned int count)
{
	static const uint8_t best_first[QMI_NAS_MAX_SIGNALS] = {
		QMI_NAS_RADIO_5GNR, QMI_NAS_RADIO_LTE, QMI_NAS_RADIO_UMTS, QMI_NAS_RADIO_GSM};
	struct qmi_nas_signal old[QMI_NAS_MAX_SIGNALS];
	unsigned int nold = n->nsignals;

	memcpy(old, n->signals, sizeof(old));
	n->nsignals = 0;
	for (unsigned int r = 0; r < QMI_NAS_MAX_SIGNALS; r++) {
		const struct qmi_nas_signal *found = NULL;

		for (unsigned int i = 0; i < nold; i++)
			if (old[i].radio == best_first[r])
				found = &old[i];
		for (unsigned int i = 0; i < count; i++)
			if (news[i].radio == best_first[r])
				found = &news[i];
		if (found)
			n->signals[n->nsignals++] = *found;
	}
}

void session_signal_indication(struct session *s, const struct qmi_message *m)
{
	struct qmi_nas_signal news[QMI_NAS_MAX_SIGNALS] = {0};

	merge(&s->network, news, qmi_nas_signals(m, news));
	tell(s);
	session_facts_changed(s);
}
