// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The requests of one data call: a WDS client, bound to its PDN's mux id, Start Network, status,
 * settings; as a table of steps. session/table.c decides when to send them.
 */
#include "call.h"

#include <event2/event.h>
#include <qmap/abi.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"

/*
 * A network may take this long to answer Start Network (Quectel's connection manager allows as
 * much).
 */
#define START_MS 120000

struct step {
	const char *doing; /* as in "<doing> failed" */
	uint16_t request;  /* id of a request without TLVs ... */
	/* ... or its maker */
	void (*build)(const struct call *c, struct qmi_request *r);
	void (*enter)(struct call *c); /* called in place of a request */
	/* Returns the next step for a response; @next is the table's. */
	enum call_step (*answer)(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next);
	enum call_step next;
	enum call_step otherwise; /* next step without a usable response */
	unsigned int timeout_ms;  /* 0: the configured limit */
};

static const struct step steps[CALL_STEPS];

static enum call_step fail(struct call *c, uint16_t qmi_error)
{
	c->failed_in = c->step;
	c->end.qmi_error = qmi_error;
	return STEP_REFUSED;
}

/* A request has failed; the reason decides about the next attempt. */
static void refused(struct call *c)
{
	enum end_verdict verdict = call_verdict(c);
	struct call *other = call_sibling(c);
	char why[sizeof(c->reason)];

	c->stale = c->no_effect ? c->stale + 1 : 0;
	call_refusal(c, why, sizeof(why));
	call_event(c, verdict == END_TRANSIENT ? EV_REFUSED : EV_REFUSED_FOR_GOOD, why);
	/* The network's single address may then go to the family that has given way. */
	if (verdict == END_FOR_GOOD && other && call_gave_way(other))
		call_consider(other);
}

static void lead(struct call *c, enum call_step next)
{
	char why[sizeof(c->reason)];

	switch (next) {
	case STEP_CONNECTED:
		c->step = STEP_NONE;
		c->stale = 0;
		call_event(c, EV_CONNECTED, NULL);
		call_consider(c); /* the modem may have begun to roam meanwhile */
		break;
	case STEP_REFUSED:
		c->step = STEP_NONE;
		refused(c);
		break;
	case STEP_ENDED:
		c->step = STEP_NONE;
		c->dialled = false;
		c->handle = QMI_WDS_ANY_HANDLE;
		call_refusal(c, why, sizeof(why));
		call_event(c, EV_ENDED, why);
		break;
	default:
		call_step(c, next);
	}
}

static void on_allocated(void *arg, const struct id_reply *r)
{
	struct call *c = arg;
	int err = r->err;

	if (!err)
		err = qmi_client_new(&c->client, clients_channel(c->all->env.clients), QMI_WDS,
				     r->id, call_indication, c);
	if (c->state == CALL_STOPPING) {
		call_step(c, c->client ? STEP_RELEASE : STEP_NONE);
	} else if (err) {
		c->error = err;
		lead(c, fail(c, r->qmi_error));
	} else {
		call_prepare(c);
	}
}

static void enter_allocate(struct call *c)
{
	ids_allocate(c->all->env.ids, QMI_WDS, on_allocated, c);
}

static void build_bind(const struct call *c, struct qmi_request *r)
{
	qmi_wds_bind_mux_data_port(r, format_endpoint(c->all->env.format), pdn_config(c->pdn)->mux);
}

static enum call_step on_bound(struct call *c, const struct qmi_message *m,
			       const struct qmi_result *res, enum call_step next)
{
	return res->status && res->error != QMI_NO_EFFECT ? fail(c, res->error) : next;
}

static void build_family(const struct call *c, struct qmi_request *r)
{
	qmi_wds_set_ip_family(r, c->family);
}

/*
 * Only a preference: Start Network names the family, too, so continue if the modem refuses this
 * one.
 */
static enum call_step on_family(struct call *c, const struct qmi_message *m,
				const struct qmi_result *res, enum call_step next)
{
	if (res->status && res->error != QMI_NO_EFFECT)
		log_debug("PDN %u: modem does not take the preference for IPv%d", c->pdn->number,
			  c->family);
	return next;
}

static void enter_prepared(struct call *c)
{
	c->prepared = true;
	call_consider(c);
}

/*
 * A modem may hold a call for a client that neither runs nor ends: it answers every Start Network
 * with "no effect" (seen with RM500Q). Stop Network for any handle releases it; if it does not, the
 * call belongs to that client and ends with it.
 */
#define STALE_CLEAR 2
#define STALE_RENEW 3

static enum call_step first_step(const struct call *c)
{
	/* None if the session was adopted from a process that died before there was one. */
	const struct data_format *format = format_agreed(c->all->env.format);

