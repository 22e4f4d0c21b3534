/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callers that wait for calls: trunk_wait(), trunk_verdict() of trunk.h. */
#ifndef QMAP_TRUNK_SETTLE_H
#define QMAP_TRUNK_SETTLE_H

struct error;
struct trunk;
struct trunk_settle;

/* NULL: no memory. */
struct trunk_settle *trunk_settle_new(struct trunk *t);
void trunk_settle_free(struct trunk_settle **s);
/* A call or the session has changed. */
void trunk_settle_look(struct trunk_settle *s);
/* Ends every wait because of @err. */
void trunk_settle_end(struct trunk *t, const struct error *err);

#endif
