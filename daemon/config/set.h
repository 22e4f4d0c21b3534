/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All trunks and models of a file or of a directory of files. */
#ifndef QMAP_CONFIG_SET_H
#define QMAP_CONFIG_SET_H

#include <stddef.h>

#include "config.h"
#include "model.h"

#define CONFIG_MAX_TRUNKS 16
#define CONFIG_DIRECTORY  "/etc/qmap" /* default path */

struct config_set {
	struct config_trunk *trunks[CONFIG_MAX_TRUNKS];
	size_t n;
	struct config_model *models; /* array */
	size_t nmodels;
	struct config_daemon daemon;
	bool has_daemon;
};

/*
 * Reads @path: a file, "-" for standard input, or a directory, of which every *.conf is read in the
 * order of their names. Errors name file and line; -EEXIST if two files name the same trunk,
 * -E2BIG. After an error @set holds everything read until then.
 */
int config_set_read(struct config_set *set, const char *path, struct error *err);

/* -EEXIST if another file has set them. */
int config_set_daemon(struct config_set *set, const struct config_daemon *d, struct error *err);

/* Appends a copy of @c. -EEXIST: its name, or that of a port, is there; -E2BIG, -ENOMEM. */
int config_set_add(struct config_set *set, const struct config_trunk *c, struct error *err);

/* As above; -EEXIST, -ENOMEM. */
int config_set_add_model(struct config_set *set, const struct config_model *m, struct error *err);

/*
 * Adds the models of @set to the table of this process (qmi/models.h). @only: removes the models of
 * earlier sets first.
 */
int config_set_use_models(const struct config_set *set, bool only, struct error *err);

/* NULL if there is no trunk of that name. */
struct config_trunk *config_set_find(const struct config_set *set, const char *dev);

/* Removes the trunk of that name, if there is one. */
void config_set_drop(struct config_set *set, const char *dev);

/* Frees all members. */
void config_set_clear(struct config_set *set);

#endif
