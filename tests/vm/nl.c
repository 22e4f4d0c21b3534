// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "qmap/shim.h"

#define RUNNING_TRIES 60000

static char sentence[256];

const char *nl_error(void)
{
	return sentence;
}

static struct nlmsghdr *link_msg(void *buf, uint16_t type, uint16_t flags, const char *name)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifm;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	ifm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifm));
	if (flags & NLM_F_CREATE)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	else
		ifm->ifi_index = if_nametoindex(name);
	return nlh;
}

static int keep_sentence(const struct nlattr *attr, __attribute__((unused)) void *data)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		snprintf(sentence, sizeof(sentence), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int read_answer(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&err->msg);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(nlh, skip, keep_sentence, NULL);
	return err->error;
}

int nl_talk(const struct nlmsghdr *nlh)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int on = 1, err = -EIO;
	ssize_t n;

	if (!nl)
		return -errno;
	sentence[0] = 0;
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) > 0) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n > 0)
			err = read_answer((struct nlmsghdr *)buf);
	}
	mnl_socket_close(nl);
	return err;
}

static void put_trunk(struct nlmsghdr *nlh, const struct nl_trunk *t)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, t->usb ? QMAP_SHIM_USB_KIND : QMAP_SHIM_TRUNK_KIND);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	if (t->flow_ms)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_FLOW_MS, t->flow_ms);
	if (t->version)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_VERSION, t->version);
	if (t->tx_bytes)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_BYTES, t->tx_bytes);
	if (t->tx_frames)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_FRAMES, t->tx_frames);
	if (t->tx_usecs)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_TX_USECS, t->tx_usecs);
	if (t->rx_bytes)
		mnl_attr_put_u32(nlh, IFLA_QMAP_TRUNK_RX_BYTES, t->rx_bytes);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

int nl_add_trunk(const char *name, unsigned int lower, const struct nl_trunk *t)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);

	if (lower)
		mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	put_trunk(nlh, t);
	return nl_talk(nlh);
}

int nl_change_trunk(const char *name, const struct nl_trunk *t)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, 0, name);

	put_trunk(nlh, t);
	return nl_talk(nlh);
}

int nl_add_port(const char *name, unsigned int trunk, int number)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info, *data;

	mnl_attr_put_u32(nlh, IFLA_LINK, trunk);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, QMAP_SHIM_PORT_KIND);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	if (number >= 0)
		mnl_attr_put_u8(nlh, IFLA_QMAP_PORT_NUMBER, number);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nlh);
}

int nl_add_rmnet(const char *name, unsigned int lower, uint16_t mux, uint32_t flags)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct ifla_rmnet_flags f = {.flags = flags, .mask = ~0U};
	struct nlattr *info, *data;

	mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "rmnet");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_RMNET_MUX_ID, mux);
	mnl_attr_put(nlh, IFLA_RMNET_FLAGS, sizeof(f), &f);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nlh);
}

int nl_add_veth(const char *name, const char *peer)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info, *data, *other;

	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nlh);
}

int nl_add_dummy(const char *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "dummy");
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nlh);
}

int nl_del(const char *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	return nl_talk(link_msg(buf, RTM_DELLINK, 0, name));
}

int nl_del_group(uint32_t group)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_DELLINK, 0, "");

	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	return nl_talk(nlh);
}

static int set_flag(const char *name, unsigned int flag, bool on)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, 0, name);
	struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);

	ifm->ifi_change = flag;
	ifm->ifi_flags = on ? flag : 0;
	return nl_talk(nlh);
}

int nl_up(const char *name, bool up)
{
	return set_flag(name, IFF_UP, up);
}

int nl_multicast(const char *name, bool on)
{
	return set_flag(name, IFF_MULTICAST, on);
}

int nl_carrier(const char *name, bool on)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put_u8(nlh, IFLA_CARRIER, on);
	return nl_talk(nlh);
}

int nl_set_u32(const char *name, uint16_t attr, uint32_t value)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_msg(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(nlh, attr, value);
	return nl_talk(nlh);
}

static int add_addr(const char *name, uint8_t family, const void *addr, size_t len,
		    unsigned int prefix)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_index = if_nametoindex(name);
	mnl_attr_put(nlh, IFA_LOCAL, len, addr);
	mnl_attr_put(nlh, IFA_ADDRESS, len, addr);
	return nl_talk(nlh);
}

int nl_add_addr4(const char *name, uint32_t addr, unsigned int prefix)
{
	return add_addr(name, AF_INET, &addr, sizeof(addr), prefix);
}

int nl_add_addr6(const char *name, const struct in6_addr *addr, unsigned int prefix)
{
	return add_addr(name, AF_INET6, addr, sizeof(*addr), prefix);
}

int nl_wait_running(const char *name)
{
	struct timespec pause = {.tv_nsec = 1000000};
	struct ifreq ifr = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i, err = -ETIMEDOUT;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	for (i = 0; i < RUNNING_TRIES && err == -ETIMEDOUT; i++) {
		if (ioctl(fd, SIOCGIFFLAGS, &ifr))
			err = -errno;
		else if (ifr.ifr_flags & IFF_RUNNING)
			err = 0;
		else
			nanosleep(&pause, NULL);
	}
	close(fd);
	return err;
}
