/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Others work on our netdevs, too. What they damage is repaired, what is their wish is reported:
 * each as an event. What they damage again and again is left to them.
 *
 * Netlink events are only hints: whatever comes makes the ports be looked at, a moment later and
 * once for all that has come by then, and only what differs from what it should be counts. So
 * our own changes, and events that were lost, do no harm.
 */
#ifndef QMAP_TRUNK_REPAIR_H
#define QMAP_TRUNK_REPAIR_H

struct trunk;
struct trunk_repair;
struct trunk_env;
struct error;

int trunk_repair_new(struct trunk_repair **out, struct trunk *t, struct error *err);
void trunk_repair_free(struct trunk_repair **r);

/* The ports are there: those in other namespaces are listened to there. */
void trunk_repair_watch(struct trunk_repair *r);
/* They are going. */
void trunk_repair_unwatch(struct trunk_repair *r);

/* Look soon. */
void trunk_repair_soon(struct trunk_repair *r);
/* Look again when somebody has had the time to finish what he is doing. */
#define TRUNK_REPAIR_LATE_MS 300
void trunk_repair_late(struct trunk_repair *r);

#endif
