/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of drop reasons; counters as JSON. */
#ifndef QMAP_COUNTERS_H
#define QMAP_COUNTERS_H

#include "datapath.h"

struct json_object;

/* "unknown_mux" for QMAP_DROP_UNKNOWN_MUX; NULL for an unknown reason. */
const char *qmap_drop_name(unsigned int reason);
/* A short description for people. */
const char *qmap_drop_text(unsigned int reason);

/* The output of `stats` for trunk @dev; see qmapctl(8). New reference. */
struct json_object *counters_to_json(const char *dev, const char *datapath,
				     const struct datapath_stats *s);

#endif
