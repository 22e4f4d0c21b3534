// SPDX-License-Identifier: GPL-2.0-or-later
#include "trunk_list.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applier.h"
#include "datapath/counters.h"
#include "datapath/pins.h"
#include "totals/totals.h"
#include "util/json_get.h"
#include "util/log.h"
#include "netdev/dev.h"
#include "rtnl/watch.h"
#include "monitor.h"
#include "record.h"

#define MAX_TRUNKS CONFIG_MAX_TRUNKS

struct trunk_list {
	struct trunk_env env;
	struct trunk *trunks[MAX_TRUNKS]; /* no holes */
	unsigned int n;
	struct applier *applier;
	struct recorders recorders;
	struct event *totals; /* timer */
	unsigned int looks;   /* at the totals, since they were written */
	unsigned int minutes; /* between two writes: flash memory wears */
};

/* Seconds between two looks at the totals. */
#define TOTALS_LOOK 60

/* A request that waits for a trunk. */
struct job {
	struct trunk_list *list;
	struct control_request *req; /* NULL: no client waits, results go to the log */
	trunk_list_done done;	     /* NULL: no other caller waits */
	void *arg;
};

/* Two modems may exchange names when they are plugged in again: compare their devices. */
static bool is_free(void *arg, const struct trunk *by, const char *name)
{
	struct trunk_list *l = arg;
	char device[256];

	trunk_dev_device(name, device, sizeof(device));
	for (unsigned int i = 0; i < l->n; i++)
		if (l->trunks[i] != by && device[0] && !strcmp(trunk_device(l->trunks[i]), device))
			return false;
	return true;
}

static const char *user_of(void *arg, const struct trunk *by, const char *control)
{
	const struct trunk_list *l = arg;

	for (unsigned int i = 0; i < l->n; i++)
		if (l->trunks[i] != by && trunk_uses_channel(l->trunks[i], control))
			return trunk_name(l->trunks[i]);
	return NULL;
}

static void on_message(void *arg, const struct trunk *t, bool from_modem,
		       const struct qmi_message *m)
{
	struct trunk_list *l = arg;

	recorders_message(&l->recorders, t, from_modem, m);
}

static void on_netlink(void *arg, const char *netns, const struct rtnl_event *e);

static void look_at_totals(struct trunk_list *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		trunk_totals_look(l->trunks[i]);
}

static void on_totals(evutil_socket_t fd, short what, void *arg)
{
	struct trunk_list *l = arg;

	look_at_totals(l);
	if (++l->looks < l->minutes)
		return;
	l->looks = 0;
	totals_write(l->env.totals);
}

/* Without $STATE_DIRECTORY, which systemd sets, the totals end with the process. */
static int totals_new(struct trunk_list *l, struct error *err)
{
	const struct timeval tv = {.tv_sec = TOTALS_LOOK};
	const char *dir = getenv("STATE_DIRECTORY");
	char path[PATH_MAX] = "";
	int ret;

	if (dir && dir[0] == '/')
		snprintf(path, sizeof(path), "%s/totals", dir);
	ret = totals_open(&l->env.totals, path[0] ? path : NULL, err);
	if (ret)
		return ret;
	l->totals = event_new(l->env.base, -1, EV_PERSIST, on_totals, l);
	return l->totals && !event_add(l->totals, &tv) ? 0
						       : error_set(err, -ENOMEM, "out of memory");
}

int trunk_list_new(struct trunk_list **out, const struct trunk_env *env, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return error_set(err, -ENOMEM, "out of memory");
	(*out)->env = *env;
	(*out)->env.is_free = is_free;
	(*out)->env.user_of = user_of;
	(*out)->env.message = on_message;
	(*out)->env.arg = *out;
	return totals_new(*out, err)
		       ?: rtnl_watch_new(&(*out)->env.watch, env->base, on_netlink, *out, err)
		       ?: applier_new(&(*out)->applier, env->base, *out, err);
}

void trunk_list_free(struct trunk_list **l)
{
	if (!*l)
		return;
	look_at_totals(*l);
	if ((*l)->totals)
		event_free((*l)->totals);
	for (unsigned int i = 0; i < (*l)->n; i++)
		trunk_free(&(*l)->trunks[i]);
	recorders_clear(&(*l)->recorders);
	applier_free(&(*l)->applier);
	totals_free(&(*l)->env.totals);
	rtnl_watch_free(&(*l)->env.watch);
	free(*l);
	*l = NULL;
}

