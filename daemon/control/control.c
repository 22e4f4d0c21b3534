// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int control_path(const char *run_dir, char *buf, size_t size)
{
	const char *dir = run_dir;

	if (!dir || !*dir)
		dir = getenv("RUNTIME_DIRECTORY");
	if (!dir || !*dir)
		dir = "/run/qmapd";
	return snprintf(buf, size, "%s/control", dir) < (int)size ? 0 : -ENAMETOOLONG;
}

struct json_object *control_parse(const char *line, size_t len, const char **why)
{
	struct json_tokener *tok = json_tokener_new_ex(CONTROL_MAX_DEPTH);
	struct json_object *o = NULL;
	enum json_tokener_error e;

	*why = "out of memory";
	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, line, len);
	e = json_tokener_get_error(tok);
	*why = e == json_tokener_continue ? "it ends too early" : json_tokener_error_desc(e);
	if (e == json_tokener_success && memchr(line, '\0', len)) {
		*why = "it contains a zero byte";
		e = json_tokener_error_parse_unexpected;
	}
	json_tokener_free(tok);
	if (e == json_tokener_success)
		return o;
	json_object_put(o);
	return NULL;
}
