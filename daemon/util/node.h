/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports a device node or a socket when it appears, so that no caller has to poll for it. */
#ifndef QMAP_NODE_H
#define QMAP_NODE_H

struct event_base;
struct node_watch;

/*
 * The event loop calls @fn whenever a file appears at @path, or anywhere in it if it ends with '/',
 * and whenever its owner or mode changes. @fn must not free the watch. A file that existed before
 * is not reported. Negative errno if the path cannot be watched (no such directory).
 */
int node_watch_new(struct node_watch **out, struct event_base *base, const char *path,
		   void (*fn)(void *arg), void *arg);
void node_watch_free(struct node_watch **w);

#endif
