// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

/* A default route, or one that the kernel has made; the others are left out. */
struct route {
	struct rtnl_route route;
	bool is_default, made;
};

struct array {
	void *items;
	size_t n, room;
};

struct rtnl_snapshot {
	unsigned int only; /* ifindex; 0: all */
	bool counters;	   /* of links */
	bool no_memory;
	struct array links, addrs, routes, rules;
};

static void append(struct rtnl_snapshot *s, struct array *a, const void *item, size_t size)
{
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		void *items = reallocarray(a->items, room, size);

		if (!items) {
			s->no_memory = true;
			return;
		}
		a->items = items;
		a->room = room;
	}
	memcpy((char *)a->items + a->n++ * size, item, size);
}

static bool wants(const struct rtnl_snapshot *s, unsigned int ifindex)
{
	return ifindex && (!s->only || s->only == ifindex);
}

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_snapshot *s = arg;
	struct rtnl_link link;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return;
	rtnl_link_parse(nlh, &link);
	append(s, &s->links, &link, sizeof(link));
}

static void take_addr(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_snapshot *s = arg;
	struct rtnl_addr addr;

	if (rtnl_addr_parse(nlh, &addr) && wants(s, addr.ifindex))
		append(s, &s->addrs, &addr, sizeof(addr));
}

static void take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_snapshot *s = arg;
	struct route r;

	if (rtnl_route_parse(nlh, &r.route, &r.is_default, &r.made) && wants(s, r.route.ifindex) &&
	    (r.is_default || r.made))
		append(s, &s->routes, &r, sizeof(r));
}

static void take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_snapshot *s = arg;
	struct rtnl_rule r;

	if (rtnl_rule_parse(nlh, &r))
		append(s, &s->rules, &r, sizeof(r));
}

static int dump_links(struct rtnl *nl, struct rtnl_snapshot *s, struct error *err)
{
	uint16_t flags = s->only ? 0 : NLM_F_DUMP;
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETLINK, flags, &ifi, sizeof(*ifi));
	struct error cause = {0};
	int ret;

	ifi->ifi_index = s->only;
	if (!s->counters)
		mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	ret = rtnl_execute(nl, take_link, s, &cause, "list network devices");
	if (!ret || (s->only && ret == -ENODEV))
		return 0;
	return ret == -EINTR ? ret : error_pass(err, &cause);
}

/* Addresses and routes of both families: the kernel dumps AF_UNSPEC family by family. */
static int dump_addrs(struct rtnl *nl, struct rtnl_snapshot *s, struct error *err)
{
	return rtnl_addr_list(nl, AF_UNSPEC, take_addr, s, err);
}

static int dump_routes(struct rtnl *nl, struct rtnl_snapshot *s, struct error *err)
{
	return rtnl_route_list(nl, AF_UNSPEC, take_route, s, err);
}

static int dump_rules(struct rtnl *nl, struct rtnl_snapshot *s, struct error *err)
{
	return rtnl_rule_list(nl, take_rule, s, err);
}

/* A table that changes while it is dumped (EINTR) is dumped again. */
static int dump(struct rtnl *nl, struct rtnl_snapshot *s, struct array *a,
		int (*fn)(struct rtnl *nl, struct rtnl_snapshot *s, struct error *err),
		struct error *err)
{
	int ret;

	do {
		a->n = 0;
		ret = fn(nl, s, err);
	} while (ret == -EINTR);
	return ret;
}

