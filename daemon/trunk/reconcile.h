/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the rows of a trunk: trunk_look() and its like of trunk.h. */
#ifndef QMAP_TRUNK_RECONCILE_H
#define QMAP_TRUNK_RECONCILE_H

struct json_object;
struct trunk;
struct trunk_look;

/* NULL: no memory. */
struct trunk_look *trunk_look_new(struct trunk *t);
void trunk_look_free(struct trunk_look **l);
/* Looks at the poll's intervals between begin and end. */
void trunk_look_begin(struct trunk *t);
void trunk_look_end(struct trunk_look *l);
/* The modem is set up: fixes of the netdev that were given up are tried again. */
void trunk_look_forgive(struct trunk_look *l);
/* Array of sentences about damage to its netdev that stays. New reference. */
struct json_object *trunk_damage_list(const struct trunk *t);

#endif
