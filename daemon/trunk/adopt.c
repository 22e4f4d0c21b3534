// SPDX-License-Identifier: GPL-2.0-or-later
/* Adopts a trunk from a process that has ended. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_get.h"
#include "rtnl/watch.h"
#include "util/log.h"
#include "qmi/transport.h"
#include "build.h"
#include "internal.h"
#include "open.h"
#include "path.h"
#include "pins.h"
#include "port_rows.h"
#include "reconcile.h"
#include "recover.h"

/* @show: the port's object in the last `show`. */
static void adopt_port(struct trunk *t, const struct config_pdn *pdn, struct json_object *show)
{
	const char *resolv_conf = json_get_string(show, "resolv_conf");
	const char *name = json_get_string(show, "port"); /* another process may have renamed it */
	struct trunk_port *p = &t->ports[t->nports++];

	trunk_port_init(t, p, pdn);
	rtnl_watch_use(t->env.watch, p->port.netns, 1);
	if (resolv_conf)
		snprintf(p->resolv_conf, sizeof(p->resolv_conf), "%s", resolv_conf);
	p->ifindex = json_get_int(show, "ifindex");
	p->dead = json_get_bool(show, "dead");
	if (name)
		snprintf(p->port.name, IFNAMSIZ, "%s", name);
	else if (t->ops == &datapath_raw)
		snprintf(p->port.name, IFNAMSIZ, "%s", t->dev.name);
}

/* One that is not there keeps its number, by which its rows miss it. */
static void locate_port(struct trunk *t, struct trunk_port *p)
{
	unsigned int number = p->ifindex;

	if (number && !p->port.netns[0])
		trunk_port_find(t, p);
	else
		trunk_port_locate(p); /* by its name: what it is on top of is out of sight there */
	if (!p->ifindex)
		p->ifindex = number;
}

/* Adopts the data path and the ports. */
static int adopt_datapath(struct trunk *t, const char *name, struct json_object *state,
			  struct error *err)
{
	struct json_object *show = json_get_object(state, "show");
	int ret;

	t->dev.prepared = true;
	t->dev.qmap = t->format.version != QMAP_OFF;
	t->dev.rx_bytes = t->format.dl_max_bytes;
	t->ops = datapath_by_name(name);
	if (!t->ops)
		return error_set(err, -EPROTO, "data path \"%s\" is not known here", name);
	json_copy_text(show, "datapath_reason", t->path_why, sizeof(t->path_why));
	for (unsigned int i = 0; i < t->config.npdns; i++) {
		adopt_port(t, &t->config.pdns[i], json_get_element(show, "pdns", i));
		t->ports[i].mtu_set = json_object_get_int(json_get_element(state, "mtus_set", i));
		t->ports[i].away = json_object_get_boolean(json_get_element(state, "away", i));
	}
	ret = t->ops->adopt(&t->dp, &t->pins, err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < t->nports; i++) {
		t->ops->adopt_port(t->dp, &t->ports[i].port, NULL);
		locate_port(t, &t->ports[i]);
		trunk_port_steer(t, &t->ports[i]);
	}
	trunk_look_begin(t);
	trunk_programs_changed(t);
	trunk_listen_commands(t);
	return 0;
}

static void adopt_facts(struct trunk *t, struct json_object *state)
{
	struct json_object *show = json_get_object(state, "show");
	int was = attachment_find(json_get_string(show, "state"));

	trunk_recover_load(t, json_get_object(state, "recover"));
	t->totals_epoch = json_get_int(state, "totals_epoch");
	t->config.persist = json_get_bool(state, "persist");
	t->was_ready = json_get_bool(state, "was_ready");
	t->was_detaching = was == ATTACHMENT_DETACHING;
	t->dev.was_up = json_get_bool(state, "was_up");
	t->dev.was_addrgen = json_get_int(state, "was_addrgen");
	json_copy_text(state, "device", t->dev.device, sizeof(t->dev.device));
	json_copy_text(state, "home_driver", t->home, sizeof(t->home));
	t->own_control = json_get_bool(state, "own_control");
	json_copy_text(show, "control", t->setup.control, sizeof(t->setup.control));
	t->format = data_format_from_json(json_get_object(state, "format"));
	if (trunk_pins_absent(t->pins.ifindex))
		return;
	t->unfinished = was == ATTACHMENT_ATTACHING;
	t->dev.ifindex = t->pins.ifindex;
	if (!if_indextoname(t->dev.ifindex, t->dev.name))
		snprintf(t->dev.name, sizeof(t->dev.name), "%s", t->pins.trunk);
}

