/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All trunks and models that a file, or a directory of files, tells of. */
#ifndef QMAP_CONFIG_SET_H
#define QMAP_CONFIG_SET_H

#include <stddef.h>

#include "config.h"
#include "model.h"

#define CONFIG_MAX_TRUNKS 16
#define CONFIG_DIRECTORY  "/etc/qmap" /* what is read if nobody says otherwise */

struct config_set {
	struct config_trunk *trunks[CONFIG_MAX_TRUNKS];
	size_t n;
	struct config_model *models; /* array */
	size_t nmodels;
	struct config_daemon daemon;
	bool has_daemon;
};

/*
 * Adds what @path asks for: a file, "-" for standard input, or a directory, of which every *.conf
 * is read in the order of their names. Errors name file and line; -EEXIST where two files name the
 * same trunk, -E2BIG. After an error @set holds whatever was read so far.
 */
int config_set_read(struct config_set *set, const char *path, struct error *err);

/* -EEXIST where another file has set them. */
int config_set_daemon(struct config_set *set, const struct config_daemon *d, struct error *err);

/* A copy of @c at the end. -EEXIST, -E2BIG, -ENOMEM. */
int config_set_add(struct config_set *set, const struct config_trunk *c, struct error *err);

/* Likewise; -EEXIST, -ENOMEM. */
int config_set_add_model(struct config_set *set, const struct config_model *m, struct error *err);

/*
 * Enters the models of @set into the table of this process (qmi/models.h). What an earlier set has
 * entered is forgotten with @only.
 */
int config_set_use_models(const struct config_set *set, bool only, struct error *err);

/* NULL if there is none of that name. */
struct config_trunk *config_set_find(const struct config_set *set, const char *dev);

/* Forgets the one of that name, if there is one; its secrets are wiped. */
void config_set_drop(struct config_set *set, const char *dev);

/* Frees all, secrets wiped. */
void config_set_clear(struct config_set *set);

#endif
