// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmi/message.h"
#include "util/hex.h"
#include "util/json_add.h"

struct recorder {
	LIST_ENTRY(recorder) entry;
	bool listed;
	char dev[IFNAMSIZ]; /* empty: all */
	struct control_stream *stream;
};

static void on_closed(void *arg)
{
	struct recorder *r = arg;

	if (r->listed)
		LIST_REMOVE(r, entry);
	free(r);
}

void recorders_command(struct recorders *all, struct control_request *req, struct json_object *args)
{
	const char *dev = control_args_string(args, "dev");
	struct recorder *r = calloc(1, sizeof(*r));
	struct json_object *hello;
	struct error err = {0};

	if (!r) {
		error_set(&err, -ENOMEM, "out of memory");
		control_reply_error(req, &err);
		return;
	}
	snprintf(r->dev, sizeof(r->dev), "%s", dev ? dev : "");
	if (control_stream_open(&r->stream, req, on_closed, r)) {
		free(r);
		return;
	}
	LIST_INSERT_HEAD(&all->all, r, entry);
	r->listed = true;
	hello = json_object_new_object();
	json_add_string(hello, "version", QMAP_VERSION);
	control_stream_send(r->stream, hello);
}

void recorders_clear(struct recorders *all)
{
	struct recorder *r;

	while ((r = LIST_FIRST(&all->all))) {
		LIST_REMOVE(r, entry);
		r->listed = false;
	}
}

static struct json_object *to_json(const struct trunk *t, bool from_modem, const uint8_t *buf,
				   size_t len)
{
	struct json_object *o = json_object_new_object();
	char hex[3 * QMI_MAX_MESSAGE + 1];

	json_add_string(o, "dev", trunk_name(t));
	json_add_int(o, "ifindex", trunk_ifindex(t));
	json_add_int(o, "qmap", trunk_qmap_version(t));
	json_add_bool(o, "from_modem", from_modem);
	json_add_string(o, "bytes", hex_format(buf, len, hex, sizeof(hex)));
	explicit_bzero(hex, sizeof(hex));
	return o;
}

void recorders_message(struct recorders *all, const struct trunk *t, bool from_modem,
		       const struct qmi_message *m)
{
	uint8_t buf[QMI_MAX_MESSAGE];
	struct recorder *r;
	int len;

	if (LIST_EMPTY(&all->all))
		return;
	len = qmi_message_write(m, buf, sizeof(buf));
	if (len < 0)
		return;
	LIST_FOREACH(r, &all->all, entry)
	if (!r->dev[0] || !strcmp(r->dev, trunk_name(t)))
		control_stream_send(r->stream, to_json(t, from_modem, buf, len));
	explicit_bzero(buf, sizeof(buf));
}
