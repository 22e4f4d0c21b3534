// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_add.h"
#include "util/log.h"
#include "qmi/dms.h"
#include "qmi/names.h"
#include "qmi/uim.h"
#include "sim_iccid.h"
#include "sim_pin.h"

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

struct sim {
	struct clients *clients;
	const struct config_trunk *config;
	const struct sim_owner *owner;
	void *arg;
	bool asking; /* calls wait for the first answer */
	bool dms;    /* use DMS: there is no UIM */
	struct qmi_sim card;
	struct sim_iccid iccid;
	struct sim_pin_memory pin;
	bool recalled;	    /* @pin is for this SIM and this PIN */
	bool verifying;	    /* the PIN has been sent */
	bool accepted;	    /* it was right; the card's status does not show it yet */
	unsigned int polls; /* number of polls since then */
	bool hold;	    /* wait for the next poll, or for another card than @held */
	struct qmi_sim held;
	uint16_t refusal; /* QMI error of the last Verify PIN; 0: no answer */
	bool unwritten;	  /* attempts cannot be saved, so there are none */
};

static bool is_open(const struct sim *sim)
{
	return sim->card.state == QMI_SIM_READY || sim->card.state == QMI_SIM_UNKNOWN;
}

static enum id_service service_of(const struct sim *sim)
{
	return sim->dms ? ID_DMS : ID_UIM;
}

static struct sim_pin_key key_of(const struct sim *sim)
{
	return (struct sim_pin_key){
		.dir = sim->owner->run_dir(sim->arg),
		.sim = *sim->iccid.text ? sim->iccid.text : sim->config->dev,
		.pin = sim->config->pin,
	};
}

static int note(const struct sim *sim)
{
	const struct sim_pin_key key = key_of(sim);

	return sim_pin_note(&key, &sim->pin);
}

/* Attempts left for the PIN, by the least number that the modem has reported; 0: unknown. */
static unsigned int pin_left(const struct sim *sim)
{
	unsigned int reported = sim->card.pin_retries, answered = sim->pin.left;

	return answered && answered < reported ? answered : reported;
}

static enum pin_verdict judge_pin(const struct sim *sim)
{
	if (sim->verifying || sim->accepted)
		return PIN_CHECKED;
	if (!*sim->config->pin)
		return PIN_NONE;
	if (sim->pin.wrong)
		return PIN_WRONG;
	if (pin_left(sim) < MIN_RETRIES)
		return PIN_LAST;
	if (sim->pin.tries >= MAX_TRIES)
		return PIN_GIVEN_UP;
	if (sim->unwritten)
		return PIN_UNWRITTEN;
	return sim->hold ? PIN_LATER : PIN_GO;
}

static void ask(struct sim *sim);
static void consider_pin(struct sim *sim);

static void hold(struct sim *sim)
{
	sim->hold = true;
	sim->held = sim->card;
}

static void refused(struct sim *sim, const struct qmi_message *m, uint16_t error)
{
	sim->refusal = error;
	if (error == INCORRECT_PIN || error == PIN_BLOCKED || error == PIN_ALWAYS_BLOCKED) {
		sim->pin.wrong = true;
		qmi_uim_retries(m, &sim->pin.left, &sim->card.puk_retries);
		note(sim);
	}
	log_warning("%s: the SIM refuses the PIN: %s; %u attempts are left", sim->config->dev,
		    qmi_error_name(error) ?: "no reason known", pin_left(sim));
}

static void on_verified(void *arg, int err, const struct qmi_message *m)
{
	struct sim *sim = arg;
	struct qmi_result res;

	if (!clients_answer(sim->clients, &err, m, &res))
		return;
	sim->verifying = false;
	hold(sim);
	sim->polls = 0;
	sim->accepted = !err && (!res.status || res.error == QMI_NO_EFFECT);
	if (!err && !sim->accepted)
		refused(sim, m, res.error);
	sim->asking = true;
	ask(sim); /* read the result */
}

static void verify(struct sim *sim)
{
	struct qmi_request r;

	/* Save before it is sent: the next process must know after a crash. */
	sim->pin.tries++;
	sim->pin.retries = sim->card.pin_retries;
	sim->unwritten = note(sim) < 0;
	if (sim->unwritten) {
		sim->pin.tries--;
		return;
	}
	sim->refusal = 0;
	sim->verifying = true;
	if (sim->dms)
		qmi_dms_verify_pin(&r, sim->config->pin);
	else
		qmi_uim_verify_pin(&r, sim->config->pin);
	clients_send(sim->clients, service_of(sim), &r, on_verified, sim);
}

