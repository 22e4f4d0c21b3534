// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "json_get.h"
#include "log.h"
#include "qmi/transport.h"
#include "trunk_internal.h"

bool trunk_is_unfinished(const struct trunk *t)
{
	return t->unfinished;
}

const char *trunk_name(const struct trunk *t)
{
	return t->config.dev;
}

const struct config_trunk *trunk_config(const struct trunk *t)
{
	return &t->config;
}

unsigned int trunk_ifindex(const struct trunk *t)
{
	return t->dev.ifindex;
}

bool trunk_has_control(const struct trunk *t)
{
	return strcmp(t->config.control, "none");
}

struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn)
{
	for (unsigned int i = 0; i < t->nports; i++)
		if (t->ports[i].pdn.number == pdn)
			return (struct trunk_port *)&t->ports[i];
	return NULL;
}

void trunk_set_state(struct trunk *t, enum trunk_state state, const char *why)
{
	struct events_entry e = {.kind = EVENTS_MODEM};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.from, sizeof(e.from), "%s", trunk_modem_state_name(t->state));
	snprintf(e.to, sizeof(e.to), "%s", trunk_modem_state_name(state));
	snprintf(e.reason, sizeof(e.reason), "%s", why);
	snprintf(t->reason, sizeof(t->reason), "%s", why);
	t->state = state;
	clock_gettime(CLOCK_REALTIME, &t->since);
	events_add(t->env.events, &e, state == TRUNK_LOST);
}

/* --- what is written down --- */

static void save(struct trunk *t)
{
	struct json_object *o = json_object_new_object();
	struct error err = {0};

	json_object_object_add(o, "config", config_trunk_to_json(&t->config, true));
	if (t->session)
		json_object_object_add(o, "session", session_state(t->session));
	json_object_object_add(o, "was_up", json_object_new_boolean(t->dev.was_up));
	json_object_object_add(o, "show", trunk_show(t));
	if (t->pins.meta >= 0 && pins_set_state(&t->pins, o, &err))
		log_error("%s: %s", t->config.dev, err.text);
	json_object_put(o);
}

/* --- ports --- */

static int add_port(struct trunk *t, const struct config_pdn *pdn, struct error *err)
{
	struct trunk_port *p = &t->ports[t->nports];
	int ret;

	*p = (struct trunk_port){.pdn = *pdn, .port = {.number = pdn->number, .mux = pdn->mux}};
	memcpy(p->port.netns, pdn->netns, sizeof(p->port.netns));
	ret = t->ops->add_port(t->dp, &p->port, err);
	if (ret)
		return ret;
	ret = trunk_port_place(p, err);
	if (ret)
		t->ops->del_port(t->dp, pdn->mux, NULL);
	else
		t->nports++;
	return ret;
}

static void set_flow(struct trunk *t, const struct trunk_port *p, bool on)
{
	struct error err = {0};
	int ret = t->dp ? t->ops->flow(t->dp, p->pdn.mux, on, &err) : 0;

	/* a dead process may not have come to this port; what is not there is off */
	if (ret && (on || ret != -ENODEV))
		log_error("%s: %s", p->port.name, err.text);
}

static void port_down(struct trunk *t, struct trunk_port *p, int family)
{
	trunk_port_down(p, family);
	if (!trunk_port_is_up(p))
		set_flow(t, p, false);
}

/* @up: also families that this process has set up; the others may be up as a dead one left them. */
static void families_down(struct trunk *t, struct trunk_port *p, bool up)
{
	bool was_up[2] = {p->settings[0].family, p->settings[1].family};

	if (!trunk_has_control(t))
		return; /* addresses are the user's */
	if (p->pdn.ip & CONFIG_IPV4 && (up || !was_up[0]))
		trunk_port_down(p, 4);
	if (p->pdn.ip & CONFIG_IPV6 && (up || !was_up[1]))
		trunk_port_down(p, 6);
}

static void all_ports_down(struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++) {
		set_flow(t, &t->ports[i], false);
		families_down(t, &t->ports[i], true);
	}
}

/* Calls that ended while there was no daemon: nobody tells of them any more. */
static void stale_families_down(struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++) {
		families_down(t, &t->ports[i], false);
		if (trunk_has_control(t) && !trunk_port_is_up(&t->ports[i]))
			set_flow(t, &t->ports[i], false);
	}
}

