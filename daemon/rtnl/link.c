// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "request.h"

static void copy_string(char *dst, size_t size, const struct nlattr *attr)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(dst, size, "%s", mnl_attr_get_str(attr));
}

static void parse_vrf(const struct nlattr *data, struct rtnl_link *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_VRF_TABLE &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			out->vrf_table = mnl_attr_get_u32(attr);
	}
}

/* The kernel puts the kind first. */
static void parse_linkinfo(const struct nlattr *nest, struct rtnl_link *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, nest) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			copy_string(out->kind, sizeof(out->kind), attr);
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && !strcmp(out->kind, "vrf"))
			parse_vrf(attr, out);
	}
}

/* Newer kernels send more settings: those behind the ones that we know are left out. */
static unsigned int parse_conf(const struct nlattr *attr, int32_t conf[RTNL_CONF])
{
	size_t n = mnl_attr_get_payload_len(attr) / sizeof(*conf);

	if (n > RTNL_CONF)
		n = RTNL_CONF;
	memcpy(conf, mnl_attr_get_payload(attr), n * sizeof(*conf));
	return n;
}

static void parse_ipv6(const struct nlattr *nest, struct rtnl_link *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, nest) {
		if (mnl_attr_get_type(attr) == IFLA_INET6_ADDR_GEN_MODE)
			out->addrgenmode = mnl_attr_get_u8(attr);
		else if (mnl_attr_get_type(attr) == IFLA_INET6_CONF)
			out->nconf6 = parse_conf(attr, out->conf6);
	}
}

static void parse_af_spec(const struct nlattr *nest, struct rtnl_link *out)
{
	const struct nlattr *family;

	mnl_attr_for_each_nested (family, nest) {
		const struct nlattr *attr;

		if (mnl_attr_get_type(family) == AF_INET) {
			mnl_attr_for_each_nested (attr, family) {
				if (mnl_attr_get_type(attr) == IFLA_INET_CONF)
					out->nconf4 = parse_conf(attr, out->conf4);
			}
		} else if (mnl_attr_get_type(family) == AF_INET6) {
			parse_ipv6(family, out);
		}
	}
}

static void parse_stats(const struct nlattr *attr, struct rtnl_link *out)
{
	struct rtnl_link_stats64 s = {0};
	size_t len = mnl_attr_get_payload_len(attr);

	/* The struct has grown over the years: take as much as this kernel sends. */
	memcpy(&s, mnl_attr_get_payload(attr), len < sizeof(s) ? len : sizeof(s));
	out->rx_packets = s.rx_packets;
	out->rx_bytes = s.rx_bytes;
	out->rx_errors = s.rx_errors;
	out->rx_length_errors = s.rx_length_errors;
	out->rx_dropped = s.rx_dropped;
	out->tx_packets = s.tx_packets;
	out->tx_bytes = s.tx_bytes;
	out->tx_dropped = s.tx_dropped;
}

static void parse_attr(const struct nlattr *attr, struct rtnl_link *out)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_string(out->name, sizeof(out->name), attr);
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			out->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			out->lower = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			out->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_MAX_MTU:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			out->max_mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(out->mac))
			memcpy(out->mac, mnl_attr_get_payload(attr), sizeof(out->mac));
		break;
	case IFLA_STATS64:
		parse_stats(attr, out);
		break;
	case IFLA_AF_SPEC:
		parse_af_spec(attr, out);
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(attr, out);
		break;
	}
}

void rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool elsewhere = false;

	memset(out, 0, sizeof(*out));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return;
	out->ifindex = ifi->ifi_index;
	out->flags = ifi->ifi_flags;
	out->type = ifi->ifi_type;
	mnl_attr_for_each (attr, nlh, sizeof(*ifi)) {
		parse_attr(attr, out);
		elsewhere |= mnl_attr_get_type(attr) == IFLA_LINK_NETNSID;
	}
	if (elsewhere)
		out->lower = 0;
}

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		rtnl_link_parse(nlh, arg);
}

int rtnl_link_get(struct rtnl *nl, const char *name, struct rtnl_link *out, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETLINK, 0, &ifi, sizeof(*ifi));
	struct error cause = {0};
	int ret;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	ret = rtnl_execute(nl, take_link, out, &cause, "look up network device %s", name);
	if (ret == -ENODEV) {
		error_set(err, ret, "there is no network device %s", name);
		error_hint(err, "`ip link` lists what there is");
	} else if (ret) {
		error_pass(err, &cause);
	}
	return ret;
}

int rtnl_link_get_index(struct rtnl *nl, unsigned int ifindex, struct rtnl_link *out,
			struct error *err)
{
	struct ifinfomsg *ifi;

	rtnl_request(nl, RTM_GETLINK, 0, &ifi, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return rtnl_execute(nl, take_link, out, err, "look up network device %u", ifindex);
}

static void put_veth_end(struct nlmsghdr *nlh, const char *name, unsigned int mtu)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	/* veth creates as many queues as there are CPUs by default; a single worker fills ours. */
	mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, 1);
}

static int create_veth(struct rtnl *nl, const char *name, const char *peer, unsigned int mtu,
		       struct error *err)
{
	struct ifinfomsg *ifi, *peer_ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	struct nlattr *info, *data, *end;

