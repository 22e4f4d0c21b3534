/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `record` of the control socket: a stream of QMI messages, with whatever they contain. */
#ifndef QMAP_MANAGER_RECORD_H
#define QMAP_MANAGER_RECORD_H

#include <sys/queue.h>

#include "control/server.h"
#include "trunk/trunk.h"

struct qmi_message;

/* All zero: nobody records. */
struct recorders {
	LIST_HEAD(recorder_list, recorder) all;
};

/*
 * @args: "dev" (a trunk's name, absent: all). The first line has the version of qmapd; each other is an object: dev, ifindex (0: none), qmap
 * (enum qmap_version of the aggregates, 0: none), from_modem, bytes (in hexadecimal).
 */
void recorders_command(struct recorders *r, struct control_request *req, struct json_object *args);

void recorders_message(struct recorders *r, const struct trunk *t, bool from_modem,
		       const struct qmi_message *m);

/* The streams may live on, without messages. */
void recorders_clear(struct recorders *r);

#endif
