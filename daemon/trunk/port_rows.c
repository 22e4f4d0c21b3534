// SPDX-License-Identifier: GPL-2.0-or-later
/* A port as rows of the reconciler (keep/keep.h), and its damage in words. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/port_name.h"
#include "events/events.h"
#include "rtnl/rtnl.h"
#include "rtnl/snapshot.h"
#include "rtnl/watch.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/cpus.h"
#include "util/log.h"
#include "datapath/clat_programs.h"
#include "netdev/steer.h"
#include "build.h"
#include "clat.h"
#include "internal.h"
#include "pins.h"
#include "port_rows.h"
#include "port_rules.h"

/* Settings that the kernel has refused are tried again after this time, at the next look. */
#define TRY_AGAIN_MS 5000

/* The argument of the rows. */
struct view {
	struct trunk *trunk;
	struct trunk_port *port;
	bool homeless;			    /* there is no namespace of its name */
	const struct rtnl_snapshot *kernel; /* of its namespace; NULL: it cannot be seen */
	const struct rtnl_link *link;	    /* NULL: it is not there */
	struct rtnl_snapshot *own;	    /* read by this run, after fixes */
};

static void set_kernel(struct view *v, const struct rtnl_snapshot *kernel)
{
	v->kernel = kernel;
	v->link = kernel ? rtnl_snapshot_link(kernel, v->port->ifindex) : NULL;
}

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
	trunk_save_later(t);
}

/* --- the netdev --- */

/* The port ends with its namespace, unless a process is still there. */
static enum keep_look look_namespace(void *arg, char *detail)
{
	const struct view *v = arg;

	snprintf(detail, KEEP_DETAIL, "%s", v->port->port.netns);
	return v->homeless ? KEEP_WRONG : KEEP_FINE;
}

/*
 * A port that comes back from another namespace has another number if its own was taken there. By its name
 * alone another netdev might be meant: ours is on top of the trunk, or of one of the inner netdevs.
 */
static void find_returned(struct view *v)
{
	struct trunk_port *p = v->port;
	const struct rtnl_link *link = rtnl_snapshot_find(v->kernel, p->port.name), *lower;
	char base[IFNAMSIZ];

	lower = link ? rtnl_snapshot_link(v->kernel, link->lower) : NULL;
	if (!lower)
		return;
	datapath_port_base(v->trunk->config.dev, base);
	if (lower->ifindex != v->trunk->dev.ifindex &&
	    (strncmp(lower->name, base, strlen(base)) || lower->name[strlen(base)] != '.'))
		return;
	p->ifindex = link->ifindex;
	v->link = link;
}

/*
 * The move may have happened while no qmapd ran, and the namespace may have ended since. A port of another
 * namespace may as well have stayed in an earlier one of that name.
 */
static bool is_elsewhere(const struct view *v)
{
	const struct trunk *t = v->trunk;

	if (v->port->port.netns[0] || !t->ops->has_port)
		return v->port->away;
	return t->ops->has_port(t->dp, v->port->port.mux);
}

static enum keep_look look_place(void *arg, char *detail)
{
	struct view *v = arg;
	struct trunk_port *p = v->port;
	bool was = p->away;

	if (!v->kernel)
		return KEEP_UNKNOWN;
	p->away = !v->link && is_elsewhere(v);
	if (p->away)
		find_returned(v);
	if (v->link && (was || p->away))
		p->back = trunk_port_is_up(p) && trunk_port_is_ours(p);
	p->away &= !v->link;
	return p->away ? KEEP_WRONG : KEEP_FINE;
}

/*
 * The event that distinguishes a moved netdev from a deleted one may not have been read yet, and with
 * some data paths the trunk may disappear after its ports: hence the row's patience.
 */
static enum keep_look look_netdev(void *arg, char *detail)
{
	struct view *v = arg;

	v->port->mtu = v->link ? v->link->mtu : 0;
	if (!v->kernel || v->port->away)
		return KEEP_UNKNOWN;
	return v->link ? KEEP_FINE : KEEP_WRONG;
}

/* The data path still has its entry, which is removed first. */
static int add_again(struct trunk *t, struct trunk_port *p, struct error *err)
{
	int ret;

	t->ops->del_port(t->dp, p->port.mux, NULL);
	/* it is created in our own namespace, where the name of another port may be in use */
	config_trunk_port(&t->config, p->port.number, p->port.name);
	p->ifindex = p->mtu_set = 0;
	p->running_set = false;
	CPU_ZERO(&p->steered);
	ret = t->ops->add_port(t->dp, &p->port, err);
	if (ret)
		return ret;
	trunk_port_steer(t, p);
	ret = trunk_port_place(p, err);
	if (ret)
		t->ops->del_port(t->dp, p->port.mux, NULL);
	return ret;
}

