/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs change our netdevs, too. Damage is repaired, deliberate changes are reported, both
 * with an event. Damage that comes back again and again stays.
 *
 * Netlink events are only hints: any event makes the ports be checked, a moment later and once for
 * all events until then, and only differences from the configuration matter. So our own changes,
 * and lost events, do no harm.
 */
#ifndef QMAP_TRUNK_REPAIR_H
#define QMAP_TRUNK_REPAIR_H

struct trunk;
struct trunk_repair;
struct trunk_env;
struct error;

int trunk_repair_new(struct trunk_repair **out, struct trunk *t, struct error *err);
void trunk_repair_free(struct trunk_repair **r);

/* The ports exist: starts to listen in their namespaces. */
void trunk_repair_watch(struct trunk_repair *r);
/* The ports are about to be removed. */
void trunk_repair_unwatch(struct trunk_repair *r);

#endif
