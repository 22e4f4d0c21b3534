// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entry device, on which aggregates are split, and to which the filter on the trunk leads
 * (bpf/qmap_xdp.bpf.c says why).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rtnl/rtnl.h"
#include "trunk_filter.h"
#include "xdp.h"

/*
 * Creates a TUN that stays when its descriptor is closed. Its type has no link-layer header, as the
 * trunk's, but is not a modem's.
 */
static int make_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETLINK, ARPHRD_VOID) ||
	    ioctl(fd, TUNSETPERSIST, 1))
		ret = -errno;
	close(fd);
	return ret;
}

int xdp_entry_add(const struct datapath *dp, unsigned int *ifindex, struct error *err)
{
	char name[IFNAMSIZ];
	int ret;

	xdp_inner_name(dp->base, 'e', name);
	ret = make_tun(name);
	if (ret) {
		error_set(err, ret, "cannot create %s: %s", name, strerror(-ret));
		if (ret == -EBUSY)
			error_hint(err, "it is left over from something else: ip link del %s",
				   name);
		else if (ret == -ENOENT || ret == -ENODEV)
			error_hint(err,
				   "the kernel needs CONFIG_TUN (module tun) and /dev/net/tun");
		return ret;
	}
	*ifindex = if_nametoindex(name);
	ret = rtnl_link_set_mtu(dp->nl, *ifindex, XDP_INNER_MTU, err)
		      ?: rtnl_link_set_up(dp->nl, *ifindex, true, err);
	if (ret)
		rtnl_link_del(dp->nl, *ifindex, NULL);
	return ret;
}

int xdp_entry_remove(struct rtnl *nl, const char *base, unsigned int trunk, struct error *err)
{
	struct rtnl_link link;
	char name[IFNAMSIZ];

	trunk_filter_remove(nl, trunk, XDP_ENTRY_PROGRAM);
	xdp_inner_name(base, 'e', name);
	if (rtnl_link_get(nl, name, &link, NULL) || strcmp(link.kind, "tun"))
		return 0;
	return rtnl_link_del(nl, link.ifindex, err);
}
