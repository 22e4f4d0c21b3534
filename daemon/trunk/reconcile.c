// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the rows of a trunk (keep/keep.h): of its netdev, its data path, its ports, in this order, as each
 * depends on those before. The kernel is asked once for each namespace.
 */
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "rtnl/snapshot.h"
#include "rtnl/watch.h"
#include "util/clock.h"
#include "util/log.h"
#include "internal.h"
#include "pins.h"
#include "port_rows.h"
#include "reconcile.h"

/* Flushing a link's addresses causes a dozen messages, and a deleted qdisc takes its filters along. */
#define SOON_MS 10
/* libevent's timers use a coarser clock and may fire some ms early. */
#define EARLY_MS 20

struct trunk_look {
	struct event *timer;
	int64_t due_ms;		    /* time of the next look, CLOCK_MONOTONIC */
	int64_t poll_ms;	    /* time of the next poll; 0: there is none */
	bool all_due;		    /* the rows of netdev and ports are due */
	bool programs_due;	    /* the data path's rows are due, too */
	struct keep_state netdev;   /* of trunk_dev_rows */
	struct keep_state programs; /* of datapath_ops.rows */
};

/* --- snapshots of namespaces, each read when it is needed first --- */

struct view {
	const char *netns;
	struct rtnl_snapshot *kernel; /* NULL: the kernel could not be asked */
	bool missing;		      /* there is no namespace of that name */
};

struct views {
	unsigned int n;
	struct view list[CONFIG_MAX_PDNS + 1];
};

static struct rtnl_snapshot *read_namespace(const char *netns, bool *missing)
{
	struct rtnl_snapshot *kernel = NULL;
	struct error err = {0};
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, netns, &err) ?: rtnl_snapshot_read(&kernel, nl, 0, &err);

	*missing = ret == -ENOENT;
	if (ret && !*missing)
		log_warning("namespace \"%s\": %s", netns, err.text);
	rtnl_close(&nl);
	return kernel;
}

static const struct view *view_of(struct views *v, const char *netns)
{
	struct view *new = &v->list[v->n];

	for (unsigned int i = 0; i < v->n; i++)
		if (!strcmp(v->list[i].netns, netns))
			return &v->list[i];
	v->n++;
	new->netns = netns;
	new->kernel = read_namespace(netns, &new->missing);
	return new;
}

static void views_free(struct views *v)
{
	while (v->n)
		rtnl_snapshot_free(&v->list[--v->n].kernel);
}

/* --- the trunk's own rows --- */

static unsigned int sooner(unsigned int a, unsigned int b)
{
	return !a || (b && b < a) ? b : a;
}

static void on_report(void *owner, enum netdev_outcome outcome, const char *text)
{
	struct trunk *t = owner;
	struct events_entry e = {.kind = EVENTS_NETDEV, .netdev = outcome};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.reason, sizeof(e.reason), "%s", text);
	events_add(t->env.events, &e, true);
	trunk_save_later(t);
}

static void reread_netdev(void *arg)
{
	trunk_dev_read(arg, NULL);
}

static unsigned int left(const struct trunk *t)
{
	return t->look->netdev.spent & t->look->netdev.wrong;
}

static unsigned int run_netdev(struct trunk *t, const struct rtnl_link *link, int64_t now)
{
	struct trunk_dev_view view = {.dev = &t->dev, .link = *link};
	struct keep_run run = {.rows = trunk_dev_rows,
			       .state = &t->look->netdev,
			       .arg = &view,
			       .until = "the modem is set up",
			       .reread = reread_netdev,
			       .report = on_report,
			       .owner = t,
			       .now = now};
	unsigned int was_left = left(t), wait = 0;

	t->look->netdev.fixed = 0;
	if (t->dev.prepared && !rtnl_open(&view.nl, NULL, NULL))
		wait = keep_run(&run);
	rtnl_close(&view.nl);
	if (t->look->netdev.fixed && !t->dev.qmap) {
		struct error why = {0};

		/*
		 * With QMAP off the netdev is the port, whose addresses and routes have gone with
		 * "down".
		 */
		for (unsigned int i = 0; i < t->nports; i++)
			trunk_port_up_again(&t->ports[i], t->env.run_dir, &why);
	}
	if (left(t) != was_left)
		trunk_save_later(t);
	return wait;
}

struct json_object *trunk_damage_list(const struct trunk *t)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; trunk_dev_rows[i].look; i++)
		if (left(t) & 1U << i)
			json_object_array_add(a, json_object_new_string(keep_text(
							 trunk_dev_rows, &t->look->netdev, i)));
	return a;
}

/* Without one of its inner netdevs the data path is built again. */
static void find_inner(struct trunk *t, const struct rtnl_snapshot *kernel)
{
	struct error err = {0};
	char name[IFNAMSIZ];

	for (unsigned int i = 0; datapath_inner_name(t->ops, t->config.dev, i, name); i++) {
		if (rtnl_snapshot_find(kernel, name))
			continue;
		error_set(&err, -ENODEV, "somebody has deleted %s", name);
		modem_input(t->modem, TRUNK_IN_ANEW, &err);
		return;
	}
}

