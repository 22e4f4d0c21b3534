// SPDX-License-Identifier: GPL-2.0-or-later
#include "json_get.h"

#include <stdio.h>

#include <json-c/json.h>

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

const char *json_get_string(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_string);

	return v ? json_object_get_string(v) : NULL;
}

int64_t json_get_int(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_int);

	return v ? json_object_get_int64(v) : 0;
}

double json_get_double(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_double);

	return v ? json_object_get_double(v) : json_get_int(o, key);
}

bool json_get_bool(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

void json_copy_text(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *text = json_get_string(o, key);

	snprintf(buf, size, "%s", text ? text : "");
}

struct json_object *json_get_object(struct json_object *o, const char *key)
{
	return member(o, key, json_type_object);
}

struct json_object *json_get_element(struct json_object *o, const char *key, size_t i)
{
	struct json_object *array = member(o, key, json_type_array);

	return array ? json_object_array_get_idx(array, i) : NULL;
}
