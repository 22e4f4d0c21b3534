/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SIM and its PIN: UIM, or DMS on modems without UIM. After the third wrong PIN a SIM requires
 * its PUK. So a PIN is entered only if two or more attempts are left, and never again once the
 * modem has called it wrong; one that the modem does not check, because it is not ready or dies, is
 * entered three times at most. The modem's answer to the PIN itself counts for more than the card's
 * status afterwards: some (RM520N) report a PIN lock that does not exist while the SIM initialises.
 */
#ifndef QMAP_SESSION_SIM_H
#define QMAP_SESSION_SIM_H

#include <stdbool.h>
#include <stddef.h>

#include "clients.h"

struct json_object;
struct sim;

struct sim_owner {
	/* The results of the functions below may have changed. */
	void (*changed)(void *arg);
	/* Directory for PINs that were tried; NULL: they are not kept. */
	const char *(*run_dir)(void *arg);
};

/* @config: dev, pin. NULL: out of memory. */
struct sim *sim_new(struct clients *clients, const struct config_trunk *config,
		    const struct sim_owner *owner, void *arg);
void sim_free(struct sim **sim);

/* sim_start() follows; until it has an answer, calls wait. */
void sim_expect(struct sim *sim);
/* Requests the card's status, and that the modem reports its changes. */
void sim_start(struct sim *sim);
/* Handles an indication of UIM; @arg: the sim. */
void sim_indication(void *arg, const struct qmi_message *m);
/*
 * Requests the status again while the SIM is not ready, or no call is up: a modem without UIM does not
 * report a change.
 */
void sim_poll(struct sim *sim, bool any_up);
/* The configuration has another PIN: it may be tried. */
void sim_pin_changed(struct sim *sim);
/* As sim_poll(), and calls wait for the answer. */
void sim_ask_again(struct sim *sim);

/* Is an answer of the modem awaited before the SIM can be judged? */
bool sim_is_pending(const struct sim *sim);
/* Sets the reason why no call is possible; false if it is. */
bool sim_missing(const struct sim *sim, char *why, size_t size);
/* As call_until(). */
const char *sim_until(const struct sim *sim);
/* Must the user do something about the SIM? */
bool sim_needs_person(const struct sim *sim);
/* Empty: unknown. */
const char *sim_iccid(const struct sim *sim);
/* {"state", "iccid", "pin_retries"}. New reference. */
struct json_object *sim_show(const struct sim *sim);

#endif
