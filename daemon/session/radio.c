// SPDX-License-Identifier: GPL-2.0-or-later
#include "radio.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/clock.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"
#include "qmi/dms.h"
#include "qmi/names.h"

#define MAX_TRIES 3
/* Attempts older than this do not count. */
#define FORGET_MS 3600000

struct radio {
	struct clients *clients;
	const struct config_trunk *config;
	const struct radio_owner *owner;
	void *arg;
	bool asking;
	bool reported;
	uint8_t mode;	  /* enum qmi_dms_mode */
	bool hardware;	  /* a hardware switch keeps it off */
	bool setting;	  /* it is being switched on */
	bool hold;	  /* wait for the next poll */
	bool ours;	  /* a measure of ours has switched it off: radio=keep does not keep that */
	uint16_t refusal; /* QMI error of the last attempt; 0: none */
	unsigned int tries;
	uint64_t tried_at; /* ms, monotonic: the last attempt */
};

static bool is_off(const struct radio *r)
{
	switch (r->reported ? r->mode : QMI_DMS_ONLINE) {
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

static bool may_switch(const struct radio *r)
{
	return (r->config->radio == CONFIG_RADIO_ON || r->ours) && !r->hardware && !is_given_up(r);
}

static void set_ours(struct radio *r, bool ours)
{
	if (r->ours == ours)
		return;
	r->ours = ours;
	r->owner->save(r->arg); /* before it is sent */
}

static void on_switched(void *arg, int err, const struct qmi_message *m)
{
	struct radio *r = arg;
	struct qmi_result res = {0};

	if (!clients_answer(r->clients, &err, m, &res))
		return;
	if (err)
		res.status = 1;
	r->setting = false;
	r->refusal = res.status && res.error != QMI_NO_EFFECT ? res.error : 0;
	if (!res.status || res.error == QMI_NO_EFFECT) {
		r->mode = QMI_DMS_ONLINE;
		set_ours(r, false);
	} else {
		log_warning("%s: the modem does not switch its radio on: %s", r->config->dev,
			    qmi_error_name(res.error) ?: "no reason known");
	}
	r->owner->changed(r->arg);
}

static void set_mode(struct radio *r, enum qmi_dms_mode mode,
		     void (*fn)(void *arg, int err, const struct qmi_message *m))
{
	struct qmi_request request;

	qmi_dms_set_operating_mode(&request, mode);
	clients_send(r->clients, ID_DMS, &request, fn, r);
}

static void switch_on(struct radio *r)
{
	log_info("%s: the radio is off (%s); it is switched on", r->config->dev, mode_name(r));
	if (clock_ms() - r->tried_at >= FORGET_MS)
		r->tries = 0;
	r->tries++;
	r->tried_at = clock_ms();
	r->owner->save(r->arg); /* before it is sent */
	r->hold = r->setting = true;
	set_mode(r, QMI_DMS_ONLINE, on_switched);
}

static void taken(struct radio *r)
{
	r->asking = false;
	if (r->reported && !is_off(r))
		set_ours(r, false);
	if (is_off(r) && may_switch(r) && !r->setting && !r->hold &&
	    !clients_giving_back(r->clients))
		switch_on(r);
	r->owner->changed(r->arg);
}

static void on_mode(void *arg, int err, const struct qmi_message *m)
{
	struct radio *r = arg;
	struct qmi_result res;

	if (!clients_answer(r->clients, &err, m, &res))
		return;
	if (!err && !res.status && qmi_dms_operating_mode(m, &r->mode, &r->hardware))
		r->reported = true;
	taken(r);
}

static void ask(struct radio *r)
{
	struct qmi_request request;

	qmi_request_init(&request, QMI_DMS_GET_OPERATING_MODE);
	clients_send(r->clients, ID_DMS, &request, on_mode, r);
}

void radio_start(struct radio *r)
{
	struct qmi_request request;

	if (!clients_id(r->clients, ID_DMS))
		return;
	r->asking = true;
	ask(r);
	qmi_dms_register_mode(&request);
	clients_send_only(r->clients, ID_DMS, &request);
}

void radio_poll(struct radio *r, bool no_network)
{
	if (!clients_id(r->clients, ID_DMS) || r->setting || (!is_off(r) && !no_network))
		return;
	r->hold = false;
	ask(r);
}

void radio_retry(struct radio *r)
{
	r->tries = 0;
	if (!clients_id(r->clients, ID_DMS) || r->setting || !is_off(r))
		return;
	r->hold = false;
	r->asking = true;
	ask(r);
}

static void on_off(void *arg, int err, const struct qmi_message *m)
{
	struct radio *r = arg;
	struct qmi_result res = {0};

	if (!clients_answer(r->clients, &err, m, &res))
		return;
	r->setting = false;
	if (err || res.status)
		log_warning("%s: the modem does not switch its radio off: %s", r->config->dev,
			    err ? "no answer" : qmi_error_name(res.error) ?: "no reason known");
	/* on, whatever it has answered: it must not stay off because of us */
	r->setting = true;
	set_mode(r, QMI_DMS_ONLINE, on_switched);
}

int radio_cycle(struct radio *r)
{
	if (!clients_id(r->clients, ID_DMS))
		return -ENODEV;
	if (radio_is_pending(r))
		return -EBUSY;
	r->setting = true;
	set_ours(r, true);
	set_mode(r, QMI_DMS_LOW_POWER, on_off);
	return 0;
}

static void on_restarting(void *arg, int err, const struct qmi_message *m)
{
	struct radio *r = arg;
	struct qmi_result res = {0};

	if (!clients_answer(r->clients, &err, m, &res))
		return;
	r->setting = false;
	if (!res.status)
		return; /* it restarts, answered or not */
	log_warning("%s: the modem does not restart: %s", r->config->dev,
		    qmi_error_name(res.error) ?: "no reason known");
	r->setting = true;
	set_mode(r, QMI_DMS_ONLINE, on_switched);
}

/* Modems restart from this mode alone, if at all. */
static void on_offline(void *arg, int err, const struct qmi_message *m)
{
	struct radio *r = arg;
	struct qmi_result res = {0};

	if (clients_answer(r->clients, &err, m, &res))
		set_mode(r, QMI_DMS_RESET, on_restarting);
}

int radio_restart_modem(struct radio *r)
{
	if (!clients_id(r->clients, ID_DMS))
		return -ENODEV;
	if (radio_is_pending(r))
		return -EBUSY;
	r->setting = true;
	set_ours(r, true);
	set_mode(r, QMI_DMS_OFFLINE, on_offline);
	return 0;
}

void radio_indication(void *arg, const struct qmi_message *m)
{
	struct radio *r = arg;

	if (m->id != QMI_DMS_EVENT_REPORT || !qmi_dms_operating_mode(m, &r->mode, &r->hardware))
		return;
	r->reported = true;
	if (!r->setting)
		taken(r);
}

bool radio_is_pending(const struct radio *r)
{
	return r->asking || r->setting;
}

bool radio_is_due(const struct radio *r)
{
	return r->setting && r->ours;
}

bool radio_needs_person(const struct radio *r)
{
	return !radio_is_pending(r) && !may_switch(r);
}

bool radio_missing(const struct radio *r, char *why, size_t size)
{
	const char *mode = mode_name(r);

	if (!is_off(r))
		return false;
	if (r->hardware)
		snprintf(why, size,
			 "the radio is off (%s), by a switch or the slot's W_DISABLE pin", mode);
	else if (r->config->radio == CONFIG_RADIO_KEEP && !r->ours)
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

void radio_until(const struct radio *r, char *text, size_t size)
{
	if (r->hardware)
		snprintf(text, size, "when the switch lets it be on");
	else if (r->config->radio == CONFIG_RADIO_KEEP && !r->ours)
		snprintf(text, size, "when it is switched on (AT+CFUN=1), or with radio=on");
	else if (is_given_up(r))
		snprintf(text, size,
			 "when it is switched on (AT+CFUN=1), by `qmapctl redial %s`, or in %u min",
			 r->config->dev,
			 (unsigned int)((FORGET_MS - (clock_ms() - r->tried_at)) / 60000) + 1);
	else
		snprintf(text, size, "when it is on; it is switched on with the next poll");
}

const char *radio_mode(const struct radio *r)
{
	return r->reported ? qmi_enum_name("operating_mode", r->mode) : NULL;
}

struct json_object *radio_save(const struct radio *r)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "tries", r->tries);
	json_add_int(o, "tried_at", r->tried_at);
	json_add_bool(o, "ours", r->ours);
	return o;
}

void radio_load(struct radio *r, struct json_object *state)
{
	r->tries = json_get_int(state, "tries");
	r->tried_at = json_get_int(state, "tried_at");
	r->ours = json_get_bool(state, "ours");
}

struct radio *radio_new(struct clients *clients, const struct config_trunk *config,
			const struct radio_owner *owner, void *arg)
{
	struct radio *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->clients = clients;
	r->config = config;
	r->owner = owner;
	r->arg = arg;
	return r;
}

void radio_free(struct radio **r)
{
	free(*r);
	*r = NULL;
}
