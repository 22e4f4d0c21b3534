/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters and drop reasons as JSON, the same for every data path. */
#ifndef QMAP_COUNTERS_H
#define QMAP_COUNTERS_H

#include <stdbool.h>

#include "qmap/abi.h"

struct json_object;

/* "unknown_mux" for QMAP_DROP_UNKNOWN_MUX; NULL for what is no reason. */
const char *qmap_drop_name(unsigned int reason);
/* The same in a few words for people. */
const char *qmap_drop_text(unsigned int reason);

struct json_object *counters_port_json(unsigned int mux, const struct qmap_port_stats *s, bool up,
				       bool flow_off);
/* Takes over the reference to the array @ports. */
struct json_object *counters_trunk_json(const struct qmap_trunk_stats *ts,
					struct json_object *ports);

#endif
