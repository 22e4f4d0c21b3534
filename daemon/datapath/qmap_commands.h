/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMAP commands that BPF programs report through a ring buffer (struct qmap_event). The programs
 * act on them; here they are logged and, if the program cannot do that itself, answered.
 */
#ifndef QMAP_DATAPATH_QMAP_COMMANDS_H
#define QMAP_DATAPATH_QMAP_COMMANDS_H

#include <stdbool.h>

#include "util/error.h"

struct commands;

/* @answer: send answers out of netdev @trunk. */
int commands_open(struct commands **out, int ring, unsigned int trunk, bool answer,
		  struct error *err);
void commands_close(struct commands **c);

/* Readable when commands are pending. */
int commands_fd(const struct commands *c);
/* Flow control is answered with "unsupported" from now on, or with an acknowledgement again. */
void commands_obey(struct commands *c, bool obey);
int commands_read(struct commands *c, struct error *err);

#endif
