// SPDX-License-Identifier: GPL-2.0-or-later
#include "device_stats.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "rtnl/request.h"

#define MAX_STATS 1024

static int ethtool(int fd, const char *dev, void *command)
{
	struct ifreq ifr = {.ifr_data = command};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static int count(int fd, const char *dev, uint32_t *n)
{
	union {
		struct ethtool_sset_info info;
		uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} q = {.room = {0}};
	int ret;

	q.info.cmd = ETHTOOL_GSSET_INFO;
	q.info.sset_mask = 1ULL << ETH_SS_STATS;
	ret = ethtool(fd, dev, &q);
	if (ret)
		return ret;
	*n = q.info.sset_mask ? q.info.data[0] : 0;
	return *n && *n <= MAX_STATS ? 0 : -EOPNOTSUPP;
}

static int read_all(int fd, const char *dev, uint32_t n, device_stat_fn fn, void *arg)
{
	struct ethtool_gstrings *names = calloc(1, sizeof(*names) + n * ETH_GSTRING_LEN);
	struct ethtool_stats *values = calloc(1, sizeof(*values) + n * sizeof(uint64_t));
	char name[ETH_GSTRING_LEN + 1] = "";
	int ret = names && values ? 0 : -ENOMEM;

	if (!ret) {
		*names = (struct ethtool_gstrings){ETHTOOL_GSTRINGS, ETH_SS_STATS, n};
		*values = (struct ethtool_stats){ETHTOOL_GSTATS, n};
		ret = ethtool(fd, dev, names) ?: ethtool(fd, dev, values);
	}
	for (uint32_t i = 0; !ret && i < n; i++) {
		memcpy(name, &names->data[i * ETH_GSTRING_LEN], ETH_GSTRING_LEN);
		fn(arg, name, values->data[i]);
	}
	free(names);
	free(values);
	return ret;
}

int device_stats(const char *dev, const char *netns, device_stat_fn fn, void *arg,
		 struct error *err)
{
	struct mnl_socket *sock = NULL;
	uint32_t n = 0;
	int fd, ret;

	/* the request works on any socket; this function opens one in another namespace */
	ret = rtnl_socket_open(&sock, netns, 0, err);
	if (ret)
		return ret;
	fd = mnl_socket_get_fd(sock);
	ret = count(fd, dev, &n);
	if (!ret)
		ret = read_all(fd, dev, n, fn, arg);
	mnl_socket_close(sock);
	return ret ? error_set(err, ret, "cannot read the counters of %s: %s", dev, strerror(-ret))
		   : 0;
}