/* --- data path --- */

static void on_commands(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	struct error err = {0};

	(void)fd;
	(void)what;
	if (t->ops->events(t->dp, &err)) {
		log_error("%s: %s", t->config.dev, err.text);
		event_del(t->commands);
	}
}

static void listen_commands(struct trunk *t)
{
	int fd = t->ops->event_fd(t->dp);

	if (fd < 0)
		return;
	t->commands = event_new(t->env.base, fd, EV_READ | EV_PERSIST, on_commands, t);
	if (t->commands)
		event_add(t->commands, NULL);
}

static int build_datapath(struct trunk *t, struct error *err)
{
	const struct data_format *format = &t->format;
	struct datapath_format f = {.version = format->version,
				    .dl_max_bytes = format->dl_max_bytes,
				    .ul_max_bytes = format->ul_max_bytes,
				    .ul_max_datagrams = format->ul_max_datagrams};
	int ret;

	if (format->version == QMAP_OFF)
		t->ops = &datapath_raw;
	ret = t->ops->attach(&t->dp, &t->pins, t->dev.name, &f, err);
	if (ret)
		return ret;
	listen_commands(t);
	for (unsigned int i = 0; i < t->config.npdns; i++) {
		ret = add_port(t, &t->config.pdns[i], err);
		if (ret)
			return ret;
	}
	return trunk_dev_prepare(&t->dev, format->version != QMAP_OFF, format->dl_max_bytes, err);
}

/* Kernel back to how it was. @err gets the first failure; all is tried. */
static int tear_down(struct trunk *t, struct error *err)
{
	int ret = 0;

	if (t->commands)
		event_free(t->commands);
	t->commands = NULL;
	all_ports_down(t);
	if (t->dp) {
		ret = t->ops->detach(t->dp, err);
		t->ops->close(&t->dp);
	}
	/* what a process made that died before it could enter it anywhere */
	if (t->adopted)
		datapath_xdp_sweep(t->config.dev, t->dev.ifindex);
	t->nports = 0;
	trunk_dev_restore(&t->dev);
	if (t->pins.meta >= 0)
		pins_remove(&t->pins);
	trunk_set_state(t, TRUNK_DETACHED, "");
	return ret;
}

/* Nothing is connected any more; data path and ports stand, until somebody detaches. */
static void lose(struct trunk *t, const char *why)
{
	if (t->state != TRUNK_DETACHING)
		trunk_set_state(t, TRUNK_LOST, why);
	all_ports_down(t);
	save(t);
}

/* --- done: never from inside the session's own callbacks --- */

static void on_finish(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	trunk_done done = t->done;

	(void)fd;
	(void)what;
	if (t->state == TRUNK_ATTACHING && t->result.err && t->adopted) {
		lose(t, t->result.text);
		t->result.err = 0;
	} else if (t->state == TRUNK_ATTACHING && t->result.err) {
		session_free(&t->session);
		tear_down(t, NULL);
	} else if (t->state == TRUNK_ATTACHING) {
		trunk_set_state(t, TRUNK_ATTACHED, "");
		if (t->adopted)
			stale_families_down(t);
		save(t);
	} else if (t->state == TRUNK_DETACHING) {
		session_free(&t->session);
		tear_down(t, &t->result);
	}
	t->done = NULL;
	if (done)
		done(t->done_arg, t, t->result.err ? &t->result : NULL);
}

static void finish(struct trunk *t, const struct error *err)
{
	static const struct timeval now = {0, 0};

	if (err && !t->result.err)
		t->result = *err;
	event_add(t->finish, &now);
}

/* --- what the session says --- */

static int on_format(void *arg, const struct data_format *format, struct error *err)
{
	struct trunk *t = arg;

	t->format = *format;
	if (t->dp)
		return 0; /* adopted: it runs already */
	return build_datapath(t, err);
}

