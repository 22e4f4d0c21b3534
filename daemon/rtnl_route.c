// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "rtnl_request.h"

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
	return rtnl_execute(nl, NULL, NULL, err,
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
