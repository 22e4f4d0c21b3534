// SPDX-License-Identifier: GPL-2.0-or-later
/* The steps of the modem's set-up, before any call. */
#include "internal.h"

#include <string.h>

#include "util/array.h"
#include "util/log.h"
#include "qmi/ctl.h"
#include "qmi/dms.h"
#include "qmi/names.h"
#include "hints.h"

struct modem_step {
	const char *doing; /* as in "modem does not answer while <doing>" */
	bool (*skip)(const struct session *s);
	enum id_service client;
	void (*build)(struct session *s, struct qmi_request *r);
	void (*enter)(struct session *s); /* called in place of a request */
	/*
	 * 0: done; 1: repeat the request; negative: s->error is set. NULL: any successful response
	 * completes the step.
	 */
	int (*answer)(struct session *s, const struct qmi_message *m, const struct qmi_result *res);
	/* a missing or negative answer does not matter, once the modem has answered at all */
	bool optional;
	bool first; /* the modem may still be booting: repeat every second */
	enum modem_state next;
};

static const struct modem_step steps[];

static void build_sync(struct session *s, struct qmi_request *r)
{
	qmi_ctl_sync(r);
}

static bool not_exclusive(const struct session *s)
{
	return !clients_exclusive(s->clients);
}

static void build_versions(struct session *s, struct qmi_request *r)
{
	qmi_ctl_get_version_info(r);
}

static int on_versions(struct session *s, const struct qmi_message *m, const struct qmi_result *res)
{
	uint64_t services;

	if (res->status || qmi_ctl_services(m, &services) < 0)
		return 0;
	clients_set_services(s->clients, services);
	if (services & 1ull << QMI_WDA)
		return 0;
	error_set(&s->error, -EOPNOTSUPP, "modem has no WDA service, so %s",
		  "it cannot be told to send QMAP");
	error_exit(&s->error, EXIT_REFUSED);
	error_hint(&s->error, "its firmware is too old; an update may add the service");
	return -EREMOTEIO;
}

static void next(struct session *s)
{
	session_modem_enter(s, steps[s->modem].next);
}

static void error_step(struct session *s, const char *doing, int err, uint16_t qmi_error)
{
	if (qmi_error) {
		error_set(&s->error, -ECONNREFUSED, "modem refused with %s (error %u) while %s",
			  qmi_error_name(qmi_error) ?: "no name known", qmi_error, doing);
		error_hint(&s->error, "%s",
			   hint_for_error(qmi_error) ?: "restart the modem and try again");
	} else if (err == -ETIMEDOUT) {
		error_set(&s->error, err, "modem did not answer within %u s while %s",
			  s->config->timeout, doing);
		error_hint(&s->error, "unplug the modem and plug it in again");
	} else {
		error_set(&s->error, err < 0 ? err : -EPROTO, "modem failed while %s: %s", doing,
			  err < 0 ? strerror(-err) : "its answer makes no sense");
	}
}

