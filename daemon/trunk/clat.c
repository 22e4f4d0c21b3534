// SPDX-License-Identifier: GPL-2.0-or-later
#include "clat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clat/lookup.h"
#include "datapath/clat_programs.h"
#include "rtnl/rtnl.h"
#include "util/array.h"
#include "util/json_add.h"
#include "assigned.h"
#include "internal.h"
#include "pins.h"
#include "port_rows.h"

/* RFC 7335: 192.0.0.0/29 is for the IPv4 side of the translator. */
#define FIRST_LOCAL4 0xc0000001
#define LOCAL4S	     7

/* Seconds until the prefix is looked up again. */
#define LEAST_TTL   60
#define MOST_TTL    86400
#define NONE_AGAIN  600
#define FIRST_AGAIN 10

enum clat_state {
	CLAT_OFF,
	CLAT_LOOKING, /* the prefix is being asked for */
	CLAT_ON,
	CLAT_NO_NAT64, /* the network has no prefix */
	CLAT_FAILED,
	CLAT_STATES
};

static const char *const state_names[] = {
	[CLAT_OFF] = "off",	      [CLAT_LOOKING] = "looking", [CLAT_ON] = "on",
	[CLAT_NO_NAT64] = "no-nat64", [CLAT_FAILED] = "failed",
};
TABLE_COMPLETE(state_names, CLAT_STATES);

struct trunk_clat {
	LIST_ENTRY(trunk_clat) next;
	struct trunk *trunk;
	unsigned int pdn;
	enum clat_state state;
	bool looked; /* for programs of an earlier process */
	struct clat_prefix prefix;
	struct qmap_clat_config config; /* of the programs, while CLAT_ON */
	struct clat_lookup *lookup;
	struct event *again;
	unsigned int failures; /* lookups without an answer, in a row */
	char reason[224];
};

static struct trunk_clat *find(const struct trunk *t, unsigned int pdn)
{
	struct trunk_clat *c;

	LIST_FOREACH(c, &t->clats, next)
	if (c->pdn == pdn)
		return c;
	return NULL;
}

static void on_again(evutil_socket_t fd, short what, void *arg);

/* NULL: no memory. */
static struct trunk_clat *find_or_new(struct trunk *t, unsigned int pdn)
{
	struct trunk_clat *c = find(t, pdn);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->trunk = t;
	c->pdn = pdn;
	c->again = event_new(t->env.base, -1, 0, on_again, c);
	if (!c->again) {
		free(c);
		return NULL;
	}
	LIST_INSERT_HEAD(&t->clats, c, next);
	return c;
}

static void clat_free(struct trunk_clat *c)
{
	LIST_REMOVE(c, next);
	clat_lookup_free(&c->lookup);
	event_free(c->again);
	free(c);
}

void trunk_clat_forget(struct trunk *t, unsigned int pdn)
{
	struct trunk_clat *c = find(t, pdn);

	if (c)
		clat_free(c);
}

void trunk_clat_forget_all(struct trunk *t)
{
	while (!LIST_EMPTY(&t->clats))
		clat_free(LIST_FIRST(&t->clats));
}

static struct clat_port place_of(const struct trunk_port *p)
{
	return (struct clat_port){.netns = p->port.netns, .ifindex = p->ifindex};
}

/* --- the IPv4 address --- */

struct address {
	uint32_t v4;
	bool taken;
};

/* The kernel binds sockets to addresses of the host alone. */
static int check_address(void *arg, struct error *err)
{
	struct address *a = arg;
	const struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = a->v4};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	a->taken = fd >= 0 && !bind(fd, (const struct sockaddr *)&at, sizeof(at));
	if (fd >= 0)
		close(fd);
	return 0;
}

