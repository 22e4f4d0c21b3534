// SPDX-License-Identifier: GPL-2.0-or-later
#include "lookup.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "pref64.h"
#include "server.h"

/* Each server is asked so many times, with this time for an answer. */
#define ROUNDS 3
static const struct timeval patience = {.tv_sec = 2};

/* Routers are asked every other tick; DNS alone counts after the first, if it has a prefix. */
#define TICKS 6
static const struct timeval tick = {.tv_usec = 500000};

struct clat_lookup {
	struct event_base *base;
	struct clat_lookup_place place;
	clat_lookup_fn fn;
	void *arg;
	unsigned int tries;
	uint16_t id;
	int fd; /* -1 between two tries */
	struct event *event;
	int routers; /* socket; -1: they are asked no longer */
	struct event *advert, *timer;
	int ticks;  /* -1: it has not begun */
	bool asked; /* all servers, or one has answered: the result is that of DNS */
	struct clat_lookup_result result;
};

static void close_socket(struct clat_lookup *l)
{
	if (l->event)
		event_free(l->event);
	l->event = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static void on_event(evutil_socket_t fd, short what, void *arg);

static int ask(struct clat_lookup *l, struct error *err)
{
	const struct in6_addr *server = &l->place.servers[l->tries % l->place.n];

	l->fd = clat_server_ask(l->place.netns, l->place.port, AF_INET6, server, &l->id, err);
	if (l->fd < 0)
		return l->fd;
	l->event = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_event, l);
	if (!l->event || event_add(l->event, &patience))
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* The first failure is the result's: it is that of the server which the network names first. */
static void note(struct clat_lookup *l, const char *why)
{
	if (!l->result.why[0])
		snprintf(l->result.why, sizeof(l->result.why), "%.120s", why);
}

/* Does the result of DNS count? A router may still have another. */
static bool is_over(const struct clat_lookup *l)
{
	return l->asked && (l->routers < 0 || (l->result.prefix.len && l->ticks > 0));
}

static void finish_dns(struct clat_lookup *l)
{
	l->asked = true;
	close_socket(l);
	if (is_over(l))
		l->fn(l->arg, &l->result);
}

/* Asks the next server. */
static void ask_next(struct clat_lookup *l)
{
	struct error err = {0};

	for (;; l->tries++) {
		close_socket(l);
		if (l->tries == ROUNDS * l->place.n) {
			finish_dns(l);
			return;
		}
		if (!ask(l, &err))
			return;
		note(l, err.text);
	}
}

static void fail_over(struct clat_lookup *l, const char *why)
{
	note(l, why);
	l->tries++;
	ask_next(l);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct clat_lookup *l = arg;
	uint8_t bytes[1500];
	ssize_t n = what & EV_READ ? recv(fd, bytes, sizeof(bytes), 0) : 0;
	int ret;

	if (what & EV_TIMEOUT) {
		fail_over(l, "its DNS servers do not answer");
		return;
	}
	if (n < 0) { /* an ICMP error */
		if (errno != EAGAIN && errno != EINTR)
			fail_over(l, "its DNS servers cannot be reached");
		return;
	}
	ret = clat_answer(l->id, bytes, n, &l->result.prefix, &l->result.ttl);
	if (ret == -EBADMSG)
		return; /* from another source; the time for the answer starts anew */
	if (ret) {
		fail_over(l, "its DNS servers fail");
		return;
	}
	l->result.answered = true;
	finish_dns(l);
}

/* --- routers --- */

static void leave_routers(struct clat_lookup *l)
{
	if (l->advert)
		event_free(l->advert);
	if (l->routers >= 0)
		close(l->routers);
	l->advert = NULL;
	l->routers = -1;
}

static void on_advert(evutil_socket_t fd, short what, void *arg)
{
	struct clat_lookup *l = arg;
	struct clat_lookup_result r = {.answered = true};

	if (pref64_read(fd, &r.prefix, &r.ttl))
		return;
	l->fn(l->arg, &r);
}

/* Without a socket, or memory, DNS alone has to do. */
static void ask_routers(struct clat_lookup *l)
{
	l->routers = pref64_open(l->place.netns, l->place.port, NULL);
	if (l->routers < 0)
		return;
	l->advert = event_new(l->base, l->routers, EV_READ | EV_PERSIST, on_advert, l);
	if (!l->advert || event_add(l->advert, NULL) || event_add(l->timer, &tick) ||
	    pref64_solicit(l->routers))
		leave_routers(l);
}

/* The first one begins, from the event loop, too. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct clat_lookup *l = arg;

	if (++l->ticks == 0) {
		ask_routers(l);
		ask_next(l);
		return;
	}
	if (l->ticks == TICKS)
		leave_routers(l);
	else if (l->ticks % 2 == 0)
		pref64_solicit(l->routers);
	if (is_over(l))
		l->fn(l->arg, &l->result);
	else if (l->routers >= 0)
		event_add(l->timer, &tick);
}

int clat_lookup_start(struct clat_lookup **out, struct event_base *base,
		      const struct clat_lookup_place *place, clat_lookup_fn fn, void *arg,
		      struct error *err)
{
	static const struct timeval now;
	struct clat_lookup *l;

	l = calloc(1, sizeof(*l));
	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	*l = (struct clat_lookup){.base = base,
				  .place = *place,
				  .fn = fn,
				  .arg = arg,
				  .fd = -1,
				  .routers = -1,
				  .ticks = -1};
	l->timer = event_new(base, -1, 0, on_tick, l);
	if (!l->timer || event_add(l->timer, &now)) {
		clat_lookup_free(&l);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*out = l;
	return 0;
}

void clat_lookup_free(struct clat_lookup **l)
{
	if (!*l)
		return;
	close_socket(*l);
	leave_routers(*l);
	if ((*l)->timer)
		event_free((*l)->timer);
	free(*l);
	*l = NULL;
}
