// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethtool_aggregate.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#include "request.h"

/* Numbers from linux/ethtool_netlink.h of Linux 6.3. */
#define TX_AGGR_MAX_BYTES  26
#define TX_AGGR_MAX_FRAMES 27
#define TX_AGGR_TIME_USECS 28

static void take_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
			*(uint16_t *)arg = mnl_attr_get_u16(attr);
	}
}

/* Looks up the id of generic netlink family "ethtool". */
static int find_family(struct rtnl *nl, uint16_t *family, struct error *err)
{
	struct genlmsghdr *head;
	struct nlmsghdr *nlh = rtnl_request(nl, GENL_ID_CTRL, 0, &head, sizeof(*head));

	head->cmd = CTRL_CMD_GETFAMILY;
	head->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	return rtnl_execute(nl, take_family, family, err, "find ethtool's netlink family");
}

static int set(struct rtnl *nl, uint16_t family, const char *dev, const struct ethtool_aggregate *a,
	       struct error *err)
{
	struct genlmsghdr *head;
	struct nlmsghdr *nlh = rtnl_request(nl, family, 0, &head, sizeof(*head));
	struct nlattr *nest;

	head->cmd = ETHTOOL_MSG_COALESCE_SET;
	head->version = ETHTOOL_GENL_VERSION;
	nest = mnl_attr_nest_start(nlh, ETHTOOL_A_COALESCE_HEADER);
	mnl_attr_put_strz(nlh, ETHTOOL_A_HEADER_DEV_NAME, dev);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u32(nlh, TX_AGGR_MAX_BYTES, a->bytes);
	mnl_attr_put_u32(nlh, TX_AGGR_MAX_FRAMES, a->frames);
	mnl_attr_put_u32(nlh, TX_AGGR_TIME_USECS, a->usecs);
	return rtnl_execute(nl, NULL, NULL, err, "set the transmit aggregation of %s", dev);
}

int ethtool_aggregate_set(const char *dev, const struct ethtool_aggregate *a, struct error *err)
{
	struct error cause = {0};
	uint16_t family = 0;
	struct rtnl *nl = NULL;
	int ret = rtnl_open_generic(&nl, err);

	if (ret)
		return ret;
	ret = find_family(nl, &family, &cause) ?: set(nl, family, dev, a, &cause);
	rtnl_close(&nl);
	/*
	 * ENOENT: no ethtool over netlink (before 5.6). ERANGE or EINVAL, by the kernel's age: it
	 * does not know the attributes.
	 */
	if (ret == -ENOENT || ret == -ERANGE || ret == -EINVAL || ret == -EOPNOTSUPP)
		return error_set(
			err, -EOPNOTSUPP,
			"this kernel cannot set the transmit aggregation of %s (needs 6.3)", dev);
	return ret ? error_pass(err, &cause) : 0;
}
