// SPDX-License-Identifier: GPL-2.0-or-later
#include "diff.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_add.h"
#include "util/array.h"
#include "words.h"

static const char *const step_names[] = {
	[CONFIG_STEP_DETACH] = "detach",	 [CONFIG_STEP_REATTACH] = "reattach",
	[CONFIG_STEP_REMOVE_PDN] = "remove_pdn", [CONFIG_STEP_CHANGE] = "change",
	[CONFIG_STEP_CHANGE_PDN] = "change_pdn", [CONFIG_STEP_REDIAL_PDN] = "redial_pdn",
	[CONFIG_STEP_ADD_PDN] = "add_pdn",	 [CONFIG_STEP_ATTACH] = "attach",
};
TABLE_COMPLETE(step_names, CONFIG_STEP_KINDS);

const char *config_step_name(enum config_step_kind kind)
{
	return step_names[kind];
}

struct json_object *config_step_to_json(const struct config_step *s)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "step", step_names[s->kind]);
	json_add_string(o, "dev", s->dev);
	json_add_known(o, "pdn", s->pdn, s->pdn);
	json_object_object_add(o, "changes", json_object_get(s->changes));
	return o;
}

void config_plan_clear(struct config_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		json_object_put(plan->steps[i].changes);
	free(plan->steps);
	*plan = (struct config_plan){0};
}

/* Takes over the reference to @changes (NULL: none). */
static int add_step(struct config_plan *plan, enum config_step_kind kind, const char *dev,
		    unsigned int pdn, struct json_object *changes)
{
	struct config_step *steps = reallocarray(plan->steps, plan->n + 1, sizeof(*steps));

	if (!steps) {
		json_object_put(changes);
		return -ENOMEM;
	}
	plan->steps = steps;
	steps[plan->n] = (struct config_step){.kind = kind, .pdn = pdn, .changes = changes};
	memcpy(steps[plan->n].dev, dev, IFNAMSIZ);
	if (!changes)
		steps[plan->n].changes = json_object_new_array();
	plan->n++;
	return 0;
}

static struct json_object *text_of(const struct config_word *w, const void *object)
{
	char text[CONFIG_TEXT_MAX];

	if (w->secret)
		return NULL;
	config_word_text(w, object, text);
	return json_object_new_string(text);
}

/* Returns the change needed to get from @from to @to; adds each difference to @changes. */
static enum config_change compare(enum config_scope scope, const void *from, const void *to,
				  struct json_object *changes)
{
	enum config_change most = CONFIG_CHANGE_NOTHING;
	const struct config_word *w = NULL;
	struct json_object *o;

	while ((w = config_word_next(scope, w))) {
		if (w->identity || !w->change || config_word_equal(w, from, to))
			continue;
		o = json_object_new_object();
		json_add_string(o, "setting", w->key);
		json_object_object_add(o, "from", text_of(w, from));
		json_object_object_add(o, "to", text_of(w, to));
		json_object_array_add(changes, o);
		if (w->change > most)
			most = w->change;
	}
	return most;
}

/* The change needed for @from's PDN; NOTHING if @to lacks it. */
static enum config_change compare_pdn(const struct config_pdn *from, const struct config_trunk *to,
				      struct json_object **changes)
{
	const struct config_pdn *p = config_find_pdn(to, from->number);

	*changes = json_object_new_array();
	return p ? compare(CONFIG_PDN, from, p, *changes) : CONFIG_CHANGE_NOTHING;
}

static int remove_pdns(struct config_plan *plan, const struct config_trunk *running,
		       const struct config_trunk *wanted)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < running->npdns; i++) {
		const struct config_pdn *p = &running->pdns[i];
		struct json_object *changes;

		if (compare_pdn(p, wanted, &changes) == CONFIG_CHANGE_REPLACE ||
		    !config_find_pdn(wanted, p->number))
			ret = add_step(plan, CONFIG_STEP_REMOVE_PDN, running->dev, p->number,
				       changes);
		else
			json_object_put(changes);
	}
	return ret;
}

/* Adds steps of @kind for the PDNs that need @change and nothing more. */
static int change_pdns(struct config_plan *plan, const struct config_trunk *running,
		       const struct config_trunk *wanted, enum config_change change,
		       enum config_step_kind kind)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < running->npdns; i++) {
		struct json_object *changes;

		if (compare_pdn(&running->pdns[i], wanted, &changes) == change)
			ret = add_step(plan, kind, running->dev, running->pdns[i].number, changes);
		else
			json_object_put(changes);
	}
	return ret;
}

