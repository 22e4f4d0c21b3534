/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reconciles a port with the kernel, and says how it is damaged. */
#ifndef QMAP_TRUNK_PORT_ROWS_H
#define QMAP_TRUNK_PORT_ROWS_H

#include <stdint.h>

#include "model/states.h"

struct json_object;
struct rtnl_snapshot;
struct trunk;
struct trunk_port;

/* Adds an event about a port that another program has changed, and saves. */
void trunk_port_event(struct trunk *t, const struct trunk_port *p, enum netdev_outcome outcome,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Spreads the packets of a port by steer=, unless another namespace hides it. With auto and off the CPUs
 * that another program has chosen stay.
 */
void trunk_port_steer(const struct trunk *t, struct trunk_port *p);
/*
 * Runs its rows over a port by a snapshot of its namespace (NULL: there is none of that name).
 * Returns keep_run()'s.
 */
unsigned int trunk_port_reconcile(struct trunk *t, struct trunk_port *p,
				  const struct rtnl_snapshot *kernel, int64_t now);
/* Finds a port that has another number since it was in another namespace; else leaves its number as it is. */
void trunk_port_find(struct trunk *t, struct trunk_port *p);
/* Only looks; by a snapshot of this port alone. */
void trunk_port_compare(struct trunk *t, struct trunk_port *p, const struct rtnl_snapshot *kernel);
void trunk_port_look(struct trunk *t, struct trunk_port *p);
/* Damage to its netdev by the last look, which affects both families; NULL: none. */
const char *trunk_port_damage(const struct trunk_port *p);
/* Why @family (4 or 6) is unusable although its call is up; NULL: it is usable. */
const char *trunk_port_damage_of(const struct trunk_port *p, int family);
/* Array of sentences about all damage. New reference. */
struct json_object *trunk_port_damage_list(const struct trunk_port *p);

#endif
