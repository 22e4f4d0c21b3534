/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMAP_PROBE_MODEM_H
#define QMAP_PROBE_MODEM_H

#include "discover.h"

struct json_object;

/* The keys of `probe` in qmapctl(8), except checks and datapaths. New reference. */
struct json_object *probe_modem_json(const char *sysfs, const struct modem *m);

#endif
