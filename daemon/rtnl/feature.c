// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Blocks of 32 features; the kernel has two (NETDEV_FEATURE_COUNT is below 65). */
#define MAX_BLOCKS 4

struct features {
	int fd;
	const char *dev;
	unsigned int n; /* number of features that this kernel names */
};

static int ethtool(const struct features *f, void *command)
{
	struct ifreq ifr = {.ifr_data = command};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", f->dev);
	return ioctl(f->fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static int count_features(struct features *f)
{
	union {
		struct ethtool_sset_info info;
		uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} q = {.room = {0}};
	int ret;

	q.info.cmd = ETHTOOL_GSSET_INFO;
	q.info.sset_mask = 1ULL << ETH_SS_FEATURES;
	ret = ethtool(f, &q);
	if (ret)
		return ret;
	if (!q.info.sset_mask || !q.info.data[0] || q.info.data[0] > MAX_BLOCKS * 32)
		return -EOPNOTSUPP;
	f->n = q.info.data[0];
	return 0;
}

/* Returns the feature's number, or -EOPNOTSUPP if the kernel has no feature of that name. */
static int find_feature(const struct features *f, const char *name)
{
	struct ethtool_gstrings *g = calloc(1, sizeof(*g) + f->n * ETH_GSTRING_LEN);
	int ret;

	if (!g)
		return -ENOMEM;
	g->cmd = ETHTOOL_GSTRINGS;
	g->string_set = ETH_SS_FEATURES;
	g->len = f->n;
	ret = ethtool(f, g);
	if (!ret) {
		ret = -EOPNOTSUPP;
		for (unsigned int i = 0; i < f->n && ret < 0; i++) {
			if (!strncmp((char *)&g->data[i * ETH_GSTRING_LEN], name, ETH_GSTRING_LEN))
				ret = i;
		}
	}
	free(g);
	return ret;
}

static int is_active(const struct features *f, unsigned int bit, bool *active)
{
	union {
		struct ethtool_gfeatures head;
		uint8_t room[sizeof(struct ethtool_gfeatures) +
			     MAX_BLOCKS * sizeof(struct ethtool_get_features_block)];
	} q = {.room = {0}};
	int ret;

	q.head.cmd = ETHTOOL_GFEATURES;
	q.head.size = MAX_BLOCKS;
	ret = ethtool(f, &q);
	*active = q.head.features[bit / 32].active & 1U << bit % 32;
	return ret;
}

static int change(const struct features *f, unsigned int bit, bool on)
{
	union {
		struct ethtool_sfeatures head;
		uint8_t room[sizeof(struct ethtool_sfeatures) +
			     MAX_BLOCKS * sizeof(struct ethtool_set_features_block)];
	} q = {.room = {0}};

	q.head.cmd = ETHTOOL_SFEATURES;
	q.head.size = (f->n + 31) / 32;
	q.head.features[bit / 32].valid = 1U << bit % 32;
	q.head.features[bit / 32].requested = on ? 1U << bit % 32 : 0;
	return ethtool(f, &q);
}

static int set_feature(struct features *f, const char *name, bool on)
{
	int ret = count_features(f), bit;
	bool active;

	bit = ret ? ret : find_feature(f, name);
	if (bit < 0)
		return bit;
	ret = is_active(f, bit, &active);
	if (ret || active == on)
		return ret;
	ret = change(f, bit, on);
	if (ret)
		return ret;
	/* The driver may override the request (ndo_fix_features), so read the result back. */
	ret = is_active(f, bit, &active);
	if (!ret && active != on)
		ret = -EOPNOTSUPP;
	return ret;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv4 serves the same request on a netlink socket. */
	return fd < 0 ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) : fd;
}

int rtnl_feature_get(const char *dev, const char *feature, bool *on)
{
	struct features f = {.dev = dev, .fd = open_socket()};
	int ret = f.fd < 0 ? -errno : count_features(&f);

	if (!ret)
		ret = find_feature(&f, feature);
	if (ret >= 0)
		ret = is_active(&f, ret, on);
	if (f.fd >= 0)
		close(f.fd);
	return ret;
}

int rtnl_feature_set(const char *dev, const char *feature, bool on, struct error *err)
{
	struct features f = {.dev = dev, .fd = open_socket()};
	int ret = f.fd < 0 ? -errno : set_feature(&f, feature, on);

	if (f.fd >= 0)
		close(f.fd);
	if (ret)
		error_set(err, ret, "cannot switch %s of %s %s: %s", feature, dev,
			  on ? "on" : "off",
			  ret == -EOPNOTSUPP ? "the device does not allow it" : strerror(-ret));
	return ret;
}
