// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens the modem behind a trunk's netdev, again and again until it is set up. */
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qmi/transport.h"
#include "util/clock.h"
#include "util/node.h"
#include "build.h"
#include "internal.h"
#include "open.h"
#include "path.h"
#include "pins.h"
#include "recover.h"
#include "usb.h"

/*
 * A modem that was ready for this time is opened at once when it is lost; one that is lost right
 * after it was opened, again and again, is not.
 */
#define READY_FOR_LONG_MS 5000

struct trunk_open {
	unsigned int tries; /* attempts since the modem was last ready for long */
	int64_t ready_ms;   /* when it became ready, CLOCK_MONOTONIC */
	struct event *retry;
	struct node_watch *node; /* watches for the missing control channel */
};

/* With no setting, or "qmi-proxy" alone, the device is the one beside the netdev. */
static bool finds_control(const struct trunk *t)
{
	const char *device = qmi_proxy_path(t->config.control);

	return t->own_control || (device ? !*device : !t->config.control[0]);
}

void trunk_fill_setup(struct trunk *t)
{
	char found[sizeof(t->setup.control)];

	memcpy(found, t->setup.control, sizeof(found));
	session_setup_init(&t->setup, &t->config);
	t->setup.persist |= t->was_ready;
	if (finds_control(t))
		memcpy(t->setup.control, found, sizeof(found));
	trunk_fill_wishes(t);
}

static int find_control(struct trunk *t, struct error *err)
{
	bool proxy = qmi_proxy_path(t->config.control);
	char *at = t->setup.control;
	size_t size = sizeof(t->setup.control);

	if (!finds_control(t))
		return 0;
	if (proxy)
		at += snprintf(at, size, "%s:", QMI_PROXY_PREFIX);
	return trunk_dev_control(t->dev.name, at, size - (at - t->setup.control), err);
}

void trunk_leave(struct trunk *t, struct json_object *left)
{
	json_object_put(t->left);
	t->left = left;
}

static int start(struct trunk *t, struct error *err)
{
	int ret;

	if (t->left) {
		ret = session_resume(&t->session, t->env.base, &t->setup, t->left,
				     &trunk_session_ops, t, err);
		if (!ret)
			trunk_leave(t, NULL);
		return ret;
	}
	if (trunk_has_control(t))
		return session_start(&t->session, t->env.base, &t->setup, &trunk_session_ops, t,
				     err);
	ret = trunk_start_static(t, err);
	if (!ret)
		modem_input_later(t->modem, TRUNK_IN_OPENED, NULL);
	return ret;
}

/* A second session would begin by SYNC, which ends the calls of the first. */
static int check_channel(const struct trunk *t, struct error *err)
{
	const char *user = NULL;

	if (t->env.user_of)
		user = t->env.user_of(t->env.arg, t, t->setup.control);
	if (!user)
		return 0;
	error_set(err, -EBUSY, "control channel %s belongs to trunk %s", t->setup.control, user);
	error_hint(err, "several PDNs of one modem are one trunk: add them to %s", user);
	return -EBUSY;
}

int trunk_open_now(struct trunk *t, struct error *err)
{
	int ret = trunk_dev_check(&t->dev, err) ?: find_control(t, err);

	if (!ret && !t->dp)
		ret = trunk_choose_datapath(t, err)
			      ?: trunk_take_driver(t, err)
			      ?: find_control(t, err);
	if (!ret)
		ret = trunk_move_pins(t, err);
	if (ret)
		return ret;
	trunk_fill_setup(t);
	ret = check_channel(t, err);
	if (ret)
		return ret;
	trunk_save(t);
	ret = start(t, err);
	if (!ret)
		modem_input(t->modem, TRUNK_IN_CHANNEL, NULL);
	return ret;
}

/* May it succeed the next moment? Otherwise the modem, or the kernel, has refused. */
static bool may_change_soon(int err)
{
	switch (-err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ECONNREFUSED:
	case ETIMEDOUT:
	case EPIPE:
	case EIO:
	case EAGAIN:
	case EBUSY:
		return true;
	}
	return false;
}

void trunk_open_in(struct trunk *t, unsigned int ms)
{
	struct timeval tv = clock_timeval(ms);

	event_add(t->open->retry, &tv);
}

/* Path of the missing control channel; "/dev/": any that the modem will have. */
static const char *missing_control(const struct trunk *t)
{
	const char *device = qmi_proxy_path(t->config.control), *path;
	char found[sizeof(t->setup.control)];

	if (finds_control(t))
		return trunk_dev_control(t->dev.name, found, sizeof(found), NULL) ? "/dev/" : NULL;
	path = device ? device : t->config.control;
	return path[0] == '/' && access(path, F_OK) ? path : NULL;
}

static void on_node(void *arg)
{
	struct trunk *t = arg;

	t->open->tries = 0;
	trunk_open_in(t, 0);
}

/*
 * Looks once more after starting the watch, so that a channel that appears in between is not
 * missed.
 */
static bool wait_for_control(struct trunk *t)
{
	const char *path = trunk_has_control(t) && t->dev.ifindex ? missing_control(t) : NULL;

	node_watch_free(&t->open->node);
	if (!path || node_watch_new(&t->open->node, t->env.base, path, on_node, t))
		return false;
	if (missing_control(t))
		return true;
	node_watch_free(&t->open->node);
	return false;
}

void trunk_open_again(struct trunk *t, const struct error *err)
{
	trunk_recover_failed(t, err);
	if (err && wait_for_control(t))
		return;
	trunk_open_in(t, trunk_backoff_ms(t->open->tries++, !err || may_change_soon(err->err)));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct trunk *t = arg;
	struct error err = {0};

	enum trunk_state state = modem_state(t->modem);

	if (state != TRUNK_PRESENT && state != TRUNK_LOST)
		return;
	if (trunk_dev_is_left_over(&t->dev)) {
		error_set(&err, -ENODEV, "the kernel has left the netdev of a modem that is gone");
		modem_input(t->modem, TRUNK_IN_NETDEV_GONE, &err);
		return;
	}
	if (!trunk_open_now(t, &err)) {
		node_watch_free(&t->open->node);
		return;
	}
	modem_explain(t->modem, &err);
	trunk_save(t);
	trunk_open_again(t, &err);
	trunk_answer(t, NULL); /* waiting is the result of the attach */
}

void trunk_open_lost(struct trunk_open *o)
{
	if (clock_ms() - o->ready_ms > READY_FOR_LONG_MS)
		o->tries = 0;
}

void trunk_open_ready(struct trunk_open *o)
{
	o->ready_ms = clock_ms();
}

void trunk_open_hope(struct trunk_open *o)
{
	o->tries = 0;
}

bool trunk_open_is_repeated(const struct trunk_open *o)
{
	return o->tries > 1;
}

void trunk_open_stop(struct trunk_open *o)
{
	event_del(o->retry);
	node_watch_free(&o->node);
}

struct trunk_open *trunk_open_new(struct trunk *t)
{
	struct trunk_open *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->retry = event_new(t->env.base, -1, 0, on_retry, t);
	if (!o->retry)
		trunk_open_free(&o);
	return o;
}

void trunk_open_free(struct trunk_open **o)
{
	if (!*o)
		return;
	if ((*o)->retry)
		event_free((*o)->retry);
	node_watch_free(&(*o)->node);
	free(*o);
	*o = NULL;
}