	if (!c->client)
		return STEP_ALLOCATE;
	if (!c->prepared)
		return format && format->version != QMAP_OFF ? STEP_BIND : STEP_FAMILY;
	if (c->stale == STALE_CLEAR)
		return STEP_CLEAR;
	return c->stale >= STALE_RENEW ? STEP_RENEW : STEP_START;
}

void call_prepare(struct call *c)
{
	call_step(c, first_step(c));
}

static void build_clear(const struct call *c, struct qmi_request *r)
{
	qmi_wds_stop_network(r, QMI_WDS_ANY_HANDLE);
}

/* Continue in any case: Start Network shows whether it helped. */
static enum call_step on_cleared(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next)
{
	c->handle = QMI_WDS_ANY_HANDLE;
	return next;
}

static void on_renewed(void *arg, const struct id_reply *r)
{
	struct call *c = arg;

	(void)r; /* session/ids.c saves an id that the modem keeps */
	qmi_client_free(&c->client);
	c->prepared = c->dialled = false;
	c->handle = QMI_WDS_ANY_HANDLE;
	c->stale = 0;
	c->step = STEP_NONE;
	if (c->state == CALL_STOPPING)
		call_event(c, EV_RELEASED, NULL);
	else
		call_prepare(c);
}

static void enter_renew(struct call *c)
{
	ids_release(c->all->env.ids, QMI_WDS, qmi_client_id(c->client), on_renewed, c);
}

static uint8_t auth_of(const struct config_pdn *pdn)
{
	if (pdn->auth != CONFIG_AUTH_AUTO)
		return pdn->auth;
	return *pdn->user ? CONFIG_AUTH_BOTH : QMI_WDS_AUTH_PROFILE;
}

static void build_start(const struct call *c, struct qmi_request *r)
{
	const struct qmi_wds_call call = {
		.apn = pdn_config(c->pdn)->apn,
		.user = pdn_config(c->pdn)->user,
		.password = pdn_config(c->pdn)->password,
		.auth = auth_of(pdn_config(c->pdn)),
		.family = c->family,
		.profile = pdn_config(c->pdn)->profile,
	};

	qmi_wds_start_network(r, &call);
}

static void take_end(struct call *c, const struct qmi_wds_end *end)
{
	c->end.reason = end->reason;
	c->end.verbose_type = end->verbose_type;
	c->end.verbose_reason = end->verbose_reason;
}

/* "No effect" means that this call runs already, perhaps by the modem's own autoconnect. */
static enum call_step on_started(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next)
{
	struct qmi_wds_end end;

	event_del(c->timer);
	c->no_effect = res->status && res->error == QMI_NO_EFFECT;
	if (!res->status)
		qmi_wds_handle(m, &c->handle);
	if (!res->status || c->no_effect) {
		c->all->owner->changed(c->all->arg);
		return c->no_effect ? STEP_STATUS : next;
	}
	c->dialled = false;
	qmi_wds_end(m, &end);
	if (end.reason || end.verbose_type)
		take_end(c, &end);
	return fail(c, res->error);
}

/* An answer that leaves the status out says nothing against the call. */
static bool is_connected(struct call *c, const struct qmi_message *m, const struct qmi_result *res)
{
	struct qmi_wds_packet_status st;

	if (res->status)
		return false;
	qmi_wds_packet_status(m, &st);
	if (!st.status)
		return true;
	/* an indication may have been lost, or sent before this process was there */
	c->suspended = st.status == QMI_WDS_SUSPENDED;
	return c->suspended || st.status == QMI_WDS_CONNECTED;
}

static enum call_step on_status(struct call *c, const struct qmi_message *m,
				const struct qmi_result *res, enum call_step next)
{
	if (is_connected(c, m, res))
		return next;
	fail(c, res->error);
	c->failed_in = STEP_START;
	if (c->no_effect)
		c->end.qmi_error = QMI_NO_EFFECT;
	else if (!c->end.reason && !c->end.verbose_type)
		c->error = -ETIMEDOUT;
	return STEP_REFUSED;
}

/*
 * Adoption: a client id that the modem does not know means that it has restarted meanwhile, unless
 * the previous process died while releasing ids and this one is already released.
 */
static enum call_step on_checked(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next)
{
	if (res->status && res->error == QMI_INVALID_CLIENT_ID && !c->all->was_giving_back)
		c->all->owner->forgotten(c->all->arg);
	if (is_connected(c, m, res)) {
		c->dialled = true;
		return next;
	}
	return STEP_ENDED;
}

/* Sent by polling: an indication may have been lost. */
static enum call_step on_still_up(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_step next)
{
	if (res->status)
		return STEP_CONNECTED;
	return is_connected(c, m, res) ? next : STEP_ENDED;
}

/* The modem holds a call without traffic, or the user has requested another. */
static enum call_step on_hung_up(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next)
{
	c->error = c->hung_up_for;
	return next;
}