struct trunk *trunk_list_find(const struct trunk_list *l, const char *dev)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (!strcmp(trunk_name(l->trunks[i]), dev))
			return l->trunks[i];
	return NULL;
}

struct trunk *trunk_list_get(const struct trunk_list *l, unsigned int i)
{
	return i < l->n ? l->trunks[i] : NULL;
}

static void drop(struct trunk_list *l, struct trunk *t)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (l->trunks[i] != t)
			continue;
		l->trunks[i] = l->trunks[--l->n];
		trunk_free(&t);
		return;
	}
}

static struct job *job_new(struct trunk_list *l, struct control_request *req, struct error *err)
{
	struct job *job = malloc(sizeof(*job));

	if (!job) {
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	*job = (struct job){.list = l, .req = req};
	return job;
}

/* Ends the job and passes @result or @err to its caller. The trunk is idle, or not in the list. */
static void job_end(struct job *job, const char *dev, struct json_object *result,
		    const struct error *err)
{
	if (err && job->req)
		control_reply_error(job->req, err);
	else if (job->req)
		control_reply(job->req, result);
	else
		json_object_put(result);
	if (err)
		log_failure(dev, err);
	if (job->done)
		job->done(job->arg, err);
	applier_wake(job->list->applier);
	free(job);
}

static struct json_object *array_of(struct json_object *o)
{
	struct json_object *a = json_object_new_array();

	json_object_array_add(a, o);
	return a;
}

static void detached(void *arg, struct trunk *t, const struct error *err)
{
	struct job *job = arg;
	struct error why = err ? *err : (struct error){0};
	char dev[IFNAMSIZ];

	snprintf(dev, sizeof(dev), "%s", trunk_name(t));
	log_info("%s: detached", dev);
	drop(job->list, t);
	job_end(job, dev, json_object_new_array(), err ? &why : NULL);
}

static void attached(void *arg, struct trunk *t, const struct error *err)
{
	struct job *job = arg;
	struct error why = err ? *err : (struct error){0};
	struct json_object *show = err ? NULL : array_of(trunk_show(t));
	char dev[IFNAMSIZ];

	snprintf(dev, sizeof(dev), "%s", trunk_name(t));
	if (!err)
		log_info("%s: %s", dev,
			 trunk_is_ready(t) ? "attached" : "will be attached when it is there");
	else if (!trunk_is_detaching(t))
		drop(job->list, t);
	job_end(job, dev, show, err ? &why : NULL);
}

/* Takes over @job unless there is an error. */
static int start_attach(struct trunk_list *l, const struct config_trunk *config, struct job *job,
			struct error *err)
{
	struct trunk *t = trunk_list_find(l, config->dev);
	int ret;