/* The first that no netdev of the namespace has; if all seem taken, one by the PDN's number. */
static uint32_t choose_local4(const struct trunk_port *p)
{
	struct address a;

	for (uint32_t i = 0; i < LOCAL4S; i++) {
		a.v4 = htonl(FIRST_LOCAL4 + i);
		if (!rtnl_netns_do(p->port.netns, check_address, &a, NULL) && !a.taken)
			return a.v4;
	}
	return htonl(FIRST_LOCAL4 + p->port.number % LOCAL4S);
}

/* --- on and off --- */

/* A failure is in the port's list of damage, and is tried again with the port. */
static void set_address(struct trunk *t, struct trunk_port *p, const struct trunk_clat *c)
{
	struct error err = {0};
	struct ip_settings s = {.family = 4, .prefix = 32};

	memcpy(s.address, &c->config.local4, sizeof(c->config.local4));
	p->clat = true;
	if (trunk_port_up(p, &s, t->env.run_dir, &err))
		trunk_port_event(t, p, NETDEV_FAILED, "%s", err.text);
}

/* With @prefix, or another one than before; @local4 0: one that is free. */
static void start(struct trunk *t, struct trunk_port *p, struct trunk_clat *c,
		  const struct clat_prefix *prefix, uint32_t local4)
{
	struct qmap_clat_config config = {.odd_mac = t->ops == &datapath_qmimux};
	struct clat_port place = place_of(p);
	struct error err = {0};
	bool was_on = c->state == CLAT_ON;
	char nat64[CLAT_PREFIX_TEXT], v4[INET_ADDRSTRLEN], why[sizeof(c->reason)];

	if (was_on)
		local4 = c->config.local4;
	clat_config_fill(&config, prefix, p->settings[1].address, local4 ?: choose_local4(p));
	config.l2_len = c->config.l2_len;
	config.fast = c->config.fast;
	if (was_on && p->clat && !memcmp(&config, &c->config, sizeof(config)))
		return;
	if (datapath_clat_attach(&place, &config, &err)) {
		c->state = CLAT_FAILED;
		snprintf(why, sizeof(why), "%.110s%s%.110s", err.text, err.hint[0] ? "; " : "",
			 err.hint);
		if (strcmp(c->reason, why))
			trunk_port_event(t, p, NETDEV_FAILED, "no IPv4 by 464XLAT: %s", why);
		memcpy(c->reason, why, sizeof(why));
		return;
	}
	c->config = config;
	c->prefix = *prefix;
	set_address(t, p, c);
	c->state = CLAT_ON;
	c->reason[0] = 0;
	inet_ntop(AF_INET, &c->config.local4, v4, sizeof(v4));
	trunk_port_event(t, p, NETDEV_REPORTED, "IPv4 by 464XLAT: %s, NAT64 prefix %s", v4,
			 clat_prefix_text(&c->prefix, nat64));
	trunk_save_later(t);
}

static void stop(struct trunk *t, struct trunk_port *p, struct trunk_clat *c)
{
	struct qmap_clat_config config;
	struct clat_port place = place_of(p);
	bool theirs = t->adopted && !c->looked && p->ifindex &&
		      datapath_clat_look(&place, &config, NULL, NULL) != -ENOENT;

	c->looked = true;
	clat_lookup_free(&c->lookup);
	event_del(c->again);
	c->state = CLAT_OFF;
	c->reason[0] = 0;
	c->failures = 0;
	if (!p->clat && !theirs)
		return;
	datapath_clat_remove(&place);
	if (p->clat || !p->settings[0].family)
		trunk_port_down(p, 4);
	p->clat = false;
}

void trunk_clat_stop(struct trunk *t, struct trunk_port *p)
{
	struct trunk_clat *c =
		t->adopted ? find_or_new(t, p->port.number) : find(t, p->port.number);

	if (c)
		stop(t, p, c);
}

int trunk_clat_restore(struct trunk *t, struct trunk_port *p, struct error *err)
{
	struct trunk_clat *c = find(t, p->port.number);
	struct clat_port place = place_of(p);

	return c && c->state == CLAT_ON ? datapath_clat_attach(&place, &c->config, err) : 0;
}

/* --- the prefix --- */

