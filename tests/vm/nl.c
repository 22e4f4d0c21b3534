// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <time.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "daemon/rtnl/request.h"
#include "qmap/shim.h"

#define RUNNING_TRIES 60000

static __thread struct error error;
static __thread struct rtnl no_socket; /* takes a request that cannot be sent */

const char *nl_error(void)
{
	return error.text;
}

/* A request under construction; its socket is of the thread's current namespace. */
struct request {
	struct rtnl *nl;
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifm;
	const char *name;
	struct nlattr *info, *data;
};

static struct request begin(uint16_t type, uint16_t flags, const char *name)
{
	struct request r = {.name = name};

	error = (struct error){};
	if (rtnl_open(&r.nl, NULL, &error))
		r.nl = &no_socket;
	r.nlh = rtnl_request(r.nl, type, flags, &r.ifm, sizeof(*r.ifm));
	if (flags & NLM_F_CREATE)
		mnl_attr_put_strz(r.nlh, IFLA_IFNAME, name);
	else
		r.ifm->ifi_index = if_nametoindex(name);
	return r;
}

static void begin_kind(struct request *r, const char *kind)
{
	r->info = mnl_attr_nest_start(r->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(r->nlh, IFLA_INFO_KIND, kind);
	r->data = mnl_attr_nest_start(r->nlh, IFLA_INFO_DATA);
}

/* @lower 0: none. */
static struct request begin_link(const char *name, const char *kind, unsigned int lower)
{
	struct request r = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);

	if (lower)
		mnl_attr_put_u32(r.nlh, IFLA_LINK, lower);
	begin_kind(&r, kind);
	return r;
}

static int end(struct request *r)
{
	int err;

	if (r->nl == &no_socket)
		return error.err;
	if (r->data) {
		mnl_attr_nest_end(r->nlh, r->data);
		mnl_attr_nest_end(r->nlh, r->info);
	}
	err = rtnl_execute(r->nl, NULL, NULL, &error, "change %s", r->name);
	rtnl_close(&r->nl);
	return err;
}

static int end_trunk(struct request *r, const struct nl_trunk *t)
{
	const struct {
		uint16_t type;
		uint32_t value;
	} attrs[] = {
		{IFLA_QMAP_TRUNK_FLOW_MS, t->flow_ms},	 {IFLA_QMAP_TRUNK_VERSION, t->version},
		{IFLA_QMAP_TRUNK_TX_BYTES, t->tx_bytes}, {IFLA_QMAP_TRUNK_TX_FRAMES, t->tx_frames},
		{IFLA_QMAP_TRUNK_TX_USECS, t->tx_usecs}, {IFLA_QMAP_TRUNK_RX_BYTES, t->rx_bytes},
	};
	size_t i;

	for (i = 0; i < sizeof(attrs) / sizeof(*attrs); i++)
		if (attrs[i].value)
			mnl_attr_put_u32(r->nlh, attrs[i].type, attrs[i].value);
	return end(r);
}

static const char *trunk_kind(const struct nl_trunk *t)
{
	return t->usb ? QMAP_SHIM_USB_KIND : QMAP_SHIM_TRUNK_KIND;
}

int nl_add_trunk(const char *name, unsigned int lower, const struct nl_trunk *t)
{
	struct request r = begin_link(name, trunk_kind(t), lower);

	return end_trunk(&r, t);
}

int nl_change_trunk(const char *name, const struct nl_trunk *t)
{
	struct request r = begin(RTM_NEWLINK, 0, name);

	begin_kind(&r, trunk_kind(t));
	return end_trunk(&r, t);
}

int nl_add_port(const char *name, unsigned int trunk, int number)
{
	struct request r = begin_link(name, QMAP_SHIM_PORT_KIND, trunk);

	if (number >= 0)
		mnl_attr_put_u8(r.nlh, IFLA_QMAP_PORT_NUMBER, number);
	return end(&r);
}

int nl_add_rmnet(const char *name, unsigned int lower, uint16_t mux, uint32_t flags)
{
	const struct ifla_rmnet_flags f = {.flags = flags, .mask = ~0U};
	struct request r = begin_link(name, "rmnet", lower);

	mnl_attr_put_u16(r.nlh, IFLA_RMNET_MUX_ID, mux);
	mnl_attr_put(r.nlh, IFLA_RMNET_FLAGS, sizeof(f), &f);
	return end(&r);
}

int nl_add_veth(const char *name, const char *peer)
{
	struct request r = begin_link(name, "veth", 0);
	struct nlattr *other;

	other = mnl_attr_nest_start(r.nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(r.nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(r.nlh, IFLA_IFNAME, peer);
	mnl_attr_nest_end(r.nlh, other);
	return end(&r);
}

int nl_add_dummy(const char *name)
{
	struct request r = begin_link(name, "dummy", 0);

	return end(&r);
}

int nl_del(const char *name)
{
	struct request r = begin(RTM_DELLINK, 0, name);

	return end(&r);
}

int nl_del_group(uint32_t group)
{
	struct request r = begin(RTM_DELLINK, 0, "");

	mnl_attr_put_u32(r.nlh, IFLA_GROUP, group);
	return end(&r);
}

static int set_flag(const char *name, unsigned int flag, bool on)
{
	struct request r = begin(RTM_NEWLINK, 0, name);

	r.ifm->ifi_change = flag;
	r.ifm->ifi_flags = on ? flag : 0;
	return end(&r);
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
	struct request r = begin(RTM_NEWLINK, 0, name);

	mnl_attr_put_u8(r.nlh, IFLA_CARRIER, on);
	return end(&r);
}

int nl_set_u32(const char *name, uint16_t attr, uint32_t value)
{
	struct request r = begin(RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(r.nlh, attr, value);
	return end(&r);
}

static int add_addr(const char *name, int family, const void *addr, unsigned int prefix)
{
	struct rtnl *nl;
	int err;

	error = (struct error){};
	err = rtnl_open(&nl, NULL, &error);
	if (err)
		return err;
	err = rtnl_addr_add(nl, if_nametoindex(name), family, addr, prefix, true, &error);
	rtnl_close(&nl);
	return err;
}

int nl_add_addr4(const char *name, uint32_t addr, unsigned int prefix)
{
	return add_addr(name, AF_INET, &addr, prefix);
}

int nl_add_addr6(const char *name, const struct in6_addr *addr, unsigned int prefix)
{
	return add_addr(name, AF_INET6, addr, prefix);
}

/* Looks every millisecond. */
int nl_wait_running(const char *name)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct rtnl_link link = {};
	struct rtnl *nl;
	int err, i;

	error = (struct error){};
	err = rtnl_open(&nl, NULL, &error);
	if (err)
		return err;
	for (i = 0; i < RUNNING_TRIES && !err && !(link.flags & IFF_RUNNING); i++) {
		if (i)
			nanosleep(&pause, NULL);
		err = rtnl_link_get(nl, name, &link, &error);
	}
	rtnl_close(&nl);
	return err ?: link.flags & IFF_RUNNING ? 0 : -ETIMEDOUT;
}
