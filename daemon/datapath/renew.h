/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaces programs that an earlier qmapd has attached and whose code differs from this one's,
 * while packets flow, without detaching them.
 */
#ifndef QMAP_RENEW_H
#define QMAP_RENEW_H

#include <stdbool.h>
#include <stddef.h>

#include "keep/keep.h"
#include "util/error.h"
#include "pins.h"
#include "qmap/abi.h"

/* Saves the constants of the programs in a pin for their successors. 0 or a negative errno. */
int renew_put_config(const struct pins *pins, const struct qmap_config *config, struct error *err);
int renew_get_config(const struct pins *pins, struct qmap_config *config, struct error *err);
void renew_remove_config(const struct pins *pins);

/*
 * Does the running program have the same code as @prog? Compares tags, the kernel's hash over a
 * program's instructions. False also if the kernel does not report them.
 */
bool renew_same_program(int running, int prog);
bool renew_same_link(int link, int prog);

/* Makes the link run @prog; every packet meets either the old program or the new one. */
int renew_link(int link, int prog, struct error *err);

/* For rows of the reconciler: KEEP_WRONG if another process has detached link @link. */
enum keep_look renew_look(int link);
/* Creates a link of the program of @link, pinned as @pin, on @ifindex with @flags (XDP_FLAGS_*), and
 * replaces both. */
struct renew_place {
	const char *pin;
	unsigned int ifindex;
	unsigned int flags;
};
int renew_attach(const struct pins *pins, const struct renew_place *place, int *link,
		 struct error *err);
/* Of rows of programs: their sentence, and a budget for a process that removes them for ever. */
#define RENEW_WHAT "somebody has taken the program off %s"
#define RENEW_BUDGET                                                                               \
	{                                                                                          \
		.rest_ms = 1000                                                                    \
	}
/* Adds the name of a netdev to a row's detail. */
void renew_add_name(char *detail, const char *name);

/* Replaces the pin @name, and *@kept, which is closed, by @fd. */
int renew_pin(const struct pins *pins, const char *name, int fd, int *kept, struct error *err);

#endif
