/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands. */
#ifndef MODEM_FAULTCMD_H
#define MODEM_FAULTCMD_H

#include "command.h"

extern const struct command fault_commands[];
extern const unsigned int fault_command_count;

/* PDN of pdn= (must be there), or NULL with the error set. */
struct pdn *arg_pdn(struct modem *m, struct args *a);

/* Family of family=4|6, or -1 if absent or wrong (then with the error set). */
int arg_family(struct args *a);

/* Bytes of a hex text. Returns how many, or -1 if it is none or does not fit. */
int hex_decode(const char *text, uint8_t *buf, size_t size);

#endif
