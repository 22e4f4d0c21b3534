// SPDX-License-Identifier: GPL-2.0-or-later
#include "node.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct node_watch {
	int fd;
	struct event *event;
	char dir[PATH_MAX];
	const char *name; /* in @dir; empty: any */
	void (*fn)(void *arg);
	void *arg;
};

static void on_events(evutil_socket_t fd, short what, void *arg)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct node_watch *w = arg;
	bool meant = false;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
			e = (const void *)p;
			meant |= !w->name[0] || (e->len && !strcmp(e->name, w->name));
		}
	}
	if (meant)
		w->fn(w->arg);
}

/* Splits "/dev/cdc-wdm0" into "/dev" and "cdc-wdm0". */
static int split(struct node_watch *w, const char *path)
{
	char *slash;

	if (path[0] != '/' || strlen(path) >= sizeof(w->dir))
		return -EINVAL;
	strcpy(w->dir, path);
	slash = strrchr(w->dir, '/');
	w->name = slash + 1;
	*slash = '\0';
	return 0;
}

static int start(struct node_watch *w, struct event_base *base)
{
	const char *dir = w->dir[0] ? w->dir : "/";

	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0 ||
	    inotify_add_watch(w->fd, dir, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR) < 0)
		return -errno;
	w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_events, w);
	return w->event && !event_add(w->event, NULL) ? 0 : -ENOMEM;
}

int node_watch_new(struct node_watch **out, struct event_base *base, const char *path,
		   void (*fn)(void *arg), void *arg)
{
	struct node_watch *w = calloc(1, sizeof(*w));
	int ret;

	*out = w;
	if (!w)
		return -ENOMEM;
	w->fd = -1;
	w->fn = fn;
	w->arg = arg;
	ret = split(w, path) ?: start(w, base);
	if (ret)
		node_watch_free(out);
	return ret;
}

void node_watch_free(struct node_watch **w)
{
	if (!*w)
		return;
	if ((*w)->event)
		event_free((*w)->event);
	if ((*w)->fd >= 0)
		close((*w)->fd);
	free(*w);
	*w = NULL;
}