	if (t) {
		ret = trunk_check_idle(t, err);
		if (ret)
			return ret;
		ret = error_set(err, -EEXIST, "%s is attached already", config->dev);
		error_hint(err, "see `qmapctl show %s`; detach it first to change how",
			   config->dev);
		return ret;
	}
	if (config->keep_secrets) {
		ret = error_set(err, -EINVAL, "%s is not attached: there are no secrets to keep",
				config->dev);
		error_hint(err, "write them instead of keep-secrets = yes");
		return ret;
	}
	if (l->n == MAX_TRUNKS)
		return error_set(err, -E2BIG, "more than %d trunks are not supported", MAX_TRUNKS);
	ret = trunk_attach(&t, &l->env, config, attached, job, err);
	if (!ret)
		l->trunks[l->n++] = t;
	return ret;
}

int trunk_list_attach(struct trunk_list *l, const struct config_trunk *config, trunk_list_done done,
		      void *arg, struct error *err)
{
	struct job *job = job_new(l, NULL, err);
	int ret;

	if (!job)
		return -ENOMEM;
	job->done = done;
	job->arg = arg;
	ret = start_attach(l, config, job, err);
	if (ret)
		free(job);
	return ret;
}

static void on_attach(struct control_request *req, struct json_object *args, void *arg)
{
	struct config_trunk *config = malloc(sizeof(*config));
	struct json_object *o = NULL;
	struct error err = {0};
	struct job *job = job_new(arg, req, &err);
	int ret = -EINVAL;

	json_object_object_get_ex(args, "trunk", &o);
	if (!config || !job)
		ret = error_set(&err, -ENOMEM, "out of memory");
	else if (!o)
		error_set(&err, ret, "attach needs \"trunk\"");
	else
		ret = config_trunk_from_json(config, o, &err)
			?: config_trunk_finish(config, &err)
			?: start_attach(arg, config, job, &err);
	if (ret) {
		control_reply_error(req, &err);
		free(job);
	}
	free(config);
}

static int not_attached(const struct trunk_list *l, const char *dev, struct error *err)
{
	if (!dev)
		return error_set(err, -EINVAL, "\"dev\" is missing, the name of a trunk");
	for (unsigned int i = 0; i < l->n; i++) {
		if (!trunk_has_port(l->trunks[i], dev))
			continue;
		error_set(err, -ENODEV, "%s is a port of %s", dev, trunk_name(l->trunks[i]));
		error_hint(err, "give the name of the trunk, %s", trunk_name(l->trunks[i]));
		return -ENODEV;
	}
	error_set(err, -ENODEV, "%s is not attached", dev);
	error_hint(err, "`qmapctl show` lists what is");
	return -ENODEV;
}

static int start_detach(struct trunk_list *l, const char *dev, struct job what, struct error *err)
{
	struct trunk *t = dev ? trunk_list_find(l, dev) : NULL;
	struct job *job;
	int ret;

	if (!t)
		return not_attached(l, dev, err);
	job = job_new(l, what.req, err);
	if (!job)
		return -ENOMEM;
	*job = what;
	ret = trunk_detach(t, detached, job, err);
	if (ret)
		free(job);
	return ret;
}

int trunk_list_detach(struct trunk_list *l, const char *dev, trunk_list_done done, void *arg,
		      struct error *err)
{
	return start_detach(l, dev, (struct job){.list = l, .done = done, .arg = arg}, err);
}

static void on_detach(struct control_request *req, struct json_object *args, void *arg)
{
	const char *dev = control_args_string(args, "dev");
	struct trunk_list *l = arg;
	struct error err = {0};

	if (start_detach(l, dev, (struct job){.list = l, .req = req}, &err))
		control_reply_error(req, &err);
	else
		applier_detached(l->applier, dev);
}

static void each(struct control_request *req, struct json_object *args, struct trunk_list *l,
		 int (*fn)(struct trunk *t, struct json_object **out, struct error *err))
{
	const char *dev = control_args_string(args, "dev");
	struct json_object *a = json_object_new_array(), *o;
	struct error err = {0};

	if (dev && !trunk_list_find(l, dev))
		not_attached(l, dev, &err);
	for (unsigned int i = 0; i < l->n && !err.err; i++) {
		if (dev && strcmp(dev, trunk_name(l->trunks[i])))
			continue;
		if (!fn(l->trunks[i], &o, &err) && o)
			json_object_array_add(a, o);
	}
	if (!err.err) {
		control_reply(req, a);
		return;
	}
	json_object_put(a);
	control_reply_error(req, &err);
}

static int show_one(struct trunk *t, struct json_object **out, struct error *err)
{
	trunk_look_at_programs(t);
	trunk_compare(t);
	trunk_totals_look(t);
	*out = trunk_show(t);
	return 0;
}

static void on_show(struct control_request *req, struct json_object *args, void *arg)
{
	each(req, args, arg, show_one);
}

static int dump_one(struct trunk *t, struct json_object **out, struct error *err)
{
	*out = config_trunk_to_json(trunk_config(t), false);
	return 0;
}

static int dump_one_with_secrets(struct trunk *t, struct json_object **out, struct error *err)
{
	*out = config_trunk_to_json(trunk_config(t), true);
	return 0;
}

static void on_dump(struct control_request *req, struct json_object *args, void *arg)
{
	each(req, args, arg, json_get_bool(args, "secrets") ? dump_one_with_secrets : dump_one);
}

static int stats_of(struct trunk *t, struct json_object **out, struct error *err)
{
	struct datapath_stats *stats = calloc(1, sizeof(*stats));
	int ret;

	trunk_look_at_programs(t);
	ret = stats ? trunk_stats(t, stats, err) : error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		*out = counters_to_json(trunk_name(t), trunk_datapath(t), stats);
	free(stats);
	return ret;
}

/* A trunk that waits for its modem has no counters, which is not an error. */
static int stats_if_any(struct trunk *t, struct json_object **out, struct error *err)
{
	*out = NULL;
	return trunk_has_datapath(t) ? stats_of(t, out, err) : 0;
}

static void on_stats(struct control_request *req, struct json_object *args, void *arg)
{
	each(req, args, arg, control_args_string(args, "dev") ? stats_of : stats_if_any);
}

static void on_monitor(struct control_request *req, struct json_object *args, void *arg)
{
	struct trunk_list *l = arg;

	trunk_monitor(req, args, l->env.events);
}

static void on_record(struct control_request *req, struct json_object *args, void *arg)
{
	recorders_command(&((struct trunk_list *)arg)->recorders, req, args);
}

static void on_apply(struct control_request *req, struct json_object *args, void *arg)
{
	applier_command(((struct trunk_list *)arg)->applier, req, args);
}

/* Errors about PDNs are part of the result, as `failure`. */
static void redialled(void *arg, struct trunk *t, const struct error *err)
{
	bool detached = err && trunk_is_detaching(t);
	struct job *job = arg;

	job_end(job, trunk_name(t), detached ? NULL : array_of(trunk_show(t)),
		detached ? err : NULL);
}

static int start_redial(struct trunk_list *l, struct control_request *req, struct json_object *args,
			struct error *err)
{
	const char *dev = control_args_string(args, "dev");
	struct trunk *t = dev ? trunk_list_find(l, dev) : NULL;
	int64_t pdn = json_get_int(args, "pdn");
	struct job *job;
	int ret;

