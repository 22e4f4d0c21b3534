/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of JSON objects from a sender of any version: a member that is absent or of another type
 * reads as NULL or 0.
 */
#ifndef QMAP_JSON_GET_H
#define QMAP_JSON_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

const char *json_get_string(struct json_object *o, const char *key);
/* The string, cut to @size bytes; "" for NULL. */
void json_copy_text(struct json_object *o, const char *key, char *buf, size_t size);
int64_t json_get_int(struct json_object *o, const char *key);
double json_get_double(struct json_object *o, const char *key);
bool json_get_bool(struct json_object *o, const char *key);
/* Borrowed. NULL if the member is not an object. */
struct json_object *json_get_object(struct json_object *o, const char *key);
/* Element @i of array @key, borrowed; NULL beyond the end or if there is no such array. */
struct json_object *json_get_element(struct json_object *o, const char *key, size_t i);

#endif
