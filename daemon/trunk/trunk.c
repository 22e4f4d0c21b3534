// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One trunk: events move its modem through the table of trunk/modem.c, with the actions on
 * the way.
 */
#include "trunk.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "events/events.h"
#include "rtnl/watch.h"
#include "util/log.h"
#include "rtnl/monitor.h"
#include "build.h"
#include "clat.h"
#include "failover.h"
#include "internal.h"
#include "open.h"
#include "pins.h"
#include "reconcile.h"
#include "recover.h"
#include "settle.h"
#include "usb.h"

/*
 * udev may be about to rename a netdev that comes under another name than the configured one, which
 * the kernel refuses once it is up.
 */
#define RENAME_MS    300
#define UDEV_RUNNING "/run/udev/control"

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

int trunk_qmap_version(const struct trunk *t)
{
	return t->dp ? t->format.version : QMAP_OFF;
}

const char *trunk_netdev(const struct trunk *t)
{
	return t->dev.name;
}

const char *trunk_device(const struct trunk *t)
{
	return t->dev.device;
}

bool trunk_uses_channel(const struct trunk *t, const char *control)
{
	struct stat ours, theirs;

	if (!t->session || stat(t->setup.control, &ours) || stat(control, &theirs))
		return false;
	if (S_ISCHR(ours.st_mode) && S_ISCHR(theirs.st_mode))
		return ours.st_rdev == theirs.st_rdev;
	return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool trunk_is_detaching(const struct trunk *t)
{
	return modem_state(t->modem) == TRUNK_DETACHING;
}

bool trunk_is_ready(const struct trunk *t)
{
	return modem_state(t->modem) == TRUNK_READY;
}

/* With a configuration an attach continues; the client of an attach by command got no answer. */
bool trunk_is_unfinished(const struct trunk *t)
{
	return t->was_detaching || (t->unfinished && !t->config.persist);
}

bool trunk_has_control(const struct trunk *t)
{
	return strcmp(t->config.control, "none");
}

bool trunk_has_port(const struct trunk *t, const char *name)
{
	for (unsigned int i = 0; i < t->nports; i++)
		if (!strcmp(t->ports[i].port.name, name))
			return true;
	return false;
}

struct trunk_port *trunk_find_port(const struct trunk *t, unsigned int pdn)
{
	for (unsigned int i = 0; i < t->nports; i++)
		if (t->ports[i].port.number == pdn)
			return (struct trunk_port *)&t->ports[i];
	return NULL;
}

void trunk_answer(struct trunk *t, const struct error *err)
{
	trunk_done done = t->done;

	t->done = NULL;
	if (done)
		done(t->done_arg, t, err);
}

/* --- the state --- */

static void add_event(struct trunk *t, enum trunk_state from, bool info)
{
	struct events_entry e = {.kind = EVENTS_MODEM, .modem = {from, modem_state(t->modem)}};

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.reason, sizeof(e.reason), "%s", modem_reason(t->modem));
	events_add(t->env.events, &e, info);
}

/* Logs states that the waiting caller does not get as an answer. */
static void on_state(void *arg, enum trunk_state from, const struct error *err)
{
	struct trunk *t = arg;
	bool ready = modem_state(t->modem) == TRUNK_READY;

	add_event(t, from, err ? t->was_ready || !t->done : ready && !t->done);
}

void trunk_renew(struct trunk *t)
{
	struct error err = {0};
	bool changed = false;
	char name[IFNAMSIZ];

	if (!t->dp || !t->ops->renew || !if_indextoname(t->dev.ifindex, name))
		return;
	if (t->ops->renew(t->dp, &changed, &err))
		log_warning("%s: goes on with the BPF programs of an earlier qmapd: %s",
			    t->config.dev, err.text);
	else if (changed)
		log_info("%s: BPF programs replaced by those of this qmapd", t->config.dev);
}

/* --- the netdev --- */

static void take_netdev(struct trunk *t, const char *name, unsigned int delay_ms)
{
	struct trunk_dev was = t->dev;
	struct error err = {0};

	if (trunk_dev_open(&t->dev, name, &err)) {
		/* the reason of its disappearance is better than that it is missing */
		if (!(err.err == -ENODEV && modem_reason(t->modem)[0]) &&
		    modem_set_reason(t->modem, err.text))
			add_event(t, modem_state(t->modem), true);
		return;
	}
	if (t->home[0] && strcmp(was.device, t->dev.device))
		usb_driver_forget(was.device); /* it has moved to another socket */
	trunk_open_hope(t->open);
	modem_input(t->modem, TRUNK_IN_NETDEV, NULL);
	if (delay_ms)
		trunk_open_in(t, delay_ms);
}

