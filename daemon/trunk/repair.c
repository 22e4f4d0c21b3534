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
#include "rtnl/snapshot.h"
#include "damage.h"
#include "internal.h"
#include "names.h"

/* Flushing a link's addresses causes a dozen messages. */
static const struct timeval look_delay = {.tv_usec = 10000};
/* Settings that the kernel has refused are tried again after this time, at the next look. */
#define TRY_AGAIN_MS 5000

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

void trunk_port_event(struct trunk *t, const struct trunk_port *p, enum netdev_outcome outcome,
		      const char *fmt, ...)
{
	struct events_entry e = {.kind = EVENTS_NETDEV, .pdn = p->port.number, .netdev = outcome};
	va_list ap;

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.port, sizeof(e.port), "%s", p->port.name);
	va_start(ap, fmt);
	vsnprintf(e.reason, sizeof(e.reason), fmt, ap);
	va_end(ap);
	events_add(t->env.events, &e, true);
}

/* May @about be repaired once more? Reports it when the limit is reached. */
static bool may_repair(struct trunk *t, struct trunk_port *p, enum trunk_fight_about about)
{
	enum trunk_fight_verdict verdict = trunk_fight_judge(&p->fights[about], clock_ms());

	if (verdict != TRUNK_FIGHT_GIVE_UP)
		return verdict == TRUNK_FIGHT_REPAIR;
	trunk_port_event(t, p, NETDEV_FAILED,
			 "%s again and again; it stays so until the call is made again",
			 trunk_damage_text(about));
	trunk_save(t);
	return false;
}

/* The data path still has its entry, which is removed first. */
static int make_again(struct trunk *t, struct trunk_port *p, struct error *err)
{
	bool up = !trunk_has_control(t) || trunk_port_is_up(p);
	int ret;

	t->ops->del_port(t->dp, p->port.mux, NULL);
	/* it is created in our own namespace, where the name of another port may be in use */
	trunk_port_name(&t->config, p->port.number, p->port.name);
	p->ifindex = 0;
	p->running_set = false;
	ret = t->ops->add_port(t->dp, &p->port, err) ?: trunk_port_place(p, err);
	if (ret)
		return ret;
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
		trunk_port_event(t, p, NETDEV_FAILED, "%s; %s", what, err->text);
	else
		trunk_port_event(t, p, NETDEV_REPAIRED, "%s", what);
}

/*
 * Looks once more: the event that distinguishes a moved netdev from a deleted one may not have been
 * read yet, and with some data paths the trunk may disappear after its ports.
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
		p->ifindex = 0; /* stop looking for it */
		trunk_port_event(t, p, NETDEV_REPORTED,
				 "somebody has moved it to another namespace");
		return;
	}
	if (!may_repair(t, p, TRUNK_FIGHT_NETDEV)) {
		p->ifindex = 0;
		p->lost = true;
		return;
	}
	make_again(t, p, &err);
	trunk_port_look(p);
	done(t, p, trunk_damage_text(TRUNK_FIGHT_NETDEV), &err);
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
	trunk_port_look(p);
	for (int i = 0; i < TRUNK_FIGHTS; i++)
		if (mine & 1 << i)
			done(t, p, trunk_damage_text(i), &err);
}

/*
 * Tries settings again that the kernel has refused, and may accept later: IPv6 switched off,
 * memory, a full disk.
 */
static void set_again(struct trunk *t, struct trunk_port *p)
{
	bool was[2] = {p->fault[0][0], p->fault[1][0]};
	struct error err = {0};
	int64_t now = clock_ms();

	if (!(was[0] && !p->refused[0]) && !(was[1] && !p->refused[1]) && !p->complaint[0])
		return;
	if (now - p->tried_ms < TRY_AGAIN_MS)
		return;
	p->tried_ms = now;
	trunk_port_up_again(p, t->env.run_dir, &err);
	trunk_port_look(p);
	for (int i = 0; i < 2; i++)
		if (was[i] && !p->fault[i][0])
			trunk_port_event(t, p, NETDEV_REPAIRED, "IPv%d could be set up", i ? 6 : 4);
}

/* Up or down is the user's choice; "up" restores no IPv6 address and no route. */
static void up_or_down(struct trunk *t, struct trunk_port *p, bool up)
{
	if (p->shut == !up)
		return;
	p->shut = !up;
	trunk_port_event(t, p, NETDEV_REPORTED,
			 up ? "somebody has set it up again" : "somebody has set it down");
	trunk_save(t);
}

/* The data path drops and counts frames for a port that is down. */
static void tell_running(struct trunk *t, struct trunk_port *p)
{
	bool running = p->seen.up || !trunk_port_is_up(p);

	if (!t->ops->running || (p->running_set && p->running == running))
		return;
	p->running_set = !t->ops->running(t->dp, p->port.mux, running, NULL);
	p->running = running;
}

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

static void look_at(struct trunk *t, struct trunk_port *p, const struct rtnl_snapshot *kernel)
{
	char old[IFNAMSIZ];

	memcpy(old, p->port.name, sizeof(old));
	trunk_port_compare(p, kernel);
	if (p->seen.gone) {
		port_gone(t, p);
		return;
	}
	p->missed = 0;
	tell_running(t, p);
	if (strcmp(old, p->seen.name)) {
		memcpy(p->port.name, p->seen.name, sizeof(p->port.name));
		trunk_port_event(t, p, NETDEV_REPORTED, "somebody has renamed it: it was %s", old);
		t->ops->adopt_port(t->dp, &p->port, NULL);
		trunk_save(t);
	}
	if (trunk_port_is_up(p) && trunk_port_is_ours(p))
		up_or_down(t, p, p->seen.up);
	trunk_port_drop_routes(p);
	repair(t, p, p->seen.wrong);
	if (p->seen.up)
		set_again(t, p);
}

static void compare(struct trunk *t, struct trunk_port *p, const struct rtnl_snapshot *kernel)
{
	trunk_port_compare(p, kernel);
}

/* The port ends with its namespace, unless a process is still there. It comes back as one that
 * was deleted, once there is a namespace of that name. */
static void namespace_gone(struct trunk *t, struct trunk_port *p)
{
	bool known = p->seen.homeless;

	p->seen = (struct trunk_port_state){.gone = true, .homeless = true};
	if (!known)
		trunk_port_event(t, p, NETDEV_REPORTED, "its network namespace %s is gone",
				 p->port.netns);
}

static void each_port(struct trunk *t, void (*fn)(struct trunk *t, struct trunk_port *p,
						  const struct rtnl_snapshot *kernel))
{
	struct views views = {.n = 0};

	for (unsigned int i = 0; i < t->nports; i++) {
		struct trunk_port *p = &t->ports[i];
		const struct view *view = p->ifindex ? view_of(&views, p->port.netns) : NULL;

		if (view && view->kernel)
			fn(t, p, view->kernel);
		else if (view && view->missing)
			namespace_gone(t, p);
	}
	views_free(&views);
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

	if (!t->dp || t->closing || !has_netdev(t))
		return;
	trunk_repair_netdev(t);
	if (lacks_inner(t))
		return;
	each_port(t, look_at);
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
