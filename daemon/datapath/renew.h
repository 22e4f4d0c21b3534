/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that an earlier qmapd has attached, and which this one has other code for: put in each
 * other's place while packets flow, never detached.
 */
#ifndef QMAP_RENEW_H
#define QMAP_RENEW_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "pins.h"
#include "qmap/abi.h"

/* What the programs are loaded with, pinned for their successors. 0 or a negative errno. */
int renew_put_config(const struct pins *pins, const struct qmap_config *config, struct error *err);
int renew_get_config(const struct pins *pins, struct qmap_config *config, struct error *err);

/*
 * Does what runs have the same code as @prog? Compared by tag, the kernel's hash over a program's
 * instructions. False also where the kernel does not tell.
 */
bool renew_same_program(int running, int prog);
bool renew_same_link(int link, int prog);

/* The link runs @prog from now on; every packet meets either the old program or the new one. */
int renew_link(int link, int prog, struct error *err);

/*
 * If somebody has detached link *@link, pinned as @pin: a new one of the same program, at @ifindex
 * with @flags (XDP_FLAGS_*), in the place of both. @where: see datapath_ops.mend.
 */
struct renew_place {
	const char *pin;
	unsigned int ifindex;
	unsigned int flags;
};
int renew_detached_link(const struct pins *pins, const struct renew_place *place, int *link,
			char *where, size_t size, struct error *err);
/* Adds the name of netdev @ifindex to @where. */
void renew_add_where(char *where, size_t size, unsigned int ifindex);

/* Puts @fd in the place of what is pinned as @name, and of *@kept, which is closed. */
int renew_pin(const struct pins *pins, const char *name, int fd, int *kept, struct error *err);

#endif
