// SPDX-License-Identifier: GPL-2.0-or-later
/* Tells callers that have dialled calls when these are up, waiting or failed. */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "internal.h"
#include "settle.h"

struct trunk_waiter {
	LIST_ENTRY(trunk_waiter) entry;
	unsigned int pdn; /* 0: all */
	trunk_done done;
	void *arg;
};

struct trunk_settle {
	LIST_HEAD(trunk_waiters, trunk_waiter) waiters;
	struct event *settled;
};

/* A call that is up is unusable if the kernel has refused to configure its port. */
static int port_verdict(const struct trunk_port *p, struct error *err)
{
	const char *fault = NULL;

	for (int i = 0; i < 2; i++) {
		if (p->settings[i].family && !p->fault[i][0])
			return 0;
		if (p->fault[i][0])
			fault = p->fault[i];
	}
	if (!fault)
		return 0;
	error_set(err, -EADDRNOTAVAIL, "PDN %u is connected, but its port %s is of no use: %s",
		  p->port.number, p->port.name, fault);
	error_exit(err, EXIT_REFUSED);
	return -EADDRNOTAVAIL;
}

int trunk_verdict(const struct trunk *t, unsigned int pdn, struct error *err)
{
	int ret = t->session ? session_verdict(t->session, pdn, err) : 0;

	for (unsigned int i = 0; i < t->nports && !ret; i++)
		if (!pdn || t->ports[i].port.number == pdn)
			ret = port_verdict(&t->ports[i], err);
	return ret;
}

static void answer(struct trunk *t, struct trunk_waiter *w, const struct error *err)
{
	const struct trunk_waiter what = *w;

	LIST_REMOVE(w, entry);
	free(w);
	what.done(what.arg, t, err && err->err ? err : NULL);
}

/* One at a time: each answer may free or change anything. */
static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct trunk_waiter *w;
	struct trunk *t = arg;
	struct error err = {0};

	for (w = LIST_FIRST(&t->settle->waiters); w; w = LIST_NEXT(w, entry)) {
		/* without a session nothing is dialled until the modem is back */
		if (t->session && !session_is_settled(t->session, w->pdn))
			continue;
		trunk_settle_look(t->settle);
		trunk_verdict(t, w->pdn, &err);
		answer(t, w, &err);
		return;
	}
}

void trunk_settle_look(struct trunk_settle *s)
{
	if (!LIST_EMPTY(&s->waiters))
		event_active(s->settled, EV_TIMEOUT, 0);
}

void trunk_settle_end(struct trunk *t, const struct error *err)
{
	while (!LIST_EMPTY(&t->settle->waiters))
		answer(t, LIST_FIRST(&t->settle->waiters), err);
}

int trunk_wait(struct trunk *t, unsigned int pdn, trunk_done done, void *arg, struct error *err)
{
	struct trunk_waiter *w;

	/* the trunk ends without another look at them */
	if (modem_state(t->modem) == TRUNK_DETACHING)
		return error_set(err, -ECANCELED, "%s was detached meanwhile", t->config.dev);
	w = malloc(sizeof(*w));
	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	*w = (struct trunk_waiter){.pdn = pdn, .done = done, .arg = arg};
	LIST_INSERT_HEAD(&t->settle->waiters, w, entry);
	trunk_settle_look(t->settle);
	return 0;
}

struct trunk_settle *trunk_settle_new(struct trunk *t)
{
	struct trunk_settle *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	LIST_INIT(&s->waiters);
	s->settled = event_new(t->env.base, -1, 0, on_settled, t);
	if (!s->settled)
		trunk_settle_free(&s);
	return s;
}

void trunk_settle_free(struct trunk_settle **s)
{
	struct trunk_waiter *w;

	if (!*s)
		return;
	while ((w = LIST_FIRST(&(*s)->waiters))) {
		LIST_REMOVE(w, entry);
		free(w);
	}
	if ((*s)->settled)
		event_free((*s)->settled);
	free(*s);
	*s = NULL;
}
