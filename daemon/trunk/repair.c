// SPDX-License-Identifier: GPL-2.0-or-later
#include "repair.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "rtnl/monitor.h"
#include "internal.h"

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
	struct place *places;
};

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

	trunk_look(p->repair->trunk);
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
	while (r->places) {
		struct place *p = r->places;

		r->places = p->next;
		place_free(p);
	}
}

int trunk_repair_new(struct trunk_repair **out, struct trunk *t, struct error *err)
{
	struct trunk_repair *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->trunk = t;
	return 0;
}

void trunk_repair_free(struct trunk_repair **r)
{
	if (!*r)
		return;
	trunk_repair_unwatch(*r);
	free(*r);
	*r = NULL;
}
