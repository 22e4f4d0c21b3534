/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands. */
#ifndef MODEM_FAULTCMD_H
#define MODEM_FAULTCMD_H

#include "command.h"

extern const struct command fault_commands[];
extern const unsigned int fault_command_count;

/* PDN of pdn= (required), or NULL with the error set. */
struct pdn *arg_pdn(struct modem *m, struct args *a);

/* Family of family=4|6, or -1 if absent or wrong (then with the error set). */
int arg_family(struct args *a);

/*
 * Decodes hexadecimal text. Returns the number of bytes, or -1 if the text is invalid or too
 * long.
 */
int hex_decode(const char *text, uint8_t *buf, size_t size);

#endif
