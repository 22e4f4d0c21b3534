// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Blocks of 32 features; the kernel has two (NETDEV_FEATURE_COUNT is below 65). */
#define MAX_BLOCKS 4

/* A device, and a socket to ask the kernel about it. */
struct features {
	int fd;
	const char *dev;
};

/* Features that are on. */
union active {
	struct ethtool_gfeatures head;
	uint8_t room[sizeof(struct ethtool_gfeatures) +
		     MAX_BLOCKS * sizeof(struct ethtool_get_features_block)];
};

/*
 * The kernel's names of features, by their bits: the same for all devices (net/ethtool/common.c,
 * netdev_features_strings), so they are read once.
 */
static struct {
	unsigned int n;
	union {
		struct ethtool_gstrings head;
		uint8_t room[sizeof(struct ethtool_gstrings) + MAX_BLOCKS * 32 * ETH_GSTRING_LEN];
	};
} names;

static int ethtool(const struct features *f, void *command)
{
	struct ifreq ifr = {.ifr_data = command};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", f->dev);
	return ioctl(f->fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static int count_names(const struct features *f)
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
	return q.info.data[0];
}

static int read_names(const struct features *f)
{
	int n = names.n ? 0 : count_names(f), ret;

	if (n <= 0)
		return n;
	names.head.cmd = ETHTOOL_GSTRINGS;
	names.head.string_set = ETH_SS_FEATURES;
	names.head.len = n;
	ret = ethtool(f, &names.head);
	names.n = ret ? 0 : n;
	return ret;
}

/* Returns the feature's number, or -EOPNOTSUPP if the kernel has no feature of that name. */
static int find_feature(const char *name)
{
	for (unsigned int i = 0; i < names.n; i++)
		if (!strncmp((char *)&names.head.data[i * ETH_GSTRING_LEN], name, ETH_GSTRING_LEN))
			return i;
	return -EOPNOTSUPP;
}

static int read_active(const struct features *f, union active *a)
{
	*a = (union active){.room = {0}};
	a->head.cmd = ETHTOOL_GFEATURES;
	a->head.size = MAX_BLOCKS;
	return ethtool(f, a);
}

static bool has(const union active *a, unsigned int bit)
{
	return a->head.features[bit / 32].active & 1U << bit % 32;
}

static int change(const struct features *f, unsigned int bit, bool on)
{
	union {
		struct ethtool_sfeatures head;
		uint8_t room[sizeof(struct ethtool_sfeatures) +
			     MAX_BLOCKS * sizeof(struct ethtool_set_features_block)];
	} q = {.room = {0}};

	q.head.cmd = ETHTOOL_SFEATURES;
	q.head.size = (names.n + 31) / 32;
	q.head.features[bit / 32].valid = 1U << bit % 32;
	q.head.features[bit / 32].requested = on ? 1U << bit % 32 : 0;
	return ethtool(f, &q);
}

static int set_feature(const struct features *f, const char *name, bool on)
{
	int ret = read_names(f), bit;
	union active active;

	bit = ret ? ret : find_feature(name);
	if (bit < 0)
		return bit;
	ret = read_active(f, &active);
	if (ret || has(&active, bit) == on)
		return ret;
	ret = change(f, bit, on);
	if (ret)
		return ret;
	/* The driver may override the request (ndo_fix_features), so read the result back. */
	ret = read_active(f, &active);
	if (!ret && has(&active, bit) != on)
		ret = -EOPNOTSUPP;
	return ret;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv4 serves the same request on a netlink socket. */
	return fd < 0 ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) : fd;
}

int rtnl_features_look(const char *dev, const struct rtnl_feature *wanted, size_t n)
{
	struct features f = {.dev = dev, .fd = open_socket()};
	union active active;
	int ret = f.fd < 0 ? -errno : read_names(&f) ?: read_active(&f, &active), bit;

	for (size_t i = 0; i < n && !ret; i++) {
		bit = find_feature(wanted[i].name);
		ret = bit >= 0 && has(&active, bit) != wanted[i].on;
	}
	if (f.fd >= 0)
		close(f.fd);
	return ret;
}

int rtnl_feature_set(const char *dev, const char *feature, bool on, struct error *err)
{
	const struct features f = {.dev = dev, .fd = open_socket()};
	int ret = f.fd < 0 ? -errno : set_feature(&f, feature, on);

	if (f.fd >= 0)
		close(f.fd);
	if (ret)
		error_set(err, ret, "cannot switch %s of %s %s: %s", feature, dev,
			  on ? "on" : "off",
			  ret == -EOPNOTSUPP ? "the device does not allow it" : strerror(-ret));
	return ret;
}
