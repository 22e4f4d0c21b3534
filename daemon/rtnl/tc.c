// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "request.h"

/* The kernel's simplest queue, built in wherever there are queues (net/sched/sch_generic.c). */
#define PLAIN "pfifo_fast"

static struct tcmsg *request(struct rtnl *nl, uint16_t type, uint16_t flags, unsigned int ifindex,
			     uint32_t parent)
{
	struct tcmsg *tc;

	rtnl_request(nl, type, flags, &tc, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = parent;
	return tc;
}

static void count(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWTFILTER)
		++*(int *)arg;
}

int rtnl_filters(struct rtnl *nl, unsigned int ifindex, unsigned int block)
{
	int n = 0, ret;

	request(nl, RTM_GETTFILTER, NLM_F_DUMP, ifindex, TC_H_MAKE(TC_H_CLSACT, block));
	ret = rtnl_execute(nl, count, &n, NULL, "list the tc filters of netdev %u", ifindex);
	return ret ? ret : n;
}

struct filter {
	unsigned int priority, handle;
	bool found;
};

static void find(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct filter *f = arg;

	if (nlh->nlmsg_type == RTM_NEWTFILTER && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*tc) &&
	    tc->tcm_handle == f->handle && TC_H_MAJ(tc->tcm_info) >> 16 == f->priority)
		f->found = true;
}

int rtnl_filter_has(struct rtnl *nl, unsigned int ifindex, unsigned int block,
		    unsigned int priority, unsigned int handle)
{
	struct filter f = {.priority = priority, .handle = handle};
	int ret;

	request(nl, RTM_GETTFILTER, NLM_F_DUMP, ifindex, TC_H_MAKE(TC_H_CLSACT, block));
	ret = rtnl_execute(nl, find, &f, NULL, "list the tc filters of netdev %u", ifindex);
	return ret ? ret : f.found;
}

struct root {
	unsigned int ifindex;
	char kind[16];
	uint32_t handle; /* 0: chosen by the kernel, not by a user */
};

static void take_root(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct root *root = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tc) || tc->tcm_ifindex != (int)root->ifindex ||
	    tc->tcm_parent != TC_H_ROOT)
		return;
	root->handle = tc->tcm_handle;
	mnl_attr_for_each (attr, nlh, sizeof(*tc)) {
		if (mnl_attr_get_type(attr) == TCA_KIND &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(root->kind, sizeof(root->kind), "%s", mnl_attr_get_str(attr));
	}
}

static int get_root(struct rtnl *nl, struct root *root, struct error *err)
{
	request(nl, RTM_GETQDISC, NLM_F_DUMP, root->ifindex, 0);
	return rtnl_execute(nl, take_root, root, err, "list the queues of netdev %u",
			    root->ifindex);
}

static bool only_queues(const char *kind)
{
	static const char *const kinds[] = {"", "noqueue", "pfifo", "bfifo", PLAIN};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

int rtnl_queue_look(struct rtnl *nl, unsigned int ifindex, char *theirs, size_t size,
		    struct error *err)
{
	struct root root = {.ifindex = ifindex};
	int ret = get_root(nl, &root, err);

	theirs[0] = '\0';
	if (ret || only_queues(root.kind))
		return ret;
	if (root.handle)
		snprintf(theirs, size, "%s", root.kind);
	return !root.handle;
}

int rtnl_queue_set_plain(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct root root = {.ifindex = ifindex};
	int ret = get_root(nl, &root, err);

	if (ret || only_queues(root.kind))
		return ret;
	if (root.handle)
		return error_set(err, -EBUSY,
				 "queueing discipline %s is not one of the kernel's own",
				 root.kind);
	request(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex, TC_H_ROOT);
	mnl_attr_put_strz(&nl->message, TCA_KIND, PLAIN);
	return rtnl_execute(nl, NULL, NULL, err, "set the queue of netdev %u", ifindex);
}

void rtnl_queue_set_default(struct rtnl *nl, unsigned int ifindex)
{
	struct root root = {.ifindex = ifindex};

	if (get_root(nl, &root, NULL) || strcmp(root.kind, PLAIN) || !root.handle)
		return;
	request(nl, RTM_DELQDISC, 0, ifindex, TC_H_ROOT);
	rtnl_execute(nl, NULL, NULL, NULL, "reset the queue of netdev %u", ifindex);
}
