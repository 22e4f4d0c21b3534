// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SIM and its PIN: UIM, or DMS on modems that have no UIM. A PIN is entered only if two
 * attempts or more are left, and one that was wrong never again: after the third the SIM wants its
 * PUK.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"
#include "qmi/dms.h"
#include "qmi/names.h"

#define MIN_RETRIES 2

/*
 * PINs that were tried while so many attempts were left, beyond the session that did so: the next
 * one on the same modem must not begin anew. If the counter stands as high again, the PIN did not
 * reach the SIM, or somebody has entered the right one meanwhile.
 */
static struct {
	char dev[IFNAMSIZ];
	char pin[CONFIG_PIN_SIZE];
	unsigned int retries;
} tried[16];
static unsigned int next_tried;

static unsigned int tried_at(const struct session *s)
{
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++)
		if (!strcmp(tried[i].dev, s->config.dev) && !strcmp(tried[i].pin, s->config.pin))
			return tried[i].retries;
	return 0;
}

static void remember(const struct session *s, unsigned int retries)
{
	size_t i = 0;

	while (i < sizeof(tried) / sizeof(tried[0]) &&
	       (strcmp(tried[i].dev, s->config.dev) || strcmp(tried[i].pin, s->config.pin)))
		i++;
	if (i == sizeof(tried) / sizeof(tried[0]))
		i = next_tried++ % (sizeof(tried) / sizeof(tried[0]));
	snprintf(tried[i].dev, sizeof(tried[i].dev), "%s", s->config.dev);
	snprintf(tried[i].pin, sizeof(tried[i].pin), "%s", s->config.pin);
	tried[i].retries = retries;
}

unsigned int session_sim_tried(const struct session *s)
{
	return tried_at(s);
}

void session_sim_load(struct session *s, unsigned int retries)
{
	if (retries && !tried_at(s))
		remember(s, retries);
}

static bool was_wrong(const struct session *s)
{
	return s->sim.card.pin_retries < tried_at(s);
}

static void ask(struct session *s);
static void consider_pin(struct session *s);

static void on_verified(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct sim *sim = &s->sim;
	struct qmi_result res;

	if (session_reply_lost(err))
		return;
	sim->verifying = false;
	if (!err)
		err = qmi_message_result(m, &res);
	if (!err && session_forgotten(s, &res))
		return;
	if (!err && res.status && res.error != QMI_NO_EFFECT) {
		qmi_uim_retries(m, &sim->card.pin_retries, &sim->card.puk_retries);
		log_warning("%s: the SIM refuses the PIN: %s; %u attempts are left", s->config.dev,
			    qmi_error_name(res.error) ?: "no reason known", sim->card.pin_retries);
	}
	sim->asking = true;
	sim->accepted = !err && (!res.status || res.error == QMI_NO_EFFECT);
	ask(s); /* what has come of it */
}

static void verify(struct session *s)
{
	struct sim *sim = &s->sim;
	struct qmi_request r;

	/* Before it is sent: whoever comes after a crash must know. */
	remember(s, sim->card.pin_retries);
	session_changed(s);
	sim->verifying = true;
	if (sim->dms)
		qmi_dms_verify_pin(&r, s->config.pin);
	else
		qmi_uim_verify_pin(&r, s->config.pin);
	qmi_client_send(sim->dms ? s->dms : s->uim, &r, session_timeout_ms(s), on_verified, s);
	explicit_bzero(&r, sizeof(r));
}

static void consider_pin(struct session *s)
{
	struct sim *sim = &s->sim;

	if (sim->card.state != QMI_SIM_PIN) {
		sim->accepted = false;
		return;
	}
	if (!*s->config.pin || sim->verifying || sim->accepted || was_wrong(s) ||
	    sim->card.pin_retries < MIN_RETRIES || session_giving_back(s))
		return;
	verify(s);
}

static void taken(struct session *s)
{
	s->sim.asking = false;
	consider_pin(s);
	session_facts_changed(s);
}

static void on_status(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_sim card = {0};
	struct qmi_result res;
	bool told;

	if (session_reply_lost(err))
		return;
	if (err || qmi_message_result(m, &res)) {
		taken(s);
		return;
	}
	if (session_forgotten(s, &res))
		return;
	told = !res.status &&
	       (s->sim.dms ? qmi_dms_pin_status(m, &card) : qmi_uim_card_status(m, &card));
	if (told)
		s->sim.card = card;
	if (!told && !s->sim.dms && s->dms) {
		s->sim.dms = true;
		ask(s);
		return;
	}
	taken(s);
}