static int add_pdns(struct config_plan *plan, const struct config_trunk *running,
		    const struct config_trunk *wanted)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < wanted->npdns; i++) {
		const struct config_pdn *old = config_find_pdn(running, wanted->pdns[i].number);
		struct json_object *changes = NULL;

		if (!old || compare_pdn(old, wanted, &changes) == CONFIG_CHANGE_REPLACE)
			ret = add_step(plan, CONFIG_STEP_ADD_PDN, wanted->dev,
				       wanted->pdns[i].number, NULL);
		json_object_put(changes);
	}
	return ret;
}

static int change_all(struct config_plan *plan, const struct config_trunk *running,
		      const struct config_trunk *wanted, struct json_object *changes)
{
	int ret = remove_pdns(plan, running, wanted);

	if (!ret && json_object_array_length(changes))
		ret = add_step(plan, CONFIG_STEP_CHANGE, running->dev, 0, json_object_get(changes));
	return ret ?: change_pdns(plan, running, wanted, CONFIG_CHANGE_IN_PLACE,
				  CONFIG_STEP_CHANGE_PDN)
			      ?: change_pdns(plan, running, wanted, CONFIG_CHANGE_REDIAL,
					     CONFIG_STEP_REDIAL_PDN)
			      ?: add_pdns(plan, running, wanted);
}

void config_plan_reattach(struct config_plan *plan, size_t first)
{
	if (plan->n == first)
		return;
	plan->steps[first].kind = CONFIG_STEP_REATTACH;
	plan->steps[first].pdn = 0;
	for (size_t i = first + 1; i < plan->n; i++)
		json_object_put(plan->steps[i].changes);
	plan->n = first + 1;
}

int config_diff(struct config_plan *plan, const struct config_trunk *running,
		const struct config_trunk *wanted)
{
	struct json_object *changes;
	size_t first = plan->n;
	int ret;

	if (!running)
		return add_step(plan, CONFIG_STEP_ATTACH, wanted->dev, 0, NULL);
	if (!wanted)
		return add_step(plan, CONFIG_STEP_DETACH, running->dev, 0, NULL);
	changes = json_object_new_array();
	if (compare(CONFIG_TRUNK, running, wanted, changes) == CONFIG_CHANGE_REPLACE)
		return add_step(plan, CONFIG_STEP_REATTACH, running->dev, 0, changes);
	ret = change_all(plan, running, wanted, changes);
	json_object_put(changes);
	/* without QMAP the trunk itself is the only port: it cannot be added or removed alone */
	if (wanted->qmap == CONFIG_QMAP_OFF && plan->n > first &&
	    plan->steps[first].kind == CONFIG_STEP_REMOVE_PDN)
		config_plan_reattach(plan, first);
	return ret;
}

int config_plan_datapath(struct config_plan *plan, const char *dev, const char *from,
			 const char *to)
{
	struct config_step *s = NULL;
	struct json_object *o;
	int ret;

	for (size_t i = 0; i < plan->n; i++)
		if (!strcmp(plan->steps[i].dev, dev) && !plan->steps[i].pdn)
			s = &plan->steps[i];
	if (s && s->kind != CONFIG_STEP_CHANGE)
		return 0;
	ret = s ? 0 : add_step(plan, CONFIG_STEP_CHANGE, dev, 0, NULL);
	if (ret)
		return ret;
	o = json_object_new_object();
	json_object_object_add(o, "setting", json_object_new_string("datapath"));
	json_object_object_add(o, "from", json_object_new_string(from));
	json_object_object_add(o, "to", json_object_new_string(to));
	json_object_array_add((s ?: &plan->steps[plan->n - 1])->changes, o);
	return 0;
}

int config_plan_redial(struct config_plan *plan, const char *dev, unsigned int pdn)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct config_step *s = &plan->steps[i];

		if (!strcmp(s->dev, dev) && (!s->pdn || s->pdn == pdn) &&
		    s->kind != CONFIG_STEP_CHANGE && s->kind != CONFIG_STEP_CHANGE_PDN)
			return 0;
	}
	return add_step(plan, CONFIG_STEP_REDIAL_PDN, dev, pdn, NULL);
}
