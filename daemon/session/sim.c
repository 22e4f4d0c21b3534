// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SIM and its PIN: UIM, or DMS on modems without UIM. After the third wrong PIN a SIM requires
 * its PUK. So a PIN is entered only if two or more attempts are left, and never again once the
 * modem has called it wrong; one that the modem does not check, because it is not ready or dies, is
 * entered three times at most. The modem's answer to the PIN itself counts for more than the card's
 * status afterwards: some (RM520N) report a PIN lock that does not exist while the SIM initialises.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"
#include "qmi/dms.h"
#include "qmi/names.h"

#define MIN_RETRIES 2
#define MAX_TRIES   3

/* Polls until an accepted PIN that the card still requires counts as unchecked. */
#define ACCEPTED_POLLS 2

#define INCORRECT_PIN	   12
#define PIN_BLOCKED	   35
#define PIN_ALWAYS_BLOCKED 36

/* Reason for not entering the PIN. */
enum pin_verdict {
	PIN_GO,
	PIN_CHECKED, /* the modem is checking it */
	PIN_NONE,    /* none is configured */
	PIN_WRONG,
	PIN_LAST, /* too few attempts are left */
	PIN_GIVEN_UP,
	PIN_LATER,
	PIN_UNWRITTEN,
};

static bool is_open(const struct sim *sim)
{
	return sim->card.state == QMI_SIM_READY || sim->card.state == QMI_SIM_UNKNOWN;
}

static enum id_service service_of(const struct sim *sim)
{
	return sim->dms ? ID_DMS : ID_UIM;
}

static bool is_in(const struct sim *sim)
{
	return sim->card.state != QMI_SIM_ABSENT && sim->card.state != QMI_SIM_UNKNOWN &&
	       sim->card.state != QMI_SIM_ERROR;
}

unsigned int session_sim_pin_left(const struct session *s)
{
	unsigned int told = s->sim.card.pin_retries, answered = s->sim.pin.left;

	return answered && answered < told ? answered : told;
}

static enum pin_verdict judge_pin(const struct session *s)
{
	const struct sim *sim = &s->sim;

	if (sim->verifying || sim->accepted)
		return PIN_CHECKED;
	if (!*s->config->pin)
		return PIN_NONE;
	if (sim->pin.wrong)
		return PIN_WRONG;
	if (session_sim_pin_left(s) < MIN_RETRIES)
		return PIN_LAST;
	if (sim->pin.tries >= MAX_TRIES)
		return PIN_GIVEN_UP;
	if (sim->unwritten)
		return PIN_UNWRITTEN;
	return sim->hold ? PIN_LATER : PIN_GO;
}

static void ask(struct session *s);
static void consider_pin(struct session *s);

static void hold(struct sim *sim)
{
	sim->hold = true;
	sim->held = sim->card;
}

static void refused(struct session *s, const struct qmi_message *m, uint16_t error)
{
	struct sim *sim = &s->sim;

	sim->refusal = error;
	if (error == INCORRECT_PIN || error == PIN_BLOCKED || error == PIN_ALWAYS_BLOCKED) {
		sim->pin.wrong = true;
		qmi_uim_retries(m, &sim->pin.left, &sim->card.puk_retries);
		session_pin_note(s);
	}
	log_warning("%s: the SIM refuses the PIN: %s; %u attempts are left", s->config->dev,
		    qmi_error_name(error) ?: "no reason known", session_sim_pin_left(s));
}

static void on_verified(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct sim *sim = &s->sim;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	sim->verifying = false;
	hold(sim);
	sim->polls = 0;
	sim->accepted = !err && (!res.status || res.error == QMI_NO_EFFECT);
	if (!err && !sim->accepted)
		refused(s, m, res.error);
	sim->asking = true;
	ask(s); /* read the result */
}

static void verify(struct session *s)
{
	struct sim *sim = &s->sim;
	struct qmi_request r;

	/* Save before it is sent: the next process must know after a crash. */
	sim->pin.tries++;
	sim->pin.retries = sim->card.pin_retries;
	sim->unwritten = session_pin_note(s) < 0;
	if (sim->unwritten) {
		sim->pin.tries--;
		return;
	}
	sim->refusal = 0;
	sim->verifying = true;
	if (sim->dms)
		qmi_dms_verify_pin(&r, s->config->pin);
	else
		qmi_uim_verify_pin(&r, s->config->pin);
	clients_send(s->clients, service_of(sim), &r, on_verified, s);
	explicit_bzero(&r, sizeof(r));
}

