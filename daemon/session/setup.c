// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"
#include "qmi/ctl.h"
#include "qmi/dms.h"
#include "qmi/names.h"
#include "hints.h"

enum setup_state {
	SETUP_SYNC,
	SETUP_VERSIONS,
	SETUP_WDA_CLIENT,
	SETUP_DMS_CLIENT,
	SETUP_MODEL,
	SETUP_REVISION,
	SETUP_MANUFACTURER,
	SETUP_FORMAT,
	SETUP_READY,
};

struct setup {
	struct setup_env env;
	const struct setup_owner *owner;
	void *arg;
	bool running;
	enum setup_state state;
	unsigned int attempt; /* of the present step */
	char model[64], revision[96], manufacturer[64];
	struct error error;
};

struct setup_step {
	const char *doing; /* as in "modem does not answer while <doing>" */
	bool (*skip)(const struct setup *s);
	enum id_service client;
	uint16_t request; /* id of a request without TLVs ... */
	/* ... or its maker */
	void (*build)(struct setup *s, struct qmi_request *r);
	void (*enter)(struct setup *s); /* called in place of a request */
	/*
	 * 0: done; 1: repeat the request; negative: s->error is set. NULL: any successful response
	 * completes the step.
	 */
	int (*answer)(struct setup *s, const struct qmi_message *m, const struct qmi_result *res);
	/* a missing or negative answer does not matter, once the modem has answered at all */
	bool optional;
	size_t text, size; /* member that on_text() sets */
	bool first;	   /* the modem may still be booting: repeat every second */
	enum setup_state next;
};

static const struct setup_step steps[];

static bool not_exclusive(const struct setup *s)
{
	return !clients_exclusive(s->env.clients);
}

static int on_versions(struct setup *s, const struct qmi_message *m, const struct qmi_result *res)
{
	uint64_t services;

	if (res->status || qmi_ctl_services(m, &services) < 0)
		return 0;
	clients_set_services(s->env.clients, services);
	if (services & 1ull << QMI_WDA)
		return 0;
	error_set(&s->error, -EOPNOTSUPP, "modem has no WDA service, so %s",
		  "it cannot be told to send QMAP");
	error_exit(&s->error, EXIT_REFUSED);
	error_hint(&s->error, "its firmware is too old; an update may add the service");
	return -EREMOTEIO;
}

static void enter(struct setup *s, enum setup_state state);

static void next(struct setup *s)
{
	enter(s, steps[s->state].next);
}

static bool error_malformed(const struct setup *s, struct error *err)
{
	const char *answer = clients_malformed(s->env.clients);

	if (!answer)
		return false;
	error_set(err, -ETIMEDOUT, "modem's answer on %s is malformed (%s)", s->env.control,
		  answer);
	error_hint(err, "restart the modem; an update of its firmware may help");
	return true;
}

static void error_step(struct setup *s, const char *doing, int err, uint16_t qmi_error)
{
	if (qmi_error) {
		error_set(&s->error, -ECONNREFUSED, "modem refused with %s (error %u) while %s",
			  qmi_error_name(qmi_error) ?: "no name known", qmi_error, doing);
		error_hint(&s->error, "%s",
			   hint_for_error(qmi_error) ?: "restart the modem and try again");
	} else if (error_malformed(s, &s->error)) {
		return;
	} else if (err == -ETIMEDOUT) {
		error_set(&s->error, err, "modem did not answer within %u s while %s",
			  s->env.config->timeout, doing);
		error_hint(&s->error, "unplug the modem and plug it in again");
	} else {
		error_set(&s->error, err < 0 ? err : -EPROTO, "modem failed while %s: %s", doing,
			  err < 0 ? strerror(-err) : "its answer makes no sense");
	}
}

void setup_error_silent(const struct setup *s, struct error *err)
{
	if (error_malformed(s, err))
		return;
	error_set(err, -ETIMEDOUT, "modem does not answer QMI on %s within %u s", s->env.control,
		  s->env.config->timeout);
	error_hint(err, "check that this is the QMI port, that the modem is in QMI mode "
			"(AT+QCFG=\"usbnet\",0) and that its driver sets DTR (qmi_wwan does)");
}

static void fail(struct setup *s)
{
	s->running = false;
	s->owner->failed(s->arg, &s->error);
}

