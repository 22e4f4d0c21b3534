/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a PDN's link works, for setting failover: a link is dead when it has received nothing for
 * config->watchdog seconds, not even an answer of its DNS servers, and alive when it has received
 * something at two looks since. Default routes of a dead link have a higher metric.
 */
#ifndef QMAP_TRUNK_FAILOVER_H
#define QMAP_TRUNK_FAILOVER_H

struct trunk;
struct trunk_port;

/* As session_ops.quiet, silent, heard. */
void trunk_failover_quiet(struct trunk *t, unsigned int pdn);
void trunk_failover_silent(struct trunk *t, unsigned int pdn);
void trunk_failover_heard(struct trunk *t, unsigned int pdn);
/* Frees p->failover. */
void trunk_failover_forget(struct trunk_port *p);

#endif
