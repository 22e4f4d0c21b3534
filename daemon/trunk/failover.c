// SPDX-License-Identifier: GPL-2.0-or-later
#include "failover.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clat/server.h"
#include "events/events.h"
#include "util/log.h"
#include "assigned.h"
#include "internal.h"
#include "pins.h"
#include "port_rows.h"

/* A link that is going may still bring a packet now and then. */
#define HEARD 2

struct trunk_failover {
	unsigned int asked; /* questions since something was received last */
	unsigned int heard; /* looks with received packets, since it was silent last */
	unsigned int next;  /* server */
	/* v4, v6; -1: none. They stay open: the kernel answers packets for closed ports with ICMP errors. */
	int question[2];
};

static struct trunk_failover *find_or_new(struct trunk_port *p)
{
	if (p->failover)
		return p->failover;
	p->failover = calloc(1, sizeof(*p->failover));
	if (p->failover)
		p->failover->question[0] = p->failover->question[1] = -1;
	return p->failover;
}

static void close_question(int *question)
{
	if (*question >= 0)
		close(*question);
	*question = -1;
}

void trunk_failover_forget(struct trunk_port *p)
{
	if (p->failover) {
		close_question(&p->failover->question[0]);
		close_question(&p->failover->question[1]);
	}
	free(p->failover);
	p->failover = NULL;
}

/* --- questions --- */

/* The next server of this family. The port's counter tells of an answer, for which an ICMP error counts, too. */
static bool ask(const struct trunk_port *p, int family)
{
	const struct ip_settings *s = &p->settings[family == 6];
	int *question = &p->failover->question[family == 6];
	const uint8_t *server = s->dns[s->ndns > 1 ? p->failover->next % 2 : 0];
	uint16_t id;

	close_question(question);
	if (!s->family || p->fault[family == 6][0] || trunk_port_passes(p, family) || !s->ndns ||
	    trunk_address_refused(family, server))
		return false;
	*question = clat_server_ask(p->port.netns, p->port.name, family == 6 ? AF_INET6 : AF_INET,
				    server, &id, NULL);
	return *question >= 0;
}

/* One family may work without the other. */
void trunk_failover_quiet(struct trunk *t, unsigned int pdn)
{
	struct trunk_port *p = trunk_find_port(t, pdn);

	if (!p || !trunk_port_pdn(p)->failover || !find_or_new(p))
		return;
	p->failover->asked += ask(p, 4) + ask(p, 6);
	p->failover->next++;
}

/* --- dead and alive --- */

static void report(struct trunk *t, const struct trunk_port *p, const char *why)
{
	struct events_entry e = {.kind = EVENTS_FAILOVER, .pdn = p->port.number};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.port, sizeof(e.port), "%s", p->port.name);
	snprintf(e.from, sizeof(e.from), "%s", p->dead ? "alive" : "dead");
	snprintf(e.to, sizeof(e.to), "%s", p->dead ? "dead" : "alive");
	snprintf(e.reason, sizeof(e.reason), "%s; metric %u", why,
		 trunk_port_metric(p, trunk_port_pdn(p)));
	events_add(t->env.events, &e, true);
}

/* The route of a process that dies in between is removed by the next one, in trunk_port_up(). */
static void set_dead(struct trunk *t, struct trunk_port *p, bool dead, const char *why)
{
	struct error err = {0};

	p->failover->heard = 0;
	if (trunk_port_set_dead(p, dead, &err))
		trunk_port_event(t, p, NETDEV_FAILED, "%s", err.text);
	report(t, p, why);
	trunk_save(t);
}

void trunk_failover_silent(struct trunk *t, unsigned int pdn)
{
	struct trunk_port *p = trunk_find_port(t, pdn);
	struct trunk_failover *f = p && trunk_port_pdn(p)->failover ? p->failover : NULL;
	char why[96];

	if (!f)
		return;
	f->heard = 0;
	if (p->dead || !f->asked)
		return;
	snprintf(why, sizeof(why), "no answer of its DNS servers, and nothing else, for %u s",
		 t->config.watchdog);
	set_dead(t, p, true, why);
}

void trunk_failover_heard(struct trunk *t, unsigned int pdn)
{
	struct trunk_port *p = trunk_find_port(t, pdn);
	struct trunk_failover *f;

	if (!p)
		return;
	f = p->dead ? find_or_new(p) : p->failover;
	if (!f)
		return;
	f->asked = 0;
	if (p->dead && ++f->heard >= HEARD)
		set_dead(t, p, false, "it receives again");
}
