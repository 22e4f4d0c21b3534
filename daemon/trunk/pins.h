/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a trunk that outlives the process. */
#ifndef QMAP_TRUNK_PINS_H
#define QMAP_TRUNK_PINS_H

#include <stdbool.h>

struct error;
struct trunk;

int trunk_save_new(struct trunk *t);
/* Saves now: before a request or change whose effect would have to be found again. */
void trunk_save(struct trunk *t);
/* Saves once per iteration of the event loop: for state that only describes events. */
void trunk_save_later(struct trunk *t);
/* Creates pins for the present netdev, or for none, and removes those of the previous place. */
int trunk_move_pins(struct trunk *t, struct error *err);
/* Removes all pins but the one that trunk_save() writes. */
int trunk_clear_pins(struct trunk *t, struct error *err);
/* Is @ifindex the number of a set of pins without a netdev? */
bool trunk_pins_absent(unsigned int ifindex);

#endif
