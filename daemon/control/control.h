/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both ends of the control socket know: one JSON object per line over a stream.
 *
 *   request  {"command": "show", ...arguments...}
 *   reply    {"ok": true, "result": ...}
 *            {"ok": false, "error": sentence, "errno": "ENODEV", "hint": sentence, "exit": 4}
 *
 * monitor is answered without end (control/server.h, control_stream_open()): after the first line
 * come events, {"seq": ..., "kind": ...} (events.h), or {"gap": N} for N that were left out, one a
 * line. "last": N asks for the last N first.
 *
 * attach takes "trunk" (config_trunk_to_json()), all others take "dev" (optional for those that
 * only read). A connection may carry several requests, one after the other.
 */
#ifndef QMAP_CONTROL_H
#define QMAP_CONTROL_H

#include <stddef.h>

#define CONTROL_MAX_REQUEST 65536     /* bytes of a request, newline included */
#define CONTROL_MAX_REPLY   (4 << 20) /* of a reply; 64 PDNs take about 100 KB */
#define CONTROL_MAX_DEPTH   32	      /* of nested JSON */

#define CONTROL_GROUP "qmap" /* may connect, and ask what changes nothing */

/*
 * Path of the socket: @run_dir, else $RUNTIME_DIRECTORY (systemd), else /run/qmapd, and
 * /control. -ENAMETOOLONG if it does not fit.
 */
int control_path(const char *run_dir, char *buf, size_t size);

struct json_object;

/* Strict JSON in valid UTF-8, nothing after it, no zero bytes. NULL with the parser's @why. New
 * reference. */
struct json_object *control_parse(const char *line, size_t len, const char **why);

#endif
