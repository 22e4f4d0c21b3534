// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns events of the session into netdevs, addresses, routes and events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events/events.h"
#include "util/log.h"
#include "build.h"
#include "clat.h"
#include "failover.h"
#include "internal.h"
#include "path.h"
#include "pins.h"
#include "port_rows.h"
#include "recover.h"
#include "settle.h"

/*
 * Lines a minute about calls: enough for those of all PDNs twice, while a modem whose calls come
 * and go without end does not fill the log.
 */
#define LOG_BURST 256

/* The modem is back with another data format: builds ports and data path again. */
static int rebuild(struct trunk *t, struct error *err)
{
	int ret;

	log_info("%s: another data format than before, the ports are made anew", t->config.dev);
	trunk_tear_down(t, NULL);
	ret = trunk_choose_datapath(t, err) ?: trunk_grant_datapath(t, t->format.version, err)
		?: trunk_clear_pins(t, err);
	return ret ?: trunk_build(t, err);
}

static int on_format(void *arg, const struct data_format *format, struct error *err)
{
	struct trunk *t = arg;
	bool fits = data_format_fits(&t->format, format);

	t->format = *format;
	if (!t->dp)
		return trunk_grant_datapath(t, format->version, err) ?: trunk_build(t, err);
	return fits ? 0 : rebuild(t, err);
}

static void add_event(struct trunk *t, const struct session_transition *tr)
{
	const struct trunk_port *p = trunk_find_port(t, tr->pdn);
	struct events_entry e = {.kind = EVENTS_CALL,
				 .pdn = tr->pdn,
				 .family = tr->family,
				 .call = {tr->from, tr->to}};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.port, sizeof(e.port), "%s", p ? p->port.name : "");
	snprintf(e.reason, sizeof(e.reason), "%s", tr->reason);
	/* Logs results, not intermediate states; up() and down() log by themselves. */
	events_add(t->env.events, &e, tr->to == CALL_FAILED || tr->to == CALL_BACKOFF);
}

static void on_up(void *arg, unsigned int pdn, const struct ip_settings *s)
{
	struct trunk *t = arg;
	struct trunk_port *p = trunk_find_port(t, pdn);
	struct error err = {0};
	bool again;

	if (!p || !t->dp)
		return;
	if (s->family == 4)
		trunk_clat_stop(t, p);
	again = p->settings[s->family == 6].family;
	keep_forgive(&p->keep);
	trunk_set_flow(t, p, true);
	if (trunk_port_up(p, s, t->env.run_dir, &err))
		trunk_port_event(t, p, NETDEV_FAILED, "%s", err.text);
	trunk_clat_update(t, p);
	trunk_port_look(t, p);
	if (p->keep.wrong)
		trunk_look(t);
	if (!trunk_port_damage_of(p, s->family))
		log_limited(LOG_LEVEL_INFO, LOG_BURST, "%s: IPv%d up", p->port.name, s->family);
	if (again)
		add_event(t, &(struct session_transition){
				     .pdn = pdn,
				     .family = s->family,
				     .from = CALL_UP,
				     .to = CALL_UP,
				     .reason = "the network has changed its settings"});
	trunk_save_later(t);
}

static void on_down(void *arg, unsigned int pdn, int family, const struct call_end *why)
{
	struct trunk *t = arg;
	struct trunk_port *p = trunk_find_port(t, pdn);

	(void)why; /* session_show() has its name */
	if (!p)
		return;
	trunk_port_family_down(t, p, family);
	log_limited(LOG_LEVEL_INFO, LOG_BURST, "%s: IPv%d down", p->port.name, family);
	trunk_save_later(t);
}

static void on_changed(void *arg)
{
	struct trunk *t = arg;

	trunk_save(t);
	trunk_settle_look(t->settle);
}

static void on_transition(void *arg, const struct session_transition *tr)
{
	struct trunk *t = arg;
	struct trunk_port *p = trunk_find_port(t, tr->pdn);

	add_event(t, tr);
	if (p && tr->family == 4 && t->dp)
		trunk_clat_update(t, p);
	trunk_recover_call(t);
	trunk_save_later(t);
	trunk_settle_look(t->settle);
}

static void on_signal(void *arg, const char *from, const char *to, int dbm)
{
	const struct trunk *t = arg;
	struct events_entry e = {.kind = EVENTS_SIGNAL, .dbm = dbm};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.from, sizeof(e.from), "%s", from);
	snprintf(e.to, sizeof(e.to), "%s", to);
	events_add(t->env.events, &e, false);
}

static void on_message(void *arg, bool from_modem, const struct qmi_message *m)
{
	const struct trunk *t = arg;

	if (t->env.message)
		t->env.message(t->env.arg, t, from_modem, m);
}

static const char *on_run_dir(void *arg)
{
	return ((const struct trunk *)arg)->env.run_dir;
}

static void on_rx_packets(void *arg, uint64_t rx[QMAP_MAX_MUX])
{
	struct trunk *t = arg;

	if (t->dp && t->ops->rx_packets(t->dp, rx, NULL))
		memset(rx, 0, QMAP_MAX_MUX * sizeof(rx[0]));
}

static void on_quiet(void *arg, unsigned int pdn)
{
	trunk_failover_quiet(arg, pdn);
}

static bool on_silent(void *arg, unsigned int pdn, unsigned int times)
{
	trunk_failover_silent(arg, pdn);
	return trunk_recover_silent(arg, pdn, times);
}

static void on_heard(void *arg, unsigned int pdn)
{
	trunk_failover_heard(arg, pdn);
	trunk_recover_heard(arg, pdn);
}

static void on_started(void *arg, const struct error *err)
{
	const struct trunk *t = arg;

	modem_input_later(t->modem, err ? TRUNK_IN_FAILED : TRUNK_IN_OPENED, err);
}

static void on_lost(void *arg, const char *why)
{
	const struct trunk *t = arg;
	struct error err = {0};

	error_set(&err, -ENODEV, "%s", why);
	modem_input_later(t->modem, TRUNK_IN_LOST, &err);
}

const struct session_ops trunk_session_ops = {
	.format = on_format,
	.up = on_up,
	.down = on_down,
	.changed = on_changed,
	.transition = on_transition,
	.run_dir = on_run_dir,
	.message = on_message,
	.signal = on_signal,
	.rx_packets = on_rx_packets,
	.quiet = on_quiet,
	.silent = on_silent,
	.heard = on_heard,
	.started = on_started,
	.lost = on_lost,
};
