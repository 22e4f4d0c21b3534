/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about a port for hooks, and those passed to them last: a file of KEY=VALUE lines in the run
 * directory for each family of a port that is up. The files outlive the daemon, so that the next
 * one does not run hooks again for facts that have not changed.
 */
#ifndef QMAP_HOOK_FACTS_H
#define QMAP_HOOK_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct trunk_family;

/* Returns the lines for family @f, which is up; NULL without memory. The caller frees them. */
char *hook_facts(const struct trunk_family *f);

/* The lines for trunk @dev itself, as above. */
char *hook_facts_of_trunk(const char *dev);

/*
 * Returns the facts saved under @name ("wwan0.1.v4", "wwan0.modem"); NULL: none. The caller frees
 * them.
 */
char *hook_announced(const char *run_dir, const char *name);
void hook_tell(const char *run_dir, const char *name, const char *facts);
void hook_untell(const char *run_dir, const char *name);

/* Calls @fn for all saved facts of trunk @dev. */
void hook_each_announced(const char *run_dir, const char *dev,
			 void (*fn)(void *arg, const char *name, const char *facts), void *arg);

/* Removes all facts of trunk @dev, which was detached while no hook could run. */
void hook_forget(const char *run_dir, const char *dev);

/* Copies the value of @key in @facts to @buf; "" if there is none. */
void hook_fact(const char *facts, const char *key, char *buf, size_t size);

#endif