static int make_again(void *arg, struct error *err)
{
	const struct view *v = arg;
	struct trunk_port *p = v->port;
	struct trunk *t = v->trunk;
	bool up = !trunk_has_control(t) || trunk_port_is_up(p);
	unsigned int gone = p->ifindex;
	int ret = add_again(t, p, err);

	/* by this number it is missed, and made at a later look; without one it would not be looked at */
	if (ret) {
		p->ifindex = gone;
		return ret;
	}
	rtnl_watch_again(t->env.watch, p->port.netns);
	trunk_port_locate(p);
	if (up)
		trunk_set_flow(t, p, true);
	if (!trunk_has_control(t))
		return trunk_port_enable(p, err);
	return trunk_port_up_again(p, t->env.run_dir, err) ?: trunk_clat_restore(t, p, err);
}

static enum keep_look look_name(void *arg, char *detail)
{
	const struct view *v = arg;

	return v->link && strcmp(v->link->name, v->port->port.name) ? KEEP_WRONG : KEEP_FINE;
}

static int take_name(void *arg, struct error *err)
{
	const struct view *v = arg;
	struct datapath_port *port = &v->port->port;
	char old[IFNAMSIZ];

	memcpy(old, port->name, sizeof(old));
	memcpy(port->name, v->link->name, sizeof(port->name));
	if (trunk_port_is_ours(v->port))
		trunk_port_rules_rename(v->port, old);
	trunk_port_event(v->trunk, v->port, NETDEV_REPORTED, "somebody has renamed it: it was %s",
			 old);
	return v->trunk->ops->adopt_port(v->trunk->dp, port, err);
}

/* "up" restores no IPv6 address and no route. A program that has the addresses may do as it likes. */
static enum keep_look look_up_or_down(void *arg, char *detail)
{
	const struct view *v = arg;

	v->port->down = v->link && !(v->link->flags & IFF_UP) && trunk_port_is_up(v->port) &&
			!v->port->back;
	if (v->port->back || !v->link || !trunk_port_is_up(v->port) || !trunk_port_is_ours(v->port))
		return KEEP_UNKNOWN;
	return v->port->down ? KEEP_WRONG : KEEP_FINE;
}

/* The data path drops and counts frames for a port that is down. */
static bool is_running(const struct view *v)
{
	return v->link->flags & IFF_UP || !trunk_port_is_up(v->port);
}

static enum keep_look look_running(void *arg, char *detail)
{
	const struct view *v = arg;

	if (!v->link || !v->trunk->ops->running)
		return KEEP_UNKNOWN;
	return v->port->running_set && v->port->running == is_running(v) ? KEEP_FINE : KEEP_WRONG;
}

static int set_running(void *arg, struct error *err)
{
	const struct view *v = arg;
	struct trunk_port *p = v->port;

	p->running = is_running(v);
	p->running_set = !v->trunk->ops->running(v->trunk->dp, p->port.mux, p->running, NULL);
	return 0;
}

/* --- rows of our settings: none while it is down, or its addresses are another program's --- */

static bool is_usable(const struct view *v)
{
	return v->link && v->link->flags & IFF_UP && trunk_port_is_up(v->port) &&
	       trunk_port_is_ours(v->port);
}

/* With slaac the kernel's addresses stay, and its routes go. */
static enum keep_look look_made_routes(void *arg, char *detail)
{
	const struct view *v = arg;

	return v->link && trunk_port_pdn(v->port)->slaac && trunk_port_is_ours(v->port) &&
			       rtnl_snapshot_has_made(v->kernel, v->port->ifindex)
		       ? KEEP_WRONG
		       : KEEP_FINE;
}

static int drop_made_routes(void *arg, struct error *err)
{
	const struct view *v = arg;
	struct rtnl *nl = NULL;

	if (!rtnl_open(&nl, v->port->port.netns, NULL))
		rtnl_route_flush_made(nl, v->port->ifindex, NULL);
	rtnl_close(&nl);
	return 0;
}

static enum keep_look look_vrf(void *arg, char *detail)
{
	const struct view *v = arg;

	return is_usable(v) && trunk_port_pdn(v->port)->vrf[0] && v->link->master != v->port->vrf
		       ? KEEP_WRONG
		       : KEEP_FINE;
}

static enum keep_look look_mtu(void *arg, char *detail)
{
	const struct view *v = arg;

