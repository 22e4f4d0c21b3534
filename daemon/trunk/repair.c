// SPDX-License-Identifier: GPL-2.0-or-later
#include "repair.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "util/clock.h"
#include "util/log.h"
#include "rtnl/monitor.h"
#include "internal.h"

/* Who flushes a link's addresses sends a dozen messages. */
static const struct timeval look_delay = {.tv_usec = 10000};
static const struct timeval late_delay = {.tv_usec = TRUNK_REPAIR_LATE_MS * 1000};

/* A namespace that ports are in, other than our own. */
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

__attribute__((format(printf, 4, 5))) static void tell(struct trunk *t, const struct trunk_port *p,
						       const char *to, const char *fmt, ...)
{
	struct events_entry e = {.kind = EVENTS_NETDEV, .pdn = p->pdn.number};
	va_list ap;

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.port, sizeof(e.port), "%s", p->port.name);
	snprintf(e.to, sizeof(e.to), "%s", to);
	va_start(ap, fmt);
	vsnprintf(e.reason, sizeof(e.reason), fmt, ap);
	va_end(ap);
	events_add(t->env.events, &e, true);
}

static const char *const damages[TRUNK_FIGHTS] = {
	[TRUNK_FIGHT_NETDEV] = "somebody has deleted it",
	[TRUNK_FIGHT_MTU] = "somebody has lowered its MTU",
	[TRUNK_FIGHT_ADDRESS] = "somebody has deleted its address",
	[TRUNK_FIGHT_ROUTE] = "somebody has deleted its default route",
};

/* May @about be repaired once more? Says so when it has been enough. */
static bool may_repair(struct trunk *t, struct trunk_port *p, enum trunk_fight_about about)
{
	enum trunk_fight_verdict verdict = trunk_fight_judge(&p->fights[about], clock_ms());

	if (verdict != TRUNK_FIGHT_GIVE_UP)
		return verdict == TRUNK_FIGHT_REPAIR;
	tell(t, p, "failed", "%s again and again; it stays so until the call is made again",
	     damages[about]);
	return false;
}

/* The data path still has its entry, which goes first. */
static int make_again(struct trunk *t, struct trunk_port *p, struct error *err)
{
	bool up = !trunk_has_control(t) || trunk_port_is_up(p);
	int ret;

	t->ops->del_port(t->dp, p->pdn.mux, NULL);
	ret = t->ops->add_port(t->dp, &p->port, err) ?: trunk_port_place(p, err);
	if (ret)
		return ret;
	p->ifindex = 0;
	trunk_port_locate(p);
	if (up)
		trunk_set_flow(t, p, true);
	if (!trunk_has_control(t))
		return trunk_port_enable(p, err);
	return trunk_port_up_again(p, t->env.run_dir, err);
}

static void done(struct trunk *t, struct trunk_port *p, const char *what, const struct error *err)
{
	if (err->err)
		tell(t, p, "failed", "%s; %s", what, err->text);
	else
		tell(t, p, "repaired", "%s", what);
}

/*
 * Once more: the event that tells a netdev moved from one deleted may not have been read yet, and
 * with some data paths the trunk may be about to follow its ports.
 */
