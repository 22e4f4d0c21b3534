// SPDX-License-Identifier: GPL-2.0-or-later
#include "rmnet.h"

#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>

#include "nl.h"
#include "world.h"

static uint32_t link_flags(int version)
{
	uint32_t flags = RMNET_FLAGS_INGRESS_DEAGGREGATION | RMNET_FLAGS_INGRESS_MAP_COMMANDS;

	if (version == 4)
		flags |= RMNET_FLAGS_INGRESS_MAP_CKSUMV4 | RMNET_FLAGS_EGRESS_MAP_CKSUMV4;
	if (version == 5)
		flags |= RMNET_FLAGS_INGRESS_MAP_CKSUMV5 | RMNET_FLAGS_EGRESS_MAP_CKSUMV5;
	return flags;
}

static int port_up(const char *name, int version)
{
	/* In v1 no one would complete a checksum that the stack leaves open. */
	return nl_set_u32(name, IFLA_MTU, 1500) ?: world_feature(name, ETHTOOL_SRXCSUM, true)
		       ?: world_feature(name, ETHTOOL_SSG, true)
		       ?: world_feature(name, ETHTOOL_STXCSUM, version != 1)
		       ?: nl_up(name, true);
}

static uint32_t mtu_of(const char *name)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		ifr.ifr_mtu = 1500;
	close(fd);
	return ifr.ifr_mtu;
}

static int up(const char *lower, const char *prefix, unsigned int ports, int version,
	      uint32_t flags)
{
	uint32_t mtu = mtu_of(lower);
	char name[IFNAMSIZ];
	unsigned int i;
	int err;

	/* rmnet refuses a lower netdev whose MTU is above 16388 when it is added. */
	err = nl_set_u32(lower, IFLA_MTU, 16000);
	for (i = 1; i <= ports && !err; i++) {
		snprintf(name, sizeof(name), "%s%u", prefix, i);
		err = nl_add_rmnet(name, if_nametoindex(lower), i, flags) ?: port_up(name, version);
	}
	return err ?: nl_set_u32(lower, IFLA_MTU, mtu);
}

int rmnet_up(const char *lower, const char *prefix, unsigned int ports, int version)
{
	return up(lower, prefix, ports, version, link_flags(version));
}

int rmnet_up_unsplit(const char *lower, const char *prefix, int version)
{
	return up(lower, prefix, 1, version,
		  link_flags(version) & ~RMNET_FLAGS_INGRESS_DEAGGREGATION);
}

int rmnet_up_observed(const char *lower, const char *prefix, unsigned int ports, int version,
		      bool split)
{
	uint32_t flags = link_flags(version) & ~RMNET_FLAGS_INGRESS_MAP_COMMANDS;

	if (!split)
		flags &= ~RMNET_FLAGS_INGRESS_DEAGGREGATION;
	return up(lower, prefix, split ? ports : 1, version, flags);
}

void rmnet_down(const char *prefix, unsigned int ports)
{
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 1; i <= ports; i++) {
		snprintf(name, sizeof(name), "%s%u", prefix, i);
		if (if_nametoindex(name))
			nl_del(name);
	}
}
