// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "util/array.h"
#include "request.h"

#define IP_VERSION(family) ((family) == AF_INET ? 4 : 6)

static unsigned int table_of(const struct rtnl_route *r)
{
	return r->table ? r->table : RT_TABLE_MAIN;
}

static void default_route(struct rtnl *nl, uint16_t type, uint16_t flags,
			  const struct rtnl_route *r)
{
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags, &rtm, sizeof(*rtm));

	rtm->rtm_family = r->family;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	/* IPv4 refuses a route of wider scope without a gateway; IPv6 has no scopes. */
	rtm->rtm_scope = r->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	/* Table numbers above 255 do not fit the header. */
	rtm->rtm_table = table_of(r) < 256 ? table_of(r) : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(nlh, RTA_TABLE, table_of(r));
	mnl_attr_put_u32(nlh, RTA_OIF, r->ifindex);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

		mnl_attr_put_u32(nlh, RTAX_MTU, r->mtu);
		mnl_attr_nest_end(nlh, metrics);
	}
}

/*
 * Not NLM_F_REPLACE: it replaces the first route with this metric, whatever its netdev. NLM_F_APPEND
 * leaves the first place to the routes that are there (fib_table_insert()); IPv6 does so anyway.
 */
int rtnl_route_add_default(struct rtnl *nl, const struct rtnl_route *r, struct error *err)
{
	default_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, r);
	return rtnl_change(nl, -EEXIST, err,
			   "add an IPv%d default route with metric %u through network device %u",
			   IP_VERSION(r->family), r->metric, r->ifindex);
}

static int delete_default(struct rtnl *nl, const struct rtnl_route *r, struct error *err)
{
	struct error cause = {0};
	int ret;

	default_route(nl, RTM_DELROUTE, 0, r);
	ret = rtnl_execute(nl, NULL, NULL, &cause,
			   "delete the IPv%d default route through network device %u",
			   IP_VERSION(r->family), r->ifindex);
	if (!ret || ret == -ESRCH)
		return 0;
	return error_pass(err, &cause);
}

int rtnl_route_del_default(struct rtnl *nl, const struct rtnl_route *r, struct error *err)
{
	struct rtnl_route any_mtu = *r;

	any_mtu.mtu = 0;
	return delete_default(nl, &any_mtu, err);
}

/* --- reading routes --- */

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attr);
}

static uint32_t mtu_of(const struct nlattr *metrics)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, metrics) {
		if (mnl_attr_get_type(attr) == RTAX_MTU)
			return attr_u32(attr);
	}
	return 0;
}

static bool is_link_local(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct rtmsg)) {
		const uint8_t *a = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) == RTA_DST && mnl_attr_get_payload_len(attr) == 16)
			return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
	}
	return false;
}

/* proto ra: routes from a router; proto kernel: on-link routes and prefixes. */
static bool is_made(const struct nlmsghdr *nlh, const struct rtnl_route *r)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (r->family != AF_INET6 || r->table == RT_TABLE_LOCAL || rtm->rtm_flags & RTM_F_CLONED)
		return false;
	return rtm->rtm_protocol == RTPROT_RA ||
	       (rtm->rtm_protocol == RTPROT_KERNEL && !is_link_local(nlh));
}

bool rtnl_route_parse(const struct nlmsghdr *nlh, struct rtnl_route *out, bool *is_default,
		      bool *made)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_type != RTN_UNICAST)
		return false;
	*out = (struct rtnl_route){.family = rtm->rtm_family, .table = rtm->rtm_table};
	mnl_attr_for_each (attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			out->ifindex = attr_u32(attr);
			break;
		case RTA_PRIORITY:
			out->metric = attr_u32(attr);
			break;
		case RTA_TABLE:
			out->table = attr_u32(attr);
			break;
		case RTA_METRICS:
			out->mtu = mtu_of(attr);
			break;
		}
	}
	*is_default = !rtm->rtm_dst_len;
	*made = is_made(nlh, out);
	return true;
}

int rtnl_route_list(struct rtnl *nl, int family, rtnl_answer_fn fn, void *arg, struct error *err)
{
	struct rtmsg *rtm;

	rtnl_request(nl, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(*rtm));
	rtm->rtm_family = family;
	return rtnl_execute(nl, fn, arg, err, "list routes");
}