	if (!t)
		return not_attached(l, dev, err);
	if (json_object_object_get_ex(args, "pdn", NULL) && (pdn < 1 || pdn > UINT8_MAX))
		return error_set(err, -EINVAL, "\"pdn\" must be the number of a PDN");
	job = job_new(l, req, err);
	if (!job)
		return -ENOMEM;
	ret = trunk_redial(t, pdn, err) ?: trunk_wait(t, pdn, redialled, job, err);
	if (ret)
		free(job);
	return ret;
}

static void on_redial(struct control_request *req, struct json_object *args, void *arg)
{
	struct error err = {0};

	if (start_redial(arg, req, args, &err))
		control_reply_error(req, &err);
}

const struct control_command trunk_commands[] = {
	{"apply", true, on_apply},   {"attach", true, on_attach},
	{"detach", true, on_detach}, {"redial", true, on_redial},
	{"show", false, on_show},    {"stats", false, on_stats},
	{"dump", true, on_dump},     {"monitor", false, on_monitor},
	{"record", true, on_record}, {0},
};

/* --- actions without a request --- */

static void take_down(struct trunk_list *l, struct trunk *t, const char *why)
{
	struct error err = {0};
	struct job *job = job_new(l, NULL, &err);

	log_warning("%s: %s; taking it down", trunk_name(t), why);
	if (job && !trunk_detach(t, detached, job, &err))
		return;
	log_error("%s: %s", trunk_name(t), err.text);
	free(job);
}

static void adopted(void *arg, struct trunk *t, const struct error *err)
{
	struct job *job = arg;
	struct trunk_list *l = job->list;

	if (!err)
		log_info("%s: adopted", trunk_name(t));
	job_end(job, trunk_name(t), NULL, err);
	if (trunk_is_unfinished(t))
		take_down(l, t, "the last daemon died while attaching or detaching it");
	else
		trunk_renew(t);
}

static void adopt_one(struct trunk_list *l, unsigned int ifindex)
{
	struct error err = {0};
	struct job *job = job_new(l, NULL, &err);
	struct trunk *t;

	if (job && l->n < MAX_TRUNKS && !trunk_adopt(&t, &l->env, ifindex, adopted, job, &err)) {
		l->trunks[l->n++] = t;
		return;
	}
	log_error("Cannot adopt the trunk with ifindex %u: %s", ifindex, err.text);
	free(job);
}

/* Do the pins under @ifindex belong to a trunk that is adopted already? Then removes them. */
static bool forget_double(struct trunk_list *l, unsigned int ifindex)
{
	struct pins p;
	bool is_double;

	if (pins_open(&p, ifindex, PINS_WRITE, NULL))
		return false;
	is_double = trunk_list_find(l, p.trunk);
	if (is_double)
		pins_remove(&p);
	else
		pins_close(&p);
	return is_double;
}

static int by_ifindex(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Adopts pins with a netdev first: a daemon that died while moving its pins has left two sets. */
void trunk_list_adopt(struct trunk_list *l)
{
	unsigned int ifindexes[MAX_TRUNKS * 2], n = pins_list(ifindexes, MAX_TRUNKS * 2);

	qsort(ifindexes, n, sizeof(ifindexes[0]), by_ifindex);
	for (unsigned int i = 0; i < n; i++)
		if (!forget_double(l, ifindexes[i]))
			adopt_one(l, ifindexes[i]);
}

void trunk_list_configure(struct trunk_list *l, struct config_set *set)
{
	l->minutes = CONFIG_TOTALS_MINUTES;
	if (set->daemon.totals_minutes)
		l->minutes = set->daemon.totals_minutes;
	applier_start(l->applier, set);
}

/* --- notifications of rtnetlink --- */

static struct trunk *of_netdev(const struct trunk_list *l, unsigned int ifindex)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (trunk_ifindex(l->trunks[i]) == ifindex)
			return l->trunks[i];
	return NULL;
}

static struct trunk *of_device(const struct trunk_list *l, const char *device)
{
	for (unsigned int i = 0; device[0] && i < l->n; i++)
		if (!strcmp(trunk_device(l->trunks[i]), device))
			return l->trunks[i];
	return NULL;
}

static void netdev(struct trunk_list *l, unsigned int ifindex, const char *name)
{
	struct trunk *t = of_netdev(l, ifindex);
	char device[256];

	if (t && strcmp(trunk_netdev(t), name))
		trunk_netdev_renamed(t, name);
	if (t)
		return;
	trunk_dev_device(name, device, sizeof(device));
	t = of_device(l, device);
	if (!t)
		t = trunk_list_find(l, name);
	if (t)
		trunk_offer(t, name);
}

static void netdev_gone(struct trunk_list *l, unsigned int ifindex, bool moved)
{
	struct trunk *t = of_netdev(l, ifindex);

	if (t)
		trunk_netdev_gone(t, moved ? "somebody has moved the netdev to another namespace"
					   : "the netdev is gone: modem unplugged or restarted");
}

static void programs_changed(struct trunk_list *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		trunk_programs_changed(l->trunks[i]);
}

/* Looks at everything again. */
static void resync(struct trunk_list *l)
{
	char name[IFNAMSIZ];

	programs_changed(l);
	for (unsigned int i = 0; i < l->n; i++) {
		unsigned int ifindex = trunk_ifindex(l->trunks[i]);

		trunk_look(l->trunks[i]);
		if (!ifindex)
			trunk_seek(l->trunks[i]);
		else if (if_indextoname(ifindex, name))
			netdev(l, ifindex, name);
		else
			netdev_gone(l, ifindex, false);
	}
}

static void on_netlink(void *arg, const char *netns, const struct rtnl_event *e)
{
	struct trunk_list *l = arg;

	for (unsigned int i = 0; i < l->n; i++)
		trunk_netlink(l->trunks[i], netns, e);
	switch (e->kind) {
	case RTNL_LINK:
		if (!*netns)
			netdev(l, e->ifindex, e->name);
		break;
	case RTNL_LINK_GONE:
	case RTNL_LINK_MOVED:
		if (!*netns)
			netdev_gone(l, e->ifindex, e->kind == RTNL_LINK_MOVED);
		break;
	case RTNL_TC_GONE:
		programs_changed(l);
		break;
	case RTNL_LOST:
		log_warning("netlink events were lost: looking at everything again");
		resync(l);
		break;
	case RTNL_CHANGED:
	case RTNL_RULE_GONE:
		break;
	}
}

void trunk_list_resumed(struct trunk_list *l)
{
	resync(l);
	for (unsigned int i = 0; i < l->n; i++)
		trunk_resumed(l->trunks[i]);
}