static void again_in(struct trunk_clat *c, unsigned int seconds)
{
	const struct timeval tv = {.tv_sec = seconds};

	event_add(c->again, &tv);
}

static unsigned int clamp(unsigned int value, unsigned int low, unsigned int high)
{
	return value < low ? low : value > high ? high : value;
}

/* After pauses that double. */
static void try_again(struct trunk_clat *c)
{
	unsigned int wait = FIRST_AGAIN << (c->failures < 6 ? c->failures : 6);

	c->failures++;
	again_in(c, clamp(wait, 1, NONE_AGAIN));
}

/* Without an answer, a translation that works goes on with the prefix that it has. */
static void no_answer(struct trunk_clat *c, const char *why)
{
	if (c->state != CLAT_ON)
		c->state = CLAT_FAILED;
	snprintf(c->reason, sizeof(c->reason), "%.120s", why);
	try_again(c);
}

/* Servers are reached by the default route through the port; routers need none. */
static bool has_servers(const struct trunk_port *p)
{
	return trunk_port_pdn(p)->default_route;
}

static void on_lookup(void *arg, const struct clat_lookup_result *result)
{
	struct trunk_clat *c = arg;
	struct trunk_port *p = trunk_find_port(c->trunk, c->pdn);
	const struct clat_lookup_result r = *result;

	clat_lookup_free(&c->lookup);
	if (!p)
		return;
	if (!r.answered && r.why[0]) {
		no_answer(c, r.why);
	} else if (!r.answered) {
		no_answer(c, has_servers(p) ? "the network has named no DNS server for IPv6"
					    : "its DNS servers are not reached without a default "
					      "route; clat=PREFIX names the prefix");
	} else if (r.prefix.len) {
		start(c->trunk, p, c, &r.prefix, 0);
		if (c->state == CLAT_FAILED) {
			try_again(c);
		} else {
			c->failures = 0;
			again_in(c, clamp(r.ttl, LEAST_TTL, MOST_TTL));
		}
	} else {
		stop(c->trunk, p, c);
		c->state = CLAT_NO_NAT64;
		again_in(c, NONE_AGAIN);
	}
	trunk_save_later(c->trunk);
}

static void look_up(struct trunk_clat *c, const struct trunk_port *p)
{
	const struct ip_settings *s = &p->settings[1];
	struct clat_lookup_place place = {.n = 0};
	struct error err = {0};

	memcpy(place.netns, p->port.netns, sizeof(place.netns));
	memcpy(place.port, p->port.name, sizeof(place.port));
	for (unsigned int i = 0; i < s->ndns && i < 2 && has_servers(p); i++)
		if (!trunk_address_refused(6, s->dns[i]))
			memcpy(&place.servers[place.n++], s->dns[i], 16);
	if (clat_lookup_start(&c->lookup, c->trunk->env.base, &place, on_lookup, c, &err)) {
		no_answer(c, err.text);
		return;
	}
	if (c->state != CLAT_ON)
		c->state = CLAT_LOOKING;
}

/* With a configured prefix there is nothing to ask for. */
static bool start_configured(struct trunk *t, struct trunk_port *p, struct trunk_clat *c)
{
	struct clat_prefix prefix;

	if (!clat_prefix_parse(trunk_port_pdn(p)->clat, &prefix))
		return false;
	event_del(c->again);
	clat_lookup_free(&c->lookup);
	start(t, p, c, &prefix, 0);
	if (c->state == CLAT_FAILED)
		try_again(c);
	else
		c->failures = 0;
	return true;
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct trunk_clat *c = arg;
	struct trunk_port *p = trunk_find_port(c->trunk, c->pdn);

	if (p && !c->lookup && !start_configured(c->trunk, p, c))
		look_up(c, p);
}

/* --- when --- */

/*
 * A call for IPv4 that is being dialled is waited for; one that the network refuses, or that is not
 * configured, is not. What has begun goes on until IPv4 is up.
 */
