// SPDX-License-Identifier: GPL-2.0-or-later
#include "rmnet.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "request.h"

#define KIND "rmnet"

/* Upper bound of the links on one trunk: the number of mux ids. */
#define MAX_MUX_IDS 255

int rtnl_rmnet_probe(struct rtnl *nl, struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	struct error cause = {0};
	struct nlattr *info;
	int ret;

	/*
	 * A request without mux id and lower netdev: rmnet refuses it, a kernel without rmnet does
	 * not know the kind. The request makes the kernel load the module (MODULE_ALIAS_RTNL_LINK).
	 */
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "qmap-probe");
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, KIND);
	mnl_attr_nest_end(nlh, info);
	ret = rtnl_execute(nl, NULL, NULL, &cause, "look for the kernel's rmnet");
	if (ret != -EOPNOTSUPP)
		return ret == -EPERM ? error_pass(err, &cause) : 0;
	error_set(err, -EOPNOTSUPP, "this kernel has no rmnet");
	error_hint(err, "it is CONFIG_RMNET, which many distributions leave out");
	return -EOPNOTSUPP;
}

static int add_link(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mux,
		    uint32_t flags, struct error *err)
{
	const struct ifla_rmnet_flags f = {.flags = flags, .mask = ~0U};
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh =
		rtnl_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(*ifi));
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, KIND);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_RMNET_MUX_ID, mux);
	mnl_attr_put(nlh, IFLA_RMNET_FLAGS, sizeof(f), &f);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_execute(nl, NULL, NULL, err, "create the rmnet link %s", name);
}

int rtnl_rmnet_add(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mux,
		   uint32_t flags, struct error *err)
{
	struct rtnl_link link;
	int ret = add_link(nl, name, lower, mux, flags, err) ?: rtnl_link_get(nl, name, &link, err);

	return ret ?: rtnl_link_set_addrgenmode(nl, link.ifindex, IN6_ADDR_GEN_MODE_NONE, err);
}

/* --- reading links --- */

struct rmnet_link {
	unsigned int lower;
	uint32_t flags;
	bool rmnet, has_flags;
	const char *name;
};

static void parse_data(const struct nlattr *nest, struct rmnet_link *l)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, nest) {
		const struct ifla_rmnet_flags *f = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) != IFLA_RMNET_FLAGS ||
		    mnl_attr_get_payload_len(attr) < sizeof(*f))
			continue;
		l->flags = f->flags;
		l->has_flags = true;
	}
}

static void parse_info(const struct nlattr *nest, struct rmnet_link *l)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested (attr, nest) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			l->rmnet = !strcmp(mnl_attr_get_str(attr), KIND);
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (l->rmnet && data)
		parse_data(data, l);
}

static void parse(const struct nlmsghdr *nlh, struct rmnet_link *l)
{
	const struct nlattr *attr;

	*l = (struct rmnet_link){.name = ""};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifinfomsg))
		return;
	mnl_attr_for_each (attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			l->name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == IFLA_LINK &&
			 mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			l->lower = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			parse_info(attr, l);
	}
}

static void take_flags(const struct nlmsghdr *nlh, void *arg)
{
	struct rmnet_link *l = arg;

	parse(nlh, l);
	l->name = NULL; /* it points into the receive buffer */
}

int rtnl_rmnet_flags(struct rtnl *nl, const char *name, uint32_t *flags, struct error *err)
{
	struct rmnet_link l = {0};
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETLINK, 0, &ifi, sizeof(*ifi));
	int ret;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	ret = rtnl_execute(nl, take_flags, &l, err, "look up network device %s", name);
	if (!ret && !l.has_flags)
		ret = error_set(err, -EOPNOTSUPP, "%s is no rmnet link", name);
	*flags = l.flags;
	return ret;
}

struct collection {
	unsigned int lower;
	const char *prefix;
	unsigned int ifindex[MAX_MUX_IDS], n;
};

static void collect(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct collection *c = arg;
	struct rmnet_link l;

	parse(nlh, &l);
	if (l.rmnet && l.lower == c->lower && c->n < MAX_MUX_IDS &&
	    !strncmp(l.name, c->prefix, strlen(c->prefix)))
		c->ifindex[c->n++] = ifi->ifi_index;
}

int rtnl_rmnet_del_all(struct rtnl *nl, unsigned int lower, const char *prefix, struct error *err)
{
	struct collection c;
	struct ifinfomsg *ifi;
	int ret;

	do {
		c = (struct collection){.lower = lower, .prefix = prefix};
		rtnl_request(nl, RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(*ifi));
		ret = rtnl_execute(nl, collect, &c, err, "list network devices");
	} while (ret == -EINTR);
	for (unsigned int i = 0; i < c.n; i++) {
		int one = rtnl_link_del(nl, c.ifindex[i], err);

		ret = ret ?: one;
	}
	return ret;
}
