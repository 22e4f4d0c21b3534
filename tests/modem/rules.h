/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds and removes the rules of faults.h; -1 for service, message, pdn or family means any. */
#ifndef MODEM_RULES_H
#define MODEM_RULES_H

#include "faults.h"

/* Skips `skip` answers, then applies to `count`; negative: to all. 0 or -ENOMEM. */
int faults_add_answer(struct modem *m, int service, int message, int skip, int count,
		      const struct fault *fault);
int faults_add_refusal(struct modem *m, int pdn, const char *apn, int family, int count,
		       const struct call_end *end);
void faults_clear(struct modem *m);

/* Next number of a repeatable sequence; *state must not be 0. */
uint32_t faults_random(uint32_t *state);

#endif
