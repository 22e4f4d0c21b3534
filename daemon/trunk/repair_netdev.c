// SPDX-License-Identifier: GPL-2.0-or-later
/* The trunk's own netdev: runs its rows, netdev/dev.c. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "events/events.h"
#include "util/clock.h"
#include "util/log.h"
#include "internal.h"

static void on_report(void *owner, enum netdev_outcome outcome, const char *text)
{
	struct trunk *t = owner;
	struct events_entry e = {.kind = EVENTS_NETDEV, .netdev = outcome};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.reason, sizeof(e.reason), "%s", text);
	events_add(t->env.events, &e, true);
}

static void reread(void *arg)
{
	trunk_dev_read(arg, NULL);
}

/* With QMAP off the netdev is the port, whose addresses and routes have gone with "down". */
static void ports_up_again(struct trunk *t)
{
	struct error why = {0};

	for (unsigned int i = 0; i < t->nports; i++)
		trunk_port_up_again(&t->ports[i], t->env.run_dir, &why);
}

void trunk_repair_netdev(struct trunk *t)
{
	struct trunk_dev_view view = {.dev = &t->dev};
	struct keep_run run = {.rows = trunk_dev_rows,
			       .state = &t->netdev,
			       .arg = &view,
			       .until = "the modem is set up",
			       .reread = reread,
			       .report = on_report,
			       .owner = t,
			       .now = clock_ms()};
	unsigned int left = t->netdev.spent & t->netdev.wrong;
	struct error err = {0};

	if (!t->dev.prepared)
		return;
	if (rtnl_open(&view.nl, NULL, &err) || trunk_dev_read(&view, &err))
		log_debug("%s: %s", t->config.dev, err.text);
	else if (keep_run(&run))
		trunk_repair_late(t->repair);
	rtnl_close(&view.nl);
	if (t->netdev.fixed && !t->dev.qmap)
		ports_up_again(t);
	if ((t->netdev.spent & t->netdev.wrong) != left)
		trunk_save(t);
}

struct json_object *trunk_repair_left(const struct trunk *t)
{
	struct json_object *a = json_object_new_array();

	for (int i = 0; trunk_dev_rows[i].look; i++)
		if (t->netdev.spent & t->netdev.wrong & 1U << i)
			json_object_array_add(a, json_object_new_string(
							 keep_text(trunk_dev_rows, &t->netdev, i)));
	return a;
}
