/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One PDN word by word, for the parsers of a configuration. */
#ifndef QMAP_CONFIG_PDN_H
#define QMAP_CONFIG_PDN_H

#include "config.h"

/* Sets the defaults of PDN @number. */
void config_pdn_init(struct config_pdn *p, unsigned int number);

/* Appends a PDN with defaults. -EINVAL, -EEXIST, -E2BIG. */
int config_pdn_new(struct config_trunk *c, const char *number, struct config_pdn **out,
		   struct error *err);

int config_pdn_set(struct config_pdn *p, const char *key, const char *value, struct error *err);

#endif