/* The answer to an earlier try is unknown, but an attempt is missing: the PIN was wrong. */
static void check_counter(struct sim *sim)
{
	if (sim->verifying || sim->pin.wrong || !sim->pin.tries ||
	    sim->card.pin_retries >= sim->pin.retries)
		return;
	sim->pin.wrong = true;
	sim->pin.left = sim->card.pin_retries;
	note(sim);
}

static void consider_pin(struct sim *sim)
{
	const struct sim_pin_key key = key_of(sim);

	if (sim->card.state != QMI_SIM_PIN) {
		sim->accepted = sim->hold = false;
		if (sim->card.state == QMI_SIM_READY && sim->iccid.state == SIM_ICCID_SETTLED) {
			sim->pin.left = sim->pin.tries = 0;
			sim_pin_opened(&key);
		}
		return;
	}
	if (!sim->recalled)
		sim_pin_recall(&key, &sim->pin);
	sim->recalled = true;
	check_counter(sim);
	if (judge_pin(sim) == PIN_GO && !clients_giving_back(sim->clients))
		verify(sim);
}

/* A PIN is tried once for each SIM, so the SIM must be identified first. */
static bool knows_card(struct sim *sim)
{
	if (sim->card.state == QMI_SIM_ABSENT || sim->card.state == QMI_SIM_UNKNOWN ||
	    sim->card.state == QMI_SIM_ERROR) {
		sim_iccid_forget(&sim->iccid);
		sim->recalled = sim->accepted = sim->hold = false;
	} else if (sim->iccid.state == SIM_ICCID_UNKNOWN) {
		sim_iccid_ask(&sim->iccid);
	}
	return sim->card.state != QMI_SIM_PIN || sim->iccid.state == SIM_ICCID_SETTLED;
}

static void taken(struct sim *sim)
{
	sim->asking = !knows_card(sim);
	if (sim->asking)
		return;
	consider_pin(sim);
	sim->owner->changed(sim->arg);
}

static void on_iccid(void *arg)
{
	struct sim *sim = arg;

	sim->recalled = false;
	taken(sim);
}

/*
 * Takes the card's present status. One that differs from the status at the last try is a change. A card
 * that is ready no longer has been reset, or is another one, whose absence was not seen.
 */
static void take_card(struct sim *sim, const struct qmi_sim *card)
{
	if (sim->card.state == QMI_SIM_READY && card->state != QMI_SIM_READY)
		sim_iccid_forget(&sim->iccid);
	sim->card = *card;
	if (card->state != sim->held.state || card->pin_retries != sim->held.pin_retries)
		sim->hold = false;
}

static void on_status(void *arg, int err, const struct qmi_message *m)
{
	struct sim *sim = arg;
	struct qmi_sim card = {0};
	struct qmi_result res;
	bool reported;

	if (!clients_answer(sim->clients, &err, m, &res))
		return;
	if (err) {
		taken(sim);
		return;
	}
	reported = !res.status &&
		   (sim->dms ? qmi_dms_pin_status(m, &card) : qmi_uim_card_status(m, &card));
	if (reported)
		take_card(sim, &card);
	if (!reported && !sim->dms && clients_id(sim->clients, ID_DMS)) {
		sim->dms = true;
		ask(sim);
		return;
	}
	if (!reported)
		take_card(sim, &(struct qmi_sim){.state = QMI_SIM_UNKNOWN}); /* it may be out */
	taken(sim);
}

static void ask(struct sim *sim)
{
	struct qmi_request r;

	if (sim->dms)
		qmi_request_init(&r, QMI_DMS_GET_PIN_STATUS);
	else
		qmi_request_init(&r, QMI_UIM_GET_CARD_STATUS);
	clients_send(sim->clients, service_of(sim), &r, on_status, sim);
}

void sim_expect(struct sim *sim)
{
	sim->asking = true;
}

