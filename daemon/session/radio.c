// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The radio: DMS. Other programs leave it off (ModemManager when it disables a modem, AT+CFUN=4 in
 * a boot script), and no answer about the network shows that. It is switched on, unless radio=keep;
 * but after repeated switching off by another program it stays off.
 */
#include "internal.h"

#include <stdio.h>

#include "util/clock.h"
#include "util/log.h"
#include "qmi/dms.h"
#include "qmi/names.h"

#define MAX_TRIES 3
/* Attempts older than this do not count. */
#define FORGET_MS 3600000

static bool is_off(const struct radio *r)
{
	switch (r->known ? r->mode : QMI_DMS_ONLINE) {
	case QMI_DMS_LOW_POWER:
	case QMI_DMS_OFFLINE:
	case QMI_DMS_PERSISTENT_LOW_POWER:
	case QMI_DMS_MODE_ONLY_LOW_POWER:
		return true;
	default:
		return false;
	}
}

static const char *mode_name(const struct radio *r)
{
	return qmi_enum_name("operating_mode", r->mode) ?: "no name known";
}

static bool is_given_up(const struct radio *r)
{
	return r->tries >= MAX_TRIES && clock_ms() - r->tried_at < FORGET_MS;
}

static bool may_switch(const struct session *s)
{
	const struct radio *r = &s->radio;

	return s->config->radio == CONFIG_RADIO_ON && !r->hardware && !is_given_up(r);
}

static void on_switched(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct radio *r = &s->radio;
	struct qmi_result res = {0};

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	if (err)
		res.status = 1;
	r->setting = false;
	r->refusal = res.status && res.error != QMI_NO_EFFECT ? res.error : 0;
	if (!res.status || res.error == QMI_NO_EFFECT)
		r->mode = QMI_DMS_ONLINE;
	else
		log_warning("%s: the modem does not switch its radio on: %s", s->config->dev,
			    qmi_error_name(res.error) ?: "no reason known");
	session_facts_changed(s);
}

static void switch_on(struct session *s)
{
	struct radio *r = &s->radio;
	struct qmi_request request;

	log_info("%s: the radio is off (%s); it is switched on", s->config->dev, mode_name(r));
	if (clock_ms() - r->tried_at >= FORGET_MS)
		r->tries = 0;
	r->tries++;
	r->tried_at = clock_ms();
	session_changed(s); /* before it is sent */
	r->hold = r->setting = true;
	qmi_dms_set_operating_mode(&request, QMI_DMS_ONLINE);
	clients_send(s->clients, ID_DMS, &request, on_switched, s);
}

static void taken(struct session *s)
{
	struct radio *r = &s->radio;

	r->asking = false;
	if (is_off(r) && may_switch(s) && !r->setting && !r->hold && !session_giving_back(s))
		switch_on(s);
	session_facts_changed(s);
}

static void on_mode(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	if (!err && !res.status && qmi_dms_operating_mode(m, &s->radio.mode, &s->radio.hardware))
		s->radio.known = true;
	taken(s);
}

static void ask(struct session *s)
{
	struct qmi_request r;

	qmi_dms_get_operating_mode(&r);
	clients_send(s->clients, ID_DMS, &r, on_mode, s);
}

void session_radio_start(struct session *s)
{
	struct qmi_request r;

	if (!clients_id(s->clients, ID_DMS))
		return;
	s->radio.asking = true;
	ask(s);
	qmi_dms_register_mode(&r);
	clients_send_only(s->clients, ID_DMS, &r);
}

/* Modems that send no indication of their mode show it by having no network. */
void session_radio_poll(struct session *s)
{
	char why[160];

	if (!clients_id(s->clients, ID_DMS) || s->radio.setting ||
	    (!is_off(&s->radio) && !session_network_missing(s, why, sizeof(why))))
		return;
	s->radio.hold = false;
	ask(s);
}

void session_radio_anew(struct session *s)
{
	s->radio.tries = 0;
	if (!clients_id(s->clients, ID_DMS) || s->radio.setting || !is_off(&s->radio))
		return;
	s->radio.hold = false;
	s->radio.asking = true;
	ask(s);
}

void session_radio_indication(void *arg, const struct qmi_message *m)
{
	struct session *s = arg;

	if (m->id != QMI_DMS_EVENT_REPORT ||
	    !qmi_dms_operating_mode(m, &s->radio.mode, &s->radio.hardware))
		return;
	s->radio.known = true;
	if (!s->radio.setting)
		taken(s);
}

bool session_radio_needs_person(const struct session *s)
{
	return !s->radio.asking && !s->radio.setting && !may_switch(s);
}

bool session_radio_missing(const struct session *s, char *why, size_t size)
{
	const struct radio *r = &s->radio;
	const char *mode = mode_name(r);

	if (!is_off(r))
		return false;
	if (r->hardware)
		snprintf(why, size,
			 "the radio is off (%s), by a switch or the slot's W_DISABLE pin", mode);
	else if (s->config->radio == CONFIG_RADIO_KEEP)
		snprintf(why, size, "the radio is off (%s), and radio=keep leaves it so", mode);
	else if (r->refusal)
		snprintf(why, size,
			 "the radio is off (%s), and the modem refuses to switch it on with %s "
			 "(error %u)",
			 mode, qmi_error_name(r->refusal) ?: "no name known", r->refusal);
	else if (is_given_up(r))
		snprintf(why, size,
			 "the radio is off (%s): it was switched on %u times, and off again by "
			 "something else",
			 mode, r->tries);
	else
		snprintf(why, size, "the radio is off (%s)", mode);
	return true;
}

void session_radio_until(const struct session *s, char *text, size_t size)
{
	const struct radio *r = &s->radio;

	if (r->hardware)
		snprintf(text, size, "when the switch lets it be on");
	else if (s->config->radio == CONFIG_RADIO_KEEP)
		snprintf(text, size, "when it is switched on (AT+CFUN=1), or with radio=on");
	else if (is_given_up(r))
		snprintf(text, size,
			 "when it is switched on (AT+CFUN=1), by `qmapctl redial %s`, or in %u min",
			 s->config->dev,
			 (unsigned int)((FORGET_MS - (clock_ms() - r->tried_at)) / 60000) + 1);
	else
		snprintf(text, size, "when it is on; it is switched on with the next poll");
}
