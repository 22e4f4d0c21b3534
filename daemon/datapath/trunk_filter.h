/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tc filter at ingress of the trunk that runs a program of ours. A filter cannot be pinned (links
 * for tc came with Linux 6.6), so it is recognised by the name of its program. It is the first in line:
 * other users' filters come behind it.
 */
#ifndef QMAP_TRUNK_FILTER_H
#define QMAP_TRUNK_FILTER_H

#include <stdbool.h>

#include "keep/keep.h"
#include "util/error.h"

struct rtnl;

/* Attaches @prog. -EBUSY: another XDP program is on the trunk and would see aggregates first. */
int trunk_filter_attach(unsigned int trunk, int prog, struct error *err);
/* For a row of the reconciler: KEEP_WRONG unless the filter runs a program named @program. */
enum keep_look trunk_filter_look(unsigned int trunk, const char *program, char *detail);
/* Replaces an earlier program named @program by @prog, if the filter runs one and it differs. */
int trunk_filter_renew(unsigned int trunk, const char *program, int prog, bool *changed,
		       struct error *err);
/* Removes the filter if it runs a program named @program, and clsact with its last filter. */
void trunk_filter_remove(struct rtnl *nl, unsigned int trunk, const char *program);

#endif
