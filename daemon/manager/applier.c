// SPDX-License-Identifier: GPL-2.0-or-later
#include "applier.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "config/diff.h"
#include "config/port_name.h"
#include "control/server.h"
#include "util/json_add.h"
#include "util/array.h"
#include "util/error_json.h"
#include "util/json_get.h"
#include "util/log.h"
#include "trunk_list.h"

enum step_state {
	STEP_PLANNED,
	STEP_RUNNING,
	STEP_DIALLING, /* done; waiting for its calls */
	STEP_DONE,
	STEP_FAILED,
	STEP_REFUSED, /* done, but a PDN is not connected */
	STEP_LEFT,    /* not begun because an earlier step has failed */
	STEP_STATES
};

static const char *const state_names[] = {
	[STEP_PLANNED] = "planned", [STEP_RUNNING] = "running", [STEP_DIALLING] = "running",
	[STEP_DONE] = "done",	    [STEP_FAILED] = "failed",	[STEP_REFUSED] = "failed",
	[STEP_LEFT] = "left",
};
TABLE_COMPLETE(state_names, STEP_STATES);

struct step {
	struct applier *applier;
	const struct config_step *what;
	enum step_state state;
	struct error error;
};

struct applier {
	struct trunk_list *list;
	struct event *work; /* runs steps, so that they never run inside a trunk's own callbacks */
	bool busy;	    /* a plan is being executed; the members below belong to it */
	bool planned;
	bool prune;
	struct control_request *req; /* NULL: no client waits, results go to the log */
	struct config_set wanted;
	struct config_plan plan;
	struct step *steps; /* one for each of @plan */
	bool waits;	    /* @next is to be applied after this one */
	struct config_set next;
};

/* --- the plan --- */

static int keep_secrets(const struct applier *a, struct config_trunk *c, struct error *err)
{
	const struct trunk *t = trunk_list_find(a->list, c->dev);

	if (!c->keep_secrets)
		return 0;
	if (t) {
		config_trunk_take_secrets(c, trunk_config(t));
		return 0;
	}
	error_set(err, -EINVAL, "%s is not attached: there are no secrets to keep", c->dev);
	error_hint(err, "write them instead of keep-secrets = yes");
	return -EINVAL;
}

static int plan_detaches(struct applier *a)
{
	struct trunk *t;
	int ret = 0;

	for (unsigned int i = 0; !ret && (t = trunk_list_get(a->list, i)); i++)
		if (!config_set_find(&a->wanted, trunk_name(t)))
			ret = config_diff(&a->plan, trunk_config(t), NULL);
	return ret;
}

/* Plans to redial PDNs that are not connected and will not be by themselves. */
static int plan_redials(struct applier *a, const struct trunk *t)
{
	const struct config_trunk *c = config_set_find(&a->wanted, trunk_name(t));
	int ret = 0;

	for (unsigned int i = 0; !ret && i < c->npdns; i++)
		if (trunk_verdict(t, c->pdns[i].number, NULL))
			ret = config_plan_redial(&a->plan, c->dev, c->pdns[i].number);
	return ret;
}

/* The steps for one trunk. A data path may need another format, or a cheaper one works by now. */
static int plan_trunk(struct applier *a, struct config_trunk *c)
{
	const struct trunk *t = trunk_list_find(a->list, c->dev);
	size_t first = a->plan.n;
	int ret = config_diff(&a->plan, t ? trunk_config(t) : NULL, c);
	const char *better;

	if (ret || !t)
		return ret;
	if (trunk_needs_attach(t, c))
		config_plan_reattach(&a->plan, first);
	better = c->datapath == trunk_config(t)->datapath ? trunk_better_datapath(t) : NULL;
	if (better)
		ret = config_plan_datapath(&a->plan, c->dev, trunk_datapath(t), better);
	return ret ?: plan_redials(a, t);
}

