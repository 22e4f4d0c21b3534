/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A [model VID:PID] section: one line of the table of models (qmi/models.h), as a user
 * writes it.
 */
#ifndef QMAP_CONFIG_MODEL_H
#define QMAP_CONFIG_MODEL_H

#include "config.h"

struct config_model {
	char id[10];		/* "2c7c:0800" */
	char name[64];		/* prefixes of the model's name, separated by blanks */
	unsigned int interface; /* USB interface that carries data */
	enum config_qmap qmap;	/* highest version to request; auto: any */
	unsigned int dl_max_bytes;
	bool forced;
	char note[160];
};

/* Sets the program's own values for @id. -EINVAL unless that is a pair of hexadecimal numbers. */
int config_model_init(struct config_model *m, const char *id, struct error *err);

/* Adds it to the table of this process. -ENOMEM. */
int config_model_use(const struct config_model *m);

/* New reference. */
struct json_object *config_model_to_json(const struct config_model *m);
int config_model_from_json(struct config_model *m, struct json_object *o, struct error *err);

#endif
