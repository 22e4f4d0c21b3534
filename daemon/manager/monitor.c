// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/json_get.h"

struct monitor {
	char dev[IFNAMSIZ]; /* empty: all */
	struct events_subscriber *subscriber;
	struct control_stream *stream;
};

static const char *dev_of(const struct monitor *m)
{
	return m->dev[0] ? m->dev : NULL;
}

static void on_closed(void *arg)
{
	struct monitor *m = arg;

	events_unsubscribe(m->subscriber);
	free(m);
}

static void on_event(void *arg, const struct events_entry *e)
{
	struct monitor *m = arg;

	if (events_is_of(e, dev_of(m)))
		control_stream_send(m->stream, events_to_json(e));
}

void trunk_monitor(struct control_request *req, struct json_object *args, struct events *events)
{
	const char *dev = control_args_string(args, "dev");
	struct monitor *m = calloc(1, sizeof(*m));
	int64_t n = json_get_int(args, "last");
	unsigned int last = n < 0 || n > EVENTS_KEPT ? EVENTS_KEPT : n;
	struct error err = {0};

	if (m)
		m->subscriber = events_subscribe(events, on_event, m);
	if (!m || !m->subscriber) {
		error_set(&err, -ENOMEM, "out of memory");
		control_reply_error(req, &err);
		free(m);
		return;
	}
	snprintf(m->dev, sizeof(m->dev), "%s", dev ? dev : "");
	if (control_stream_open(&m->stream, req, on_closed, m)) {
		on_closed(m);
		return;
	}
	events_last(events, dev_of(m), last, on_event, m);
}
