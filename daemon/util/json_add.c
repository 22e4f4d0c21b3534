// SPDX-License-Identifier: GPL-2.0-or-later
#include "json_add.h"

#include <json-c/json.h>

void json_add_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

void json_add_known(struct json_object *o, const char *key, bool known, int64_t v)
{
	json_object_object_add(o, key, known ? json_object_new_int64(v) : NULL);
}

void json_add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

void json_add_string(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, v ? json_object_new_string(v) : NULL);
}

void json_add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text && *text ? json_object_new_string(text) : NULL);
}

void json_append_pair(struct json_object *array, const char *a, int64_t v, const char *b, int64_t w)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, a, v);
	json_add_int(o, b, w);
	json_object_array_add(array, o);
}