	return is_usable(v) && v->link->mtu < trunk_port_mtu(v->port, v->link) ? KEEP_WRONG
									       : KEEP_FINE;
}

static enum keep_look look_address(void *arg, char *detail)
{
	const struct view *v = arg;
	struct trunk_port *p = v->port;

	for (int i = 0; i < 2; i++) {
		const struct ip_settings *s = &p->settings[i];

		p->bare[i] = is_usable(v) && s->family && !p->fault[i][0] &&
			     !trunk_port_passes(p, s->family) &&
			     !rtnl_snapshot_has_addr(v->kernel, p->ifindex, i ? AF_INET6 : AF_INET,
						     s->address, s->prefix);
	}
	return p->bare[0] || p->bare[1] ? KEEP_WRONG : KEEP_FINE;
}

static enum keep_look look_route(void *arg, char *detail)
{
	const struct view *v = arg;
	const struct trunk_port *p = v->port;

	for (int i = 0; i < 2 && is_usable(v) && trunk_port_pdn(p)->default_route; i++) {
		struct rtnl_route r = trunk_port_route(p, i ? 6 : 4);

		if (p->settings[i].family && !p->fault[i][0] &&
		    !trunk_port_passes(p, p->settings[i].family) &&
		    !rtnl_snapshot_has_default(v->kernel, &r))
			return KEEP_WRONG;
	}
	return KEEP_FINE;
}

static enum keep_look look_rules(void *arg, char *detail)
{
	const struct view *v = arg;

	return is_usable(v) && !trunk_port_rules_are_set(v->port, v->kernel) ? KEEP_WRONG
									     : KEEP_FINE;
}

/*
 * The kernel may have added addresses and routes before these settings, or after another program
 * changed them.
 */
static enum keep_look look_quiet(void *arg, char *detail)
{
	const struct view *v = arg;
	const struct trunk_port *p = v->port;

	if (!is_usable(v))
		return KEEP_UNKNOWN;
	return (!p->loud && !trunk_port_is_quiet(p, v->link)) ||
			       (!trunk_port_pdn(p)->slaac &&
				rtnl_snapshot_has_made(v->kernel, p->ifindex))
		       ? KEEP_WRONG
		       : KEEP_FINE;
}

static enum keep_look look_clat(void *arg, char *detail)
{
	const struct view *v = arg;
	const struct clat_port port = {v->port->port.netns, v->port->ifindex};
	struct qmap_clat_config config;

	if (!v->link || !v->port->clat)
		return KEEP_UNKNOWN;
	return datapath_clat_look(&port, &config, NULL, NULL) ? KEEP_WRONG : KEEP_FINE;
}

static int attach_clat(void *arg, struct error *err)
{
	const struct view *v = arg;

	return trunk_clat_restore(v->trunk, v->port, err);
}

static int up_again(void *arg, struct error *err)
{
	const struct view *v = arg;

	return trunk_port_up_again(v->port, v->trunk->env.run_dir, err);
}

/* The kernel has set it down and flushed it on the way (net/core/dev.c), not an administrator. */
static enum keep_look look_back(void *arg, char *detail)
{
	const struct view *v = arg;

	if (!v->link)
		return KEEP_UNKNOWN;
	return v->port->back ? KEEP_WRONG : KEEP_FINE;
}

static int set_back(void *arg, struct error *err)
{
	const struct view *v = arg;

	v->port->back = false;
	return up_again(arg, err);
}

/* --- steering --- */

/* Reads the CPUs of the netdev that receives the port's packets. False: it is out of sight. */
static bool read_steering(const struct trunk *t, struct trunk_port *p, char name[IFNAMSIZ])
{
	char base[IFNAMSIZ];

	if (t->config.qmap == CONFIG_QMAP_OFF)
		return false; /* it is the modem's own */
	if (t->ops->receiver) {
		datapath_port_base(t->config.dev, base);
		snprintf(name, IFNAMSIZ, "%.10s.%u%c", base, p->port.number, t->ops->receiver);
	} else {
		snprintf(name, IFNAMSIZ, "%s", p->port.name);
		if (p->ifindex && p->port.netns[0])
			return false;
	}
	return steer_read(name, &p->cpus);
}