static int make_plan(struct applier *a, struct error *err)
{
	int ret = a->prune ? plan_detaches(a) : 0;

	for (size_t i = 0; i < a->wanted.n && !ret; i++) {
		struct config_trunk *c = a->wanted.trunks[i];

		ret = keep_secrets(a, c, err) ?: plan_trunk(a, c);
	}
	a->steps = ret ? NULL : calloc(a->plan.n + 1, sizeof(*a->steps));
	if (!a->steps)
		return error_set(err, ret ? ret : -ENOMEM, "out of memory");
	for (size_t i = 0; i < a->plan.n; i++)
		a->steps[i] = (struct step){.applier = a, .what = &a->plan.steps[i]};
	a->planned = true;
	return 0;
}

/* --- the end --- */

static struct json_object *step_to_json(const struct step *s)
{
	struct json_object *o = config_step_to_json(s->what);
	const struct error *e = &s->error;

	json_add_string(o, "state", state_names[s->state]);
	json_object_object_add(o, "failure", e->err ? error_to_json(e) : NULL);
	return o;
}

static struct json_object *steps_to_json(const struct applier *a)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < a->plan.n; i++)
		json_object_array_add(array, step_to_json(&a->steps[i]));
	return array;
}

static void log_result(const struct applier *a)
{
	unsigned int n[STEP_LEFT + 1] = {0};

	for (size_t i = 0; i < a->plan.n; i++)
		n[a->steps[i].state]++;
	if (n[STEP_FAILED])
		log_warning("Configuration: %u steps done, %u failed, %u left", n[STEP_DONE],
			    n[STEP_FAILED], n[STEP_LEFT]);
}

static void clear(struct applier *a)
{
	config_plan_clear(&a->plan);
	config_set_clear(&a->wanted);
	free(a->steps);
	a->steps = NULL;
	a->req = NULL;
	a->busy = a->planned = a->prune = false;
}

/* @err: there was no plan. */
static void end(struct applier *a, const struct error *err)
{
	if (a->req && err)
		control_reply_error(a->req, err);
	else if (a->req)
		control_reply(a->req, steps_to_json(a));
	else if (err)
		log_failure("Configuration", err);
	else
		log_result(a);
	clear(a);
	if (!a->waits)
		return;
	a->waits = false;
	a->wanted = a->next;
	a->next = (struct config_set){.n = 0};
	a->busy = true;
	applier_wake(a);
}

/* --- one step --- */

static void step_over(struct step *s, const struct error *err)
{
	s->state = err ? STEP_FAILED : STEP_DONE;
	if (err)
		s->error = *err;
	applier_wake(s->applier);
}

/* The step has succeeded, even if the network or the SIM refuses the call. */
static void on_dialled(void *arg, struct trunk *t, const struct error *err)
{
	struct step *s = arg;

	step_over(s, err);
	if (err)
		s->state = STEP_REFUSED;
}

/* A client waits for the calls; the log reports them in any case. */
static void step_dials(struct step *s)
{
	struct trunk *t = trunk_list_find(s->applier->list, s->what->dev);
	struct error err = {0};

	s->state = STEP_DIALLING;
	if (!s->applier->req || !t)
		step_over(s, NULL);
	else if (trunk_wait(t, s->what->pdn, on_dialled, s, &err))
		step_over(s, &err);
	else
		applier_wake(s->applier);
}

/* The step could not begin; the list logs later failures. */
static void step_refused(struct step *s, const struct error *err)
{
	log_failure(s->what->dev, err);
	step_over(s, err);
}

static void over(void *arg, const struct error *err)
{
	step_over(arg, err);
}

static void attached(void *arg, const struct error *err)
{
	if (err)
		step_over(arg, err);
	else
		step_dials(arg);
}

static int attach(struct step *s, struct error *err)
{
	const struct applier *a = s->applier;

	return trunk_list_attach(a->list, config_set_find(&a->wanted, s->what->dev), attached, s,
				 err);
}

/* First half of a re-attach; nothing is attached from here on. */
static void detached(void *arg, const struct error *err)
{
	struct step *s = arg;
	struct error why = {0};

	if (err)
		step_over(s, err);
	else if (attach(s, &why))
		step_refused(s, &why);
}

