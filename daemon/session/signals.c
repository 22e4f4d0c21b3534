// SPDX-License-Identifier: GPL-2.0-or-later
#include "signals.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/json_add.h"

/* dB. The signal of a modem at rest varies by less. */
#define STEP 5

#define INVALID_COMMAND 71
#define NOT_SUPPORTED	94

static int level(const struct qmi_nas_signal *v)
{
	return v->rsrp != QMI_NAS_NOT_REPORTED ? v->rsrp : v->rssi;
}

static void describe(const struct qmi_nas_signal *v, char *text, size_t size)
{
	snprintf(text, size, "%s %s %d dBm", qmi_nas_radio_name(v->radio),
		 v->rsrp != QMI_NAS_NOT_REPORTED ? "RSRP" : "RSSI", level(v));
}

/* Compares with the last report, so that a slow change is reported as well. */
static void tell(struct signals *s)
{
	const struct qmi_nas_signal now = s->levels[0], was = s->reported;
	char from[48], to[48];

	if (!s->n || (was.radio == now.radio && abs(level(&was) - level(&now)) < STEP))
		return;
	s->reported = now;
	describe(&was, from, sizeof(from));
	describe(&now, to, sizeof(to));
	if (was.radio)
		s->report(s->arg, from, to, level(&now));
}

static void remember(struct signals *s)
{
	uint64_t step = clock_ms() / SIGNALS_STEP_MS;
	struct signals_step *last = s->npast ? &s->past[s->npast - 1] : NULL;

	if (!s->n || level(&s->levels[0]) == QMI_NAS_NOT_REPORTED)
		return;
	if (!last || last->step != step) {
		if (s->npast == SIGNALS_STEPS)
			memmove(s->past, s->past + 1, --s->npast * sizeof(s->past[0]));
		last = &s->past[s->npast++];
		*last = (struct signals_step){.step = step, .begin = time(NULL)};
	}
	last->sum += level(&s->levels[0]);
	last->n++;
}

static void took(struct signals *s)
{
	remember(s);
	tell(s);
	s->changed(s->arg);
}

/* A lost answer: with poll=0 no other request follows. */
static bool may_repeat(struct signals *s, int err)
{
	return err == -ETIMEDOUT && s->repeats++ < NAS_REPEATS;
}

static void on_signal(void *arg, int err, const struct qmi_message *m)
{
	struct signals *s = arg;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	if (may_repeat(s, err))
		signals_poll(s);
	if (err)
		return;
	if (res.status && (res.error == INVALID_COMMAND || res.error == NOT_SUPPORTED) && !s->old) {
		s->old = true;
		signals_poll(s);
		return;
	}
	s->n = res.status ? 0 : qmi_nas_signals(m, s->levels);
	took(s);
}

void signals_poll(struct signals *s)
{
	struct qmi_request r;

	if (s->old)
		qmi_request_init(&r, QMI_NAS_GET_SIGNAL_STRENGTH);
	else
		qmi_request_init(&r, QMI_NAS_GET_SIGNAL_INFO);
	clients_send(s->clients, ID_NAS, &r, on_signal, s);
}

static void register_signal(struct signals *s)
{
	struct qmi_request r;

	qmi_nas_register_signal(&r);
	clients_send_only(s->clients, ID_NAS, &r);
}

/* Without levels of its own a modem would report each dB: then it is only polled. */
static void on_levels(void *arg, int err, const struct qmi_message *m)
{
	struct signals *s = arg;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res) || err || res.status)
		return;
	register_signal(s);
}

static void ask_for_changes(struct signals *s);

static void on_delta(void *arg, int err, const struct qmi_message *m)
{
	struct signals *s = arg;
	struct qmi_request r;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	if (may_repeat(s, err))
		ask_for_changes(s);
	if (err)
		return;
	if (!res.status) {
		register_signal(s);
		return;
	}
	qmi_nas_config_signal_levels(&r, STEP);
	clients_send(s->clients, ID_NAS, &r, on_levels, s);
}

static void ask_for_changes(struct signals *s)
{
	struct qmi_request r;

	qmi_nas_config_signal_delta(&r, STEP);
	clients_send(s->clients, ID_NAS, &r, on_delta, s);
}

void signals_start(struct signals *s)
{
	s->repeats = 0;
	signals_poll(s);
	ask_for_changes(s);
}

/* A radio missing in a report has not changed, or is gone: the next poll shows which. */
static void merge(struct signals *s, const struct qmi_nas_signal *news, unsigned int count)
{
	static const uint8_t best_first[QMI_NAS_MAX_SIGNALS] = {
		QMI_NAS_RADIO_5GNR, QMI_NAS_RADIO_LTE, QMI_NAS_RADIO_UMTS, QMI_NAS_RADIO_GSM};
	struct qmi_nas_signal old[QMI_NAS_MAX_SIGNALS];
	unsigned int nold = s->n;

	memcpy(old, s->levels, sizeof(old));
	s->n = 0;
	for (unsigned int r = 0; r < QMI_NAS_MAX_SIGNALS; r++) {
		const struct qmi_nas_signal *found = NULL;

		for (unsigned int i = 0; i < nold; i++)
			if (old[i].radio == best_first[r])
				found = &old[i];
		for (unsigned int i = 0; i < count; i++)
			if (news[i].radio == best_first[r])
				found = &news[i];
		if (found)
			s->levels[s->n++] = *found;
	}
}

void signals_indication(struct signals *s, const struct qmi_message *m)
{
	struct qmi_nas_signal news[QMI_NAS_MAX_SIGNALS] = {0};

	merge(s, news, qmi_nas_signals(m, news));
	took(s);
}

struct json_object *signals_show(const struct signals *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->n; i++) {
		struct json_object *o = json_object_new_object();

		json_add_text(o, "radio", qmi_nas_radio_name(s->levels[i].radio));
		json_add_known(o, "rssi", s->levels[i].rssi != QMI_NAS_NOT_REPORTED,
			       s->levels[i].rssi);
		json_add_known(o, "rsrp", s->levels[i].rsrp != QMI_NAS_NOT_REPORTED,
			       s->levels[i].rsrp);
		json_add_known(o, "rsrq", s->levels[i].rsrq != QMI_NAS_NOT_REPORTED,
			       s->levels[i].rsrq);
		json_object_object_add(o, "snr",
				       s->levels[i].snr == QMI_NAS_NOT_REPORTED
					       ? NULL
					       : json_object_new_double(s->levels[i].snr / 10.0));
		json_object_array_add(a, o);
	}
	return a;
}

struct json_object *signals_history(const struct signals *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->npast; i++) {
		struct json_object *o = json_object_new_object();
		char when[32];
		struct tm tm;

		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ",
			 gmtime_r(&s->past[i].begin, &tm));
		json_add_string(o, "time", when);
		json_add_int(o, "dbm", s->past[i].sum / s->past[i].n);
		json_object_array_add(a, o);
	}
	return a;
}
