/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be done so that what is attached becomes what a configuration asks for. */
#ifndef QMAP_CONFIG_DIFF_H
#define QMAP_CONFIG_DIFF_H

#include <net/if.h>
#include <stddef.h>

#include "config.h"

struct json_object;

/* In the order in which the steps of one trunk are taken. */
enum config_step_kind {
	CONFIG_STEP_DETACH,
	CONFIG_STEP_REATTACH,	/* detach and attach: it concerns the whole trunk */
	CONFIG_STEP_REMOVE_PDN, /* first, so that mux and client ids are free again */
	CONFIG_STEP_CHANGE,	/* settings of the trunk that traffic does not notice */
	CONFIG_STEP_CHANGE_PDN, /* the same of a PDN */
	CONFIG_STEP_REDIAL_PDN, /* its calls end and are made again; the port stays */
	CONFIG_STEP_ADD_PDN,
	CONFIG_STEP_ATTACH,
	CONFIG_STEP_KINDS
};

struct config_step {
	enum config_step_kind kind;
	char dev[IFNAMSIZ];
	unsigned int pdn; /* 0: about the trunk */
	/* Array of {"setting", "from", "to"}: text, or null where it is a secret. May be empty. */
	struct json_object *changes;
};

struct config_plan {
	struct config_step *steps;
	size_t n;
};

/*
 * Appends to @plan the steps from @running to @wanted, two finished configurations of one device;
 * none if there is nothing to do. @running NULL: it is not attached. @wanted NULL: it is to go.
 * Secrets that @wanted keeps must have been taken (config_trunk_take_secrets()). -ENOMEM.
 */
int config_diff(struct config_plan *plan, const struct config_trunk *running,
		const struct config_trunk *wanted);

/* Appends to @plan: the calls of PDN @pdn of @dev are made again; it is no other than it was.
 * Unless there is a step that does so already. -ENOMEM. */
int config_plan_redial(struct config_plan *plan, const char *dev, unsigned int pdn);

void config_plan_clear(struct config_plan *plan);

/* "redial_pdn" */
const char *config_step_name(enum config_step_kind kind);

/* {"step": name, "dev": ..., "pdn": number or null, "changes": [...]}. New reference. */
struct json_object *config_step_to_json(const struct config_step *step);

#endif