void trunk_offer(struct trunk *t, const char *name)
{
	bool may_be_renamed = strcmp(name, t->config.dev) && !access(UDEV_RUNNING, F_OK);
	char device[sizeof(t->dev.device)];

	/* A modem on USB or PCIe does not come back as a netdev without a device. */
	trunk_dev_device(name, device, sizeof(device));
	if (modem_state(t->modem) == TRUNK_ABSENT && (device[0] || !t->dev.device[0]))
		take_netdev(t, name, may_be_renamed ? RENAME_MS : 0);
}

void trunk_seek(struct trunk *t)
{
	char name[IFNAMSIZ];

	if (!trunk_dev_find(t->dev.device, name))
		trunk_offer(t, name);
	else if (!t->env.is_free || t->env.is_free(t->env.arg, t, t->config.dev))
		trunk_offer(t, t->config.dev);
}

void trunk_netdev_gone(struct trunk *t, const char *why)
{
	struct error err = {0};

	error_set(&err, -ENODEV, "%s", why);
	modem_input(t->modem, TRUNK_IN_NETDEV_GONE, &err);
}

void trunk_netdev_renamed(struct trunk *t, const char *name)
{
	log_info("%s: the netdev %s is called %s now", t->config.dev, t->dev.name, name);
	snprintf(t->dev.name, sizeof(t->dev.name), "%s", name);
	trunk_save(t);
}

static bool is_inner(const struct trunk *t, const char *name)
{
	char inner[IFNAMSIZ];

	for (unsigned int i = 0; datapath_inner_name(t->ops, t->config.dev, i, inner); i++)
		if (!strcmp(name, inner))
			return true;
	return false;
}

void trunk_netlink(struct trunk *t, const char *netns, const struct rtnl_event *e)
{
	bool gone = e->kind == RTNL_LINK_GONE || e->kind == RTNL_LINK_MOVED;

	if (!*netns && (gone ? t->dp && is_inner(t, e->name) : e->ifindex == t->dev.ifindex))
		trunk_look(t);
	else if (!*netns && t->dp && is_inner(t, e->name))
		trunk_programs_changed(t);
	for (unsigned int i = 0; i < t->nports; i++) {
		struct trunk_port *p = &t->ports[i];
		bool may_be_back = p->away && !strcmp(p->port.name, e->name); /* renumbered */
		bool its_rule = e->kind == RTNL_RULE_GONE && trunk_port_pdn(p)->table;

		if (strcmp(p->port.netns, netns))
			continue;
		if (p->ifindex == e->ifindex && e->kind == RTNL_LINK_MOVED) {
			p->away = true;
			trunk_save_later(t);
		}
		if (p->ifindex != e->ifindex && !may_be_back && !its_rule &&
		    (!*e->name || strcmp(trunk_port_pdn(p)->vrf, e->name)))
			continue; /* nor its VRF */
		trunk_look(t);
	}
}

/* --- closing --- */

/* A modem that is silent or gone must not keep the data path from being taken down. */
static void on_closed(void *arg, const struct error *err)
{
	struct trunk *t = arg;

	if (err)
		log_warning("%s: %s", trunk_name(t), err->text);
	modem_input_later(t->modem, TRUNK_IN_CLOSED, &t->why_closing);
}

static void close_modem(struct trunk *t, const struct error *err)
{
	trunk_open_stop(t->open);
	if (t->closing)
		return;
	t->closing = true;
	t->why_closing = err ? *err : (struct error){0};
	for (unsigned int i = 0; i < t->nports; i++)
		trunk_set_flow(t, &t->ports[i], false);
	trunk_save(t);
	if (t->session)
		session_stop(t->session, on_closed, t);
	else
		modem_input_later(t->modem, TRUNK_IN_CLOSED, &t->why_closing);
}

