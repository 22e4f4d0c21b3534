/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hooks are told of a port, and what they were told last: a file of KEY=VALUE lines in the run
 * directory for each family of a port that is up. It outlives the daemon, so that the next one
 * tells nobody what has been told already.
 */
#ifndef QMAP_HOOK_FACTS_H
#define QMAP_HOOK_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct trunk_family;

/* The lines for family @f, which is up; NULL without memory. The caller frees it. */
char *hook_facts(const struct trunk_family *f);

/* The lines for trunk @dev itself; likewise. */
char *hook_facts_of_trunk(const char *dev);

/* What has been told under @name ("wwan0.1.v4", "wwan0.modem"); NULL: nothing. To be freed. */
char *hook_told(const char *run_dir, const char *name);
void hook_tell(const char *run_dir, const char *name, const char *facts);
void hook_untell(const char *run_dir, const char *name);

/* Calls @fn for whatever has been told of trunk @dev. */
void hook_each_told(const char *run_dir, const char *dev,
		    void (*fn)(void *arg, const char *name, const char *facts), void *arg);

/* Forgets all of trunk @dev: it is detached, and nobody is there to tell. */
void hook_forget(const char *run_dir, const char *dev);

/* The value of @key in @facts into @buf; "" if there is none. */
void hook_fact(const char *facts, const char *key, char *buf, size_t size);

#endif
