// SPDX-License-Identifier: GPL-2.0-or-later
/* Saves the state of a trunk that outlives the process in its pins. */
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"
#include "internal.h"
#include "pins.h"
#include "recover.h"

/*
 * A trunk without a netdev has pins, too, or a killed daemon would lose it. Their numbers are above
 * any ifindex: the kernel counts those up from 1.
 */
#define ABSENT_FIRST 0x7fff0000u
#define ABSENT_MOST  64

bool trunk_pins_absent(unsigned int ifindex)
{
	return ifindex >= ABSENT_FIRST;
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	trunk_save(arg);
}

int trunk_save_new(struct trunk *t)
{
	t->save = event_new(t->env.base, -1, 0, on_save, t);
	return t->save ? 0 : -ENOMEM;
}

/* A timeout of zero makes the event pending, behind the events that are active now. */
void trunk_save_later(struct trunk *t)
{
	static const struct timeval now;

	if (!event_pending(t->save, EV_TIMEOUT, NULL))
		event_add(t->save, &now);
}

/* 64 PDNs with the longest words, all refused, only fit into the pins without explanations. */
static int put_state(struct trunk *t, struct json_object *state, struct error *err)
{
	struct error why = {0};
	int ret = pins_set_state(&t->pins, state, &why);

	if (ret != -E2BIG)
		return ret ? error_pass(err, &why) : 0;
	trunk_show_shorten(json_get_object(state, "show"));
	return pins_set_state(&t->pins, state, err);
}

/* Facts about ports that `show` does not tell, in the order of the configuration. */
static void add_ports(struct json_object *o, const struct trunk *t)
{
	struct json_object *mtus_set = json_object_new_array(), *away = json_object_new_array();

	for (unsigned int i = 0; i < t->config.npdns; i++) {
		const struct trunk_port *p = trunk_find_port(t, t->config.pdns[i].number);

		json_object_array_add(mtus_set, json_object_new_int(p ? p->mtu_set : 0));
		json_object_array_add(away, json_object_new_boolean(p && p->away));
	}
	json_object_object_add(o, "mtus_set", mtus_set);
	json_object_object_add(o, "away", away);
}

void trunk_save(struct trunk *t)
{
	struct json_object *o = json_object_new_object();
	struct error err = {0};

	event_del(t->save);
	json_object_object_add(o, "config", config_trunk_to_json(&t->config, true));
	json_add_bool(o, "persist", t->config.persist);
	if (t->session)
		json_object_object_add(o, "session", session_state(t->session));
	if (t->left)
		json_object_object_add(o, "left", json_object_get(t->left));
	json_add_bool(o, "was_up", t->dev.was_up);
	json_add_int(o, "was_addrgen", t->dev.was_addrgen);
	json_add_bool(o, "was_ready", t->was_ready);
	json_object_object_add(o, "format", data_format_to_json(&t->format));
	json_add_string(o, "home_driver", t->home);
	json_add_bool(o, "own_control", t->own_control);
	json_add_string(o, "device", t->dev.device);
	json_add_int(o, "totals_epoch", t->totals_epoch);
	json_object_object_add(o, "recover", trunk_recover_save(t));
	add_ports(o, t);
	json_object_object_add(o, "show", trunk_show(t));
	if (t->pins.meta >= 0 && put_state(t, o, &err))
		log_error("%s: %s", t->config.dev, err.text);
	json_object_put(o);
}

static int create_absent(struct pins *p, const char *name, struct error *err)
{
	int ret = -EEXIST;

	for (unsigned int i = 0; i < ABSENT_MOST && (ret == -EEXIST || ret == -EBUSY); i++) {
		struct error why = {0};

		ret = pins_create(p, ABSENT_FIRST + i, name, &why);
		if (ret && (i == ABSENT_MOST - 1 || (ret != -EEXIST && ret != -EBUSY)))
			error_pass(err, &why);
	}
	return ret;
}

/*
 * The new pins are complete before the old ones are removed: a process that dies in between leaves
 * two sets, of which the next one takes that with a netdev.
 */
int trunk_move_pins(struct trunk *t, struct error *err)
{
	struct pins old = t->pins, new = PINS_INIT;
	int ret;

	if (old.meta >= 0 &&
	    (t->dev.ifindex ? old.ifindex == t->dev.ifindex : trunk_pins_absent(old.ifindex)))
		return 0;
	ret = t->dev.ifindex ? pins_create(&new, t->dev.ifindex, t->config.dev, err)
			     : create_absent(&new, t->config.dev, err);
	if (ret)
		return ret;
	t->pins = new;
	trunk_save(t);
	if (old.meta >= 0)
		pins_remove(&old);
	return 0;
}

int trunk_clear_pins(struct trunk *t, struct error *err)
{
	if (t->pins.meta >= 0)
		pins_remove(&t->pins);
	return trunk_move_pins(t, err);
}