/* The proxy is away: its modem cannot be told. */
static void abandon(struct trunk *t)
{
	if (t->left)
		log_warning("%s: client ids stay in the modem, because qmi-proxy is away",
			    t->config.dev);
	trunk_leave(t, NULL);
}

static void undo(struct trunk *t, struct error *result)
{
	abandon(t);
	session_free(&t->session);
	trunk_removal_over(t);
	trunk_tear_down(t, result);
	trunk_give_back_driver(t, result);
	t->dev.ifindex = 0;
	if (t->pins.meta >= 0)
		pins_remove(&t->pins);
}

/* Kernel back to how it was; the netdev that is there then, or comes later, is taken. */
static void seek_again(struct trunk *t)
{
	struct error err = {0};

	if (trunk_tear_down(t, &err))
		log_warning("%s: %s", t->config.dev, err.text);
	trunk_look_driver(t);
	trunk_leave(t, NULL); /* it has gone with the modem */
	t->dev.ifindex = 0;
	t->adopted = false;
	err = (struct error){0};
	if (trunk_move_pins(t, &err))
		log_error("%s: %s; it will be forgotten if qmapd ends", t->config.dev, err.text);
	trunk_answer(t, NULL);
	trunk_seek(t);
}

/* --- executing the table --- */

static void settle(struct trunk *t)
{
	if (t->adopted)
		trunk_stale_families_down(t);
	t->was_ready = true;
	trunk_open_ready(t->open);
	trunk_recover_ready(t);
	trunk_settle_look(t->settle);
	trunk_look_forgive(t->look);
	trunk_look(t); /* nothing was checked while it was opened, or while no daemon was running */
	trunk_save(t);
}

/* The attach or adoption has come to something: its caller, if one waits, gets the answer. */
static void first_news(struct trunk *t)
{
	struct error err = {0};

	/* An earlier process has left it incomplete, and it is configured. */
	if (t->adopted && !trunk_is_unfinished(t) && (t->unfinished || !t->dp)) {
		t->unfinished = false;
		error_set(&err, -EUCLEAN, "%s", "what the last daemon has left is incomplete");
		modem_input(t->modem, TRUNK_IN_ANEW, &err);
	}
	trunk_answer(t, NULL);
}

static void on_action(void *arg, enum trunk_action action, const struct error *err)
{
	struct trunk *t = arg;
	struct error result = {0};

	switch (action) {
	case TRUNK_NOTHING:
		break;
	case TRUNK_TRY:
		trunk_open_again(t, err);
		break;
	case TRUNK_RELENT:
		trunk_open_lost(t->open);
		break;
	case TRUNK_CLOSE:
		close_modem(t, err);
		break;
	case TRUNK_END:
		if (t->session)
			trunk_leave(t, json_object_get(session_left(t->session)));
		session_free(&t->session);
		trunk_removal_over(t);
		trunk_settle_look(t->settle);
		trunk_ports_down(t);
		t->closing = false;
		break;
	case TRUNK_SAVE:
		trunk_save(t);
		break;
	case TRUNK_SETTLE:
		settle(t);
		break;
	case TRUNK_SEEK:
		seek_again(t);
		break;
	case TRUNK_UNDO:
		undo(t, NULL);
		break;
	case TRUNK_FORGET:
		undo(t, &result);
		trunk_answer(t, result.err ? &result : NULL);
		break;
	case TRUNK_NEWS:
		first_news(t);
		break;
	case TRUNK_REFUSE:
		trunk_answer(t, err);
		break;
	}
}

static bool is_only_attempt(void *arg)
{
	const struct trunk *t = arg;

	return t->done && !t->config.persist && !t->adopted;
}

static void on_idle(void *arg)
{
	first_news(arg);
}

static const struct modem_owner modem_owner = {
	.act = on_action,
	.changed = on_state,
	.is_only_attempt = is_only_attempt,
	.idle = on_idle,
};

/* --- the object --- */

int trunk_new(struct trunk **out, const struct trunk_env *env, trunk_done done, void *arg,
	      struct error *err)
{
	struct trunk *t = calloc(1, sizeof(*t));

	*out = t;
	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->env = *env;
	t->pins = PINS_INIT;
	t->done = done;
	t->done_arg = arg;
	t->modem = modem_new(env->base, &modem_owner, t);
	t->open = trunk_open_new(t);
	t->recover = trunk_recover_new(t);
	t->look = trunk_look_new(t);
	t->settle = trunk_settle_new(t);
	if (t->recover && t->modem && t->open && t->look && t->settle && !trunk_save_new(t))
		return 0;
	trunk_free(out);
	return error_set(err, -ENOMEM, "out of memory");
}