static void on_up(void *arg, unsigned int pdn, const struct ip_settings *s)
{
	struct trunk *t = arg;
	struct trunk_port *p = trunk_find_port(t, pdn);
	struct error err = {0};

	if (!p || !t->dp)
		return;
	set_flow(t, p, true);
	if (trunk_port_up(p, s, t->env.run_dir, &err))
		log_error("%s: %s", p->port.name, err.text);
	else
		log_info("%s: IPv%d up", p->port.name, s->family);
	save(t);
}

static void on_down(void *arg, unsigned int pdn, int family, const struct call_end *why)
{
	struct trunk *t = arg;
	struct trunk_port *p = trunk_find_port(t, pdn);

	(void)why; /* session_show() tells it by name */
	if (!p)
		return;
	port_down(t, p, family);
	log_info("%s: IPv%d down", p->port.name, family);
	save(t);
}

static void on_changed(void *arg)
{
	save(arg);
}

static void on_transition(void *arg, const struct session_transition *tr)
{
	struct trunk *t = arg;

	log_debug("%s: PDN %u IPv%d: %s -> %s%s%s", t->config.dev, tr->pdn, tr->family, tr->from,
		  tr->to, *tr->reason ? ": " : "", tr->reason);
	save(t);
}

static void on_started(void *arg, const struct error *err)
{
	finish(arg, err);
}

static void on_lost(void *arg, const char *why)
{
	struct trunk *t = arg;

	if (t->state == TRUNK_ATTACHED)
		lose(t, why);
}

static const struct session_ops session_ops = {
	.format = on_format,
	.up = on_up,
	.down = on_down,
	.changed = on_changed,
	.transition = on_transition,
	.started = on_started,
	.lost = on_lost,
};

/* --- attach --- */

