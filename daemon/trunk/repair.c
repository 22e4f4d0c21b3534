// SPDX-License-Identifier: GPL-2.0-or-later
#include "repair.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "rtnl/monitor.h"
#include "rtnl/snapshot.h"
#include "internal.h"

/* Flushing a link's addresses causes a dozen messages. */
static const struct timeval look_delay = {.tv_usec = 10000};
static const struct timeval late_delay = {.tv_usec = TRUNK_REPAIR_LATE_MS * 1000};

/* A namespace of ports other than our own. */
struct place {
	struct place *next;
	struct trunk_repair *repair;
	char netns[64];
	struct rtnl_monitor *monitor;
	struct event *event;
};

struct trunk_repair {
	struct trunk *trunk;
	struct event *look, *late;
	struct place *places;
};

/* Snapshots of the ports' namespaces, each read when the first of its ports needs it. */
struct view {
	const char *netns;
	struct rtnl_snapshot *kernel; /* NULL: the kernel could not be asked */
	bool missing;		      /* there is no namespace of that name */
};

struct views {
	unsigned int n;
	struct view list[CONFIG_MAX_PDNS];
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

/* Calls @fn with each port and a snapshot of its namespace, NULL if that is gone. */
static unsigned int each_port(struct trunk *t,
			      unsigned int (*fn)(struct trunk *t, struct trunk_port *p,
						 const struct rtnl_snapshot *kernel))
{
	struct views views = {.n = 0};
	unsigned int wait = 0;

	for (unsigned int i = 0; i < t->nports; i++) {
		struct trunk_port *p = &t->ports[i];
		const struct view *view = p->ifindex ? view_of(&views, p->port.netns) : NULL;
		unsigned int ms =
			view && (view->kernel || view->missing) ? fn(t, p, view->kernel) : 0;

		if (ms && (!wait || ms < wait))
			wait = ms;
	}
	views_free(&views);
	return wait;
}

static unsigned int compare(struct trunk *t, struct trunk_port *p,
			    const struct rtnl_snapshot *kernel)
{
	trunk_port_compare(t, p, kernel);
	return 0;
}

void trunk_look_now(struct trunk *t)
{
	if (t->dp)
		each_port(t, compare);
}

/* Without one of its inner netdevs the data path is built again. */
static bool lacks_inner(struct trunk *t)
{
	struct error err = {0};
	char name[IFNAMSIZ];

	for (unsigned int i = 0; datapath_inner_name(t->ops, t->config.dev, i, name); i++) {
		if (if_nametoindex(name))
			continue;
		error_set(&err, -ENODEV, "somebody has deleted %s", name);
		trunk_input(t, TRUNK_IN_ANEW, &err);
		return true;
	}
	return false;
}

/*
 * A disappearing trunk takes wwan0.sh and rmnet's links along, and their notification comes first
 * (unregister_netdevice_many() unlists a netdev before it calls the notifiers that end them).
 */
static bool has_netdev(const struct trunk *t)
{
	char name[IFNAMSIZ];

	return if_indextoname(t->dev.ifindex, name);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct trunk_repair *r = arg;
	struct trunk *t = r->trunk;
	struct timeval tv;
	unsigned int wait;

	if (!t->dp || t->closing || !has_netdev(t))
		return;
	trunk_repair_netdev(t);
	if (lacks_inner(t))
		return;
	wait = each_port(t, trunk_port_reconcile);
	tv = (struct timeval){.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	if (wait && !event_pending(r->look, EV_TIMEOUT, NULL))
		event_add(r->look, &tv);
}

/* --- other namespaces --- */

static void on_link(void *arg, const struct rtnl_link *link)
{
	struct place *p = arg;

	trunk_netlink(p->repair->trunk, p->netns, link->ifindex, link->name, TRUNK_LINK_CHANGED);
}

static void on_link_gone(void *arg, unsigned int ifindex, const char *name, bool moved)
{
	struct place *p = arg;

	trunk_netlink(p->repair->trunk, p->netns, ifindex, name,
		      moved ? TRUNK_LINK_MOVED : TRUNK_LINK_GONE);
}

static void on_addr_gone(void *arg, unsigned int ifindex, int family, const void *addr,
			 unsigned int prefix)
{
	struct place *p = arg;

	trunk_netlink(p->repair->trunk, p->netns, ifindex, "", TRUNK_LINK_CHANGED);
}

static void on_changed(void *arg, unsigned int ifindex)
{
	struct place *p = arg;

	trunk_netlink(p->repair->trunk, p->netns, ifindex, "", TRUNK_LINK_CHANGED);
}

static void on_resync(void *arg)
{
	struct place *p = arg;

	trunk_repair_soon(p->repair);
}

static const struct rtnl_monitor_ops monitor_ops = {
	.link = on_link,
	.link_gone = on_link_gone,
	.addr_gone = on_addr_gone,
	.route_gone = on_changed,
	.made = on_changed,
	.tc_gone = on_resync,
	.resync = on_resync,
};

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct place *p = arg;

	if (rtnl_monitor_read(p->monitor))
		event_del(p->event);
}

static void place_free(struct place *p)
{
	if (p->event)
		event_free(p->event);
	rtnl_monitor_close(&p->monitor);
	free(p);
}

static void place_new(struct trunk_repair *r, const char *netns)
{
	struct place *p = calloc(1, sizeof(*p));
	struct error err = {0};

	if (!p)
		return;
	p->repair = r;
	snprintf(p->netns, sizeof(p->netns), "%s", netns);
	if (rtnl_monitor_open(&p->monitor, netns, &monitor_ops, p, &err)) {
		log_warning("%s: %s; what others do to ports there is not noticed",
			    trunk_name(r->trunk), err.text);
		place_free(p);
		return;
	}
	p->event = event_new(r->trunk->env.base, rtnl_monitor_fd(p->monitor), EV_READ | EV_PERSIST,
			     on_netlink, p);
	if (p->event)
		event_add(p->event, NULL);
	p->next = r->places;
	r->places = p;
}

static bool is_watched(const struct trunk_repair *r, const char *netns)
{
	for (const struct place *p = r->places; p; p = p->next)
		if (!strcmp(p->netns, netns))
			return true;
	return false;
}

void trunk_repair_watch(struct trunk_repair *r)
{
	const struct trunk *t = r->trunk;

	for (unsigned int i = 0; i < t->nports; i++)
		if (t->ports[i].port.netns[0] && !is_watched(r, t->ports[i].port.netns))
			place_new(r, t->ports[i].port.netns);
}

void trunk_repair_unwatch(struct trunk_repair *r)
{
	event_del(r->look);
	event_del(r->late);
	while (r->places) {
		struct place *p = r->places;

		r->places = p->next;
		place_free(p);
	}
}

void trunk_repair_soon(struct trunk_repair *r)
{
	if (!event_pending(r->look, EV_TIMEOUT, NULL))
		event_add(r->look, &look_delay);
}

void trunk_repair_late(struct trunk_repair *r)
{
	event_add(r->late, &late_delay);
}

int trunk_repair_new(struct trunk_repair **out, struct trunk *t, struct error *err)
{
	struct trunk_repair *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->trunk = t;
	r->look = event_new(t->env.base, -1, 0, on_look, r);
	r->late = event_new(t->env.base, -1, 0, on_look, r);
	if (r->look && r->late)
		return 0;
	trunk_repair_free(out);
	return error_set(err, -ENOMEM, "out of memory");
}

void trunk_repair_free(struct trunk_repair **r)
{
	if (!*r)
		return;
	if ((*r)->look && (*r)->late)
		trunk_repair_unwatch(*r);
	if ((*r)->look)
		event_free((*r)->look);
	if ((*r)->late)
		event_free((*r)->late);
	free(*r);
	*r = NULL;
}