	ifi->ifi_flags = ifi->ifi_change = IFF_NOARP;
	put_veth_end(nlh, name, mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	end = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	peer_ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*peer_ifi));
	peer_ifi->ifi_flags = peer_ifi->ifi_change = IFF_NOARP;
	put_veth_end(nlh, peer, mtu);
	mnl_attr_nest_end(nlh, end);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_execute(nl, NULL, NULL, err, "create the veth pair %s, %s", name, peer);
}

/*
 * Sets the address generation mode by a second request: rtnl_newlink_create() ignores
 * IFLA_AF_SPEC.
 */
static int silence(struct rtnl *nl, const char *name, struct rtnl_link *link, struct error *err)
{
	int ret = rtnl_link_get(nl, name, link, err);

	if (ret)
		return ret;
	return rtnl_link_set_addrgenmode(nl, link->ifindex, IN6_ADDR_GEN_MODE_NONE, err);
}

int rtnl_veth_add(struct rtnl *nl, const char *name, const char *peer, unsigned int mtu,
		  struct error *err)
{
	struct rtnl_link link = {0};
	int ret = create_veth(nl, name, peer, mtu, err);

	if (ret)
		return ret;
	ret = silence(nl, peer, &link, err);
	if (!ret)
		ret = silence(nl, name, &link, err);
	if (ret && link.ifindex)
		rtnl_link_del(nl, link.ifindex, NULL);
	return ret;
}

/* NOPROMISC: a veth delivers every frame to the device above it without promiscuous mode. */
static void put_passthru(struct nlmsghdr *nlh)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE, MACVLAN_MODE_PASSTHRU);
	mnl_attr_put_u16(nlh, IFLA_MACVLAN_FLAGS, MACVLAN_FLAG_NOPROMISC);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

static int make_macvlan(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mtu,
			struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));

	ifi->ifi_flags = ifi->ifi_change = IFF_NOARP;
	put_veth_end(nlh, name, mtu);
	mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	put_passthru(nlh);
	return rtnl_execute(nl, NULL, NULL, err, "create the macvlan %s", name);
}

bool rtnl_macvlan_exists(struct rtnl *nl, unsigned int lower)
{
	static const char name[] = "qmap-probe";
	struct rtnl_link link;
	int ret = make_macvlan(nl, name, lower, ETH_MIN_MTU, NULL);

	if (!ret && !rtnl_link_get(nl, name, &link, NULL))
		rtnl_link_del(nl, link.ifindex, NULL);
	return ret == -EINVAL;
}

int rtnl_macvlan_add(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mtu,
		     struct error *err)
{
	struct rtnl_link link = {0};
	int ret = make_macvlan(nl, name, lower, mtu, err);

	if (ret)
		return ret;
	ret = silence(nl, name, &link, err);
	if (ret && link.ifindex)
		rtnl_link_del(nl, link.ifindex, NULL);
	return ret;
}

/*
 * The kernel refuses a macvlan without a lower device with EINVAL, an unknown kind of link with
 * another error.
 */
int rtnl_macvlan_probe(struct rtnl *nl, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	int ret;

	put_passthru(nlh);
	ret = rtnl_execute(nl, NULL, NULL, NULL, "look for macvlan");
	if (ret != -EOPNOTSUPP)
		return 0;
	error_set(err, ret, "this kernel has no macvlan");
	error_hint(err,
		   "build it with CONFIG_MACVLAN, install OpenWrt's kmod-macvlan, or take another "
		   "data path (--datapath)");
	return ret;
}

int rtnl_link_del(struct rtnl *nl, unsigned int ifindex, struct error *err)
{
	struct ifinfomsg *ifi;

	rtnl_request(nl, RTM_DELLINK, 0, &ifi, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return rtnl_execute(nl, NULL, NULL, err, "delete network device %u", ifindex);
}

int rtnl_link_set_up(struct rtnl *nl, unsigned int ifindex, bool up, struct error *err)
{
	struct ifinfomsg *ifi;

	rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return rtnl_change(nl, 0, err, "%s network device %u", up ? "bring up" : "take down",
			   ifindex);
}

int rtnl_link_set_name(struct rtnl *nl, unsigned int ifindex, const char *name, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return rtnl_execute(nl, NULL, NULL, err, "rename network device %u to %s", ifindex, name);
}

int rtnl_link_set_mtu(struct rtnl *nl, unsigned int ifindex, unsigned int mtu, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rtnl_change(nl, 0, err, "set the MTU of network device %u to %u", ifindex, mtu);
}

int rtnl_link_set_addrgenmode(struct rtnl *nl, unsigned int ifindex, unsigned int mode,
			      struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	struct error cause = {0};
	int ret;

	ifi->ifi_index = ifindex;
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, mode);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	ret = rtnl_execute(nl, NULL, NULL, &cause,
			   "set the IPv6 address generation of network device %u", ifindex);
	/* The kernel or the link (MTU below 1280) has no IPv6 and would generate no address. */
	if (!ret || ret == -EAFNOSUPPORT)
		return 0;
	return error_pass(err, &cause);
}

int rtnl_link_set_netns(struct rtnl *nl, unsigned int ifindex, const char *netns, struct error *err)
{
	int ret, fd = rtnl_netns_open(netns, err);
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	if (fd < 0)
		return fd;
	nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, fd);
	ret = rtnl_execute(nl, NULL, NULL, err, "move network device %u to namespace \"%s\"",
			   ifindex, netns);
	close(fd);
	return ret;
}
