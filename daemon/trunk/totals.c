// SPDX-License-Identifier: GPL-2.0-or-later
#include "totals.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "events/events.h"
#include "totals/totals.h"
#include "util/json_add.h"
#include "internal.h"

#define MEGABYTE 1000000ull

struct name {
	char text[IFNAMSIZ + 8];
};

static struct name name_of(const struct trunk *t, unsigned int pdn)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "%s %u", t->config.dev, pdn);
	return n;
}

static bool reached(const struct trunk *t, const struct config_pdn *pdn)
{
	struct totals_bytes b =
		totals_month(t->env.totals, name_of(t, pdn->number).text, time(NULL));

	return pdn->quota && b.rx + b.tx >= pdn->quota * MEGABYTE;
}

static void report(struct trunk *t, const struct trunk_port *p)
{
	struct events_entry e = {.kind = EVENTS_QUOTA, .pdn = p->port.number};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.port, sizeof(e.port), "%s", p->port.name);
	snprintf(e.to, sizeof(e.to), "reached");
	snprintf(e.reason, sizeof(e.reason), "PDN %u has carried its quota of %u MB this month",
		 p->port.number, trunk_port_pdn(p)->quota);
	events_add(t->env.events, &e, true);
	totals_write(t->env.totals);
}

/* Calls @fn with the counters of each port. */
static void each_port(struct trunk *t, void (*fn)(struct trunk *t, const struct trunk_port *p,
						  const struct totals_bytes *now))
{
	struct datapath_stats *stats = t->dp && t->env.totals ? calloc(1, sizeof(*stats)) : NULL;

	if (stats && !t->ops->stats(t->dp, stats, NULL)) {
		for (unsigned int i = 0; i < stats->nports; i++) {
			const struct qmap_port_stats *c = &stats->ports[i].count;
			const struct totals_bytes now = {.rx = c->rx_bytes, .tx = c->tx_bytes};

			/* mux id 0 is that of the raw data path, for its one PDN with any mux id */
			for (unsigned int j = 0; j < t->nports; j++)
				if (!stats->ports[i].mux ||
				    t->ports[j].port.mux == stats->ports[i].mux)
					fn(t, &t->ports[j], &now);
		}
	}
	free(stats);
}

static void begin(struct trunk *t, const struct trunk_port *p, const struct totals_bytes *now)
{
	totals_begin(t->env.totals, name_of(t, p->port.number).text, t->totals_epoch, now);
}

void trunk_totals_begin(struct trunk *t)
{
	uint32_t epoch;

	if (!t->env.totals || getrandom(&epoch, sizeof(epoch), GRND_NONBLOCK) != sizeof(epoch))
		epoch = time(NULL);
	t->totals_epoch = epoch;
	each_port(t, begin);
}

void trunk_totals_begin_port(struct trunk *t, const struct trunk_port *p)
{
	static const struct totals_bytes none;

	if (t->env.totals && t->totals_epoch)
		begin(t, p, &none);
}

static void look(struct trunk *t, const struct trunk_port *p, const struct totals_bytes *now)
{
	const struct config_pdn *pdn = trunk_port_pdn(p);
	struct name name = name_of(t, p->port.number);
	time_t when = time(NULL);

	totals_count(t->env.totals, name.text, t->totals_epoch, now, when);
	if (pdn && pdn->quota &&
	    totals_reaches(t->env.totals, name.text, when, pdn->quota * MEGABYTE))
		report(t, p);
}

void trunk_totals_look(struct trunk *t)
{
	/* adopted from a process that did not count: nobody knows the months of those bytes */
	if (!t->totals_epoch && t->dp)
		trunk_totals_begin(t);
	each_port(t, look);
}

void trunk_totals_show(const struct trunk *t, const struct config_pdn *pdn, struct json_object *o)
{
	json_add_known(o, "quota", pdn->quota, pdn->quota);
	if (!t->env.totals)
		return;
	json_add_bool(o, "quota_reached", reached(t, pdn));
	json_object_object_add(o, "totals",
			       totals_show(t->env.totals, name_of(t, pdn->number).text));
}
