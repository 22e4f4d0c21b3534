/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data format that modem and host have agreed on: Set Data Format's answer, never its request. */
#ifndef QMAP_MODEL_DATA_FORMAT_H
#define QMAP_MODEL_DATA_FORMAT_H

#include <stdbool.h>

struct json_object;

struct data_format {
	int version;		       /* enum qmap_version; QMAP_OFF: raw IP */
	unsigned int dl_max_bytes;     /* of one aggregate */
	unsigned int dl_max_datagrams; /* 0: the modem states no limit */
	unsigned int ul_max_bytes;     /* 0: the modem states no limit */
	unsigned int ul_max_datagrams;
};

/* Can a data path that was built for @a carry @b? Nothing depends on dl_max_datagrams. */
bool data_format_fits(const struct data_format *a, const struct data_format *b);

/* The form that pins have. New reference. */
struct json_object *data_format_to_json(const struct data_format *f);
/* Members that @o lacks are 0; @o may be NULL. */
struct data_format data_format_from_json(struct json_object *o);

#endif
