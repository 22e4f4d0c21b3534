/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs programs of the administrator, one after the other for each trunk: without a shell, in a
 * process group of their own that is killed at the time limit. qmapd does not wait for them.
 */
#ifndef QMAP_HOOK_RUN_H
#define QMAP_HOOK_RUN_H

#include "util/error.h"

struct config_trunk;
struct event_base;
struct hook_runner;

int hook_runner_new(struct hook_runner **out, struct event_base *base, struct error *err);

/*
 * For a process that ends: gives all runs ten seconds to begin and end, in the event loop. They are saved as
 * announced, so that the next process would not run them.
 */
void hook_runner_finish(struct hook_runner *r);

/* Drops runs that have not begun; running ones continue unobserved. */
void hook_runner_free(struct hook_runner **r);

/*
 * Queues @program (a path) behind the runs of trunk @dev. @env: its whole environment, one
 * KEY=VALUE a line. Standard input is empty, output goes to the log line by line. Killed after
 * @seconds. The log reports programs that cannot be run.
 */
void hook_run(struct hook_runner *r, const char *dev, const char *program, const char *env,
	      unsigned int seconds);

/*
 * May we run @program? @real, of PATH_MAX bytes, gets the checked path without links. -EACCES:
 * another user could replace it, or it is not executable; -ENOENT, ...
 */
int hook_check(const char *program, char *real, struct error *err);

/*
 * Warns of hooks that hook_check() refuses now, and of PDNs whose settings do nothing without a hook:
 * lan, passthrough.
 */
void hook_warn(const struct config_trunk *config);

#endif
