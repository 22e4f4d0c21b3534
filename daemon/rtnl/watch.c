// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "util/log.h"

struct netns {
	LIST_ENTRY(netns) list;
	struct rtnl_watch *watch;
	char name[64];
	int users;
	bool reading; /* its events are being read: it is freed afterwards */
	struct rtnl_monitor *monitor;
	struct event *event;
};

struct rtnl_watch {
	struct event_base *base;
	rtnl_watch_fn fn;
	void *arg;
	LIST_HEAD(netns_list, netns) all;
};

static void close_monitor(struct netns *n)
{
	if (n->event)
		event_free(n->event);
	n->event = NULL;
	rtnl_monitor_close(&n->monitor);
}

static void netns_free(struct netns *n)
{
	close_monitor(n);
	LIST_REMOVE(n, list);
	free(n);
}

static void on_event(void *arg, const struct rtnl_event *e)
{
	const struct netns *n = arg;

	n->watch->fn(n->watch->arg, n->name, e);
}

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct netns *n = arg;

	n->reading = true;
	if (rtnl_monitor_read(n->monitor)) {
		log_error("No more netlink events%s%s: %m", *n->name ? " of namespace " : "",
			  n->name);
		event_del(n->event);
	}
	n->reading = false;
	if (!n->users)
		netns_free(n);
}

static int open_monitor(struct netns *n, struct error *err)
{
	int ret = rtnl_monitor_open(&n->monitor, n->name, on_event, n, err);

	if (ret)
		return ret;
	n->event = event_new(n->watch->base, rtnl_monitor_fd(n->monitor), EV_READ | EV_PERSIST,
			     on_netlink, n);
	if (n->event && !event_add(n->event, NULL))
		return 0;
	close_monitor(n);
	return error_set(err, -ENOMEM, "cannot wait for netlink events");
}

static struct netns *find(const struct rtnl_watch *w, const char *name)
{
	struct netns *n;

	LIST_FOREACH(n, &w->all, list)
	if (!strcmp(n->name, name))
		return n;
	return NULL;
}

static struct netns *add(struct rtnl_watch *w, const char *name, int users)
{
	struct netns *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->watch = w;
	n->users = users;
	snprintf(n->name, sizeof(n->name), "%s", name);
	LIST_INSERT_HEAD(&w->all, n, list);
	return n;
}

static void open_or_warn(struct netns *n)
{
	struct error err = {0};

	if (open_monitor(n, &err) && err.err != -ENOENT)
		log_warning("%s; changes by other processes there are not noticed", err.text);
}

void rtnl_watch_use(struct rtnl_watch *w, const char *netns, int users)
{
	struct netns *n = w && *netns ? find(w, netns) : NULL;

	if (n) {
		n->users += users;
		if (!n->users && !n->reading)
			netns_free(n);
	} else if (w && *netns && users > 0) {
		n = add(w, netns, users);
		if (n)
			open_or_warn(n);
	}
}

void rtnl_watch_again(struct rtnl_watch *w, const char *netns)
{
	struct netns *n = w && *netns ? find(w, netns) : NULL;

	if (!n || n->reading)
		return;
	close_monitor(n);
	open_or_warn(n);
}

int rtnl_watch_new(struct rtnl_watch **out, struct event_base *base, rtnl_watch_fn fn, void *arg,
		   struct error *err)
{
	struct rtnl_watch *w = calloc(1, sizeof(*w));
	struct netns *own = NULL;
	int ret;

	*out = w;
	if (w) {
		*w = (struct rtnl_watch){.base = base, .fn = fn, .arg = arg};
		own = add(w, "", 1);
	}
	ret = own ? open_monitor(own, err) : error_set(err, -ENOMEM, "out of memory");
	if (ret)
		rtnl_watch_free(out);
	return ret;
}

void rtnl_watch_free(struct rtnl_watch **w)
{
	if (!*w)
		return;
	while (!LIST_EMPTY(&(*w)->all))
		netns_free(LIST_FIRST(&(*w)->all));
	free(*w);
	*w = NULL;
}
