/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that qmapctl executes itself when no daemon is running: it reads and removes pins. The
 * data path needs no daemon, so neither must showing it nor removing it.
 *
 * @dev: name of a trunk; NULL: all of them. -ENODEV if @dev is not attached, -EACCES or -EPERM
 * without the privileges.
 */
#ifndef QMAP_LOCAL_H
#define QMAP_LOCAL_H

#include "util/error.h"

struct json_object;

/*
 * The same arrays as in the daemon's replies, as far as the pins contain them. New reference in
 * @out.
 */
int local_show(struct json_object **out, const char *dev, struct error *err);
int local_stats(struct json_object **out, const char *dev, struct error *err);

/* Returns configurations, with passwords. */
int local_dump(struct json_object **out, const char *dev, struct error *err);

/*
 * Ends the data calls, releases the client ids, removes links, netdevs and pins, as the daemon
 * would. @dev must be given.
 */
int local_detach(const char *dev, struct error *err);

#endif
