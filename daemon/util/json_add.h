/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of JSON objects that are being made. A member that exists is replaced. */
#ifndef QMAP_JSON_ADD_H
#define QMAP_JSON_ADD_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

void json_add_int(struct json_object *o, const char *key, int64_t v);
/* null unless it is @known. */
void json_add_known(struct json_object *o, const char *key, bool known, int64_t v);
void json_add_bool(struct json_object *o, const char *key, bool v);
/* NULL becomes null. */
void json_add_string(struct json_object *o, const char *key, const char *v);
/* "", too. */
void json_add_text(struct json_object *o, const char *key, const char *text);
/* Appends {@a: v, @b: w} to @array. */
void json_append_pair(struct json_object *array, const char *a, int64_t v, const char *b,
		      int64_t w);

#endif
