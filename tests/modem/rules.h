/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and clearing the rules of faults.h; -1 for service, message, pdn or family is any. */
#ifndef MODEM_RULES_H
#define MODEM_RULES_H

#include "faults.h"

/* After the first `skip` answers `count` uses, negative: for ever. 0 or -ENOMEM. */
int faults_add_answer(struct modem *m, int service, int message, int skip, int count,
		      const struct fault *fault);
int faults_add_refusal(struct modem *m, int pdn, const char *apn, int family, int count,
		       const struct call_end *end);
void faults_clear(struct modem *m);

/* Next of a repeatable sequence; *state must not be 0. */
uint32_t faults_random(uint32_t *state);

#endif
