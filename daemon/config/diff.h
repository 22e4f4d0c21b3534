/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Computes the steps from the attached configuration to a new one. */
#ifndef QMAP_CONFIG_DIFF_H
#define QMAP_CONFIG_DIFF_H

#include <net/if.h>
#include <stddef.h>

#include "config.h"

struct json_object;

/* In the order in which the steps of one trunk are executed. */
enum config_step_kind {
	CONFIG_STEP_DETACH,
	CONFIG_STEP_REATTACH,	/* detach and attach: the change affects the whole trunk */
	CONFIG_STEP_REMOVE_PDN, /* before others, to free mux and client ids */
	CONFIG_STEP_CHANGE,	/* settings of the trunk that do not interrupt traffic */
	CONFIG_STEP_CHANGE_PDN, /* the same of a PDN */
	CONFIG_STEP_REDIAL_PDN, /* its calls end and are dialled again; the port stays */
	CONFIG_STEP_ADD_PDN,
	CONFIG_STEP_ATTACH,
	CONFIG_STEP_KINDS
};

struct config_step {
	enum config_step_kind kind;
	char dev[IFNAMSIZ];
	unsigned int pdn; /* 0: the step is for the trunk */
	/* Array of {"setting", "from", "to"}: text, or null for a secret. May be empty. */
	struct json_object *changes;
};

struct config_plan {
	struct config_step *steps;
	size_t n;
};

/*
 * Appends to @plan the steps from @running to @wanted, two finished configurations of one device;
 * none if they are equal. @running NULL: not attached. @wanted NULL: detach it. The caller has
 * taken the secrets that @wanted keeps (config_trunk_take_secrets()). -ENOMEM.
 */
int config_diff(struct config_plan *plan, const struct config_trunk *running,
		const struct config_trunk *wanted);

/*
 * Appends to @plan a step that redials PDN @pdn of @dev, whose configuration has not changed,
 * unless the plan has such a step already. -ENOMEM.
 */
int config_plan_redial(struct config_plan *plan, const char *dev, unsigned int pdn);

void config_plan_clear(struct config_plan *plan);

/* Returns "redial_pdn", ... */
const char *config_step_name(enum config_step_kind kind);

/* {"step": name, "dev": ..., "pdn": number or null, "changes": [...]}. New reference. */
struct json_object *config_step_to_json(const struct config_step *step);

/*
 * Adds a change of the data path of @dev, whose configuration names none, to @plan: to the step that
 * changes @dev, or as one. A plan that attaches @dev again, or detaches it, stays. -ENOMEM.
 */
int config_plan_datapath(struct config_plan *plan, const char *dev, const char *from,
			 const char *to);

/* Makes the steps from @first on, which are of one trunk, one step that attaches it again. */
void config_plan_reattach(struct config_plan *plan, size_t first);

#endif
