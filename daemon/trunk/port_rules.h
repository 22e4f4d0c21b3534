/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing rules of a PDN with a routing table of its own: packets with its source address and sockets bound to
 * its port use that table, so that no PDN gets packets that belong to another, whose network would drop them.
 */
#ifndef QMAP_TRUNK_PORT_RULES_H
#define QMAP_TRUNK_PORT_RULES_H

#include <stdbool.h>

struct config_pdn;
struct error;
struct ip_settings;
struct rtnl;
struct rtnl_snapshot;
struct trunk_port;

/* Adds the rules of @s, if its PDN has any. May be within a batch. */
int trunk_port_rules_add(struct rtnl *nl, const struct trunk_port *p, const struct ip_settings *s,
			 struct error *err);
/* Changes those of @s from those of @old to those of its PDN. */
int trunk_port_rules_change(struct rtnl *nl, const struct trunk_port *p,
			    const struct config_pdn *old, const struct ip_settings *s,
			    struct error *err);
/* Deletes those of @s, which is no longer up (family 0: not known), and stale ones. The port may be gone. */
void trunk_port_rules_remove(const struct trunk_port *p, const struct ip_settings *s);
/* The port had the name @old. */
void trunk_port_rules_rename(const struct trunk_port *p, const char *old);
/* Does @kernel have the rules of each family that is up and has no fault? */
bool trunk_port_rules_are_set(const struct trunk_port *p, const struct rtnl_snapshot *kernel);

#endif
