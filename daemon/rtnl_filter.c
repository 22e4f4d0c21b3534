// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "rtnl_request.h"

static void count(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWTFILTER)
		++*(int *)arg;
}

int rtnl_filters(struct rtnl *nl, unsigned int ifindex, unsigned int block)
{
	struct tcmsg *tc;
	int n = 0, ret;

	rtnl_request(nl, RTM_GETTFILTER, NLM_F_DUMP, &tc, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, block);
	ret = rtnl_execute(nl, count, &n, NULL, "list the tc filters of netdev %u", ifindex);
	return ret ? ret : n;
}