static int new_trunk(struct trunk **out, const struct trunk_env *env, trunk_done done, void *arg,
		     struct error *err)
{
	struct trunk *t = calloc(1, sizeof(*t));

	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->env = *env;
	t->pins = PINS_INIT;
	t->done = done;
	t->done_arg = arg;
	t->finish = event_new(env->base, -1, 0, on_finish, t);
	if (!t->finish) {
		free(t);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*out = t;
	return 0;
}

static void set_static_format(struct trunk *t)
{
	t->format.version = t->config.qmap == CONFIG_QMAP_AUTO ? QMAP_V1 : (int)t->config.qmap;
	t->format.dl_max_bytes = t->wish.dl_max_bytes;
	t->format.dl_max_datagrams = t->wish.dl_max_datagrams;
}

/* Without a control channel: version and sizes are the user's, PDNs are up from the start. */
static int attach_static(struct trunk *t, struct error *err)
{
	int ret;

	set_static_format(t);
	ret = build_datapath(t, err);
	for (unsigned int i = 0; i < t->nports && !ret; i++) {
		ret = trunk_port_enable(&t->ports[i], err);
		if (!ret)
			set_flow(t, &t->ports[i], true);
	}
	if (!ret)
		finish(t, NULL);
	return ret;
}

/* Nothing, or "qmi-proxy" alone: the device is the one beside the netdev. */
static int find_control(struct trunk *t, struct error *err)
{
	const char *device = qmi_proxy_path(t->config.control);
	char *at = t->wish.control;
	size_t size = sizeof(t->wish.control);

	if (device ? *device : t->config.control[0])
		return 0;
	if (device)
		at += snprintf(at, size, "%s:", QMI_PROXY_PREFIX);
	return trunk_dev_control(t->config.dev, at, size - (at - t->wish.control), err);
}

/* The best that the machine offers, or the one asked for. With QMAP off there is no choice. */
static int choose_datapath(struct trunk *t, struct error *err)
{
	struct error why = {0};

	t->ops = t->config.qmap == CONFIG_QMAP_OFF ? &datapath_raw : &datapath_shim;
	if (t->config.datapath == CONFIG_DATAPATH_XDP && t->ops == &datapath_shim)
		t->ops = &datapath_xdp;
	if (!t->ops->probe(t->config.dev, &why))
		return 0;
	if (t->config.datapath != CONFIG_DATAPATH_AUTO)
		return error_pass(err, &why);
	log_info("%s: data path xdp, because %s", t->config.dev, why.text);
	t->ops = &datapath_xdp;
	return t->ops->probe(t->config.dev, err);
}

/* What the user has left open. A control channel that has been found stays. */
static void fill_wish(struct trunk *t)
{
	static const struct datapath_limits none = {0};
	const struct datapath_limits *limits = t->ops ? &t->ops->limits : &none;

	char found[sizeof(t->wish.control)];

	memcpy(found, t->wish.control, sizeof(found));
	t->wish = t->config;
	if (!t->config.control[0])
		memcpy(t->wish.control, found, sizeof(found));
	if (!t->wish.dl_max_bytes)
		t->wish.dl_max_bytes = limits->dl_max_bytes;
	if (!t->wish.dl_max_datagrams)
		t->wish.dl_max_datagrams = limits->dl_max_datagrams;
}

int trunk_attach(struct trunk **out, const struct trunk_env *env, const struct config_trunk *config,
		 trunk_done done, void *arg, struct error *err)
{
	struct trunk *t = NULL;
	int ret;

	*out = NULL;
	ret = new_trunk(&t, env, done, arg, err);
	if (ret)
		return ret;
	t->config = *config;
	ret = trunk_dev_open(&t->dev, config->dev, err) ?: find_control(t, err);
	if (!ret)
		ret = choose_datapath(t, err);
	if (!ret)
		ret = pins_create(&t->pins, t->dev.ifindex, config->dev, err);
	if (ret)
		goto free;
	fill_wish(t);
	trunk_set_state(t, TRUNK_ATTACHING, "");
	save(t);
	ret = trunk_has_control(t)
		      ? session_start(&t->session, env->base, &t->wish, &session_ops, t, err)
		      : attach_static(t, err);
	if (ret)
		goto undo;
	*out = t;
	return 0;
undo:
	tear_down(t, NULL);
free:
	trunk_free(&t);
	return ret;
}

/* --- adopt --- */

/* @show: what `show` told of the port last. */
static void adopt_port(struct trunk *t, const struct config_pdn *pdn, struct json_object *show)
{
	const char *resolv_conf = json_get_string(show, "resolv_conf");
	struct trunk_port *p = &t->ports[t->nports++];
	char base[IFNAMSIZ];

	*p = (struct trunk_port){.pdn = *pdn, .port = {.number = pdn->number, .mux = pdn->mux}};
	if (resolv_conf)
		snprintf(p->resolv_conf, sizeof(p->resolv_conf), "%s", resolv_conf);
	datapath_port_base(t->config.dev, t->dev.ifindex, base);
	if (t->ops == &datapath_raw)
		snprintf(p->port.name, IFNAMSIZ, "%s", t->dev.name);
	else
		snprintf(p->port.name, IFNAMSIZ, "%.10s.%u", base, pdn->number % 1000);
	memcpy(p->port.netns, pdn->netns, sizeof(p->port.netns));
}

/* The data path and the ports as they were left; a crash before there was one leaves @t->dp NULL.
 */
static int adopt_datapath(struct trunk *t, const char *name, struct json_object *show,
			  struct error *err)
{
	int ret;

	t->dev.prepared = true;
	t->ops = datapath_by_name(name);
	if (!t->ops)
		return error_set(err, -EPROTO, "data path \"%s\" is not known here", name);
	for (unsigned int i = 0; i < t->config.npdns; i++)
		adopt_port(t, &t->config.pdns[i], json_get_element(show, "pdns", i));
	ret = t->ops->adopt(&t->dp, &t->pins, err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < t->nports; i++)
		t->ops->adopt_port(t->dp, &t->ports[i].port, NULL);
	listen_commands(t);
	return 0;
}

/* @session: what session_state() left. A control channel that is gone must not take it along. */
static void adopt_format(struct trunk *t, struct json_object *session)
{
	struct json_object *f = json_get_object(session, "format");

	t->format = (struct data_format){
		.version = json_get_int(f, "version"),
		.dl_max_bytes = json_get_int(f, "dl_max_bytes"),
		.dl_max_datagrams = json_get_int(f, "dl_max_datagrams"),
		.ul_max_bytes = json_get_int(f, "ul_max_bytes"),
		.ul_max_datagrams = json_get_int(f, "ul_max_datagrams"),
	};
}

/* Did the process that left @state die in the middle of an attach or a detach? */
static bool was_unfinished(struct json_object *state)
{
	const char *v = json_get_string(json_get_object(state, "show"), "state");

	return v && (!strcmp(v, trunk_state_name(TRUNK_ATTACHING)) ||
		     !strcmp(v, trunk_state_name(TRUNK_DETACHING)));
}

static int adopt_state(struct trunk *t, struct qmap_meta *meta, struct json_object *state,
		       struct error *err)
{
	struct json_object *config = NULL, *session = NULL;
	struct error lost = {0};
	int ret;

