// SPDX-License-Identifier: GPL-2.0-or-later
#include "error_json.h"

#include <errno.h>
#include <json-c/json.h>

#include "json_add.h"

struct json_object *error_to_json(const struct error *e)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "error", e->text);
	json_add_string(o, "errno", error_symbol(e->err));
	json_add_text(o, "hint", e->hint);
	json_add_int(o, "exit", e->exit);
	return o;
}

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

int error_from_json(struct error *e, struct json_object *o)
{
	const char *text = member(o, "error"), *symbol = member(o, "errno");
	const char *hint = member(o, "hint");
	int err = symbol ? error_number(symbol) : 0;
	struct json_object *code;

	error_set(e, err ? err : -EPROTO, "%s", text ? text : "unknown error");
	if (hint)
		error_hint(e, "%s", hint);
	if (json_object_object_get_ex(o, "exit", &code) && json_object_get_int(code) > EXIT_OK &&
	    json_object_get_int(code) <= EXIT_PERMISSION)
		error_exit(e, json_object_get_int(code));
	return err ? err : -EPROTO;
}
