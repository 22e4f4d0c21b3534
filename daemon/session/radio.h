/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The radio: DMS. Other programs leave it off (ModemManager when it disables a modem, AT+CFUN=4 in
 * a boot script), and no answer about the network shows that. It is switched on, unless radio=keep;
 * but after repeated switching off by another program it stays off.
 */
#ifndef QMAP_SESSION_RADIO_H
#define QMAP_SESSION_RADIO_H

#include <stdbool.h>
#include <stddef.h>

#include "clients.h"

struct json_object;
struct radio;

struct radio_owner {
	/* The results of the functions below may have changed. */
	void (*changed)(void *arg);
	/* radio_save() differs: it must be saved before the callback returns. */
	void (*save)(void *arg);
};

/* @config: dev, radio. NULL: out of memory. */
struct radio *radio_new(struct clients *clients, const struct config_trunk *config,
			const struct radio_owner *owner, void *arg);
void radio_free(struct radio **r);

/* Requests the mode, and that the modem reports its changes; without a DMS client nothing. */
void radio_start(struct radio *r);
/* Handles an indication of DMS; @arg: the radio. */
void radio_indication(void *arg, const struct qmi_message *m);
/*
 * Requests the mode again if the radio is off, or @no_network: modems that send no indication of
 * their mode show it by having no network.
 */
void radio_poll(struct radio *r, bool no_network);
/* The user requests another attempt, or has changed the configuration. */
void radio_retry(struct radio *r);
/* As session_cycle_radio(), session_restart_modem(). */
int radio_cycle(struct radio *r);
int radio_restart_modem(struct radio *r);

/* Is an answer of the modem awaited before the radio can be judged? */
bool radio_is_pending(const struct radio *r);
/* Has qmapd switched the radio off, and is the answer to switching it on awaited? */
bool radio_is_due(const struct radio *r);
/* Sets the reason why no call is possible; false if it is. */
bool radio_missing(const struct radio *r, char *why, size_t size);
/* Must the user do something about it? */
bool radio_needs_person(const struct radio *r);
/* As call_until(). */
void radio_until(const struct radio *r, char *text, size_t size);
/* Name of the mode; NULL: unknown. */
const char *radio_mode(const struct radio *r);

/* The attempts to switch it on, for the next process. New reference. */
struct json_object *radio_save(const struct radio *r);
void radio_load(struct radio *r, struct json_object *state);

#endif
