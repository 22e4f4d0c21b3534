/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PDNs of a trunk carry in a month (totals/totals.h), and their quotas. */
#ifndef QMAP_TRUNK_TOTALS_H
#define QMAP_TRUNK_TOTALS_H

struct config_pdn;
struct json_object;
struct trunk;
struct trunk_port;

/* The data path is new, and so are its counters. */
void trunk_totals_begin(struct trunk *t);
/* So are those of a port that is added to it. */
void trunk_totals_begin_port(struct trunk *t, const struct trunk_port *p);
/*
 * Adds to @o: "quota" (megabytes, null: none), "quota_reached", "totals" (totals_show()), as of the
 * last look.
 */
void trunk_totals_show(const struct trunk *t, const struct config_pdn *pdn, struct json_object *o);

#endif
