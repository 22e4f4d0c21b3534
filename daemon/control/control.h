/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of the control socket: one JSON object per line over a stream.
 *
 *   request  {"command": "show", ...arguments...}
 *   reply    {"ok": true, "result": ...}
 *            {"ok": false, "error": sentence, "errno": "ENODEV", "hint": sentence, "exit": 4}
 *
 * The reply to monitor does not end (control/server.h, control_stream_open()): after the first line
 * the daemon sends events, {"seq": ..., "kind": ...} (events.h), or {"gap": N} for N lines that it
 * dropped, one a line. "last": N requests the last N events first. Neither does that to record
 * (manager/record.h).
 *
 * attach takes "trunk" (config_trunk_to_json()), all others take "dev" (optional for commands that
 * change nothing). A connection may carry several requests, one after the other.
 */
#ifndef QMAP_CONTROL_H
#define QMAP_CONTROL_H

#include <stddef.h>

#define CONTROL_MAX_REQUEST 65536     /* bytes of a request, newline included */
#define CONTROL_MAX_REPLY   (4 << 20) /* of a reply; 64 PDNs take about 100 KB */
#define CONTROL_MAX_DEPTH   32	      /* levels of nested JSON */

#define CONTROL_GROUP "qmap" /* its members may connect and use the commands that change nothing */

/*
 * Path of the socket: @run_dir, else $RUNTIME_DIRECTORY (systemd), else /run/qmapd, followed by
 * /control. -ENAMETOOLONG if it does not fit.
 */
int control_path(const char *run_dir, char *buf, size_t size);

struct json_object;

/*
 * Parses strict JSON in valid UTF-8 without trailing bytes and zero bytes. Returns a new reference,
 * or NULL with the parser's reason in @why.
 */
struct json_object *control_parse(const char *line, size_t len, const char **why);

#endif
