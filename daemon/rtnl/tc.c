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

#define CLSACT "clsact"

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

struct qdisc {
	unsigned int ifindex;
	uint32_t parent; /* TC_H_ROOT, or TC_H_CLSACT: ingress has the same one */
	char kind[16];	 /* empty: there is none */
	uint32_t handle; /* 0: chosen by the kernel, not by a user */
};

static void take_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct qdisc *q = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tc) || tc->tcm_ifindex != (int)q->ifindex ||
	    tc->tcm_parent != q->parent)
		return;
	q->handle = tc->tcm_handle;
	mnl_attr_for_each (attr, nlh, sizeof(*tc)) {
		if (mnl_attr_get_type(attr) == TCA_KIND &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(q->kind, sizeof(q->kind), "%s", mnl_attr_get_str(attr));
	}
}

static int get_qdisc(struct rtnl *nl, struct qdisc *q, struct error *err)
{
	request(nl, RTM_GETQDISC, NLM_F_DUMP, q->ifindex, 0);
	return rtnl_execute(nl, take_qdisc, q, err, "list the queues of netdev %u", q->ifindex);
}

int rtnl_clsact_add(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct qdisc there = {.ifindex = ifindex, .parent = TC_H_CLSACT};
	struct error why = {0};
	struct tcmsg *tc =
		request(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_CLSACT);
	int ret;

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(&nl->message, TCA_KIND, CLSACT);
	ret = rtnl_execute(nl, NULL, NULL, &why, "add the hook of netdev %u", ifindex);
	if (ret != -EEXIST)
		return ret ? error_pass(err, &why) : 0;
	ret = get_qdisc(nl, &there, err);
	if (ret || !strcmp(there.kind, CLSACT))
		return ret;
	error_set(err, -EBUSY,
		  "qdisc \"%s\" of another program has no place for filters of outgoing packets",
		  there.kind);
	error_hint(err, "clsact has one, and takes filters of incoming packets as well");
	return -EBUSY;
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
	struct qdisc root = {.ifindex = ifindex, .parent = TC_H_ROOT};
	int ret = get_qdisc(nl, &root, err);

	theirs[0] = '\0';
	if (ret || only_queues(root.kind))
		return ret;
	if (root.handle)
		snprintf(theirs, size, "%s", root.kind);
	return !root.handle;
}

int rtnl_queue_set_plain(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct qdisc root = {.ifindex = ifindex, .parent = TC_H_ROOT};
	int ret = get_qdisc(nl, &root, err);

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
	struct qdisc root = {.ifindex = ifindex, .parent = TC_H_ROOT};

	if (get_qdisc(nl, &root, NULL) || strcmp(root.kind, PLAIN) || !root.handle)
		return;
	request(nl, RTM_DELQDISC, 0, ifindex, TC_H_ROOT);
	rtnl_execute(nl, NULL, NULL, NULL, "reset the queue of netdev %u", ifindex);
}
