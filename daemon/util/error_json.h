/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct error as JSON, for replies on the control socket and for `qmapctl -j`. */
#ifndef QMAP_ERROR_JSON_H
#define QMAP_ERROR_JSON_H

#include "error.h"

struct json_object;

/* {"error": text, "errno": symbol, "hint": text or null, "exit": number}. New reference. */
struct json_object *error_to_json(const struct error *e);

/* The reverse. An object without a usable errno becomes -EPROTO. Returns e->err. */
int error_from_json(struct error *e, struct json_object *o);

#endif
