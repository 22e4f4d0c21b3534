/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: descriptors by epoll, one-shot timers, and a call after every round. */
#ifndef MODEM_LOOP_H
#define MODEM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* A watched descriptor, embedded in its owner. ready() gets the EPOLL* bits that fired. */
struct event {
	int fd;
	void (*ready)(struct event *ev, uint32_t events);
	void (*free)(struct event *ev);
	struct event *next_dead;
	bool dead;
};

/* A one-shot timer, embedded in its owner; all zero before first use. */
struct timer {
	uint64_t at; /* now_us() */
	void (*fire)(struct timer *timer);
	struct timer *next;
	bool armed;
};

struct loop {
	int epoll;
	struct timer *timers; /* earliest first; of equal times, first armed first */
	struct event *dead;
	bool stop;
	void (*round)(struct loop *loop); /* after every round; may be NULL */
	bool busy;			  /* set by round(): do not sleep, it has more to do */
};

int loop_init(struct loop *loop);
void loop_fini(struct loop *loop);

/* Watches ev->fd for EPOLL* `events`. Returns 0 or negative errno. */
int loop_add(struct loop *loop, struct event *ev, uint32_t events);
int loop_change(struct loop *loop, struct event *ev, uint32_t events);

/*
 * Stops watching and closes the descriptor. ev->free, if set, runs after the round, because events
 * of this round may already have been fetched for `ev`.
 */
void loop_kill(struct loop *loop, struct event *ev);

void loop_arm(struct loop *loop, struct timer *timer, uint64_t at);
void loop_disarm(struct loop *loop, struct timer *timer);

/* Runs until loop->stop. Returns 0 or negative errno. */
int loop_run(struct loop *loop);
/* One round, which waits for at most @ms. Returns the number of events, or negative errno. */
int loop_turn(struct loop *loop, int ms);

#endif
