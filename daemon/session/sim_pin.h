/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PINs that were tried: after the third wrong one a SIM requires its PUK, so neither a restart nor
 * a new attach may count from zero. They are kept in a file, as hashes.
 */
#ifndef QMAP_SESSION_SIM_PIN_H
#define QMAP_SESSION_SIM_PIN_H

#include <stdbool.h>

/* State of one PIN and one SIM that outlives this process. */
struct sim_pin_memory {
	unsigned int tries;   /* without a verdict of the modem */
	unsigned int retries; /* attempts that the SIM had left before the last try */
	bool wrong;	      /* the modem has said so */
	unsigned int left; /* attempts left after such an answer to this or another PIN; 0: none */
};

struct sim_pin_key {
	const char *dir; /* of the file; NULL: nothing is kept */
	const char *sim; /* the ICCID, or the name of the trunk if the modem does not report it */
	const char *pin; /* "": none */
};

/* All zero if nothing is known. */
void sim_pin_recall(const struct sim_pin_key *key, struct sim_pin_memory *memory);
/* Negative errno: could not be saved. */
int sim_pin_note(const struct sim_pin_key *key, const struct sim_pin_memory *memory);
/* The SIM is unlocked: its counter is reset, and a PIN without a verdict may be tried again. */
void sim_pin_opened(const struct sim_pin_key *key);

#endif
