// SPDX-License-Identifier: GPL-2.0-or-later
/* Links in VRFs (kernel Documentation/networking/vrf.rst). */
#include "rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "request.h"

int rtnl_vrf_get(struct rtnl *nl, const char *name, struct rtnl_link *out, struct error *err)
{
	struct error cause = {0};
	int ret = rtnl_link_get(nl, name, out, &cause);

	if (ret == -ENODEV) {
		error_set(err, ret, "there is no VRF %s", name);
		error_hint(err, "ip link add %s type vrf table N && ip link set %s up", name, name);
		return ret;
	}
	if (ret)
		return error_pass(err, &cause);
	if (strcmp(out->kind, "vrf"))
		return error_set(err, -EINVAL, "%s is a network device, but no VRF", name);
	return 0;
}

int rtnl_link_set_master(struct rtnl *nl, unsigned int ifindex, unsigned int master,
			 struct error *err)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWLINK, 0, &ifi, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	mnl_attr_put_u32(nlh, IFLA_MASTER, master);
	return rtnl_execute(nl, NULL, NULL, err, "put network device %u into %u", ifindex, master);
}
