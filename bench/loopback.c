// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of the qmi-proxy like any other program: the session of qmapd continues beside it, and
 * if this process dies the proxy releases the client id. (The loopback then stays on until the next
 * run, or a restart of the modem.)
 */
#include "loopback.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/qmi/client.h"
#include "daemon/qmi/ctl.h"
#include "daemon/qmi/names.h"
#include "daemon/qmi/transport.h"
#include "daemon/qmi/wda.h"

#define TIMEOUT_MS 10000

struct loopback {
	struct event_base *base;
	struct qmi_channel *channel;
	struct qmi_client *ctl, *wda;
	bool on, lost;
};

/* A request that waits for its reply. */
struct question {
	struct loopback *l;
	const char *what;
	bool answered;
	int err;
	uint16_t qmi_error;
	uint8_t id; /* of Allocate CID */
};

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct question *q = arg;
	struct qmi_result res = {0};
	uint8_t service;

	q->answered = true;
	q->err = err ?: qmi_message_result(m, &res);
	q->qmi_error = res.status ? res.error : 0;
	if (!q->err && !res.status && m->id == QMI_CTL_ALLOCATE_CID &&
	    !qmi_ctl_allocated(m, &service, &q->id))
		q->err = -EBADMSG;
}

static int ask(struct question *q, struct qmi_client *c, struct qmi_request *r, struct error *err)
{
	qmi_client_send(c, r, TIMEOUT_MS, on_reply, q);
	while (!q->answered && !q->l->lost && event_base_loop(q->l->base, EVLOOP_ONCE) >= 0)
		;
	if (!q->answered || q->err)
		return error_set(err, q->answered ? q->err : -ENODEV,
				 "the modem does not answer while %s", q->what);
	if (q->qmi_error)
		return error_set(err, -EOPNOTSUPP, "the modem refuses %s: %s (QMI error %u)",
				 q->what, qmi_error_name(q->qmi_error) ?: "no name known",
				 q->qmi_error);
	return 0;
}

static void on_lost(void *arg, const char *why)
{
	struct loopback *l = arg;

	l->lost = true;
}

static int set(struct loopback *l, unsigned int factor, struct error *err)
{
	struct question q = {.l = l, .what = factor ? "switching loopback on" : "switching it off"};
	struct qmi_request r;

	qmi_wda_set_loopback(&r, factor);
	return ask(&q, l->wda, &r, err);
}

static int allocate(struct loopback *l, struct error *err)
{
	struct question q = {.l = l, .what = "giving out a client id"};
	struct qmi_request r;
	int ret;

	qmi_ctl_allocate_cid(&r, QMI_WDA);
	ret = ask(&q, l->ctl, &r, err);
	if (!ret && qmi_client_new(&l->wda, l->channel, QMI_WDA, q.id, NULL, NULL))
		ret = error_set(err, -ENOMEM, "out of memory");
	return ret;
}

static int open_channel(struct loopback *l, const char *device, struct error *err)
{
	static const struct qmi_channel_ops ops = {.lost = on_lost};
	const char *proxied = qmi_proxy_path(device);
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "%s:%s", QMI_PROXY_PREFIX, proxied ?: device);
	l->base = event_base_new();
	ret = l->base ? qmi_channel_open(&l->channel, l->base, path, &ops, l, err)
		      : error_set(err, -ENOMEM, "out of memory");
	if (!ret && qmi_client_new(&l->ctl, l->channel, QMI_CTL, 0, NULL, NULL))
		ret = error_set(err, -ENOMEM, "out of memory");
	return ret;
}

int loopback_on(struct loopback **out, const char *device, unsigned int factor, struct error *err)
{
	struct loopback *l = calloc(1, sizeof(*l));
	int ret;

	*out = NULL;
	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	ret = open_channel(l, device, err) ?: allocate(l, err) ?: set(l, factor, err);
	l->on = !ret;
	if (ret)
		loopback_off(&l);
	*out = l;
	return ret;
}

static void release(struct loopback *l)
{
	struct question q = {.l = l, .what = "taking a client id back"};
	struct error ignored = {0};
	struct qmi_request r;

	qmi_ctl_release_cid(&r, QMI_WDA, qmi_client_id(l->wda));
	ask(&q, l->ctl, &r, &ignored);
}

void loopback_off(struct loopback **l)
{
	struct error err = {0};

	if (!*l)
		return;
	if ((*l)->on && set(*l, 0, &err))
		fprintf(stderr, "the modem may go on looping packets until it restarts: %s\n",
			err.text);
	if ((*l)->wda)
		release(*l);
	if ((*l)->channel)
		qmi_channel_free(&(*l)->channel);
	if ((*l)->base)
		event_base_free((*l)->base);
	free(*l);
	*l = NULL;
}
