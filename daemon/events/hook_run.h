/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of the administrator, run one after the other for each trunk: without a shell, in a
 * process group of their own that is killed when their time is over, and never waited for.
 */
#ifndef QMAP_HOOK_RUN_H
#define QMAP_HOOK_RUN_H

#include "util/error.h"

struct event_base;
struct hook_runner;

int hook_runner_new(struct hook_runner **out, struct event_base *base, struct error *err);

/* Forgets what has not begun; what runs goes on, and nobody hears of it. */
void hook_runner_free(struct hook_runner **r);

/*
 * Queues @program (a path) behind what runs for trunk @dev. @env: its whole environment, one
 * KEY=VALUE a line. Standard input is empty, output goes to the log line by line. Killed after
 * @seconds. What cannot be run is told by the log.
 */
void hook_run(struct hook_runner *r, const char *dev, const char *program, const char *env,
	      unsigned int seconds);

/* May root run it on somebody's behalf? -EACCES: somebody else could have changed it; -ENOENT, ...
 */
int hook_check(const char *program, struct error *err);

#endif
