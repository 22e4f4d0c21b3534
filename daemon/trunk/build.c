// SPDX-License-Identifier: GPL-2.0-or-later
/* Builds the data path of a trunk and its ports, and takes them down. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "config/port_name.h"
#include "rtnl/watch.h"
#include "util/log.h"
#include "build.h"
#include "clat.h"
#include "failover.h"
#include "internal.h"
#include "path.h"
#include "pins.h"
#include "port_rows.h"
#include "reconcile.h"
#include "totals.h"

/* --- ports --- */

void trunk_port_init(const struct trunk *t, struct trunk_port *p, const struct config_pdn *pdn)
{
	*p = (struct trunk_port){
		.config = &t->config,
		.port = {.number = pdn->number, .mux = pdn->mux},
		.max_packet = datapath_max_packet(t->format.ul_max_bytes),
		.keeps_mtu = t->ops == &datapath_raw,
		.keep = {.patience_ms = t->ops->gone_ms},
	};
	memcpy(p->port.netns, pdn->netns, sizeof(p->port.netns));
	snprintf(p->key, sizeof(p->key), "%s.%u", t->config.dev, pdn->number);
	config_trunk_port(&t->config, pdn->number, p->port.name);
}

int trunk_add_port(struct trunk *t, const struct config_pdn *pdn, struct error *err)
{
	struct trunk_port *p = &t->ports[t->nports];
	int ret;

	trunk_port_init(t, p, pdn);
	ret = t->ops->add_port(t->dp, &p->port, err);
	if (ret)
		return ret;
	trunk_port_steer(t, p);
	ret = trunk_port_place(p, err);
	if (ret) {
		t->ops->del_port(t->dp, pdn->mux, NULL);
	} else {
		t->nports++;
		rtnl_watch_use(t->env.watch, p->port.netns, 1);
		trunk_totals_begin_port(t, p);
	}
	trunk_port_locate(p);
	return ret;
}

void trunk_del_port(struct trunk *t, unsigned int pdn)
{
	struct trunk_port *p = trunk_find_port(t, pdn);
	struct error err = {0};

	if (!p)
		return;
	trunk_totals_look(t);
	trunk_set_flow(t, p, false);
	trunk_clat_stop(t, p);
	trunk_clat_forget(t, pdn);
	if (trunk_has_control(t)) {
		trunk_port_down(p, 4);
		trunk_port_down(p, 6);
	}
	if (t->dp && t->ops->del_port(t->dp, p->port.mux, &err))
		log_warning("%s: %s", p->port.name, err.text);
	rtnl_watch_use(t->env.watch, p->port.netns, -1);
	trunk_failover_forget(p);
	memmove(p, p + 1, (&t->ports[t->nports] - (p + 1)) * sizeof(*p));
	t->nports--;
}

void trunk_set_flow(struct trunk *t, struct trunk_port *p, bool on)
{
	struct error err = {0};
	int ret = t->dp ? t->ops->flow(t->dp, p->port.mux, on, &err) : 0;

	p->running_set = false;
	/* a process that died may not have added this port; a missing port is off */
	if (ret && (on || ret != -ENODEV))
		log_error("%s: %s", p->port.name, err.text);
}

void trunk_port_family_down(struct trunk *t, struct trunk_port *p, int family)
{
	if (family == 6)
		trunk_clat_stop(t, p);
	trunk_port_down(p, family);
	if (!trunk_port_is_up(p))
		trunk_set_flow(t, p, false);
}

/*
 * @up: includes families that this process has set up; others may be up from the previous
 * process.
 */
static void families_down(struct trunk *t, struct trunk_port *p, bool up)
{
	bool was_up[2] = {p->settings[0].family, p->settings[1].family};

	if (!trunk_has_control(t))
		return; /* addresses are the user's */
	if (up || !was_up[1])
		trunk_clat_stop(t, p);
	if (trunk_port_pdn(p)->ip & CONFIG_IPV4 && (up || !was_up[0]))
		trunk_port_down(p, 4);
	if (trunk_port_pdn(p)->ip & CONFIG_IPV6 && (up || !was_up[1]))
		trunk_port_down(p, 6);
}

void trunk_ports_down(struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++) {
		trunk_set_flow(t, &t->ports[i], false);
		families_down(t, &t->ports[i], true);
	}
}