/* The answer to an earlier try is unknown, but an attempt is missing: the PIN was wrong. */
static void check_counter(struct session *s)
{
	struct sim *sim = &s->sim;

	if (sim->verifying || sim->pin.wrong || !sim->pin.tries ||
	    sim->card.pin_retries >= sim->pin.retries)
		return;
	sim->pin.wrong = true;
	sim->pin.left = sim->card.pin_retries;
	session_pin_note(s);
}

static void consider_pin(struct session *s)
{
	struct sim *sim = &s->sim;

	if (sim->card.state != QMI_SIM_PIN) {
		sim->accepted = sim->hold = false;
		if (sim->card.state == QMI_SIM_READY && sim->iccid_state == ICCID_TOLD)
			session_pin_opened(s);
		return;
	}
	session_pin_recall(s);
	check_counter(s);
	if (judge_pin(s) == PIN_GO && !session_giving_back(s))
		verify(s);
}

/* A PIN is tried once for each SIM, so the SIM must be identified first. */
static bool knows_card(struct session *s)
{
	struct sim *sim = &s->sim;

	if (!is_in(sim)) {
		sim->iccid_state = ICCID_UNKNOWN;
		sim->iccid[0] = '\0';
		sim->recalled = sim->accepted = sim->hold = false;
	} else if (sim->iccid_state == ICCID_UNKNOWN) {
		session_iccid_ask(s);
	}
	return sim->card.state != QMI_SIM_PIN || sim->iccid_state == ICCID_TOLD;
}

static void taken(struct session *s)
{
	s->sim.asking = !knows_card(s);
	if (s->sim.asking)
		return;
	consider_pin(s);
	session_facts_changed(s);
}

void session_sim_iccid(struct session *s)
{
	s->sim.recalled = false;
	taken(s);
}

/* Takes the card's present status. One that differs from the status at the last try is a change. */
static void take_card(struct session *s, const struct qmi_sim *card)
{
	struct sim *sim = &s->sim;

	sim->card = *card;
	if (card->state != sim->held.state || card->pin_retries != sim->held.pin_retries)
		sim->hold = false;
}

static void on_status(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_sim card = {0};
	struct qmi_result res;
	bool told;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	if (err) {
		taken(s);
		return;
	}
	told = !res.status &&
	       (s->sim.dms ? qmi_dms_pin_status(m, &card) : qmi_uim_card_status(m, &card));
	if (told)
		take_card(s, &card);
	if (!told && !s->sim.dms && clients_id(s->clients, ID_DMS)) {
		s->sim.dms = true;
		ask(s);
		return;
	}
	taken(s);
}

static void ask(struct session *s)
{
	struct qmi_request r;

	if (s->sim.dms)
		qmi_dms_get_pin_status(&r);
	else
		qmi_uim_get_card_status(&r);
	clients_send(s->clients, service_of(&s->sim), &r, on_status, s);
}

void session_sim_start(struct session *s)
{
	struct qmi_request r;

	s->sim.dms = !clients_id(s->clients, ID_UIM);
	if (!clients_id(s->clients, ID_UIM) && !clients_id(s->clients, ID_DMS)) {
		taken(s);
		return;
	}
	ask(s);
	if (!clients_id(s->clients, ID_UIM))
		return;
	qmi_uim_register_events(&r);
	clients_send_only(s->clients, ID_UIM, &r);
}

void session_sim_poll(struct session *s)
{
	struct sim *sim = &s->sim;

	if (is_open(sim) || sim->verifying || !clients_id(s->clients, service_of(sim)))
		return;
	if (sim->accepted && ++sim->polls >= ACCEPTED_POLLS)
		sim->accepted = false;
	sim->hold = sim->unwritten = false;
	ask(s);
}

void session_sim_anew(struct session *s)
{
	if (is_open(&s->sim) || s->sim.verifying || !clients_id(s->clients, service_of(&s->sim)))
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
	take_card(s, &card);
	s->sim.dms = false;
	if (!s->sim.verifying)
		taken(s);
}

