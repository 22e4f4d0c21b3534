// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtnl.h"

struct work {
	const char *dev;
	const struct rtnl_sysctl *list;
	size_t n;
	bool set;
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

static int do_work(void *arg, struct error *err)
{
	const struct work *w = arg;
	int first = 0;

	for (size_t i = 0; i < w->n; i++) {
		int ret;

		if (has_value(w->dev, &w->list[i]))
			continue;
		if (!w->set)
			return 1;
		ret = set_one(w->dev, &w->list[i], first ? NULL : err);
		first = first ?: ret;
	}
	return first;
}

int rtnl_sysctl_set(const char *netns, const char *dev, const struct rtnl_sysctl *list, size_t n,
		    struct error *err)
{
	struct work w = {dev, list, n, true};

	return rtnl_netns_do(netns, do_work, &w, err);
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
	struct work w = {dev, list, n, true};

	rtnl_netns_do(netns, reset, &w, NULL);
}

int rtnl_sysctl_differs(const char *netns, const char *dev, const struct rtnl_sysctl *list,
			size_t n)
{
	struct work w = {dev, list, n, false};

	return rtnl_netns_do(netns, do_work, &w, NULL);
}
