/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a port, in words: for events, for `show`, for hooks. */
#ifndef QMAP_TRUNK_DAMAGE_H
#define QMAP_TRUNK_DAMAGE_H

#include "port.h"

struct json_object;

/* What somebody else has done to it. */
const char *trunk_damage_text(enum trunk_fight_about about);

/*
 * Why @family (4 or 6) cannot be used although its call is up, as the port was when last looked at;
 * NULL: it can.
 */
const char *trunk_damage_of_family(const struct trunk_port *p, int family);

/* All of it, as an array of sentences. New reference. */
struct json_object *trunk_damage_list(const struct trunk_port *p);

#endif
