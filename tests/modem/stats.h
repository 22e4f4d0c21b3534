/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem's state and counters as JSON. */
#ifndef MODEM_STATS_H
#define MODEM_STATS_H

#include "modem.h"

#include <json-c/json.h>

/* Returns all of it, never NULL. */
struct json_object *stats_json(struct modem *m);

/* Returns the part at a dotted path, like pdn.1.ul_packets: to be put, or NULL. */
struct json_object *stats_at(struct modem *m, const char *path);

/* Sets counters to zero; state stays. */
void stats_reset(struct modem *m);

#endif
