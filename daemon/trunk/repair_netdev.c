// SPDX-License-Identifier: GPL-2.0-or-later
/* Repairs changes to the trunk's own netdev, or reports them if they are deliberate. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "events/events.h"
#include "util/clock.h"
#include "util/log.h"
#include "internal.h"

static const char *const damages[TRUNK_DEV_DAMAGES] = {
	[TRUNK_DEV_RAW_IP] = "somebody has taken it out of raw IP",
	[TRUNK_DEV_PASS_THROUGH] = "somebody has switched its pass_through off",
	[TRUNK_DEV_MTU] = "somebody has lowered its MTU, and with it the receive buffers",
	[TRUNK_DEV_DOWN] = "somebody has set it down",
	[TRUNK_DEV_QUEUE] = "somebody has given it a queue that marks congestion in QMAP headers",
};

static void add_event(struct trunk *t, enum netdev_outcome outcome, const char *what,
		      const char *more)
{
	struct events_entry e = {.kind = EVENTS_NETDEV, .netdev = outcome};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.reason, sizeof(e.reason), "%s%s", what, more);
	events_add(t->env.events, &e, true);
}

/* Leaving raw IP requires it to be down, and resets its MTU and queue: one damage, not five. */
static unsigned int causes(unsigned int wrong)
{
	return wrong & 1 << TRUNK_DEV_RAW_IP ? 1 << TRUNK_DEV_RAW_IP : wrong;
}

/*
 * A process that renames a netdev, or takes it out of raw IP, has to set it down before and up
 * afterwards: set up too early, it would fail (EBUSY). No packet passes in the meantime in any
 * case.
 */
static unsigned int when_due(struct trunk *t, unsigned int wrong)
{
	int64_t now = clock_ms();

	if (!(wrong & 1 << TRUNK_DEV_DOWN)) {
		t->down_ms = 0;
		return wrong;
	}
	if (!t->down_ms)
		t->down_ms = now;
	if (now - t->down_ms >= TRUNK_REPAIR_LATE_MS)
		return wrong;
	trunk_repair_late(t->repair);
	return 0;
}

/* The part of @wrong that may be repaired once more. Reports it when the limit is reached. */
static unsigned int judge(struct trunk *t, unsigned int wrong)
{
	unsigned int mine = 0;

	for (int i = 0; i < TRUNK_DEV_DAMAGES; i++) {
		if (!(wrong & 1 << i))
			continue;
		switch (trunk_fight_judge(&t->fights[i], clock_ms())) {
		case TRUNK_FIGHT_REPAIR:
			mine |= 1 << i;
			break;
		case TRUNK_FIGHT_GIVE_UP:
			t->left |= 1 << i;
			add_event(t, NETDEV_FAILED, damages[i],
				  " again and again; it stays so until the modem is set up again");
			break;
		case TRUNK_FIGHT_LEAVE:
			break;
		}
	}
	return mine;
}

/* With QMAP off the netdev is the port, whose addresses and routes have gone with "down". */
static int repair(struct trunk *t, unsigned int wrong, struct error *err)
{
	bool qmap = t->format.version != QMAP_OFF;
	int ret = trunk_dev_repair(&t->dev, qmap, t->format.dl_max_bytes, wrong, err);

	for (unsigned int i = 0; !qmap && i < t->nports && !ret; i++)
		ret = trunk_port_up_again(&t->ports[i], t->env.run_dir, err);
	return ret;
}

static void tell_queue(struct trunk *t, const char *theirs)
{
	char text[128];

	if (theirs[0] && !t->queue_theirs) {
		snprintf(text, sizeof(text),
			 "somebody has given it the queue %s: if that marks congestion (ECN), it "
			 "damages QMAP frames",
			 theirs);
		add_event(t, NETDEV_REPORTED, text, "");
	}
	t->queue_theirs = theirs[0];
}

static void tell_all(struct trunk *t, unsigned int mine, const struct error *err)
{
	char more[sizeof(err->text) + 2] = "";

	if (err->err)
		snprintf(more, sizeof(more), "; %s", err->text);
	for (int i = 0; i < TRUNK_DEV_DAMAGES; i++)
		if (mine & 1 << i)
			add_event(t, err->err ? NETDEV_FAILED : NETDEV_REPAIRED, damages[i], more);
}

void trunk_repair_netdev(struct trunk *t)
{
	struct trunk_dev_state s;
	struct error err = {0};
	unsigned int was_left = t->left, mine;

	if (!t->dev.prepared)
		return;
	if (trunk_dev_look(&t->dev, t->format.version != QMAP_OFF, t->format.dl_max_bytes, &s,
			   &err)) {
		log_debug("%s: %s", t->config.dev, err.text);
		return;
	}
	t->left &= s.wrong;
	tell_queue(t, s.queue);
	mine = judge(t, causes(when_due(t, s.wrong)));
	if (mine)
		repair(t, mine, &err);
	tell_all(t, mine, &err);
	if (t->left != was_left)
		trunk_save(t);
}

void trunk_repair_netdev_anew(struct trunk *t)
{
	memset(t->fights, 0, sizeof(t->fights));
	t->left = 0;
}

struct json_object *trunk_repair_left(const struct trunk *t)
{
	struct json_object *a = json_object_new_array();

	for (int i = 0; i < TRUNK_DEV_DAMAGES; i++)
		if (t->left & 1 << i)
			json_object_array_add(a, json_object_new_string(damages[i]));
	return a;
}