void trunk_port_steer(const struct trunk *t, struct trunk_port *p)
{
	const char *steer = t->config.steer;
	bool automatic = !strcmp(steer, "auto"), others;
	char name[IFNAMSIZ], list[CPUS_LIST];
	cpu_set_t want;
	int ret;

	if (!read_steering(t, p, name))
		return;
	CPU_ZERO(&want);
	if (automatic)
		steer_choose(t->dev.device, &want);
	else
		cpus_parse(steer, &want);
	others = CPU_COUNT(&p->cpus) && !CPU_EQUAL(&p->cpus, &p->steered) &&
		 !CPU_EQUAL(&p->cpus, &want);
	CPU_ZERO(&p->steered);
	if (others && (automatic || !CPU_COUNT(&want)))
		return;
	ret = CPU_EQUAL(&p->cpus, &want) ? 0 : steer_write(name, &want);
	cpus_format(&want, list);
	if (ret)
		log_warning("%s: packets cannot be steered to CPUs %s: %s", p->port.name, list,
			    strerror(-ret));
	else
		p->cpus = p->steered = want;
}

/* With auto and off any choice of another program is fine: it takes no system call to know. */
static enum keep_look look_steering(void *arg, char *detail)
{
	const struct view *v = arg;
	struct trunk_port *p = v->port;
	char name[IFNAMSIZ];

	if (!v->link || !CPU_COUNT(&p->steered) || !strcmp(v->trunk->config.steer, "auto") ||
	    !read_steering(v->trunk, p, name))
		return KEEP_UNKNOWN;
	return CPU_EQUAL(&p->cpus, &p->steered) ? KEEP_FINE : KEEP_WRONG;
}

static int set_steering(void *arg, struct error *err)
{
	const struct view *v = arg;
	char name[IFNAMSIZ];
	int ret = read_steering(v->trunk, v->port, name) ? steer_write(name, &v->port->steered) : 0;

	return ret ? error_set(err, ret, "%s: %s", name, strerror(-ret)) : 0;
}

/* The kernel may accept refused settings later: IPv6 switched off, memory, a full disk. */
static enum keep_look look_refused(void *arg, char *detail)
{
	const struct view *v = arg;
	const struct trunk_port *p = v->port;
	bool faulty = p->complaint[0];

	for (int i = 0; i < 2; i++)
		faulty |= p->fault[i][0] && !p->refused[i];
	if (!v->link || !(v->link->flags & IFF_UP))
		return KEEP_UNKNOWN;
	return faulty && clock_ms() - p->tried_ms >= TRY_AGAIN_MS ? KEEP_WRONG : KEEP_FINE;
}

static int try_again(void *arg, struct error *err)
{
	const struct view *v = arg;
	struct trunk_port *p = v->port;
	bool was[2] = {p->fault[0][0], p->fault[1][0]}, complained = p->complaint[0];
	struct error why = {0};

	p->tried_ms = clock_ms();
	up_again(arg, &why);
	for (int i = 0; i < 2; i++)
		if (was[i] && !p->fault[i][0])
			trunk_port_event(v->trunk, p, NETDEV_REPAIRED, "IPv%d could be set up",
					 i ? 6 : 4);
	if (complained && !p->complaint[0])
		trunk_port_event(v->trunk, p, NETDEV_REPAIRED, "all its settings could be set");
	return 0;
}

#define SET_DOWN "somebody has set it down"

static const struct keep_row rows[] = {
	{.what = "its network namespace %s is gone",
	 .shown = "its network namespace is gone",
	 .owner = KEEP_USER,
	 .look = look_namespace},
	{.what = "somebody has moved it to another namespace",
	 .owner = KEEP_USER,
	 .look = look_place},
	{.what = "somebody has deleted it",
	 .patience_ms = 10,
	 .budget = KEEP_THRICE,
	 .look = look_netdev,
	 .fix = make_again},
#define NETDEV_ROWS 3
	{.what = SET_DOWN,
	 .over = "somebody has set it up again",
	 .owner = KEEP_USER,
	 .look = look_up_or_down},
	{.what = "it has come back from another namespace", .look = look_back, .fix = set_back},
	{.owner = KEEP_USER, .look = look_name, .fix = take_name},
	{.look = look_running, .fix = set_running},
	{.look = look_made_routes, .fix = drop_made_routes},
	{.what = "somebody has taken it out of its VRF",
	 .budget = KEEP_THRICE,
	 .look = look_vrf,
	 .fix = up_again},
	{.what = "somebody has lowered its MTU",
	 .budget = KEEP_THRICE,
	 .look = look_mtu,
	 .fix = up_again},
	{.what = "somebody has deleted its address",
	 .budget = KEEP_THRICE,
	 .look = look_address,
	 .fix = up_again},
	{.what = "somebody has deleted its default route",
	 .budget = KEEP_THRICE,
	 .look = look_route,
	 .fix = up_again},
	{.what = "somebody has deleted its routing rules",
	 .budget = KEEP_THRICE,
	 .look = look_rules,
	 .fix = up_again},
	{.what = "somebody has let it obey router advertisements",
	 .budget = KEEP_THRICE,
	 .look = look_quiet,
	 .fix = up_again},
	{.what = "somebody has removed the programs of 464XLAT",
	 .budget = KEEP_THRICE,
	 .look = look_clat,
	 .fix = attach_clat},
	{.what = "somebody has steered its packets to other CPUs",
	 .budget = KEEP_THRICE,
	 .look = look_steering,
	 .fix = set_steering},
	{.look = look_refused, .fix = try_again},
	{0},
};
_Static_assert(ARRAY_SIZE(rows) <= KEEP_ROWS, "a table has room for its rows");

