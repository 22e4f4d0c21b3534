/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_PROBE_H
#define QMAP_PROBE_H

#include "util/error.h"

struct json_object;

/*
 * Reports the capabilities of this machine and its modems, or those of @dev alone, as an array of
 * subjects, a new reference in @out. Needs neither daemon nor privileges. -ENODEV: no netdev @dev.
 */
int discover_probe(struct json_object **out, const char *dev, struct error *err);

#endif