void sim_start(struct sim *sim)
{
	struct qmi_request r;

	sim->dms = !clients_id(sim->clients, ID_UIM);
	if (!clients_id(sim->clients, ID_UIM) && !clients_id(sim->clients, ID_DMS)) {
		taken(sim);
		return;
	}
	ask(sim);
	if (!clients_id(sim->clients, ID_UIM))
		return;
	qmi_uim_register_events(&r);
	clients_send_only(sim->clients, ID_UIM, &r);
}

void sim_poll(struct sim *sim, bool any_up)
{
	if ((is_open(sim) && any_up) || sim->verifying ||
	    !clients_id(sim->clients, service_of(sim)))
		return;
	if (sim->accepted && ++sim->polls >= ACCEPTED_POLLS)
		sim->accepted = false;
	sim->hold = sim->unwritten = false;
	ask(sim);
}

void sim_pin_changed(struct sim *sim)
{
	sim->recalled = sim->hold = false;
}

void sim_ask_again(struct sim *sim)
{
	if (is_open(sim) || sim->verifying || !clients_id(sim->clients, service_of(sim)))
		return;
	sim->asking = true;
	ask(sim);
}

void sim_indication(void *arg, const struct qmi_message *m)
{
	struct sim *sim = arg;
	struct qmi_sim card;

	if (m->id != QMI_UIM_CARD_STATUS || !qmi_uim_card_status(m, &card))
		return;
	take_card(sim, &card);
	sim->dms = false;
	if (!sim->verifying)
		taken(sim);
}

static void pin_missing(const struct sim *sim, char *why, size_t size)
{
	unsigned int left = pin_left(sim);
	const char *attempts = left == 1 ? "attempt" : "attempts";
	const char *refusal = sim->refusal ? qmi_error_name(sim->refusal) : "no answer";

	switch (judge_pin(sim)) {
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
			 sim->pin.tries, refusal ?: "no name known");
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

bool sim_is_pending(const struct sim *sim)
{
	return sim->asking || sim->verifying;
}

bool sim_needs_person(const struct sim *sim)
{
	if (sim_is_pending(sim))
		return false;
	switch (sim->card.state) {
	case QMI_SIM_PIN:
		return judge_pin(sim) > PIN_CHECKED && judge_pin(sim) != PIN_LATER;
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

const char *sim_until(const struct sim *sim)
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

	if (is_open(sim))
		return "";
	if (sim->card.lacks)
		return lacks[sim->card.lacks];
	if (sim->card.state == QMI_SIM_PIN && judge_pin(sim) == PIN_LATER)
		return "when the modem says something else of the SIM, or is asked again (poll=)";
	if (sim->card.state == QMI_SIM_PIN && judge_pin(sim) == PIN_UNWRITTEN)
		return "when the run directory takes files again (asked every poll=)";
	if (sim->card.state == QMI_SIM_PIN && *sim->config->pin && sim_needs_person(sim))
		return "when another pin= is given, the PIN is entered by hand, or another SIM is "
		       "put in";
	if (sim->card.state == QMI_SIM_PIN && sim_needs_person(sim))
		return "when pin= is given, or the PIN is entered by hand";
	return until[sim->card.state];
}

bool sim_missing(const struct sim *sim, char *why, size_t size)
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

	if (is_open(sim))
		return false;
	if (sim->card.state == QMI_SIM_PIN)
		pin_missing(sim, why, size);
	else if (sim->card.lacks)
		snprintf(why, size, "%s", lacks[sim->card.lacks]);
	else
		snprintf(why, size, "%s", reasons[sim->card.state]);
	return true;
}

const char *sim_iccid(const struct sim *sim)
{
	return sim->iccid.text;
}

struct json_object *sim_show(const struct sim *sim)
{
	struct json_object *o = json_object_new_object();
	unsigned int left = pin_left(sim);

	json_add_text(o, "state", qmi_sim_name(sim->card.state));
	json_add_text(o, "iccid", sim->iccid.text);
	json_add_known(o, "pin_retries", left, left);
	return o;
}

/* --- the object --- */

struct sim *sim_new(struct clients *clients, const struct config_trunk *config,
		    const struct sim_owner *owner, void *arg)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->clients = clients;
	sim->config = config;
	sim->owner = owner;
	sim->arg = arg;
	sim->iccid.clients = clients;
	sim->iccid.settled = on_iccid;
	sim->iccid.arg = sim;
	return sim;
}

void sim_free(struct sim **sim)
{
	free(*sim);
	*sim = NULL;
}