/*
 * Adopts the calls. An error, also one of the data path, counts as a modem that could not be
 * opened.
 */
static void adopt_session(struct trunk *t, struct json_object *session, struct error *lost)
{
	trunk_begin(t, TRUNK_OPENING);
	if (!trunk_has_control(t)) {
		trunk_set_static_format(t);
		modem_input_later(t->modem, TRUNK_IN_OPENED, NULL);
	} else if (session_adopt(&t->session, t->env.base, &t->setup, session, &trunk_session_ops,
				 t, lost)) {
		if (qmi_proxy_path(t->setup.control))
			trunk_leave(t, json_object_get(session)); /* until the proxy is there */
		modem_input_later(t->modem, TRUNK_IN_FAILED, lost);
	}
}

static void adopt_state(struct trunk *t, const struct qmap_meta *meta, struct json_object *state)
{
	struct json_object *session = json_get_object(state, "session");
	struct error lost = {0};
	char name[IFNAMSIZ];
	int ret;

	adopt_facts(t, state);
	trunk_leave(t, json_object_get(json_get_object(state, "left")));
	trunk_fill_setup(t);
	if (meta->datapath[0] && adopt_datapath(t, meta->datapath, state, &lost))
		log_warning("%s: %s", t->config.dev, lost.text);
	/* that process died between two data paths (trunk_change_datapath()): the calls are there */
	if (!meta->datapath[0] && session && t->was_ready && t->dev.ifindex) {
		ret = trunk_choose_datapath(t, &lost)
			      ?: trunk_grant_datapath(t, t->format.version, &lost)
			      ?: trunk_build(t, &lost);
		if (ret)
			log_warning("%s: %s", t->config.dev, lost.text);
	}
	if (!t->dev.ifindex)
		trunk_begin(t, TRUNK_ABSENT);
	else if (session || !trunk_has_control(t))
		adopt_session(t, session, &lost);
	else
		trunk_begin(t, t->was_ready ? TRUNK_LOST : TRUNK_PRESENT);
	if (t->dev.ifindex && !if_indextoname(t->dev.ifindex, name))
		trunk_netdev_gone(t, "the netdev is gone");
}

static int read_state(struct trunk *t, struct qmap_meta *meta, struct json_object **state,
		      struct error *err)
{
	struct json_object *config;
	int ret = pins_get_meta(&t->pins, meta, state, err);

	if (!ret && !*state && !meta->datapath[0]) {
		pins_remove(&t->pins);
		return error_set(err, -ENOENT, "nothing had been built; it is forgotten");
	}
	config = json_get_object(*state, "config");
	if (!ret && !config)
		return error_set(err, -EPROTO, "the pinned state of %s cannot be read",
				 t->pins.trunk);
	return ret ?: config_trunk_from_json(&t->config, config, err);
}

int trunk_adopt(struct trunk **out, const struct trunk_env *env, unsigned int ifindex,
		trunk_done done, void *arg, struct error *err)
{
	struct json_object *state = NULL;
	struct qmap_meta *meta = malloc(sizeof(*meta));
	struct trunk *t = NULL;
	int ret;

	*out = NULL;
	if (!meta)
		return error_set(err, -ENOMEM, "out of memory");
	ret = trunk_new(&t, env, done, arg, err);
	if (!ret) {
		t->adopted = true;
		ret = pins_open(&t->pins, ifindex, PINS_WRITE, err)
			      ?: read_state(t, meta, &state, err);
	}
	if (!ret)
		adopt_state(t, meta, state);
	else
		trunk_free(&t);
	json_object_put(state);
	free(meta);
	*out = t;
	return ret;
}
