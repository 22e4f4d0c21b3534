/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces without a name: each lives as long as its file descriptor. */
#ifndef VM_NETNS_H
#define VM_NETNS_H

/* Opens the namespace of this thread; creates a new one. Return a file descriptor, or -1. */
int netns_here(void);
int netns_new(void);
/* Puts this thread into the namespace. 0 or -1. */
int netns_enter(int fd);
/* Moves @name, of the namespace @from, to @to; this thread stays where it is. 0 or a negative errno. */
int netns_move(const char *name, int from, int to);
/*
 * Ends @n namespaces in the order of @fds, by one run of the kernel's cleanup, whose kill list then
 * has the devices of all of them; waits until that run is over. 0 or -1.
 */
int netns_end(const int *fds, unsigned int n);

#endif
