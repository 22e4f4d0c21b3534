// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "qmap/shim.h"
#include "request.h"

/* A request for a new link, up to the open nest of its IFLA_INFO_DATA. */
struct newlink {
	struct nlmsghdr *nlh;
	struct nlattr *info, *data;
};

static void begin(struct newlink *l, struct rtnl *nl, const char *name, unsigned int lower,
		  const char *kind)
{
	struct ifinfomsg *ifi;

	l->nlh = rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	mnl_attr_put_strz(l->nlh, IFLA_IFNAME, name);
	if (lower)
		mnl_attr_put_u32(l->nlh, IFLA_LINK, lower);
	l->info = mnl_attr_nest_start(l->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(l->nlh, IFLA_INFO_KIND, kind);
	l->data = mnl_attr_nest_start(l->nlh, IFLA_INFO_DATA);
}

static void end(struct newlink *l)
{
	mnl_attr_nest_end(l->nlh, l->data);
	mnl_attr_nest_end(l->nlh, l->info);
}

int rtnl_shim_probe(struct rtnl *nl, struct error *err)
{
	struct error cause = {0};
	struct newlink l;
	int ret;

	/*
	 * A trunk device without a netdev below: the module refuses it, a kernel without the module
	 * does not know the kind. Asking makes the kernel load it (MODULE_ALIAS_RTNL_LINK).
	 */
	begin(&l, nl, "qmap-probe", 0, QMAP_SHIM_TRUNK_KIND);
	mnl_attr_put_u32(l.nlh, IFLA_QMAP_TRUNK_VERSION, QMAP_SHIM_VERSION);
	end(&l);
	ret = rtnl_execute(nl, NULL, NULL, &cause, "look for the kernel module qmap_shim");
	if (ret == -ERANGE) {
		error_set(err, -EOPNOTSUPP,
			  "the kernel module qmap_shim is of another version than this program");
		error_hint(err, "detach, unload the module and load that of the same release");
		return -EOPNOTSUPP;
	}
	if (ret != -EOPNOTSUPP)
		return ret == -EPERM ? error_pass(err, &cause) : 0;
	error_set(err, -EOPNOTSUPP, "the kernel module qmap_shim is not loaded");
	error_hint(err,
		   "install it (package qmap-dkms, or make install-module), or use --datapath xdp");
	return -EOPNOTSUPP;
}

static void put_limits(struct nlmsghdr *nlh, const struct rtnl_shim_limits *limits)
{
	mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_BYTES, limits->tx_bytes);
	if (limits->tx_frames)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_FRAMES, limits->tx_frames);
	mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_USECS, limits->tx_usecs);
}

int rtnl_shim_trunk_add(struct rtnl *nl, const char *name, unsigned int lower,
			const struct rtnl_shim_limits *limits, struct error *err)
{
	struct newlink l;

	begin(&l, nl, name, lower, QMAP_SHIM_TRUNK_KIND);
	put_limits(l.nlh, limits);
	end(&l);
	return rtnl_execute(nl, NULL, NULL, err, "create the trunk device %s", name);
}

int rtnl_shim_trunk_set(struct rtnl *nl, unsigned int ifindex,
			const struct rtnl_shim_limits *limits, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	ifi->ifi_index = ifindex;
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, QMAP_SHIM_USB_KIND);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_VERSION, QMAP_SHIM_VERSION);
	put_limits(nlh, limits);
	if (limits->rx_bytes)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_RX_BYTES, limits->rx_bytes);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_execute(nl, NULL, NULL, err, "set the sizes of aggregates of netdev %u",
			    ifindex);
}

int rtnl_shim_port_add(struct rtnl *nl, const char *name, unsigned int trunk, unsigned int number,
		       struct error *err)
{
	struct rtnl_link link;
	struct newlink l;
	int ret;

	begin(&l, nl, name, trunk, QMAP_SHIM_PORT_KIND);
	mnl_attr_put_u8(l.nlh, IFLA_QMAP_PORT_NUMBER, number);
	end(&l);
	ret = rtnl_execute(nl, NULL, NULL, err, "create the port %s", name);
	if (!ret)
		ret = rtnl_link_get(nl, name, &link, err);
	return ret ?: rtnl_link_set_addrgenmode(nl, link.ifindex, IN6_ADDR_GEN_MODE_NONE, err);
}

static const struct nlattr *find_in(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;

	if (nest)
		mnl_attr_for_each_nested (attr, nest)
			if (mnl_attr_get_type(attr) == type)
				return attr;
	return NULL;
}

static void take_unknown(const struct nlmsghdr *nlh, void *count)
{
	size_t size = QMAP_SHIM_MAX_PORTS * sizeof(uint64_t);
	const struct nlattr *attr, *found = NULL;

	if (nlh->nlmsg_type != RTM_NEWSTATS)
		return;
	mnl_attr_for_each (attr, nlh, sizeof(struct if_stats_msg))
		if (mnl_attr_get_type(attr) == IFLA_STATS_LINK_XSTATS)
			found = attr;
	found = find_in(find_in(found, QMAP_SHIM_XSTATS), QMAP_SHIM_XSTATS_UNKNOWN);
	if (found && mnl_attr_get_payload_len(found) == size)
		memcpy(count, mnl_attr_get_payload(found), size);
}

int rtnl_shim_unknown(struct rtnl *nl, unsigned int ifindex, uint64_t count[QMAP_SHIM_MAX_PORTS],
		      struct error *err)
{
	struct if_stats_msg *msg;

	memset(count, 0, QMAP_SHIM_MAX_PORTS * sizeof(*count));
	rtnl_request(nl, RTM_GETSTATS, 0, &msg, sizeof(*msg));
	msg->ifindex = ifindex;
	msg->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_XSTATS);
	return rtnl_execute(nl, take_unknown, count, err, "read the counters of netdev %u",
			    ifindex);
}

int rtnl_link_set_carrier(struct rtnl *nl, unsigned int ifindex, bool on, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	mnl_attr_put_u8(nlh, IFLA_CARRIER, on);
	return rtnl_execute(nl, NULL, NULL, err, "change the carrier of network device %u",
			    ifindex);
}