/* --- running them --- */

static void on_report(void *owner, enum netdev_outcome outcome, const char *text)
{
	const struct view *v = owner;

	trunk_port_event(v->trunk, v->port, outcome, "%s", text);
}

static void reread(void *arg)
{
	struct view *v = arg;
	struct rtnl *nl = NULL;

	rtnl_snapshot_free(&v->own);
	if (v->port->ifindex && !rtnl_open(&nl, v->port->port.netns, NULL))
		rtnl_snapshot_read(&v->own, nl, v->port->ifindex, NULL);
	rtnl_close(&nl);
	set_kernel(v, v->own);
}

unsigned int trunk_port_reconcile(struct trunk *t, struct trunk_port *p,
				  const struct rtnl_snapshot *kernel, int64_t now)
{
	struct view v = {.trunk = t, .port = p, .homeless = !kernel};
	struct keep_run run = {.rows = rows,
			       .state = &p->keep,
			       .arg = &v,
			       .until = "the call is made",
			       .reread = reread,
			       .report = on_report,
			       .owner = &v,
			       .now = now};
	unsigned int wait;

	set_kernel(&v, kernel);
	wait = keep_run(&run);
	rtnl_snapshot_free(&v.own);
	return wait;
}

void trunk_port_compare(struct trunk *t, struct trunk_port *p, const struct rtnl_snapshot *kernel)
{
	struct view v = {.trunk = t, .port = p, .homeless = !kernel};
	char name[IFNAMSIZ];

	set_kernel(&v, kernel);
	read_steering(t, p, name);
	keep_look(rows, &p->keep, &v);
}

void trunk_port_find(struct trunk *t, struct trunk_port *p)
{
	struct view v = {.trunk = t, .port = p};
	struct rtnl *nl = NULL;

	if (!rtnl_open(&nl, p->port.netns, NULL) && !rtnl_snapshot_read(&v.own, nl, 0, NULL)) {
		set_kernel(&v, v.own);
		if (!v.link)
			find_returned(&v);
	}
	rtnl_snapshot_free(&v.own);
	rtnl_close(&nl);
}

void trunk_port_look(struct trunk *t, struct trunk_port *p)
{
	struct view v = {.trunk = t, .port = p};

	reread(&v);
	keep_look(rows, &p->keep, &v);
	rtnl_snapshot_free(&v.own);
}

/* --- its damage in words --- */

static const char *why_gone(const struct trunk_port *p)
{
	const char *text = NULL;

	for (unsigned int i = 0; i < NETDEV_ROWS && !text; i++)
		text = keep_text(rows, &p->keep, i);
	return text;
}

const char *trunk_port_damage(const struct trunk_port *p)
{
	return why_gone(p) ?: p->down ? SET_DOWN : NULL;
}

const char *trunk_port_damage_of(const struct trunk_port *p, int family)
{
	int i = family == 6;

	if (!p->settings[i].family)
		return NULL;
	if (p->fault[i][0])
		return p->fault[i];
	return trunk_port_damage(p) ?: p->bare[i] ? "somebody has deleted its address" : NULL;
}

static void add(struct json_object *a, const char *text)
{
	if (text && text[0])
		json_object_array_add(a, json_object_new_string(text));
}

struct json_object *trunk_port_damage_list(const struct trunk_port *p)
{
	struct json_object *a = json_object_new_array();

	add(a, trunk_port_damage(p));
	for (int i = 0; i < 2 && !why_gone(p); i++) /* else they follow from that */
		add(a, p->fault[i]);
	for (unsigned int i = NETDEV_ROWS + 1; rows[i].look; i++)
		add(a, keep_text(rows, &p->keep, i));
	add(a, p->complaint);
	return a;
}
