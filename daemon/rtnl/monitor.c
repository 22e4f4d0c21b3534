// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "request.h"

/* Datagrams per call: a storm of events must not starve the other users of the event loop. */
#define MAX_DATAGRAMS 64

struct rtnl_monitor {
	struct mnl_socket *sock;
	rtnl_monitor_fn fn;
	void *arg;
	char buf[RTNL_BUFFER];
};

int rtnl_monitor_open(struct rtnl_monitor **out, const char *netns, rtnl_monitor_fn fn, void *arg,
		      struct error *err)
{
	struct rtnl_monitor *m = calloc(1, sizeof(*m));
	int ret, fd;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->fn = fn;
	m->arg = arg;
	ret = rtnl_socket_open(&m->sock, netns,
			       RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
				       RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_TC |
				       RTMGRP_IPV4_RULE | 1U << (RTNLGRP_IPV6_RULE - 1),
			       err);
	if (ret) {
		free(m);
		return ret;
	}
	fd = mnl_socket_get_fd(m->sock);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*out = m;
	return 0;
}

void rtnl_monitor_close(struct rtnl_monitor **m)
{
	if (!*m)
		return;
	mnl_socket_close((*m)->sock);
	free(*m);
	*m = NULL;
}

int rtnl_monitor_fd(const struct rtnl_monitor *m)
{
	return mnl_socket_get_fd(m->sock);
}

static const struct nlattr *find_attr(const struct nlmsghdr *nlh, size_t skip, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, skip) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static void report(const struct rtnl_monitor *m, enum rtnl_kind kind, unsigned int ifindex,
		   const char *name)
{
	m->fn(m->arg, &(struct rtnl_event){kind, ifindex, name});
}

static void link_event(const struct rtnl_monitor *m, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	enum rtnl_kind kind = RTNL_LINK;
	struct rtnl_link link;

	/*
	 * Bridges report their ports as links of family AF_BRIDGE, also when a port merely
	 * leaves.
	 */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC)
		return;
	rtnl_link_parse(nlh, &link);
	if (nlh->nlmsg_type == RTM_DELLINK)
		kind = find_attr(nlh, sizeof(*ifi), IFLA_NEW_NETNSID) ? RTNL_LINK_MOVED
								      : RTNL_LINK_GONE;
	report(m, kind, link.ifindex, link.name);
}

static void addr_event(const struct rtnl_monitor *m, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return;
	if (nlh->nlmsg_type == RTM_DELADDR ||
	    (ifa->ifa_family == AF_INET6 && !(ifa->ifa_flags & IFA_F_PERMANENT)))
		report(m, RTNL_CHANGED, ifa->ifa_index, "");
}

static void route_event(const struct rtnl_monitor *m, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	bool gone = nlh->nlmsg_type == RTM_DELROUTE;
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return;
	if (gone ? rtm->rtm_dst_len : rtm->rtm_protocol != RTPROT_RA)
		return;
	attr = find_attr(nlh, sizeof(*rtm), RTA_OIF);
	if (attr && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		report(m, RTNL_CHANGED, mnl_attr_get_u32(attr), "");
}

static void tc_event(const struct rtnl_monitor *m, const struct nlmsghdr *nlh)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tc))
		return;
	if (nlh->nlmsg_type == RTM_DELTFILTER || nlh->nlmsg_type == RTM_DELQDISC)
		report(m, RTNL_TC_GONE, 0, "");
	if (nlh->nlmsg_type == RTM_NEWQDISC || nlh->nlmsg_type == RTM_DELQDISC)
		report(m, RTNL_CHANGED, tc->tcm_ifindex, "");
}

static void take_datagram(struct rtnl_monitor *m, int len)
{
	const struct nlmsghdr *nlh = (const void *)m->buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
			link_event(m, nlh);
		else if (nlh->nlmsg_type == RTM_DELADDR || nlh->nlmsg_type == RTM_NEWADDR)
			addr_event(m, nlh);
		else if (nlh->nlmsg_type == RTM_DELROUTE || nlh->nlmsg_type == RTM_NEWROUTE)
			route_event(m, nlh);
		else if (nlh->nlmsg_type == RTM_DELRULE)
			report(m, RTNL_RULE_GONE, 0, "");
		else
			tc_event(m, nlh);
	}
}

int rtnl_monitor_read(struct rtnl_monitor *m)
{
	for (int i = 0; i < MAX_DATAGRAMS; i++) {
		ssize_t n = mnl_socket_recvfrom(m->sock, m->buf, sizeof(m->buf));

		if (n >= 0)
			take_datagram(m, n);
		else if (errno == EAGAIN)
			return 0;
		else if (errno == ENOBUFS || errno == ENOSPC)
			report(m, RTNL_LOST, 0, "");
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}