void trunk_stale_families_down(struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++) {
		families_down(t, &t->ports[i], false);
		if (trunk_has_control(t) && !trunk_port_is_up(&t->ports[i]))
			trunk_set_flow(t, &t->ports[i], false);
	}
}

/* --- data path --- */

static void on_commands(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	struct error err = {0};
	struct timeval tv = {0};
	int ms;

	if (t->ops->events(t->dp, &err)) {
		log_error("%s: %s", t->config.dev, err.text);
		event_del(t->commands);
		return;
	}
	ms = t->ops->wait_ms ? t->ops->wait_ms(t->dp) : -1;
	tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	if (ms >= 0)
		event_add(t->look_again, &tv);
}

void trunk_listen_commands(struct trunk *t)
{
	int fd = t->ops->event_fd ? t->ops->event_fd(t->dp) : -1;

	if (fd < 0)
		return;
	t->commands = event_new(t->env.base, fd, EV_READ | EV_PERSIST, on_commands, t);
	t->look_again = evtimer_new(t->env.base, on_commands, t);
	if (!t->commands || !t->look_again)
		return;
	event_add(t->commands, NULL);
	if (t->ops->wait_ms) /* an earlier process may have left a port held */
		event_active(t->look_again, EV_TIMEOUT, 0);
}

void trunk_ignore_commands(struct trunk *t)
{
	if (t->commands)
		event_free(t->commands);
	if (t->look_again)
		event_free(t->look_again);
	t->commands = t->look_again = NULL;
}

static int build(struct trunk *t, struct error *err)
{
	const struct data_format *format = &t->format;
	int ret;

	ret = t->ops->attach(&t->dp, &t->pins, t->config.dev, format, err);
	if (ret)
		return ret;
	trunk_explain_datapath(t);
	trunk_listen_commands(t);
	for (unsigned int i = 0; i < t->config.npdns; i++) {
		ret = trunk_add_port(t, &t->config.pdns[i], err);
		if (ret)
			return ret;
	}
	trunk_look_begin(t);
	return trunk_dev_prepare(&t->dev, format->version != QMAP_OFF, format->dl_max_bytes, err);
}

int trunk_build(struct trunk *t, struct error *err)
{
	int ret = build(t, err);

	if (!ret) {
		trunk_totals_begin(t);
		return 0;
	}
	trunk_tear_down(t, NULL);
	trunk_clear_pins(t, NULL);
	return ret;
}

int trunk_tear_down(struct trunk *t, struct error *err)
{
	int ret = 0;

	trunk_totals_look(t);
	trunk_look_end(t->look);
	trunk_ignore_commands(t);
	trunk_ports_down(t);
	if (t->dp) {
		for (unsigned int i = 0; i < t->nports && t->ops == &datapath_raw; i++)
			trunk_port_leave_vrf(&t->ports[i]);
		ret = t->ops->detach(t->dp, err);
		if (t->ops == &datapath_raw)
			trunk_port_unquiet(t->dev.name);
		t->ops->close(&t->dp);
	}
	/* netdevs of a process that died before it saved them */
	if (t->adopted && t->dev.ifindex) {
		datapath_xdp_sweep(t->config.dev, t->dev.ifindex);
		datapath_shim_sweep(t->config.dev);
	}
	while (t->nports) {
		trunk_failover_forget(&t->ports[--t->nports]);
		rtnl_watch_use(t->env.watch, t->ports[t->nports].port.netns, -1);
	}
	trunk_clat_forget_all(t);
	trunk_dev_restore(&t->dev);
	return ret;
}

/* --- without a control channel: the user sets version and sizes, PDNs are up from the start --- */

void trunk_set_static_format(struct trunk *t)
{
	t->format = (struct data_format){
		.version = t->config.qmap == CONFIG_QMAP_AUTO ? QMAP_V1 : (int)t->config.qmap,
		.dl_max_bytes = t->setup.wish[0].dl_max_bytes,
		.dl_max_datagrams = t->setup.wish[0].dl_max_datagrams,
	};
}

int trunk_start_static(struct trunk *t, struct error *err)
{
	int ret = 0;

	if (!t->dp) {
		trunk_set_static_format(t);
		ret = trunk_build(t, err);
	}
	for (unsigned int i = 0; i < t->nports && !ret; i++) {
		ret = trunk_port_enable(&t->ports[i], err);
		if (!ret)
			trunk_set_flow(t, &t->ports[i], true);
	}
	return ret;
}
