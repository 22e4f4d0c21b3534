// SPDX-License-Identifier: GPL-2.0-or-later
#include "data_format.h"

#include <json-c/json.h>

#include "util/json_add.h"
#include "util/json_get.h"

bool data_format_fits(const struct data_format *a, const struct data_format *b)
{
	return a->version == b->version && a->dl_max_bytes == b->dl_max_bytes &&
	       a->ul_max_bytes == b->ul_max_bytes && a->ul_max_datagrams == b->ul_max_datagrams;
}

struct json_object *data_format_to_json(const struct data_format *f)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "version", f->version);
	json_add_int(o, "dl_max_bytes", f->dl_max_bytes);
	json_add_int(o, "dl_max_datagrams", f->dl_max_datagrams);
	json_add_int(o, "ul_max_bytes", f->ul_max_bytes);
	json_add_int(o, "ul_max_datagrams", f->ul_max_datagrams);
	return o;
}

struct data_format data_format_from_json(struct json_object *o)
{
	return (struct data_format){
		.version = json_get_int(o, "version"),
		.dl_max_bytes = json_get_int(o, "dl_max_bytes"),
		.dl_max_datagrams = json_get_int(o, "dl_max_datagrams"),
		.ul_max_bytes = json_get_int(o, "ul_max_bytes"),
		.ul_max_datagrams = json_get_int(o, "ul_max_datagrams"),
	};
}