/* A client was allocated, perhaps while everything is already being released. */
static void on_client(struct setup *s, const struct id_reply *r, enum id_service service)
{
	int err = r->err;

	if (!err)
		err = facts_add_client(s->env.facts, service, r->id);
	if (!s->running)
		return;
	if (err && !(steps[s->state].optional && clients_answered(s->env.clients))) {
		error_step(s, steps[s->state].doing, err, r->qmi_error);
		fail(s);
		return;
	}
	next(s);
}

static void on_wda_client(void *arg, const struct id_reply *r)
{
	on_client(arg, r, ID_WDA);
}

static void on_dms_client(void *arg, const struct id_reply *r)
{
	on_client(arg, r, ID_DMS);
}

static void enter_wda_client(struct setup *s)
{
	ids_allocate(s->env.ids, QMI_WDA, on_wda_client, s);
}

static void enter_dms_client(struct setup *s)
{
	ids_allocate(s->env.ids, QMI_DMS, on_dms_client, s);
}

static bool no_dms(const struct setup *s)
{
	return !clients_id(s->env.clients, ID_DMS);
}

static int on_text(struct setup *s, const struct qmi_message *m, const struct qmi_result *res)
{
	const struct setup_step *step = &steps[s->state];

	if (!res->status)
		qmi_dms_string(m, (char *)s + step->text, step->size);
	return 0;
}

static void build_format(struct setup *s, struct qmi_request *r)
{
	format_request(s->env.format, r);
}

static int on_format(struct setup *s, const struct qmi_message *m, const struct qmi_result *res)
{
	return format_answer(s->env.format, m, res, &s->error);
}

static void enter_ready(struct setup *s)
{
	const struct data_format *format = format_agreed(s->env.format);

	log_debug("modem %s %s, QMAP v%d, %u bytes", s->model, s->revision, format->version,
		  format->dl_max_bytes);
	s->running = false;
	s->owner->done(s->arg);
}

#define TEXT(member)                                                                               \
	.text = offsetof(struct setup, member), .size = sizeof(((struct setup *)0)->member)

/* clang-format off */
static const struct setup_step steps[] = {
	[SETUP_SYNC] = {.doing = "being reset (SYNC)", .skip = not_exclusive, .client = ID_CTL,
		.request = QMI_CTL_SYNC, .first = true, .next = SETUP_VERSIONS},
	[SETUP_VERSIONS] = {.doing = "listing its services", .first = true, .client = ID_CTL,
		.request = QMI_CTL_GET_VERSION_INFO, .answer = on_versions, .optional = true,
		.next = SETUP_WDA_CLIENT},
	[SETUP_WDA_CLIENT] = {.doing = "giving out a WDA client id", .enter = enter_wda_client,
		.next = SETUP_DMS_CLIENT},
	[SETUP_DMS_CLIENT] = {.doing = "giving out a DMS client id", .enter = enter_dms_client,
		.optional = true, .next = SETUP_MODEL},
	[SETUP_MODEL] = {.doing = "reporting its model", .skip = no_dms, .client = ID_DMS,
		.request = QMI_DMS_GET_MODEL, .answer = on_text, TEXT(model),
		.optional = true, .next = SETUP_REVISION},
	[SETUP_REVISION] = {.doing = "reporting its revision", .skip = no_dms, .client = ID_DMS,
		.request = QMI_DMS_GET_REVISION, .answer = on_text, TEXT(revision), .optional = true,
		.next = SETUP_MANUFACTURER},
	[SETUP_MANUFACTURER] = {.doing = "reporting its manufacturer", .skip = no_dms,
		.client = ID_DMS, .request = QMI_DMS_GET_MANUFACTURER, .answer = on_text,
		TEXT(manufacturer), .optional = true, .next = SETUP_FORMAT},
	[SETUP_FORMAT] = {.doing = "setting the data format", .client = ID_WDA,
		.build = build_format, .answer = on_format, .next = SETUP_READY},
	[SETUP_READY] = {.enter = enter_ready},
};
/* clang-format on */
TABLE_COMPLETE(steps, SETUP_READY + 1);

static void send_request(struct setup *s);

/*
 * Number of attempts of the present step within the time limit for one answer. A booting modem
 * drops requests: repeat them soon after it has begun to listen.
 */