static void ask(struct session *s)
{
	struct qmi_client *client = s->sim.dms ? s->dms : s->uim;
	struct qmi_request r;

	if (s->sim.dms)
		qmi_dms_get_pin_status(&r);
	else
		qmi_uim_get_card_status(&r);
	qmi_client_send(client, &r, session_timeout_ms(s), on_status, s);
}

void session_sim_start(struct session *s)
{
	struct qmi_request r;

	s->sim.dms = !s->uim;
	if (!s->uim && !s->dms) {
		taken(s);
		return;
	}
	ask(s);
	if (!s->uim)
		return;
	qmi_uim_register_events(&r);
	qmi_client_send(s->uim, &r, session_timeout_ms(s), session_ignore, s);
}

static bool is_open(const struct sim *sim)
{
	return sim->card.state == QMI_SIM_READY || sim->card.state == QMI_SIM_UNKNOWN;
}

void session_sim_poll(struct session *s)
{
	if (!is_open(&s->sim) && !s->sim.verifying && (s->sim.dms ? s->dms : s->uim))
		ask(s);
}

void session_sim_anew(struct session *s)
{
	if (is_open(&s->sim) || s->sim.verifying || !(s->sim.dms ? s->dms : s->uim))
		return;
	s->sim.asking = true;
	ask(s);
}

void session_sim_indication(void *arg, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_sim card;

	if (m->id != QMI_UIM_CARD_STATUS || !qmi_uim_card_status(m, &card))
		return;
	s->sim.card = card;
	s->sim.dms = false;
	if (!s->sim.verifying)
		taken(s);
}

static void pin_missing(const struct session *s, char *why, size_t size)
{
	unsigned int left = s->sim.card.pin_retries;

	if (s->sim.verifying || s->sim.accepted)
		snprintf(why, size, "the SIM's PIN is being checked");
	else if (!*s->config.pin)
		snprintf(why, size, "the SIM wants its PIN, and none is configured (pin=)");
	else if (was_wrong(s))
		snprintf(why, size,
			 "the PIN is wrong: it is not tried again (%u %s left); correct pin=", left,
			 left == 1 ? "attempt" : "attempts");
	else
		snprintf(why, size,
			 "the SIM wants its PIN, but with %u %s left it is not tried; "
			 "enter it by hand",
			 left, left == 1 ? "attempt" : "attempts");
}

bool session_sim_needs_person(const struct session *s)
{
	if (s->sim.asking || s->sim.verifying)
		return false;
	switch (s->sim.card.state) {
	case QMI_SIM_PIN:
		return !s->sim.accepted;
	case QMI_SIM_PUK:
	case QMI_SIM_BLOCKED:
	case QMI_SIM_LOCKED:
	case QMI_SIM_REFUSED:
		return true;
	default:
		return false;
	}
}

const char *session_sim_until(const struct session *s)
{
	static const char *const until[] = {
		[QMI_SIM_ABSENT] = "when a SIM is put in",
		[QMI_SIM_ERROR] = "when the modem can read the SIM",
		[QMI_SIM_INITIALISING] = "when the SIM is ready",
		[QMI_SIM_PIN] = "when the PIN has been entered",
		[QMI_SIM_PUK] = "when the PUK has been entered (qmicli --uim-unblock-pin)",
		[QMI_SIM_BLOCKED] = "when another SIM is put in",
		[QMI_SIM_LOCKED] = "when the lock has been removed, or another SIM is put in",
		[QMI_SIM_REFUSED] = "when another SIM is put in",
	};

	if (is_open(&s->sim))
		return "";
	if (s->sim.card.state == QMI_SIM_PIN && *s->config.pin && session_sim_needs_person(s))
		return "when another pin= is given, the PIN is entered by hand, or another SIM is "
		       "put in";
	if (s->sim.card.state == QMI_SIM_PIN && session_sim_needs_person(s))
		return "when pin= is given, or the PIN is entered by hand";
	return until[s->sim.card.state];
}

bool session_sim_missing(const struct session *s, char *why, size_t size)
{
	static const char *const reasons[] = {
		[QMI_SIM_ABSENT] = "there is no SIM in the modem",
		[QMI_SIM_ERROR] = "the modem cannot read the SIM",
		[QMI_SIM_INITIALISING] = "the SIM is not ready yet",
		[QMI_SIM_PUK] = "the SIM wants its PUK: the PIN was wrong too often",
		[QMI_SIM_BLOCKED] = "the SIM is blocked for good; ask the operator",
		[QMI_SIM_LOCKED] = "modem or SIM are locked to another network",
		[QMI_SIM_REFUSED] = "the network does not accept this SIM",
	};

	if (is_open(&s->sim))
		return false;
	if (s->sim.card.state == QMI_SIM_PIN)
		pin_missing(s, why, size);
	else
		snprintf(why, size, "%s", reasons[s->sim.card.state]);
	return true;
}
