// SPDX-License-Identifier: GPL-2.0-or-later
/* Events as JSON and as text. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/printable.h"

static const char *const kinds[EVENTS_KINDS] = {
	[EVENTS_MODEM] = "modem",	[EVENTS_CALL] = "call",	  [EVENTS_NETDEV] = "netdev",
	[EVENTS_RECOVER] = "recover",	[EVENTS_QUOTA] = "quota", [EVENTS_SIGNAL] = "signal",
	[EVENTS_FAILOVER] = "failover",
};

void events_time_text(const struct timespec *t, char buf[EVENTS_TIME])
{
	struct tm tm;
	size_t n;

	gmtime_r(&t->tv_sec, &tm);
	n = strftime(buf, EVENTS_TIME, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, EVENTS_TIME - n, ".%03uZ", (unsigned int)(t->tv_nsec / 1000000 % 1000));
}

struct json_object *events_to_json(const struct events_entry *e)
{
	struct json_object *o = json_object_new_object();
	char when[EVENTS_TIME];

	events_time_text(&e->time, when);
	json_add_int(o, "seq", e->seq);
	json_add_string(o, "time", when);
	json_add_string(o, "kind", kinds[e->kind]);
	json_add_string(o, "dev", e->dev);
	json_add_text(o, "port", e->port);
	json_add_known(o, "pdn", e->pdn, e->pdn);
	json_add_known(o, "family", e->family, e->family);
	json_add_text(o, "from", e->from);
	json_add_text(o, "to", e->to);
	json_add_known(o, "dbm", e->dbm, e->dbm);
	json_add_text(o, "reason", e->reason);
	return o;
}

int events_from_json(struct events_entry *e, struct json_object *o)
{
	const char *kind = json_get_string(o, "kind");

	*e = (struct events_entry){.kind = EVENTS_KINDS};
	for (int i = 0; kind && i < EVENTS_KINDS; i++)
		if (!strcmp(kind, kinds[i]))
			e->kind = i;
	if (e->kind == EVENTS_KINDS)
		return -EBADMSG;
	e->seq = json_get_int(o, "seq");
	e->pdn = json_get_int(o, "pdn");
	e->family = json_get_int(o, "family");
	e->dbm = json_get_int(o, "dbm");
	json_copy_text(o, "dev", e->dev, sizeof(e->dev));
	json_copy_text(o, "port", e->port, sizeof(e->port));
	json_copy_text(o, "from", e->from, sizeof(e->from));
	json_copy_text(o, "to", e->to, sizeof(e->to));
	json_copy_text(o, "reason", e->reason, sizeof(e->reason));
	return 0;
}

static const char *subject(const struct events_entry *e, char *buf, size_t size)
{
	const char *name = e->port[0] ? e->port : e->dev;

	if (e->kind == EVENTS_MODEM)
		snprintf(buf, size, "%s: modem ", name);
	else if (e->kind == EVENTS_RECOVER)
		snprintf(buf, size, "%s: recovery ", name);
	else if (e->kind == EVENTS_QUOTA)
		snprintf(buf, size, "%s: quota ", name);
	else if (e->kind == EVENTS_FAILOVER)
		snprintf(buf, size, "%s: link ", name);
	else if (e->kind == EVENTS_SIGNAL)
		snprintf(buf, size, "%s: signal ", name);
	else if (e->family && e->port[0])
		snprintf(buf, size, "%s: IPv%d ", name, e->family);
	else if (e->family)
		snprintf(buf, size, "%s: PDN %u IPv%d ", name, e->pdn, e->family);
	else
		snprintf(buf, size, "%s: ", name);
	return buf;
}

void events_text(const struct events_entry *e, char *buf, size_t size)
{
	char who[IFNAMSIZ + 32];

	bool moves = e->from[0] && strcmp(e->from, e->to);

	snprintf(buf, size, "%s%s%s%s%s%s", subject(e, who, sizeof(who)), moves ? e->from : "",
		 moves ? " -> " : "", e->to, e->reason[0] ? ": " : "", e->reason);
	/* the administrator of a port's namespace chooses its name */
	printable(buf);
}

struct history {
	const struct events_entry *events[EVENTS_KEPT];
	unsigned int n, of[EVENTS_KINDS];
};

static void append(void *arg, const struct events_entry *e)
{
	struct history *h = arg;

	if (e->kind == EVENTS_SIGNAL)
		return;
	h->events[h->n++] = e;
	h->of[e->kind]++;
}

static void leave_one_out(struct history *h)
{
	unsigned int i = 0, most = 0;

	for (unsigned int kind = 1; kind < EVENTS_KINDS; kind++)
		if (h->of[kind] > h->of[most])
			most = kind;
	while (h->events[i]->kind != most)
		i++;
	h->n--;
	h->of[most]--;
	memmove(&h->events[i], &h->events[i + 1], (h->n - i) * sizeof(*h->events));
}

struct json_object *events_last_json(const struct events *ev, const char *dev, unsigned int n)
{
	struct json_object *a = json_object_new_array();
	struct history h = {0};

	if (ev)
		events_last(ev, dev, EVENTS_KEPT, append, &h);
	while (h.n > n)
		leave_one_out(&h);
	for (unsigned int i = 0; i < h.n; i++)
		json_object_array_add(a, events_to_json(h.events[i]));
	return a;
}
