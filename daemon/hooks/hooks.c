// SPDX-License-Identifier: GPL-2.0-or-later
#include "hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "hook_facts.h"
#include "hook_run.h"
#include "manager/trunk_list.h"

struct hooks {
	struct trunk_list *list;
	struct hook_runner *runner;
	struct events_subscriber *subscriber;
	char run_dir[108];
};

/* Context of hook_each_announced(). */
struct announced {
	struct hooks *hooks;
	const struct events_entry *event;
};

#define SEARCH_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Runs every program of the trunk's `hook`, one after the other. */
static void run(struct hooks *h, const char *dev, const char *what, const char *reason,
		const char *facts)
{
	const struct trunk *t = trunk_list_find(h->list, dev);
	const struct config_trunk *c = t ? trunk_config(t) : NULL;
	char programs[sizeof(c->hook)], *save = NULL, *env;

	if (!c || !c->hook[0] ||
	    asprintf(&env, SEARCH_PATH "\nQMAP_EVENT=%s\nQMAP_REASON=%s\n%s", what, reason, facts) <
		    0)
		return;
	memcpy(programs, c->hook, sizeof(programs));
	for (char *p = strtok_r(programs, " ", &save); p; p = strtok_r(NULL, " ", &save))
		hook_run(h->runner, dev, p, env, c->hook_timeout);
	free(env);
}

/* --- ports --- */

/* Named by trunk and PDN, because the owner of its namespace may rename the port. */
static void announced_name(const struct events_entry *e, int family, char *buf, size_t size)
{
	snprintf(buf, size, "%s.%u.v%d", e->dev, e->pdn, family);
}

/* Adoption comes here, too: saved facts that have not changed are not news. */
static void family_is_up(struct hooks *h, const struct events_entry *e, int family,
			 const char *facts)
{
	char name[64], *announced;

	announced_name(e, family, name, sizeof(name));
	announced = hook_announced(h->run_dir, name);
	if (!announced || strcmp(facts, announced)) {
		hook_tell(h->run_dir, name, facts);
		run(h, e->dev, announced ? "change" : "up", e->reason, facts);
	}
	free(announced);
}

static void family_is_down(struct hooks *h, const struct events_entry *e, int family)
{
	char name[64], *announced;

	announced_name(e, family, name, sizeof(name));
	announced = hook_announced(h->run_dir, name);
	if (!announced)
		return;
	hook_untell(h->run_dir, name);
	run(h, e->dev, "down", e->reason, announced);
	free(announced);
}

/* A call that is up is only usable if its port is. */
static void look_at_family(struct hooks *h, const struct events_entry *e, int family)
{
	const struct trunk *t = trunk_list_find(h->list, e->dev);
	struct trunk_family f = {.state = TRUNK_FAMILY_DOWN};
	char *facts = NULL;

	if (t)
		trunk_family(t, e->pdn, family, &f);
	if (f.state == TRUNK_FAMILY_UP)
		facts = hook_facts(&f);
	if (facts)
		family_is_up(h, e, family, facts);
	else if (f.state == TRUNK_FAMILY_DAMAGED)
		family_is_down(h, e, family);
	free(facts);
}

/* --- the modem --- */

static void modem_is_ready(struct hooks *h, const struct events_entry *e)
{
	char name[64], *announced, *facts = hook_facts_of_trunk(e->dev);

	snprintf(name, sizeof(name), "%s.modem", e->dev);
	announced = hook_announced(h->run_dir, name);
	if (facts && !announced) {
		hook_tell(h->run_dir, name, facts);
		run(h, e->dev, "modem-ready", e->reason, facts);
	}
	free(facts);
	free(announced);
}

static void is_gone(void *arg, const char *name, const char *facts)
{
	const struct announced *t = arg;
	char port[64];

	hook_untell(t->hooks->run_dir, name);
	hook_fact(facts, "QMAP_PORT", port, sizeof(port));
	if (port[0])
		run(t->hooks, t->event->dev, "down", t->event->reason, facts);
	else if (t->event->modem.from != TRUNK_DETACHING)
		run(t->hooks, t->event->dev, "modem-lost", t->event->reason, facts);
}