void trunk_begin(struct trunk *t, enum trunk_state state)
{
	modem_begin(t->modem, state);
	if (state == TRUNK_OPENING)
		return;
	modem_kick(t->modem);
	if (state == TRUNK_ABSENT)
		trunk_seek(t);
	else
		trunk_open_again(t, NULL);
}

void trunk_free(struct trunk **p)
{
	struct trunk *t = *p;

	if (!t)
		return;
	if (t->save && event_pending(t->save, EV_TIMEOUT, NULL))
		trunk_save(t);
	trunk_settle_free(&t->settle);
	trunk_clat_forget_all(t);
	for (unsigned int i = 0; i < t->nports; i++) {
		trunk_failover_forget(&t->ports[i]);
		rtnl_watch_use(t->env.watch, t->ports[i].port.netns, -1);
	}
	trunk_look_free(&t->look);
	trunk_recover_free(&t->recover);
	trunk_ignore_commands(t);
	session_free(&t->session);
	trunk_leave(t, NULL);
	if (t->dp)
		t->ops->close(&t->dp);
	pins_close(&t->pins);
	free(t->removal);
	modem_free(&t->modem);
	trunk_open_free(&t->open);
	if (t->save)
		event_free(t->save);
	free(t);
	*p = NULL;
}

/* --- requests --- */

/* A command: its user needs any error at once. */
static int attach_now(struct trunk *t, struct error *err)
{
	int ret = trunk_dev_open(&t->dev, t->config.dev, err);

	if (ret)
		return ret;
	modem_input(t->modem, TRUNK_IN_NETDEV, NULL);
	trunk_open_stop(t->open);
	ret = trunk_open_now(t, err);
	if (ret)
		undo(t, NULL);
	return ret;
}

/* From a file: missing devices are waited for. */
static int attach_some_time(struct trunk *t, struct error *err)
{
	int ret = trunk_move_pins(t, err);

	if (ret)
		return ret;
	trunk_seek(t);
	if (modem_state(t->modem) == TRUNK_ABSENT)
		modem_kick(t->modem); /* that changes the state, too */
	return 0;
}

int trunk_attach(struct trunk **out, const struct trunk_env *env, const struct config_trunk *config,
		 trunk_done done, void *arg, struct error *err)
{
	int ret = trunk_new(out, env, done, arg, err);

	if (ret)
		return ret;
	(*out)->config = *config;
	ret = config->persist ? attach_some_time(*out, err) : attach_now(*out, err);
	if (ret)
		trunk_free(out);
	return ret;
}

int trunk_check_idle(const struct trunk *t, struct error *err)
{
	if (modem_state(t->modem) != TRUNK_DETACHING && !t->done)
		return 0;
	error_set(err, -EBUSY, "%s is %s right now", t->config.dev,
		  attachment_name(trunk_attachment(t)));
	error_hint(err, "try again when it is done; `qmapctl show %s` tells", t->config.dev);
	return -EBUSY;
}

int trunk_detach(struct trunk *t, trunk_done done, void *arg, struct error *err)
{
	struct error cancelled = {0};

	if (modem_state(t->modem) == TRUNK_DETACHING)
		return trunk_check_idle(t, err);
	error_set(&cancelled, -ECANCELED, "%s was detached meanwhile", t->config.dev);
	modem_set_reason(t->modem, "");
	modem_input(t->modem, TRUNK_IN_DETACH, NULL);
	trunk_answer(t, &cancelled);
	trunk_settle_end(t, &cancelled);
	t->done = done;
	t->done_arg = arg;
	return 0;
}

/* Leaves calls that are up alone: the modem reports when they end, or that it has restarted. */
void trunk_resumed(struct trunk *t)
{
	if (modem_state(t->modem) == TRUNK_READY && t->session)
		session_retry(t->session, 0);
	if (modem_state(t->modem) != TRUNK_PRESENT && modem_state(t->modem) != TRUNK_LOST)
		return;
	trunk_open_hope(t->open);
	if (!t->closing)
		trunk_open_again(t, NULL);
}
