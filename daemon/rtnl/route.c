// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "request.h"

static void default_route(struct rtnl *nl, uint16_t type, uint16_t flags, unsigned int ifindex,
			  int family, unsigned int metric)
{
	struct rtmsg *rtm;
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags, &rtm, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	/* IPv4 refuses a gatewayless route of wider scope; IPv6 knows no scopes. */
	rtm->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, metric);
}

int rtnl_route_add_default(struct rtnl *nl, unsigned int ifindex, int family, unsigned int metric,
			   struct error *err)
{
	default_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, ifindex, family, metric);
	return rtnl_change(nl, 0, err,
			   "add an IPv%d default route with metric %u through network device %u",
			   family == AF_INET ? 4 : 6, metric, ifindex);
}

int rtnl_route_del_default(struct rtnl *nl, unsigned int ifindex, int family, unsigned int metric,
			   struct error *err)
{
	struct error cause = {0};
	int ret;

	default_route(nl, RTM_DELROUTE, 0, ifindex, family, metric);
	ret = rtnl_execute(nl, NULL, NULL, &cause,
			   "delete the IPv%d default route through network device %u",
			   family == AF_INET ? 4 : 6, ifindex);
	if (!ret || ret == -ESRCH)
		return 0;
	return error_pass(err, &cause);
}

struct sought {
	unsigned int ifindex, metric;
	bool found;
};

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attr);
}

static void compare(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint32_t ifindex = 0, metric = 0;
	struct sought *s = arg;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_dst_len || rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_type != RTN_UNICAST)
		return;
	mnl_attr_for_each (attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			ifindex = attr_u32(attr);
		else if (mnl_attr_get_type(attr) == RTA_PRIORITY)
			metric = attr_u32(attr);
	}
	if (ifindex == s->ifindex && metric == s->metric)
		s->found = true;
}

int rtnl_route_has_default(struct rtnl *nl, unsigned int ifindex, int family, unsigned int metric,
			   struct error *err)
{
	struct sought s = {.ifindex = ifindex, .metric = metric};
	struct rtmsg *rtm;
	int ret;

	do {
		rtnl_request(nl, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(*rtm));
		rtm->rtm_family = family;
		ret = rtnl_execute(nl, compare, &s, err, "list routes");
	} while (ret == -EINTR);
	return ret ?: s.found;
}
