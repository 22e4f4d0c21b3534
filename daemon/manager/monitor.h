/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `monitor` of the control socket: a stream of events. */
#ifndef QMAP_MANAGER_MONITOR_H
#define QMAP_MANAGER_MONITOR_H

#include "control/server.h"
#include "events/events.h"

/* @args: "dev" (a trunk's name, absent: all) and "last" (number of kept events to send first). */
void trunk_monitor(struct control_request *req, struct json_object *args, struct events *events);

#endif