void call_hang_up(struct call *c, int why)
{
	call_cancel(c);
	c->hung_up_for = why;
	call_step(c, STEP_HANG_UP);
}

static void build_settings(const struct call *c, struct qmi_request *r)
{
	qmi_wds_get_current_settings(r);
}

/* The modem may have got other settings without an indication: compare them each time. */
static void take_settings(struct call *c, const struct qmi_wds_settings *w)
{
	struct ip_settings ip;

	memset(&ip, 0, sizeof(ip)); /* clear padding, because the struct is compared */
	ip.family = c->family;
	memcpy(ip.address, w->address, sizeof(ip.address));
	ip.prefix = w->prefix;
	ip.has_gateway = w->has & QMI_WDS_HAS_GATEWAY;
	memcpy(ip.gateway, w->gateway, sizeof(ip.gateway));
	ip.ndns = w->ndns;
	memcpy(ip.dns, w->dns, sizeof(ip.dns));
	/* an impossible MTU counts as none */
	ip.mtu = w->mtu < (c->family == 4 ? 68u : 1280u) || w->mtu > 65535 ? 0 : w->mtu;
	c->renewed = !c->announced || memcmp(&ip, &c->settings, sizeof(ip));
	memcpy(&c->settings, &ip, sizeof(ip));
}

/* A call that was up stays up if its settings cannot be read again. */
static enum call_step on_settings(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_step next)
{
	struct qmi_wds_settings w;

	if (res->status && res->error == QMI_OUT_OF_CALL)
		return c->announced ? STEP_ENDED : fail(c, res->error);
	qmi_wds_settings(m, c->family, &w);
	if (!res->status && w.has & QMI_WDS_HAS_ADDRESS) {
		take_settings(c, &w);
		return next;
	}
	if (c->announced)
		return next;
	c->error = -ENODATA;
	return fail(c, res->error);
}

static void build_stop(const struct call *c, struct qmi_request *r)
{
	qmi_wds_stop_network(r, c->handle);
}

/* Continue in any case: releasing the client ends the call. */
static enum call_step on_stopped(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_step next)
{
	return next;
}

static void on_released(void *arg, const struct id_reply *r)
{
	struct call *c = arg;

	qmi_client_free(&c->client);
	c->step = STEP_NONE;
	call_event(c, EV_RELEASED, NULL);
}

static void enter_release(struct call *c)
{
	ids_release(c->all->env.ids, QMI_WDS, qmi_client_id(c->client), on_released, c);
}

static void enter_none(struct call *c)
{
}

/* clang-format off */
static const struct step steps[CALL_STEPS] = {
	[STEP_NONE] = {.enter = enter_none},
	[STEP_ALLOCATE] = {.doing = "allocating a WDS client id", .enter = enter_allocate},
	[STEP_BIND] = {.doing = "binding the mux id", .build = build_bind, .answer = on_bound,
		.next = STEP_FAMILY, .otherwise = STEP_REFUSED},
	[STEP_FAMILY] = {.doing = "setting the IP family", .build = build_family,
		.answer = on_family, .next = STEP_PREPARED, .otherwise = STEP_REFUSED},
	[STEP_PREPARED] = {.enter = enter_prepared},
	[STEP_CLEAR] = {.doing = "ending a call that is none", .build = build_clear,
		.answer = on_cleared, .next = STEP_START, .otherwise = STEP_START},
	[STEP_RENEW] = {.doing = "giving the client back", .enter = enter_renew},
	[STEP_START] = {.doing = "starting the call", .build = build_start, .answer = on_started,
		.next = STEP_SETTINGS, .otherwise = STEP_REFUSED, .timeout_ms = START_MS},
	[STEP_STATUS] = {.doing = "asking for the call's status", .request = QMI_WDS_PACKET_STATUS,
		.answer = on_status, .next = STEP_SETTINGS, .otherwise = STEP_REFUSED},
	[STEP_CHECK] = {.doing = "asking for the call's status", .request = QMI_WDS_PACKET_STATUS,
		.answer = on_checked, .next = STEP_SETTINGS, .otherwise = STEP_ENDED},
	[STEP_SETTINGS] = {.doing = "reading addresses", .build = build_settings,
		.answer = on_settings, .next = STEP_CONNECTED, .otherwise = STEP_REFUSED},
	[STEP_STILL_UP] = {.doing = "asking for the call's status", .request = QMI_WDS_PACKET_STATUS,
		.answer = on_still_up, .next = STEP_SETTINGS, .otherwise = STEP_REFUSED},
	[STEP_HANG_UP] = {.doing = "stopping the call", .build = build_stop, .answer = on_hung_up,
		.next = STEP_ENDED, .otherwise = STEP_ENDED},
	[STEP_STOP] = {.doing = "stopping the call", .build = build_stop, .answer = on_stopped,
		.next = STEP_RELEASE, .otherwise = STEP_RELEASE},
	[STEP_RELEASE] = {.doing = "giving the client back", .enter = enter_release},
};
/* clang-format on */

