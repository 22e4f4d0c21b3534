/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selects the events for which the hooks of a trunk run, and their environment. */
#ifndef QMAP_HOOKS_H
#define QMAP_HOOKS_H

#include "util/error.h"

struct event_base;
struct events;
struct hooks;
struct trunk_list;

/* Subscribes to @events. @run_dir: directory for saved facts. */
int hooks_new(struct hooks **out, struct event_base *base, struct events *events,
	      struct trunk_list *list, const char *run_dir, struct error *err);
/* See hook_runner_finish(). */
void hooks_finish(struct hooks *h);
void hooks_free(struct hooks **h);

#endif