/* A program that has to wait for its next fix stays due. */
static unsigned int run_programs(struct trunk *t, int64_t now)
{
	struct keep_run run = {.rows = t->ops->rows,
			       .state = &t->look->programs,
			       .arg = t->dp,
			       .report = on_report,
			       .owner = t,
			       .now = now};
	unsigned int wait = t->ops->rows ? keep_run(&run) : 0;

	t->look->programs_due = wait;
	return wait;
}

/* --- all of them --- */

/* @now 0: only compares. A port in a namespace that cannot be asked is left alone. */
static unsigned int each_port(struct trunk *t, struct views *views, int64_t now)
{
	unsigned int wait = 0;

	for (unsigned int i = 0; i < t->nports; i++) {
		struct trunk_port *p = &t->ports[i];
		const struct view *view = p->ifindex ? view_of(views, p->port.netns) : NULL;

		if (!view || (!view->kernel && !view->missing))
			continue;
		if (view->missing)
			rtnl_watch_again(t->env.watch, p->port.netns);
		if (now)
			wait = sooner(wait, trunk_port_reconcile(t, p, view->kernel, now));
		else
			trunk_port_compare(t, p, view->kernel);
	}
	return wait;
}

/*
 * A disappearing trunk takes wwan0.sh and rmnet's links along, and their notification comes first
 * (unregister_netdevice_many() unlists a netdev before it calls the notifiers that end them): nothing is
 * done without it.
 */
static unsigned int run_all(struct trunk *t, struct views *views, int64_t now)
{
	const struct rtnl_snapshot *kernel = view_of(views, "")->kernel;
	const struct rtnl_link *link = kernel ? rtnl_snapshot_link(kernel, t->dev.ifindex) : NULL;
	unsigned int wait;

	if (!link)
		return 0;
	wait = run_netdev(t, link, now);
	find_inner(t, kernel);
	if (t->closing)
		return 0;
	if (t->look->programs_due)
		wait = sooner(wait, run_programs(t, now));
	if (t->look->netdev.fixed)
		views_free(views);
	return sooner(wait, each_port(t, views, now));
}

static void look_in(struct trunk *t, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int64_t due = clock_ms() + ms;

	if (event_pending(t->look->timer, EV_TIMEOUT, NULL) && t->look->due_ms <= due)
		return;
	t->look->due_ms = due;
	event_add(t->look->timer, &tv);
}

static void look_at_all(struct trunk *t, int64_t now)
{
	struct views views = {.n = 0};
	unsigned int wait;

	t->look->all_due = false;
	wait = run_all(t, &views, now);
	views_free(&views);
	t->look->all_due |= wait;
	if (wait)
		look_in(t, wait + 1);
}

/* There is no notification of detached XDP links, nor of pass_through. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	int64_t now = clock_ms();

	if (!t->dp || t->closing)
		return;
	if (t->look->poll_ms && now >= t->look->poll_ms - EARLY_MS) {
		t->look->programs_due = t->look->all_due = true;
		t->look->poll_ms = now + t->config.poll * 1000;
	}
	if (t->look->all_due)
		look_at_all(t, now);
	else
		trunk_look_at_programs(t);
	if (t->look->poll_ms)
		look_in(t, t->look->poll_ms - now);
}

void trunk_look(struct trunk *t)
{
	t->look->all_due = true;
	look_in(t, SOON_MS);
}

/*
 * Any process's qdisc on any netdev may be the reason, so the kernel is not asked for everything; but
 * the programs of 464XLAT are rows of the ports.
 */
void trunk_programs_changed(struct trunk *t)
{
	t->look->programs_due = true;
	for (unsigned int i = 0; i < t->nports; i++)
		t->look->all_due |= t->ports[i].clat;
	look_in(t, SOON_MS);
}

void trunk_look_at_programs(struct trunk *t)
{
	char name[IFNAMSIZ];
	unsigned int wait;

	if (!t->dp || t->closing || !if_indextoname(t->dev.ifindex, name))
		return;
	wait = run_programs(t, clock_ms());
	if (wait)
		look_in(t, wait + 1);
}

void trunk_compare(struct trunk *t)
{
	struct views views = {.n = 0};

	if (t->dp)
		each_port(t, &views, 0);
	views_free(&views);
}

void trunk_look_begin(struct trunk *t)
{
	t->look->poll_ms = t->config.poll ? clock_ms() + t->config.poll * 1000 : 0;
	if (t->look->poll_ms)
		look_in(t, t->config.poll * 1000);
}

void trunk_look_end(struct trunk_look *l)
{
	event_del(l->timer);
}

void trunk_look_forgive(struct trunk_look *l)
{
	keep_forgive(&l->netdev);
}

struct trunk_look *trunk_look_new(struct trunk *t)
{
	struct trunk_look *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->timer = event_new(t->env.base, -1, 0, on_look, t);
	if (!l->timer)
		trunk_look_free(&l);
	return l;
}

void trunk_look_free(struct trunk_look **l)
{
	if (*l && (*l)->timer)
		event_free((*l)->timer);
	free(*l);
	*l = NULL;
}