bool rtnl_route_serves(const struct rtnl_route *r, const struct rtnl_route *wanted)
{
	return r->family == wanted->family && r->ifindex == wanted->ifindex &&
	       r->metric == wanted->metric && r->table == table_of(wanted) &&
	       (!wanted->mtu || r->mtu == wanted->mtu);
}

/* --- the MTU of a route --- */

struct outdated {
	const struct rtnl_route *wanted;
	size_t n;
	unsigned int mtus[8];
};

static void take_outdated(const struct nlmsghdr *nlh, void *arg)
{
	struct outdated *o = arg;
	struct rtnl_route r, any_mtu = *o->wanted;
	bool is_default, made;

	any_mtu.mtu = 0;
	if (o->n < ARRAY_SIZE(o->mtus) && rtnl_route_parse(nlh, &r, &is_default, &made) &&
	    is_default && rtnl_route_serves(&r, &any_mtu) && r.mtu != o->wanted->mtu)
		o->mtus[o->n++] = r.mtu;
}

/* To IPv6 a route that differs in its MTU is the same one (rt6_duplicate_nexthop()). */
int rtnl_route_renew_mtu(struct rtnl *nl, const struct rtnl_route *r, struct error *err)
{
	struct outdated o = {.wanted = r};
	struct rtnl_route old = *r;
	int ret;

	do {
		o.n = 0;
		ret = rtnl_route_list(nl, r->family, take_outdated, &o, err);
	} while (ret == -EINTR);
	for (size_t i = 0; !ret && i < o.n; i++) {
		old.mtu = o.mtus[i];
		ret = delete_default(nl, &old, err);
	}
	return ret || !o.n || r->family == AF_INET ? ret : rtnl_route_add_default(nl, r, err);
}

/* --- routes that the kernel derives from router advertisements --- */

/* Routes deleted between two dumps; a link with more routes takes another round. */
#define FLUSH_BATCH 16

struct made {
	unsigned int ifindex;
	size_t n;
	/* Messages of the dump, kept because as requests they name the same routes. */
	struct {
		size_t len;
		char bytes[256];
	} list[FLUSH_BATCH];
};

static void take_made(const struct nlmsghdr *nlh, void *arg)
{
	bool is_default, made;
	struct made *m = arg;
	struct rtnl_route r;

	if (m->n == FLUSH_BATCH || nlh->nlmsg_len > sizeof(m->list[0].bytes) ||
	    !rtnl_route_parse(nlh, &r, &is_default, &made) || !made || r.ifindex != m->ifindex)
		return;
	memcpy(m->list[m->n].bytes, nlh, nlh->nlmsg_len);
	m->list[m->n++].len = nlh->nlmsg_len;
}

static int list_made(struct rtnl *nl, struct made *m, struct error *err)
{
	int ret;

	do {
		m->n = 0;
		ret = rtnl_route_list(nl, AF_INET6, take_made, m, err);
	} while (ret == -EINTR);
	return ret;
}

static int delete_made(struct rtnl *nl, const struct nlmsghdr *its, struct error *err)
{
	const struct rtmsg *of = mnl_nlmsg_get_payload(its);
	const struct nlattr *attr;
	struct error cause = {0};
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_DELROUTE, 0, &rtm, sizeof(*rtm));
	int ret;

	*rtm = *of;
	rtm->rtm_flags = 0;
	mnl_attr_for_each (attr, its, sizeof(*rtm)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_DST || type == RTA_OIF || type == RTA_PRIORITY ||
		    type == RTA_GATEWAY || type == RTA_TABLE)
			mnl_attr_put(nlh, type, mnl_attr_get_payload_len(attr),
				     mnl_attr_get_payload(attr));
	}
	ret = rtnl_execute(nl, NULL, NULL, &cause, "delete a route");
	return !ret || ret == -ESRCH ? 0 : error_pass(err, &cause);
}

int rtnl_route_flush_made(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct made m = {.ifindex = ifindex};
	int ret;

	do {
		ret = list_made(nl, &m, err);
		for (size_t i = 0; !ret && i < m.n; i++)
			ret = delete_made(nl, (const void *)m.list[i].bytes, err);
	} while (!ret && m.n == FLUSH_BATCH);
	return ret;
}