static bool is_refused_ipv4(const struct trunk *t, const struct trunk_clat *c)
{
	enum call_state state = session_call_state(t->session, c->pdn, 4);

	return c->state != CLAT_OFF || state == CALL_GONE || state == CALL_FAILED ||
	       state == CALL_BACKOFF;
}

/* Goes on where an earlier process has stopped. */
static bool take_over(struct trunk *t, struct trunk_port *p, struct trunk_clat *c)
{
	struct clat_port place = place_of(p);
	struct qmap_clat_config config;
	bool same_code = false;
	struct clat_prefix prefix;
	int ret;

	if (!t->adopted || c->looked)
		return false;
	ret = datapath_clat_look(&place, &config, NULL, &same_code);
	if (ret && ret != -ENOTCONN)
		return false;
	prefix.len = config.prefix_len;
	memcpy(prefix.bytes, config.prefix, sizeof(prefix.bytes));
	if (!ret && same_code) {
		c->state = CLAT_ON;
		c->config = config;
		c->prefix = prefix;
		set_address(t, p, c);
	}
	start(t, p, c, &prefix, config.local4);
	return c->state == CLAT_ON;
}

/* The prefix is known, or is being asked for. */
static void go_on(struct trunk *t, struct trunk_port *p, struct trunk_clat *c, bool ask)
{
	if (start_configured(t, p, c))
		return;
	if (c->state == CLAT_ON)
		start(t, p, c, &c->prefix, 0);
	if (!c->lookup && (ask || !event_pending(c->again, EV_TIMEOUT, NULL)))
		look_up(c, p);
}

void trunk_clat_update(struct trunk *t, struct trunk_port *p)
{
	struct trunk_clat *c = find_or_new(t, p->port.number);
	bool is_new, has_ipv6 = p->ifindex && p->settings[1].family && !p->fault[1][0];

	if (!c)
		return;
	if (!strcmp(trunk_port_pdn(p)->clat, "off") || !t->session || !trunk_port_is_ours(p) ||
	    trunk_port_passes(p, 4) || !has_ipv6 || (p->settings[0].family && !p->clat)) {
		stop(t, p, c);
		return;
	}
	is_new = take_over(t, p, c);
	c->looked = true;
	if (is_refused_ipv4(t, c))
		go_on(t, p, c, is_new);
}

/* --- show --- */

static void add_addresses(struct json_object *o, const struct trunk_clat *c)
{
	char prefix[CLAT_PREFIX_TEXT] = "", v4[INET_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN] = "";

	if (c->state == CLAT_ON) {
		clat_prefix_text(&c->prefix, prefix);
		inet_ntop(AF_INET, &c->config.local4, v4, sizeof(v4));
		inet_ntop(AF_INET6, c->config.local6, v6, sizeof(v6));
	}
	json_add_text(o, "prefix", prefix);
	json_add_text(o, "address", v4);
	json_add_text(o, "address6", v6);
}

static void add_counters(struct json_object *o, const struct trunk_port *p)
{
	struct clat_port place = place_of(p);
	struct qmap_clat_config config;
	struct qmap_clat_stats s = {0};

	if (p->clat)
		datapath_clat_look(&place, &config, &s, NULL);
	json_add_int(o, "to_v6", (int64_t)s.to_v6);
	json_add_int(o, "to_v4", (int64_t)s.to_v4);
	json_add_int(o, "dropped_to_v6", (int64_t)s.dropped_to_v6);
	json_add_int(o, "dropped_to_v4", (int64_t)s.dropped_to_v4);
}

struct json_object *trunk_clat_show(const struct trunk *t, const struct trunk_port *p)
{
	const struct trunk_clat *c = find(t, p->port.number);
	struct json_object *o;

	if (!c || c->state == CLAT_OFF)
		return NULL;
	o = json_object_new_object();
	json_add_string(o, "state", state_names[c->state]);
	json_add_text(o, "reason", c->reason);
	add_addresses(o, c);
	add_counters(o, p);
	return o;
}