static unsigned int attempts(const struct setup *s)
{
	unsigned int seconds = clients_timeout_ms(s->env.clients) / 1000;

	if (!steps[s->state].first || clients_answered(s->env.clients))
		return 1;
	return seconds < 2 ? 2 : seconds;
}

static void fail_step(struct setup *s, int err, uint16_t qmi_error)
{
	if (!clients_answered(s->env.clients))
		setup_error_silent(s, &s->error);
	else
		error_step(s, steps[s->state].doing, err, qmi_error);
	fail(s);
}

/* Judges a response by the step's answer function. */
static void judge(struct setup *s, const struct qmi_message *m, const struct qmi_result *res)
{
	const struct setup_step *step = &steps[s->state];
	int r = step->answer ? step->answer(s, m, res) : 0;

	if (!step->answer && res->status && !step->optional)
		fail_step(s, -EREMOTEIO, res->error);
	else if (r < 0)
		fail(s);
	else if (r > 0)
		send_request(s);
	else
		next(s);
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct setup *s = arg;
	const struct setup_step *step = &steps[s->state];
	struct qmi_result res;
	bool answered = !err;

	if (!s->running || !clients_read(s->env.clients, &err, m, &res))
		return;
	if (answered) {
		if (err) /* of its form */
			res = (struct qmi_result){.status = 1};
		judge(s, m, &res);
	} else if (err == -ETIMEDOUT && ++s->attempt < attempts(s)) {
		send_request(s);
	} else if (step->optional && clients_answered(s->env.clients)) {
		log_warning("modem does not answer while %s; going on without", step->doing);
		next(s);
	} else {
		fail_step(s, err, 0);
	}
}

static void send_request(struct setup *s)
{
	const struct setup_step *step = &steps[s->state];
	struct qmi_request r;

	qmi_request_init(&r, step->request);
	if (step->build)
		step->build(s, &r);
	clients_send_within(s->env.clients, step->client, &r,
			    clients_timeout_ms(s->env.clients) / attempts(s), on_reply, s);
}

void setup_late(struct setup *s, const struct qmi_message *m)
{
	const struct setup_step *step = &steps[s->state];
	struct qmi_request r;

	if (!s->running || !step->first)
		return;
	qmi_request_init(&r, step->request);
	if (step->build)
		step->build(s, &r);
	if (m->id != r.id)
		return;
	clients_cancel_ctl(s->env.clients);
	on_reply(s, 0, m);
}

static void enter(struct setup *s, enum setup_state state)
{
	while (steps[state].skip && steps[state].skip(s))
		state = steps[state].next;
	s->state = state;
	s->attempt = 0;
	if (state == SETUP_FORMAT)
		format_identify(s->env.format, s->model, s->revision);
	if (state == SETUP_FORMAT && format_first(s->env.format, s->model, &s->error))
		fail(s);
	else if (steps[state].enter)
		steps[state].enter(s);
	else
		send_request(s);
}

void setup_start(struct setup *s)
{
	s->running = true;
	enter(s, SETUP_SYNC);
}

void setup_stop(struct setup *s)
{
	s->running = false;
}

bool setup_is_at_sync(const struct setup *s)
{
	return s->running && s->state <= SETUP_VERSIONS;
}

void setup_save(const struct setup *s, struct json_object *state)
{
	json_add_string(state, "model", s->model);
	json_add_string(state, "revision", s->revision);
	json_add_string(state, "manufacturer", s->manufacturer);
}

void setup_load(struct setup *s, struct json_object *state)
{
	json_copy_text(state, "model", s->model, sizeof(s->model));
	json_copy_text(state, "revision", s->revision, sizeof(s->revision));
	json_copy_text(state, "manufacturer", s->manufacturer, sizeof(s->manufacturer));
	format_identify(s->env.format, s->model, s->revision);
}

void setup_show(const struct setup *s, struct json_object *show)
{
	json_add_text(show, "model", s->model);
	json_add_text(show, "revision", s->revision);
	json_add_text(show, "manufacturer", s->manufacturer);
}

struct setup *setup_new(const struct setup_env *env, const struct setup_owner *owner, void *arg)
{
	struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->env = *env;
	s->owner = owner;
	s->arg = arg;
	return s;
}

void setup_free(struct setup **s)
{
	free(*s);
	*s = NULL;
}