const char *call_doing(enum call_step step)
{
	return steps[step].doing;
}

/* Settings that have changed while they were being read are read once more. */
static void read_again(struct call *c)
{
	if (!c->reread || c->state != CALL_UP || c->step != STEP_NONE)
		return;
	c->reread = false;
	call_step(c, STEP_SETTINGS);
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct call *c = arg;
	const struct step *step = &steps[c->step];
	struct qmi_result res;

	if (!clients_read(c->all->env.clients, &err, m, &res))
		return;
	if (!err) {
		if (c->state != CALL_STOPPING && c->step != STEP_CHECK &&
		    clients_forgotten(c->all->env.clients, &res))
			return;
		lead(c, step->answer(c, m, &res, step->next));
	} else if (c->announced && step->otherwise == STEP_REFUSED) {
		if (err == -ETIMEDOUT && c->step == STEP_STILL_UP)
			c->all->owner->unanswered(c->all->arg);
		lead(c, STEP_CONNECTED); /* the known settings stay */
	} else {
		if (c->step == STEP_HANG_UP)
			err = c->hung_up_for;
		if (c->step == STEP_CHECK)
			c->all->owner->adopt_failed(c->all->arg);
		c->error = err;
		c->failed_in = c->step;
		lead(c, step->otherwise);
	}
	read_again(c);
}

static unsigned int timeout_ms(const struct call *c, const struct step *step)
{
	unsigned int ms =
		step->timeout_ms ? step->timeout_ms : clients_timeout_ms(c->all->env.clients);

	return c->state == CALL_STOPPING && ms > GIVE_BACK_MS ? GIVE_BACK_MS : ms;
}

void call_step(struct call *c, enum call_step step)
{
	struct qmi_request r;

	c->step = step;
	if (steps[step].enter) {
		steps[step].enter(c);
	} else {
		if (step == STEP_START)
			c->dialled = true;
		qmi_request_init(&r, steps[step].request);
		if (steps[step].build)
			steps[step].build(c, &r);
		qmi_client_send(c->client, &r, timeout_ms(c, &steps[step]), on_reply, c);
	}
	c->all->owner->kick(c->all->arg);
}

void call_cancel(struct call *c)
{
	if (c->client)
		qmi_client_cancel(c->client);
	c->step = STEP_NONE;
	c->reread = false;
}

void call_overdue(struct call *c)
{
	if (c->step != STEP_START)
		return;
	call_cancel(c);
	call_step(c, STEP_STATUS);
}

/*
 * While Start Network waits for its answer, only that answer counts; the indication may have no
 * reason. Some modems then never answer: wait no longer than for any other answer.
 */
static void disconnected(struct call *c, const struct qmi_wds_packet_status *st)
{
	struct timeval tv = {.tv_sec = c->all->config->timeout};

	if (c->step == STEP_START) {
		take_end(c, &st->end);
		event_add(c->timer, &tv);
	} else if (c->step == STEP_STATUS) {
		take_end(c, &st->end); /* the answer is newer */
	} else if (c->state == CALL_UP || c->step == STEP_SETTINGS) {
		take_end(c, &st->end);
		call_cancel(c);
		lead(c, STEP_ENDED);
	}
}

static void connected(struct call *c)
{
	c->suspended = false;
	if (c->step == STEP_START)
		event_del(c->timer); /* the previous call has ended */
	if (c->state == CALL_UP) {
		c->reread = true;
		read_again(c);
	} else if (c->step == STEP_NONE) {
		call_event(c, EV_FOUND, "the modem has connected the call by itself");
	}
}

/*
 * A client whose family the modem has not accepted (on_family()) gets indications of both. A
 * broadcast does not name a call: ask the modem.
 */
void call_indication(void *arg, const struct qmi_message *m)
{
	struct qmi_wds_packet_status st;
	struct call *c = arg;

	if (m->id != QMI_WDS_PACKET_STATUS || c->state == CALL_STOPPING)
		return;
	qmi_wds_packet_status(m, &st);
	if (st.family && st.family != c->family)
		return;
	if (m->client == QMI_CID_BROADCAST) {
		if (c->state == CALL_UP && c->step == STEP_NONE)
			call_step(c, STEP_STILL_UP);
		return;
	}
	if (st.status == QMI_WDS_DISCONNECTED)
		disconnected(c, &st);
	else if (st.status == QMI_WDS_CONNECTED)
		connected(c);
	else if (st.status == QMI_WDS_SUSPENDED)
		c->suspended = true;
}
