/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop and the priorities of its events. */
#ifndef QMAP_LOOP_H
#define QMAP_LOOP_H

struct event_base;

/*
 * Priority of requests by users other than root. All other events have libevent's default, which is
 * higher: modems, the kernel's notifications and root do not wait for other users. Between two
 * events of this priority the loop looks for events of the higher one.
 */
#define LOOP_OTHERS 2

/* Timers begin when they are added, however long the callback has taken. Returns NULL if memory runs out. */
struct event_base *loop_new(void);

#endif
