// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "rtnl.h"

struct work {
	const char *dev;
	const struct rtnl_sysctl *list;
	size_t n;
};

/*
 * /proc/sys/net shows the namespace of the process that opens it (net/sysctl_net.c,
 * net_ctl_set()).
 */
static int open_one(const char *dev, const struct rtnl_sysctl *s, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", s->family, dev, s->name);
	return open(path, flags | O_CLOEXEC);
}

static bool get_one(const char *dev, const struct rtnl_sysctl *s, int *value)
{
	int fd = open_one(dev, s, O_RDONLY);
	char text[16] = "";
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	*value = atoi(text);
	return n > 0;
}

static bool has_value(const char *dev, const struct rtnl_sysctl *s)
{
	int value;

	return !get_one(dev, s, &value) || value == s->value;
}

static int set_one(const char *dev, const struct rtnl_sysctl *s, struct error *err)
{
	int fd = open_one(dev, s, O_WRONLY), ret = 0;
	char text[16];

	if (fd < 0 && errno == ENOENT)
		return 0;
	snprintf(text, sizeof(text), "%d", s->value);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret ? error_set(err, ret, "cannot set net.%s.conf.%s.%s to %d: %s", s->family, dev,
			       s->name, s->value, strerror(-ret))
		   : 0;
}

static int set(void *arg, struct error *err)
{
	const struct work *w = arg;
	int first = 0;

	for (size_t i = 0; i < w->n; i++) {
		int ret;

		if (has_value(w->dev, &w->list[i]))
			continue;
		ret = set_one(w->dev, &w->list[i], first ? NULL : err);
		first = first ?: ret;
	}
	return first;
}

int rtnl_sysctl_set(const char *netns, const char *dev, const struct rtnl_sysctl *list, size_t n,
		    struct error *err)
{
	struct work w = {dev, list, n};

	return rtnl_netns_do(netns, set, &w, err);
}

static int reset(void *arg, struct error *err)
{
	const struct work *w = arg;

	for (size_t i = 0; i < w->n; i++) {
		struct rtnl_sysctl s = w->list[i];

		if (get_one("default", &s, &s.value) && !has_value(w->dev, &s))
			set_one(w->dev, &s, err);
	}
	return 0;
}

void rtnl_sysctl_reset(const char *netns, const char *dev, const struct rtnl_sysctl *list, size_t n)
{
	struct work w = {dev, list, n};

	rtnl_netns_do(netns, reset, &w, NULL);
}

/* Index of a setting in the attributes of a link (IFLA_INET_CONF, IFLA_INET6_CONF). */
static const struct {
	const char *family, *name;
	unsigned int at;
} reported[] = {
	{"ipv4", "accept_redirects", IPV4_DEVCONF_ACCEPT_REDIRECTS - 1},
	{"ipv6", "accept_ra", DEVCONF_ACCEPT_RA},
	{"ipv6", "accept_ra_defrtr", DEVCONF_ACCEPT_RA_DEFRTR},
	{"ipv6", "accept_redirects", DEVCONF_ACCEPT_REDIRECTS},
	{"ipv6", "autoconf", DEVCONF_AUTOCONF},
};

static bool differs(const struct rtnl_link *link, const struct rtnl_sysctl *s)
{
	bool v6 = !strcmp(s->family, "ipv6");
	const int32_t *conf = v6 ? link->conf6 : link->conf4;
	unsigned int n = v6 ? link->nconf6 : link->nconf4;

	for (size_t i = 0; i < ARRAY_SIZE(reported); i++)
		if (!strcmp(reported[i].family, s->family) && !strcmp(reported[i].name, s->name))
			return reported[i].at < n && conf[reported[i].at] != s->value;
	return false;
}

bool rtnl_sysctl_differs(const struct rtnl_link *link, const struct rtnl_sysctl *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (differs(link, &list[i]))
			return true;
	return false;
}