static void pdn_over(void *arg, struct trunk *t, const struct error *err)
{
	struct step *s = arg;

	if (err || s->what->kind == CONFIG_STEP_REMOVE_PDN)
		step_over(s, err);
	else
		step_dials(s);
}

/* Changes a trunk that stays. Steps that complete at once end here. */
static int change(struct step *s, struct trunk *t, struct error *err)
{
	const struct config_trunk *c = config_set_find(&s->applier->wanted, s->what->dev);
	const struct config_pdn *p = config_find_pdn(c, s->what->pdn);
	bool dials =
		s->what->kind == CONFIG_STEP_REDIAL_PDN || s->what->kind == CONFIG_STEP_ADD_PDN;
	int ret = 0;

	if (s->what->kind == CONFIG_STEP_REMOVE_PDN)
		return trunk_remove_pdn(t, s->what->pdn, pdn_over, s, err);
	if (s->what->kind == CONFIG_STEP_REDIAL_PDN && json_object_array_length(s->what->changes))
		return trunk_redial_pdn(t, p, pdn_over, s, err);
	if (s->what->kind == CONFIG_STEP_CHANGE) {
		ret = trunk_change_datapath(t, c->datapath, err);
		if (!ret)
			trunk_set(t, c);
	} else if (s->what->kind == CONFIG_STEP_CHANGE_PDN)
		ret = trunk_set_pdn(t, p, err);
	else if (s->what->kind == CONFIG_STEP_REDIAL_PDN)
		/* an earlier step, another PIN perhaps, may have redialled it already */
		ret = trunk_verdict(t, p->number, NULL) ? trunk_redial(t, p->number, err) : 0;
	else
		ret = trunk_add_pdn(t, p, err);
	if (!ret && dials)
		step_dials(s);
	else if (!ret)
		step_over(s, NULL);
	return ret;
}

static int begin(struct step *s, struct error *err)
{
	struct applier *a = s->applier;
	const char *dev = s->what->dev;
	struct trunk *t = trunk_list_find(a->list, dev);

	if (s->what->kind == CONFIG_STEP_ATTACH)
		return attach(s, err);
	if (s->what->kind == CONFIG_STEP_DETACH)
		return trunk_list_detach(a->list, dev, over, s, err);
	if (s->what->kind == CONFIG_STEP_REATTACH)
		return trunk_list_detach(a->list, dev, detached, s, err);
	if (!t)
		return error_set(err, -ENODEV, "%s has been detached meanwhile", dev);
	return change(s, t, err);
}

/* --- all of them --- */

/* Has an earlier step failed that this one depends on? */
static bool is_blocked(const struct applier *a, const struct step *s)
{
	for (const struct step *p = a->steps; p < s; p++)
		if (p->state == STEP_FAILED || p->state == STEP_LEFT)
			if (a->req || !strcmp(p->what->dev, s->what->dev))
				return true;
	return false;
}

/* The steps of one trunk run one after the other; trunks do not wait for each other. */
static bool is_next(const struct applier *a, const struct step *s)
{
	for (const struct step *p = a->steps; p < s; p++)
		if (p->state == STEP_RUNNING && !strcmp(p->what->dev, s->what->dev))
			return false;
	return true;
}

static void run_steps(struct applier *a)
{
	bool runs = false;

	for (size_t i = 0; i < a->plan.n; i++) {
		struct step *s = &a->steps[i];

		if (s->state == STEP_PLANNED && is_blocked(a, s)) {
			s->state = STEP_LEFT;
		} else if (s->state == STEP_PLANNED && is_next(a, s)) {
			struct error err = {0};

			s->state = STEP_RUNNING;
			if (begin(s, &err))
				step_refused(s, &err);
		}
		runs |= s->state == STEP_RUNNING || s->state == STEP_PLANNED ||
			s->state == STEP_DIALLING;
	}
	if (!runs)
		end(a, NULL);
}