static void on_call(struct hooks *h, const struct events_entry *e)
{
	/* a call passes through two states on its way up, and on adoption from none */
	bool under_way = e->call.to == CALL_STARTING || e->call.to == CALL_IDLE;

	if (e->call.to == CALL_UP)
		look_at_family(h, e, e->family);
	else if (e->call.from == CALL_UP || !under_way)
		family_is_down(h, e, e->family);
}

static void on_netdev(struct hooks *h, const struct events_entry *e)
{
	if (!e->pdn)
		return;
	look_at_family(h, e, 4);
	look_at_family(h, e, 6);
}

static void on_modem(struct hooks *h, const struct events_entry *e)
{
	struct announced t = {.hooks = h, .event = e};

	switch (e->modem.to) {
	case TRUNK_READY:
		modem_is_ready(h, e);
		break;
	case TRUNK_LOST:
	case TRUNK_ABSENT:
		/*
		 * Without the modem no family is up, even if no event said so for each call. The
		 * names sort so that ports come before the modem.
		 */
		hook_each_announced(h->run_dir, e->dev, is_gone, &t);
		break;
	case TRUNK_DETACHING: /* each call and then ABSENT follow, when ports and files are gone */
	case TRUNK_PRESENT:
	case TRUNK_OPENING:
	case TRUNK_STATES:
		break;
	}
}

/* The last measure of the ladder. */
static void on_recover(struct hooks *h, const struct events_entry *e)
{
	char *facts = strcmp(e->to, "hook") ? NULL : hook_facts_of_trunk(e->dev);

	if (facts)
		run(h, e->dev, "recover", e->reason, facts);
	free(facts);
}

/* A PDN, in any state of its families. */
static void on_pdn(struct hooks *h, const struct events_entry *e)
{
	bool link = e->kind == EVENTS_FAILOVER;
	char facts[192];

	snprintf(facts, sizeof(facts), "QMAP_DEV=%s\nQMAP_PORT=%s\nQMAP_PDN=%u\n%s%s%s", e->dev,
		 e->port, e->pdn, link ? "QMAP_LINK=" : "", link ? e->to : "", link ? "\n" : "");
	run(h, e->dev, link ? "failover" : "quota", e->reason, facts);
}

static void on_event(void *arg, const struct events_entry *e)
{
	static void (*const fns[EVENTS_KINDS])(struct hooks * h, const struct events_entry *e) = {
		[EVENTS_CALL] = on_call,   [EVENTS_NETDEV] = on_netdev,
		[EVENTS_MODEM] = on_modem, [EVENTS_RECOVER] = on_recover,
		[EVENTS_QUOTA] = on_pdn,   [EVENTS_FAILOVER] = on_pdn,
	};

	if (fns[e->kind])
		fns[e->kind](arg, e);
}

int hooks_new(struct hooks **out, struct event_base *base, struct events *events,
	      struct trunk_list *list, const char *run_dir, struct error *err)
{
	struct hooks *h = calloc(1, sizeof(*h));
	int ret;

	if (!h)
		return error_set(err, -ENOMEM, "out of memory");
	h->list = list;
	snprintf(h->run_dir, sizeof(h->run_dir), "%s", run_dir);
	ret = hook_runner_new(&h->runner, base, err);
	if (!ret) {
		h->subscriber = events_subscribe(events, on_event, h);
		ret = h->subscriber ? 0 : error_set(err, -ENOMEM, "out of memory");
	}
	*out = h;
	if (ret)
		hooks_free(out);
	return ret;
}

void hooks_finish(struct hooks *h)
{
	hook_runner_finish(h->runner);
}

void hooks_free(struct hooks **hp)
{
	struct hooks *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	if (h->subscriber)
		events_unsubscribe(h->subscriber);
	hook_runner_free(&h->runner);
	free(h);
}