static int start(struct rtnl_snapshot **out, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int finish(struct rtnl_snapshot **s, int ret, struct error *err)
{
	if (!ret && (*s)->no_memory)
		ret = error_set(err, -ENOMEM, "out of memory");
	if (ret)
		rtnl_snapshot_free(s);
	return ret;
}

int rtnl_snapshot_read(struct rtnl_snapshot **out, struct rtnl *nl, unsigned int ifindex,
		       struct error *err)
{
	int ret = start(out, err);
	struct rtnl_snapshot *s = *out;

	if (ret)
		return ret;
	s->only = ifindex;
	ret = dump(nl, s, &s->links, dump_links, err) ?: dump(nl, s, &s->addrs, dump_addrs, err)
		      ?: dump(nl, s, &s->routes, dump_routes, err)
		      ?: dump(nl, s, &s->rules, dump_rules, err);
	return finish(out, ret, err);
}

int rtnl_snapshot_read_links(struct rtnl_snapshot **out, struct rtnl *nl, struct error *err)
{
	int ret = start(out, err);

	if (ret)
		return ret;
	(*out)->counters = true;
	return finish(out, dump(nl, *out, &(*out)->links, dump_links, err), err);
}

void rtnl_snapshot_free(struct rtnl_snapshot **s)
{
	if (!*s)
		return;
	free((*s)->links.items);
	free((*s)->addrs.items);
	free((*s)->routes.items);
	free((*s)->rules.items);
	free(*s);
	*s = NULL;
}

const struct rtnl_link *rtnl_snapshot_link(const struct rtnl_snapshot *s, unsigned int ifindex)
{
	const struct rtnl_link *links = s->links.items;

	for (size_t i = 0; i < s->links.n; i++)
		if (links[i].ifindex == ifindex)
			return &links[i];
	return NULL;
}

int rtnl_snapshot_each_link(const struct rtnl_snapshot *s,
			    int (*fn)(const struct rtnl_link *link, void *arg), void *arg)
{
	const struct rtnl_link *links = s->links.items;
	int ret = 0;

	for (size_t i = 0; i < s->links.n && !ret; i++)
		ret = fn(&links[i], arg);
	return ret;
}

const struct rtnl_link *rtnl_snapshot_find(const struct rtnl_snapshot *s, const char *name)
{
	const struct rtnl_link *links = s->links.items;

	for (size_t i = 0; i < s->links.n; i++)
		if (!strcmp(links[i].name, name))
			return &links[i];
	return NULL;
}

bool rtnl_snapshot_has_addr(const struct rtnl_snapshot *s, unsigned int ifindex, int family,
			    const void *addr, unsigned int prefix)
{
	const struct rtnl_addr *addrs = s->addrs.items;

	for (size_t i = 0; i < s->addrs.n; i++)
		if (rtnl_addr_is(&addrs[i], ifindex, family, addr, prefix))
			return true;
	return false;
}

bool rtnl_snapshot_has_default(const struct rtnl_snapshot *s, const struct rtnl_route *wanted)
{
	const struct route *routes = s->routes.items;

	for (size_t i = 0; i < s->routes.n; i++)
		if (routes[i].is_default && rtnl_route_serves(&routes[i].route, wanted))
			return true;
	return false;
}

bool rtnl_snapshot_has_family(const struct rtnl_snapshot *s, unsigned int ifindex, int family)
{
	const struct rtnl_addr *addrs = s->addrs.items;

	for (size_t i = 0; i < s->addrs.n; i++)
		if (addrs[i].family == family && addrs[i].ifindex == ifindex)
			return true;
	return false;
}

bool rtnl_snapshot_has_prefix(const struct rtnl_snapshot *s, int family, const void *prefix,
			      unsigned int len)
{
	const struct rtnl_addr *addrs = s->addrs.items;

	for (size_t i = 0; i < s->addrs.n; i++)
		if (addrs[i].family == family && !memcmp(addrs[i].address, prefix, len / 8))
			return true;
	return false;
}

const struct rtnl_rule *rtnl_snapshot_rule(const struct rtnl_snapshot *s, size_t i)
{
	const struct rtnl_rule *rules = s->rules.items;

	return i < s->rules.n ? &rules[i] : NULL;
}

bool rtnl_snapshot_has_rule(const struct rtnl_snapshot *s, const struct rtnl_rule *wanted)
{
	const struct rtnl_rule *r;

	for (size_t i = 0; (r = rtnl_snapshot_rule(s, i)); i++)
		if (rtnl_rule_is(r, wanted))
			return true;
	return false;
}

bool rtnl_snapshot_has_made(const struct rtnl_snapshot *s, unsigned int ifindex)
{
	const struct rtnl_addr *addrs = s->addrs.items;
	const struct route *routes = s->routes.items;

	for (size_t i = 0; i < s->addrs.n; i++)
		if (addrs[i].made && addrs[i].ifindex == ifindex)
			return true;
	for (size_t i = 0; i < s->routes.n; i++)
		if (routes[i].made && routes[i].route.ifindex == ifindex)
			return true;
	return false;
}
