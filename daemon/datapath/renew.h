/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaces programs that an earlier qmapd has attached and whose code differs from this one's,
 * while packets flow, without detaching them.
 */
#ifndef QMAP_RENEW_H
#define QMAP_RENEW_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "pins.h"
#include "qmap/abi.h"

/* Saves the constants of the programs in a pin for their successors. 0 or a negative errno. */
int renew_put_config(const struct pins *pins, const struct qmap_config *config, struct error *err);
int renew_get_config(const struct pins *pins, struct qmap_config *config, struct error *err);

/*
 * Does the running program have the same code as @prog? Compares tags, the kernel's hash over a
 * program's instructions. False also if the kernel does not report them.
 */
bool renew_same_program(int running, int prog);
bool renew_same_link(int link, int prog);

/* Makes the link run @prog; every packet meets either the old program or the new one. */
int renew_link(int link, int prog, struct error *err);

/*
 * If another process has detached link *@link, pinned as @pin: creates a link of the same program
 * on @ifindex with @flags (XDP_FLAGS_*), and replaces both. @where: see datapath_ops.mend.
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

/* Replaces the pin @name, and *@kept, which is closed, by @fd. */
int renew_pin(const struct pins *pins, const char *name, int fd, int *kept, struct error *err);

#endif
