/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to the service manager while qmapd runs: the event loop is alive (WATCHDOG=1, twice in
 * the time that the manager allows), and the last event (STATUS=, at most once a second).
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
