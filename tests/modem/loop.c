// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"
#include "util.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64

int loop_init(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? -errno : 0;
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct event *ev = loop->dead;

		loop->dead = ev->next_dead;
		if (ev->free)
			ev->free(ev);
	}
}

void loop_fini(struct loop *loop)
{
	bury(loop);
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

int loop_add(struct loop *loop, struct event *ev, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = ev};

	ev->dead = false;
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, ev->fd, &e) ? -errno : 0;
}

int loop_change(struct loop *loop, struct event *ev, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = ev};

	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, ev->fd, &e) ? -errno : 0;
}

void loop_kill(struct loop *loop, struct event *ev)
{
	if (ev->dead)
		return;
	ev->dead = true;
	if (ev->fd >= 0) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, ev->fd, NULL);
		close(ev->fd);
		ev->fd = -1;
	}
	ev->next_dead = loop->dead;
	loop->dead = ev;
}

void loop_arm(struct loop *loop, struct timer *timer, uint64_t at)
{
	struct timer **p = &loop->timers;

	loop_disarm(loop, timer);
	while (*p && (*p)->at <= at)
		p = &(*p)->next;
	timer->at = at;
	timer->armed = true;
	timer->next = *p;
	*p = timer;
}

void loop_disarm(struct loop *loop, struct timer *timer)
{
	struct timer **p = &loop->timers;

	if (!timer->armed)
		return;
	while (*p != timer)
		p = &(*p)->next;
	*p = timer->next;
	timer->armed = false;
}

static void fire_timers(struct loop *loop)
{
	uint64_t now = now_us();

	while (loop->timers && loop->timers->at <= now) {
		struct timer *t = loop->timers;

		loop_disarm(loop, t);
		t->fire(t);
	}
}

static int wait_events(struct loop *loop, struct epoll_event *events)
{
	struct timespec ts = {0};
	uint64_t now;

	if (loop->busy)
		return epoll_wait(loop->epoll, events, BATCH, 0);
	if (!loop->timers)
		return epoll_wait(loop->epoll, events, BATCH, -1);
	now = now_us();
	if (loop->timers->at > now) {
		ts.tv_sec = (loop->timers->at - now) / 1000000;
		ts.tv_nsec = (loop->timers->at - now) % 1000000 * 1000;
	}
	return epoll_pwait2(loop->epoll, events, BATCH, &ts, NULL);
}

static void handle(struct loop *loop, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		struct event *ev = events[i].data.ptr;

		if (!ev->dead)
			ev->ready(ev, events[i].events);
	}
	fire_timers(loop);
	if (loop->round)
		loop->round(loop);
	bury(loop);
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];

	while (!loop->stop) {
		int n = wait_events(loop, events);

		if (n < 0 && errno != EINTR)
			return -errno;
		handle(loop, events, n);
	}
	return 0;
}

int loop_turn(struct loop *loop, int ms)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(loop->epoll, events, BATCH, ms);

	if (n < 0 && errno != EINTR)
		return -errno;
	handle(loop, events, n);
	return n < 0 ? 0 : n;
}
