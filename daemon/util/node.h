/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices a device node, or a socket, that comes into being: nobody has to look for it again and
 * again. */
#ifndef QMAP_NODE_H
#define QMAP_NODE_H

struct event_base;
struct node_watch;

/*
 * @fn is called, from the event loop, whenever something comes at @path, or anywhere in it if it
 * ends with '/', and whenever its owner or mode changes. It may not free the watch. What was there
 * before is not told. Negative errno: nobody can watch there (no such directory).
 */
int node_watch_new(struct node_watch **out, struct event_base *base, const char *path,
		   void (*fn)(void *arg), void *arg);
void node_watch_free(struct node_watch **w);

#endif
