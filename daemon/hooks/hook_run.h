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

/*
 * May we run @program? @real, of PATH_MAX bytes, gets the path that has been checked, without
 * links. -EACCES: another user could change what would be run, or it is no program; -ENOENT, ...
 */
int hook_check(const char *program, char *real, struct error *err);

/* Warns of those of @programs (paths with blanks between them) that hook_check() refuses today. */
void hook_warn(const char *dev, const char *programs);

#endif