static bool look_again(struct trunk *t, struct trunk_port *p)
{
	int64_t now = clock_ms(), wait = t->ops->gone_ms ?: (unsigned int)look_delay.tv_usec / 1000;
	struct timeval left;

	if (!p->missed)
		p->missed = now;
	wait -= now - p->missed;
	if (wait <= 0)
		return false;
	left = (struct timeval){.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	if (!event_pending(t->repair->look, EV_TIMEOUT, NULL))
		event_add(t->repair->look, &left);
	return true;
}

static void port_gone(struct trunk *t, struct trunk_port *p)
{
	struct error err = {0};

	if (look_again(t, p))
		return;
	p->missed = 0;
	if (p->away) {
		tell(t, p, "reported", "somebody has moved it to another namespace");
		p->ifindex = 0; /* nobody looks for it any more */
		return;
	}
	if (!may_repair(t, p, TRUNK_FIGHT_NETDEV)) {
		p->ifindex = 0;
		return;
	}
	make_again(t, p, &err);
	done(t, p, damages[TRUNK_FIGHT_NETDEV], &err);
	trunk_save(t);
}

static void repair(struct trunk *t, struct trunk_port *p, unsigned int wrong)
{
	unsigned int mine = 0;
	struct error err = {0};

	for (int i = 0; i < TRUNK_FIGHTS; i++)
		if (wrong & 1 << i && may_repair(t, p, i))
			mine |= 1 << i;
	if (!mine)
		return;
	trunk_port_up_again(p, t->env.run_dir, &err);
	for (int i = 0; i < TRUNK_FIGHTS; i++)
		if (mine & 1 << i)
			done(t, p, damages[i], &err);
}

/* Up or down is the user's wish; with "up" the kernel gives back no IPv6 address and no route. */
static void up_or_down(struct trunk *t, struct trunk_port *p, bool up)
{
	if (p->shut == !up)
		return;
	p->shut = !up;
	tell(t, p, "reported", up ? "somebody has set it up again" : "somebody has set it down");
}

static void look_at(struct trunk *t, struct trunk_port *p)
{
	struct trunk_port_state s;
	struct error err = {0};
	char old[IFNAMSIZ];

	if (!p->ifindex)
		return;
	memcpy(old, p->port.name, sizeof(old));
	if (trunk_port_look(p, &s, &err)) {
		log_warning("%s: %s", p->port.name, err.text);
		return;
	}
	if (s.gone) {
		port_gone(t, p);
		return;
	}
	p->missed = 0;
	if (s.renamed) {
		tell(t, p, "reported", "somebody has renamed it: it was %s", old);
		t->ops->adopt_port(t->dp, &p->port, NULL);
		trunk_save(t);
	}
	if (trunk_port_is_up(p))
		up_or_down(t, p, s.up);
	repair(t, p, s.wrong);
}

/* What the data paths are made of besides the ports: what follows the base of all names. rmnet has
 * nothing but its links, which are the ports. */
static const struct {
	const struct datapath_ops *ops;
	const char *suffix;
} inner[] = {
	{&datapath_xdp, "sa"},
	{&datapath_xdp, "sb"},
	{&datapath_xdp, "se"},
	{&datapath_shim, "sh"},
};

/* Without one of them all is made anew. */
static bool lacks_inner(struct trunk *t)
{
	char base[IFNAMSIZ], name[IFNAMSIZ];
	struct error err = {0};

	datapath_port_base(t->config.dev, t->dev.ifindex, base);
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		snprintf(name, sizeof(name), "%.10s.%s", base, inner[i].suffix);
		if (inner[i].ops != t->ops || if_nametoindex(name))
			continue;
		error_set(&err, -ENODEV, "somebody has deleted %s", name);
		trunk_input(t, TRUNK_IN_ANEW, &err);
		return true;
	}
	return false;
}

/*
 * A trunk's netdev that goes takes wwan0.sh and rmnet's links along, and the word of theirs comes
 * first (unregister_netdevice_many() unlists a netdev before it calls the notifiers that end them).
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

	(void)fd;
	(void)what;
	if (!t->dp || t->closing || !has_netdev(t))
		return;
	trunk_repair_netdev(t);
	if (t->ops == &datapath_raw || lacks_inner(t))
		return;
	for (unsigned int i = 0; i < t->nports; i++)
		look_at(t, &t->ports[i]);
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

	(void)family;
	(void)addr;
	(void)prefix;
	trunk_netlink(p->repair->trunk, p->netns, ifindex, "", TRUNK_LINK_CHANGED);
}

static void on_route_gone(void *arg, unsigned int ifindex)
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
	.route_gone = on_route_gone,
	.resync = on_resync,
};

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct place *p = arg;

	(void)fd;
	(void)what;
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
		if (t->ports[i].pdn.netns[0] && !is_watched(r, t->ports[i].pdn.netns))
			place_new(r, t->ports[i].pdn.netns);
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
