/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_PROBE_H
#define QMAP_PROBE_H

#include "util/error.h"

struct json_object;

/*
 * Reports what this machine and its modems can do, or @dev alone: an array of subjects, new
 * reference in @out. Needs neither daemon nor privileges. -ENODEV: there is no netdev @dev.
 */
int discover_probe(struct json_object **out, const char *dev, struct error *err);

#endif