/* A plan must not be made while a trunk is attaching, detaching or being adopted. */
static bool all_idle(const struct applier *a)
{
	struct trunk *t;

	for (unsigned int i = 0; (t = trunk_list_get(a->list, i)); i++)
		if ((a->prune || config_set_find(&a->wanted, trunk_name(t))) &&
		    trunk_check_idle(t, NULL))
			return false;
	return true;
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct applier *a = arg;
	struct error err = {0};

	if (!a->busy || (!a->planned && !all_idle(a)))
		return;
	if (!a->planned && make_plan(a, &err))
		end(a, &err);
	else
		run_steps(a);
}

void applier_detached(struct applier *a, const char *dev)
{
	if (a->busy && !a->planned)
		config_set_drop(&a->wanted, dev);
	config_set_drop(&a->next, dev);
}

void applier_wake(struct applier *a)
{
	static const struct timeval now = {0, 0};

	if (a->busy)
		event_add(a->work, &now);
}

/* --- requests --- */

static int read_trunks(struct config_set *set, struct json_object *args, struct error *err)
{
	struct config_trunk *c = malloc(sizeof(*c));
	struct json_object *o;
	int ret = c ? 0 : error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; !ret && (o = json_get_element(args, "trunks", i)); i++) {
		ret = config_trunk_from_json(c, o, err);
		c->persist = true;
		if (!ret)
			ret = config_set_add(set, c, err);
	}
	free(c);
	return ret;
}

/* Are the names of all ports free, of those that attached trunks keep? The set has checked its own. */
static int check_ports(const struct applier *a, struct error *err)
{
	struct trunk *t;
	int ret = 0;

	for (unsigned int i = 0; !a->prune && (t = trunk_list_get(a->list, i)); i++) {
		if (config_set_find(&a->wanted, trunk_name(t)))
			continue;
		for (size_t j = 0; !ret && j < a->wanted.n; j++)
			ret = config_ports_differ(trunk_config(t), a->wanted.trunks[j], err);
	}
	return ret;
}

/* The models take effect when a modem is opened next. */
static int use_models(struct json_object *args, struct error *err)
{
	struct config_set set = {.n = 0};
	struct config_model m;
	struct json_object *o;
	int ret = 0;

	for (size_t i = 0; !ret && (o = json_get_element(args, "models", i)); i++)
		ret = config_model_from_json(&m, o, err) ?: config_set_add_model(&set, &m, err);
	if (!ret && !json_get_bool(args, "dry_run"))
		ret = config_set_use_models(&set, false, err);
	config_set_clear(&set);
	return ret;
}

static int begin_command(struct applier *a, struct control_request *req, struct json_object *args,
			 struct error *err)
{
	int ret;

	if (a->busy) {
		error_set(err, -EBUSY, "another configuration is being applied");
		error_hint(err, "try again when it is done");
		return -EBUSY;
	}
	a->prune = json_get_bool(args, "prune");
	ret = read_trunks(&a->wanted, args, err) ?: check_ports(a, err) ?: use_models(args, err);
	if (!ret && json_get_bool(args, "dry_run")) {
		ret = make_plan(a, err);
		if (!ret)
			control_reply(req, steps_to_json(a));
	} else if (!ret) {
		a->req = req;
		a->busy = true;
		applier_wake(a);
		return 0;
	}
	clear(a);
	return ret;
}

void applier_command(struct applier *a, struct control_request *req, struct json_object *args)
{
	struct error err = {0};

	if (begin_command(a, req, args, &err))
		control_reply_error(req, &err);
}

void applier_start(struct applier *a, struct config_set *set)
{
	struct config_set *target = a->busy ? &a->next : &a->wanted;

	config_set_clear(target);
	*target = *set;
	*set = (struct config_set){.n = 0};
	a->waits = a->busy;
	a->busy = true;
	applier_wake(a);
}

int applier_new(struct applier **out, struct event_base *base, struct trunk_list *list,
		struct error *err)
{
	struct applier *a = calloc(1, sizeof(*a));

	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	a->list = list;
	a->work = evtimer_new(base, on_work, a);
	if (!a->work) {
		free(a);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*out = a;
	return 0;
}

void applier_free(struct applier **ap)
{
	struct applier *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	clear(a);
	config_set_clear(&a->next);
	event_free(a->work);
	free(a);
}