	if (!state && !meta->datapath[0]) {
		pins_remove(&t->pins);
		return error_set(err, -ENOENT, "nothing had been built; it is forgotten");
	}
	if (!json_object_object_get_ex(state, "config", &config))
		return error_set(err, -EPROTO, "the pinned state of %s cannot be read",
				 meta->trunk);
	ret = config_trunk_from_json(&t->config, config, err);
	if (ret)
		return ret;
	t->dev.ifindex = t->pins.ifindex;
	snprintf(t->dev.name, sizeof(t->dev.name), "%s", meta->trunk);
	t->dev.was_up = json_get_bool(state, "was_up");
	snprintf(t->wish.control, sizeof(t->wish.control), "%s",
		 json_get_string(json_get_object(state, "show"), "control") ?: "");
	fill_wish(t);
	/* without its data path it can still be detached: what is left is found by name */
	if (meta->datapath[0] &&
	    adopt_datapath(t, meta->datapath, json_get_object(state, "show"), &lost))
		finish(t, &lost);
	t->unfinished = was_unfinished(state);
	trunk_set_state(t, TRUNK_ATTACHING, "taken over from the last daemon");
	if (!trunk_has_control(t)) {
		set_static_format(t);
		finish(t, NULL);
		return 0;
	}
	json_object_object_get_ex(state, "session", &session);
	adopt_format(t, session);
	/* without its control channel the trunk can still be shown and detached */
	if (session_adopt(&t->session, t->env.base, &t->wish, session, &session_ops, t, &lost))
		finish(t, &lost);
	return 0;
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
	ret = new_trunk(&t, env, done, arg, err);
	if (!ret) {
		t->adopted = true;
		ret = pins_open(&t->pins, ifindex, PINS_WRITE, err)
			?: pins_get_meta(&t->pins, meta, &state, err)
			?: adopt_state(t, meta, state, err);
	}
	json_object_put(state);
	free(meta);
	if (ret)
		trunk_free(&t);
	*out = t;
	return ret;
}

/* --- detach, the end --- */

static void on_stopped(void *arg, const struct error *err)
{
	if (err)
		log_warning("%s: %s", trunk_name(arg), err->text);
	/* a modem that is silent or gone keeps nobody from taking the data path down */
	finish(arg, NULL);
}

int trunk_check_idle(const struct trunk *t, struct error *err)
{
	if (t->state != TRUNK_ATTACHING && t->state != TRUNK_DETACHING)
		return 0;
	error_set(err, -EBUSY, "%s is %s right now", t->config.dev, trunk_state_name(t->state));
	error_hint(err, "try again when it is done; `qmapctl show %s` tells", t->config.dev);
	return -EBUSY;
}

int trunk_detach(struct trunk *t, trunk_done done, void *arg, struct error *err)
{
	int ret = trunk_check_idle(t, err);

	if (ret)
		return ret;
	trunk_set_state(t, TRUNK_DETACHING, "");
	t->result = (struct error){0};
	t->done = done;
	t->done_arg = arg;
	for (unsigned int i = 0; i < t->nports; i++)
		set_flow(t, &t->ports[i], false);
	save(t);
	if (t->session)
		session_stop(t->session, on_stopped, t);
	else
		finish(t, NULL);
	return 0;
}

void trunk_dev_gone(struct trunk *t)
{
	if (t->state == TRUNK_ATTACHED)
		lose(t, "the netdev is gone: modem unplugged or restarted");
}

void trunk_free(struct trunk **p)
{
	struct trunk *t = *p;

	if (!t)
		return;
	if (t->commands)
		event_free(t->commands);
	session_free(&t->session);
	if (t->dp)
		t->ops->close(&t->dp);
	pins_close(&t->pins);
	event_free(t->finish);
	free(t);
	*p = NULL;
}