/* A client was allocated, perhaps while everything is already being released. */
static void on_client(struct session *s, const struct id_reply *r, enum id_service service)
{
	int err = r->err;

	if (!err)
		err = facts_add_client(s->facts, service, r->id);
	if (s->phase != PHASE_SETUP)
		return;
	if (err && !(steps[s->modem].optional && clients_answered(s->clients))) {
		error_step(s, steps[s->modem].doing, err, r->qmi_error);
		session_fail(s);
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

static void enter_wda_client(struct session *s)
{
	ids_allocate(s->ids, QMI_WDA, on_wda_client, s);
}

static void enter_dms_client(struct session *s)
{
	ids_allocate(s->ids, QMI_DMS, on_dms_client, s);
}

static bool no_dms(const struct session *s)
{
	return !clients_id(s->clients, ID_DMS);
}

static void build_model(struct session *s, struct qmi_request *r)
{
	qmi_request_init(r, QMI_DMS_GET_MODEL);
}

static int on_model(struct session *s, const struct qmi_message *m, const struct qmi_result *res)
{
	if (!res->status)
		qmi_dms_string(m, s->model, sizeof(s->model));
	return 0;
}

static void build_revision(struct session *s, struct qmi_request *r)
{
	qmi_request_init(r, QMI_DMS_GET_REVISION);
}

static int on_revision(struct session *s, const struct qmi_message *m, const struct qmi_result *res)
{
	if (!res->status)
		qmi_dms_string(m, s->revision, sizeof(s->revision));
	return 0;
}

static void build_manufacturer(struct session *s, struct qmi_request *r)
{
	qmi_request_init(r, QMI_DMS_GET_MANUFACTURER);
}

static int on_manufacturer(struct session *s, const struct qmi_message *m,
			   const struct qmi_result *res)
{
	if (!res->status)
		qmi_dms_string(m, s->manufacturer, sizeof(s->manufacturer));
	return 0;
}

static void build_format(struct session *s, struct qmi_request *r)
{
	format_request(s->format, r);
}

static int on_format(struct session *s, const struct qmi_message *m, const struct qmi_result *res)
{
	return format_answer(s->format, m, res, &s->error);
}

static bool first_format(struct session *s)
{
	format_identify(s->format, s->model, s->revision);
	return !format_first(s->format, s->model, &s->error);
}

/* The owner builds its data path, then all calls start at once. */
static void enter_ready(struct session *s)
{
	const struct data_format *format = format_agreed(s->format);
	int r;

	log_debug("modem %s %s, QMAP v%d, %u bytes", s->model, s->revision, format->version,
		  format->dl_max_bytes);
	session_changed(s);
	r = s->ops->format(s->arg, format, &s->error);
	if (r < 0) {
		error_set(&s->error, r, "data path could not be built");
		session_fail(s);
		return;
	}
	s->phase = PHASE_CALLS;
	calls_start(s->calls);
	facts_start(s->facts);
	session_watch_start(s);
	session_kick(s);
}

/* clang-format off */
static const struct modem_step steps[] = {
	[MODEM_SYNC] = {.doing = "being reset (SYNC)", .skip = not_exclusive, .client = ID_CTL,
		.build = build_sync, .first = true, .next = MODEM_VERSIONS},
	[MODEM_VERSIONS] = {.doing = "listing its services", .first = true, .client = ID_CTL,
		.build = build_versions, .answer = on_versions, .optional = true,
		.next = MODEM_WDA_CLIENT},
	[MODEM_WDA_CLIENT] = {.doing = "giving out a WDA client id", .enter = enter_wda_client,
		.next = MODEM_DMS_CLIENT},
	[MODEM_DMS_CLIENT] = {.doing = "giving out a DMS client id", .enter = enter_dms_client,
		.optional = true, .next = MODEM_MODEL},
	[MODEM_MODEL] = {.doing = "telling its model", .skip = no_dms, .client = ID_DMS,
		.build = build_model, .answer = on_model, .optional = true, .next = MODEM_REVISION},
	[MODEM_REVISION] = {.doing = "telling its revision", .skip = no_dms, .client = ID_DMS,
		.build = build_revision, .answer = on_revision, .optional = true,
		.next = MODEM_MANUFACTURER},
	[MODEM_MANUFACTURER] = {.doing = "telling its manufacturer", .skip = no_dms,
		.client = ID_DMS, .build = build_manufacturer, .answer = on_manufacturer, .optional = true,
		.next = MODEM_FORMAT},
	[MODEM_FORMAT] = {.doing = "setting the data format", .client = ID_WDA,
		.build = build_format, .answer = on_format, .next = MODEM_READY},
	[MODEM_READY] = {.enter = enter_ready},
};
/* clang-format on */
TABLE_COMPLETE(steps, MODEM_READY + 1);

static void send_request(struct session *s);

/*
 * Number of attempts of the present step within the time limit for one answer. A booting modem
 * drops requests: repeat them soon after it has begun to listen.
 */
static unsigned int attempts(const struct session *s)
{
	unsigned int seconds = clients_timeout_ms(s->clients) / 1000;

	if (!steps[s->modem].first || clients_answered(s->clients))
		return 1;
	return seconds < 2 ? 2 : seconds;
}

static void fail_step(struct session *s, int err, uint16_t qmi_error)
{
	if (!clients_answered(s->clients))
		session_error_silent(s);
	else
		error_step(s, steps[s->modem].doing, err, qmi_error);
	session_fail(s);
}

/* Judges a response by the step's answer function. */
static void judge(struct session *s, const struct qmi_message *m, const struct qmi_result *res)
{
	const struct modem_step *step = &steps[s->modem];
	int r = step->answer ? step->answer(s, m, res) : 0;

	if (!step->answer && res->status && !step->optional)
		fail_step(s, -EREMOTEIO, res->error);
	else if (r < 0)
		session_fail(s);
	else if (r > 0)
		send_request(s);
	else
		next(s);
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	const struct modem_step *step = &steps[s->modem];
	struct qmi_result res;
	bool answered = !err;

	if (s->phase != PHASE_SETUP || !clients_read(s->clients, &err, m, &res))
		return;
	if (answered) {
		if (err) /* of its form */
			res = (struct qmi_result){.status = 1};
		judge(s, m, &res);
	} else if (err == -ETIMEDOUT && ++s->attempt < attempts(s)) {
		send_request(s);
	} else if (step->optional && clients_answered(s->clients)) {
		log_warning("modem does not answer while %s; going on without", step->doing);
		next(s);
	} else {
		fail_step(s, err, 0);
	}
}

static void send_request(struct session *s)
{
	const struct modem_step *step = &steps[s->modem];
	struct qmi_request r;

	step->build(s, &r);
	clients_send_within(s->clients, step->client, &r,
			    clients_timeout_ms(s->clients) / attempts(s), on_reply, s);
}

void session_modem_late(struct session *s, const struct qmi_message *m)
{
	const struct modem_step *step = &steps[s->modem];
	struct qmi_request r;

	if (s->phase != PHASE_SETUP || !step->first)
		return;
	step->build(s, &r);
	if (m->id != r.id)
		return;
	clients_cancel_ctl(s->clients);
	on_reply(s, 0, m);
}

void session_modem_enter(struct session *s, enum modem_state state)
{
	while (steps[state].skip && steps[state].skip(s))
		state = steps[state].next;
	s->modem = state;
	s->attempt = 0;
	if (state == MODEM_FORMAT && !first_format(s))
		session_fail(s);
	else if (steps[state].enter)
		steps[state].enter(s);
	else
		send_request(s);
}
