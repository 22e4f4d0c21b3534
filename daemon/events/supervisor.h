/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager hears while qmapd runs: that the event loop turns (WATCHDOG=1, twice in
 * the time that the manager allows), and what happened last (STATUS=, at most once a second).
 */
#ifndef QMAP_SUPERVISOR_H
#define QMAP_SUPERVISOR_H

#include "util/error.h"

struct event_base;
struct events;
struct supervisor;

int supervisor_new(struct supervisor **out, struct event_base *base, struct events *events,
		   struct error *err);
void supervisor_free(struct supervisor **s);

#endif
