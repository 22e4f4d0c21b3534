/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 by 464XLAT (RFC 6877) on ports whose network has IPv6 alone: when, with which prefix, and the
 * port's IPv4 address and route for it.
 */
#ifndef QMAP_TRUNK_CLAT_H
#define QMAP_TRUNK_CLAT_H

#include "port.h"

struct json_object;
struct trunk;
struct trunk_clat;

/* A call, an address or the configuration has changed: starts, changes or stops the translation. */
void trunk_clat_update(struct trunk *t, struct trunk_port *p);
/* IPv6 goes, or IPv4 comes: stops it, also what an earlier process has started. */
void trunk_clat_stop(struct trunk *t, struct trunk_port *p);
/* Attaches the programs again: another process has removed them, or the netdev is new. */
int trunk_clat_restore(struct trunk *t, struct trunk_port *p, struct error *err);
/* Frees what it knows about PDN @pdn; kernel and netdev stay as they are. */
void trunk_clat_forget(struct trunk *t, unsigned int pdn);
void trunk_clat_forget_all(struct trunk *t);
/* Object for `show`; NULL if it is not needed. */
struct json_object *trunk_clat_show(const struct trunk *t, const struct trunk_port *p);

#endif
