// SPDX-License-Identifier: GPL-2.0-or-later
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"
#include "util/json_get.h"
#include "qmi/models.h"

/* Parses "2c7c:0800", both with four digits. */
static bool parse_id(const char *id, uint16_t *vendor, uint16_t *product)
{
	unsigned int v, p;

	for (int i = 0; i < 9; i++)
		if (i == 4 ? id[i] != ':' : !isxdigit((unsigned char)id[i]))
			return false;
	if (id[9] || sscanf(id, "%4x:%4x", &v, &p) != 2 || !v)
		return false;
	*vendor = v;
	*product = p;
	return true;
}

int config_model_init(struct config_model *m, const char *id, struct error *err)
{
	struct qmi_model known;
	uint16_t vendor, product;

	if (!parse_id(id, &vendor, &product)) {
		error_set(err, -EINVAL, "\"%.40s\" is no USB or PCI id", id);
		error_hint(err, "it is written like 2c7c:0800; `qmapctl probe` and lsusb show it");
		return -EINVAL;
	}
	qmi_model_builtin(&known, vendor, product);
	*m = (struct config_model){.interface = known.interface,
				   .qmap = CONFIG_QMAP_AUTO,
				   .dl_max_bytes = known.dl_max_bytes,
				   .forced = known.forces_qmap};
	snprintf(m->id, sizeof(m->id), "%04x:%04x", vendor, product);
	snprintf(m->name, sizeof(m->name), "%s", known.names ? known.names : "");
	snprintf(m->note, sizeof(m->note), "%s", known.note ? known.note : "");
	return 0;
}

int config_model_use(const struct config_model *m)
{
	uint16_t vendor, product;
	struct qmi_model line;

	if (!parse_id(m->id, &vendor, &product))
		return -EINVAL;
	qmi_model_builtin(&line, vendor, product);
	line.names = m->name;
	line.interface = m->interface;
	line.dl_max_bytes = m->dl_max_bytes;
	line.forces_qmap = m->forced;
	line.note = m->note;
	if (m->qmap != CONFIG_QMAP_AUTO) {
		line.qmap = m->qmap;
		line.limits_qmap = true;
	}
	return qmi_model_override(&line);
}

struct json_object *config_model_to_json(const struct config_model *m)
{
	struct json_object *o = json_object_new_object();
	const struct config_word *w = NULL;

	while ((w = config_word_next(CONFIG_MODEL, w)))
		json_object_object_add(o, w->key, config_word_to_json(w, m));
	return o;
}

int config_model_from_json(struct config_model *m, struct json_object *o, struct error *err)
{
	const char *id = json_get_string(o, "id");
	const struct config_word *w = NULL;
	struct json_object *v;
	int ret = config_model_init(m, id ? id : "", err);

	while (!ret && (w = config_word_next(CONFIG_MODEL, w)))
		if (!w->identity && json_object_object_get_ex(o, w->key, &v))
			ret = config_word_from_json(w, m, v, err);
	return ret;
}
