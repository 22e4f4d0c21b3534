/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What qmapctl can do alone when no daemon answers: read and remove what is pinned. The data path
 * needs no daemon, so neither must looking at it nor taking it down.
 *
 * @dev: name of a trunk; NULL: all of them. -ENODEV if @dev is not attached, -EACCES or -EPERM
 * without the privileges.
 */
#ifndef QMAP_LOCAL_H
#define QMAP_LOCAL_H

#include "util/error.h"

struct json_object;

/* The same arrays as the daemon's replies, as far as the pins tell. New reference in @out. */
int local_show(struct json_object **out, const char *dev, struct error *err);
int local_stats(struct json_object **out, const char *dev, struct error *err);

/* Configurations, with passwords. */
int local_dump(struct json_object **out, const char *dev, struct error *err);

/*
 * Ends the data calls, gives the client ids back, removes links, netdevs and pins, as the daemon
 * would. @dev must be given.
 */
int local_detach(const char *dev, struct error *err);

#endif
