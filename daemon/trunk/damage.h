/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes damage to a port in words: for events, for `show`, for hooks. */
#ifndef QMAP_TRUNK_DAMAGE_H
#define QMAP_TRUNK_DAMAGE_H

#include "port.h"

struct json_object;

/* Text for a change made by another program. */
const char *trunk_damage_text(enum trunk_fight_about about);

/*
 * Why @family (4 or 6) is unusable although its call is up, according to the last look at the port;
 * NULL: it is usable.
 */
const char *trunk_damage_of_family(const struct trunk_port *p, int family);

/* Array of sentences about all damage. New reference. */
struct json_object *trunk_damage_list(const struct trunk_port *p);

#endif