static void pin_missing(const struct session *s, char *why, size_t size)
{
	unsigned int left = session_sim_pin_left(s);
	const char *attempts = left == 1 ? "attempt" : "attempts";
	const char *refusal = s->sim.refusal ? qmi_error_name(s->sim.refusal) : "no answer";

	switch (judge_pin(s)) {
	case PIN_GO:
	case PIN_CHECKED:
		snprintf(why, size, "the SIM's PIN is being checked");
		break;
	case PIN_NONE:
		snprintf(why, size, "the SIM wants its PIN, and none is configured (pin=)");
		break;
	case PIN_WRONG:
		snprintf(why, size,
			 "the PIN is wrong: it is not tried again (%u %s left); correct pin=", left,
			 attempts);
		break;
	case PIN_LAST:
		snprintf(why, size,
			 "the SIM wants its PIN, but with %u %s left it is not tried; "
			 "enter it by hand",
			 left, attempts);
		break;
	case PIN_GIVEN_UP:
		snprintf(why, size,
			 "the modem has not checked the PIN in %u attempts (%s): it is not tried "
			 "again; enter it by hand",
			 s->sim.pin.tries, refusal ?: "no name known");
		break;
	case PIN_LATER:
		snprintf(why, size, "the modem does not check the PIN yet (%s)",
			 refusal ?: "no name known");
		break;
	case PIN_UNWRITTEN:
		snprintf(why, size,
			 "the PIN is not tried, because that cannot be written down: see the log");
		break;
	}
}

bool session_sim_needs_person(const struct session *s)
{
	if (s->sim.asking || s->sim.verifying)
		return false;
	switch (s->sim.card.state) {
	case QMI_SIM_PIN:
		return judge_pin(s) > PIN_CHECKED && judge_pin(s) != PIN_LATER;
	case QMI_SIM_ABSENT:
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
	static const char *const until[QMI_SIM_STATES] = {
		[QMI_SIM_ABSENT] = "when a SIM is put in",
		[QMI_SIM_ERROR] = "when the modem can read the SIM",
		[QMI_SIM_INITIALISING] = "when the SIM is ready",
		[QMI_SIM_PIN] = "when the PIN has been entered",
		[QMI_SIM_PUK] = "when the PUK has been entered (qmicli --uim-unblock-pin)",
		[QMI_SIM_BLOCKED] = "when another SIM is put in",
		[QMI_SIM_LOCKED] = "when the lock has been removed, or another SIM is put in",
		[QMI_SIM_REFUSED] = "when another SIM is put in",
	};

	static const char *const lacks[QMI_SIM_LACKS_SESSION + 1] = {
		[QMI_SIM_LACKS_APPLICATION] = "when a profile is enabled, or another SIM is put in",
		[QMI_SIM_LACKS_SESSION] =
			"when it is activated (qmicli --uim-change-provisioning-session)",
	};

	if (is_open(&s->sim))
		return "";
	if (s->sim.card.lacks)
		return lacks[s->sim.card.lacks];
	if (s->sim.card.state == QMI_SIM_PIN && judge_pin(s) == PIN_LATER)
		return "when the modem says something else of the SIM, or is asked again (poll=)";
	if (s->sim.card.state == QMI_SIM_PIN && *s->config->pin && session_sim_needs_person(s))
		return "when another pin= is given, the PIN is entered by hand, or another SIM is "
		       "put in";
	if (s->sim.card.state == QMI_SIM_PIN && session_sim_needs_person(s))
		return "when pin= is given, or the PIN is entered by hand";
	return until[s->sim.card.state];
}

bool session_sim_missing(const struct session *s, char *why, size_t size)
{
	static const char *const reasons[QMI_SIM_STATES] = {
		[QMI_SIM_ABSENT] = "there is no SIM in the modem",
		[QMI_SIM_ERROR] = "the modem cannot read the SIM",
		[QMI_SIM_INITIALISING] = "the SIM is not ready yet",
		[QMI_SIM_PUK] = "the SIM wants its PUK: the PIN was wrong too often",
		[QMI_SIM_BLOCKED] = "the SIM is blocked for good; ask the operator",
		[QMI_SIM_LOCKED] = "modem or SIM are locked to another network",
		[QMI_SIM_REFUSED] = "the network does not accept this SIM",
	};
	static const char *const lacks[QMI_SIM_LACKS_SESSION + 1] = {
		[QMI_SIM_LACKS_APPLICATION] = "there is no application on the SIM: it is not ready "
					      "yet, or an eSIM without a profile",
		[QMI_SIM_LACKS_SESSION] = "the SIM is not activated: the modem has no provisioning "
					  "session for it",
	};

	if (is_open(&s->sim))
		return false;
	if (s->sim.card.state == QMI_SIM_PIN)
		pin_missing(s, why, size);
	else if (s->sim.card.lacks)
		snprintf(why, size, "%s", lacks[s->sim.card.lacks]);
	else
		snprintf(why, size, "%s", reasons[s->sim.card.state]);
	return true;
}
