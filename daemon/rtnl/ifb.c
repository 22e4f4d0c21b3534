// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holds what a netdev sends, and leaves its queue to the user: a filter behind all others of clsact
 * egress redirects packets to an ifb, whose queueing discipline `plug` keeps them and gives them back
 * in order. The ifb then sends them on the netdev that they came from, past its filters (kernel
 * drivers/net/ifb.c, net/sched/sch_plug.c).
 *
 * Other means lose packets or the user's queue: a netdev without carrier empties its queue
 * (dev_deactivate()), fq does not change the departure time of a packet that it has, and plug or tbf
 * as root take the place of the user's queue, which the kernel does not move below another one
 * ("Cannot move an existing qdisc to a different parent").
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "ifb.h"
#include "request.h"

/* Behind those of others; the kernel allows 16 bits. */
#define PRIORITY 0xfff0u
#define HANDLE	 1

static struct nlmsghdr *tc_request(struct rtnl *nl, uint16_t type, uint16_t flags,
				   unsigned int ifindex, struct tcmsg **tc)
{
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags, tc, sizeof(**tc));

	(*tc)->tcm_family = AF_UNSPEC;
	(*tc)->tcm_ifindex = (int)ifindex;
	return nlh;
}

static int add_ifb(struct rtnl *nl, const char *name, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	struct nlattr *info;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "ifb");
	mnl_attr_nest_end(nlh, info);
	return rtnl_execute(nl, NULL, NULL, err, "create the ifb %s", name);
}

/* @flags: as of the request; a plug that is new holds. */
static int put_plug(struct rtnl *nl, unsigned int ifindex, uint16_t flags, int action,
		    unsigned int limit, struct error *err)
{
	const struct tc_plug_qopt opt = {.action = action, .limit = limit};
	struct tcmsg *tc;
	struct nlmsghdr *nlh = tc_request(nl, RTM_NEWQDISC, flags, ifindex, &tc);

	tc->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(nlh, TCA_KIND, "plug");
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(opt), &opt);
	return rtnl_execute(nl, NULL, NULL, err, "set the plug of netdev %u", ifindex);
}

static struct nlmsghdr *filter_request(struct rtnl *nl, uint16_t type, uint16_t flags,
				       unsigned int ifindex)
{
	struct tcmsg *tc;
	struct nlmsghdr *nlh = tc_request(nl, type, flags, ifindex, &tc);

	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	tc->tcm_handle = HANDLE;
	tc->tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "matchall");
	return nlh;
}

static void put_redirect(struct nlmsghdr *nlh, unsigned int to)
{
	const struct tc_mirred parm = {
		.eaction = TCA_EGRESS_REDIR, .action = TC_ACT_STOLEN, .ifindex = to};
	struct nlattr *acts = mnl_attr_nest_start(nlh, TCA_MATCHALL_ACT);
	struct nlattr *act = mnl_attr_nest_start(nlh, 1), *options;

	mnl_attr_put_strz(nlh, TCA_ACT_KIND, "mirred");
	options = mnl_attr_nest_start(nlh, TCA_ACT_OPTIONS);
	mnl_attr_put(nlh, TCA_MIRRED_PARMS, sizeof(parm), &parm);
	mnl_attr_nest_end(nlh, options);
	mnl_attr_nest_end(nlh, act);
	mnl_attr_nest_end(nlh, acts);
}

static int add_filter(struct rtnl *nl, unsigned int ifindex, unsigned int to, struct error *err)
{
	struct nlmsghdr *nlh =
		filter_request(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);

	put_redirect(nlh, to);
	mnl_attr_nest_end(nlh, options);
	return rtnl_execute(nl, NULL, NULL, err, "add the filter of netdev %u", ifindex);
}

int rtnl_hold_begin(struct rtnl *nl, const char *name, unsigned int ifindex, unsigned int limit,
		    struct error *err)
{
	struct rtnl_link ifb;
	int ret = add_ifb(nl, name, err);

	if (ret)
		return ret;
	ret = rtnl_link_get(nl, name, &ifb, err);
	if (!ret)
		ret = rtnl_link_set_addrgenmode(nl, ifb.ifindex, IN6_ADDR_GEN_MODE_NONE, err)
			      ?: rtnl_link_set_up(nl, ifb.ifindex, true, err);
	if (!ret)
		ret = put_plug(nl, ifb.ifindex, NLM_F_CREATE | NLM_F_REPLACE, 0, limit, err)
			      ?: rtnl_clsact_add(nl, ifindex, err)
			      ?: add_filter(nl, ifindex, ifb.ifindex, err);
	if (ret)
		rtnl_hold_end(nl, name, 0, NULL);
	return ret;
}

int rtnl_hold_set(struct rtnl *nl, const char *name, bool on, struct error *err)
{
	struct rtnl_link ifb;

	return rtnl_link_get(nl, name, &ifb, err)
		       ?: put_plug(nl, ifb.ifindex, 0,
				   on ? TCQ_PLUG_BUFFER : TCQ_PLUG_RELEASE_INDEFINITE, 0, err);
}

struct look {
	unsigned int ifindex;
	struct rtnl_hold *out;
};

static void take_stats(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const struct tc_stats *stats;
	struct look *look = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tc) || tc->tcm_ifindex != (int)look->ifindex ||
	    tc->tcm_parent != TC_H_ROOT)
		return;
	mnl_attr_for_each (attr, nlh, sizeof(*tc)) {
		if (mnl_attr_get_type(attr) != TCA_STATS ||
		    mnl_attr_get_payload_len(attr) < sizeof(*stats))
			continue;
		stats = mnl_attr_get_payload(attr);
		*look->out = (struct rtnl_hold){.packets = stats->qlen, .dropped = stats->drops};
	}
}

int rtnl_hold_look(struct rtnl *nl, const char *name, struct rtnl_hold *out, struct error *err)
{
	struct look look = {.out = out};
	struct rtnl_link ifb;
	struct tcmsg *tc;
	int ret = rtnl_link_get(nl, name, &ifb, err);

	*out = (struct rtnl_hold){0};
	if (ret)
		return ret;
	look.ifindex = ifb.ifindex;
	tc_request(nl, RTM_GETQDISC, NLM_F_DUMP, ifb.ifindex, &tc);
	return rtnl_execute(nl, take_stats, &look, err, "read the queue of %s", name);
}

/* An ifb that another program has made is not ours to delete. */
int rtnl_hold_end(struct rtnl *nl, const char *name, unsigned int ifindex, struct error *err)
{
	struct rtnl_link ifb;

	if (ifindex) {
		filter_request(nl, RTM_DELTFILTER, 0, ifindex);
		rtnl_execute(nl, NULL, NULL, NULL, "remove the filter of netdev %u", ifindex);
	}
	if (rtnl_link_get(nl, name, &ifb, NULL) || strcmp(ifb.kind, "ifb"))
		return 0;
	return rtnl_link_del(nl, ifb.ifindex, err);
}
