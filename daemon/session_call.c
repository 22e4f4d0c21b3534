// SPDX-License-Identifier: GPL-2.0-or-later
/* One data call: a WDS client, bound to its PDN's mux id, started, asked for its settings. */
#include "session_internal.h"

#include <qmap/abi.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* A network may take this long to answer Start Network (Quectel's connection manager waits so). */
#define START_MS 120000

/* Protocol errors with a meaning of their own. */
#define INVALID_CLIENT_ID 7
#define OUT_OF_CALL	  15
#define NO_EFFECT	  26

struct call_step {
	const char *name;  /* for people and JSON */
	const char *doing; /* "<doing> failed" */
	void (*build)(const struct call *c, struct qmi_request *r);
	void (*enter)(struct call *c); /* instead of a request */
	/* Where the response leads; @next is the table's. */
	enum call_state (*answer)(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_state next);
	enum call_state next;
	enum call_state otherwise; /* no (usable) response */
	unsigned int timeout_ms;   /* 0: as configured */
};

static const struct call_step steps[CALL_STATES];

static enum call_state fail(struct call *c, uint16_t qmi_error)
{
	c->failed_in = c->state;
	c->end.qmi_error = qmi_error;
	return CALL_FAILED;
}

static void on_allocated(void *arg, const struct id_reply *r)
{
	struct call *c = arg;
	struct session *s = c->session;
	int err = r->err;

	if (!err)
		err = qmi_client_new(&c->client, s->channel, QMI_WDS, r->id, call_indication, c);
	if (session_giving_back(s)) {
		call_enter(c, c->client ? CALL_RELEASE : CALL_GONE);
	} else if (err) {
		c->error = err;
		call_enter(c, fail(c, r->qmi_error));
	} else {
		call_enter(c, s->format.version == QMAP_OFF ? CALL_FAMILY : CALL_BIND);
	}
}

static void enter_allocate(struct call *c)
{
	session_id_allocate(c->session, QMI_WDS, on_allocated, c);
}

static void build_bind(const struct call *c, struct qmi_request *r)
{
	qmi_wds_bind_mux_data_port(r, &c->session->endpoint, c->pdn->mux);
}

static enum call_state on_bound(struct call *c, const struct qmi_message *m,
				const struct qmi_result *res, enum call_state next)
{
	(void)m;
	return res->status && res->error != NO_EFFECT ? fail(c, res->error) : next;
}

static void build_family(const struct call *c, struct qmi_request *r)
{
	qmi_wds_set_ip_family(r, c->family);
}

/* A preference: Start Network names the family too, so a modem that refuses this one may go on. */
static enum call_state on_family(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_state next)
{
	(void)m;
	if (res->status && res->error != NO_EFFECT)
		log_debug("PDN %u: modem does not take the preference for IPv%d", c->pdn->number,
			  c->family);
	return next;
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
		.apn = c->pdn->apn,
		.user = c->pdn->user,
		.password = c->pdn->password,
		.auth = auth_of(c->pdn),
		.family = c->family,
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
static enum call_state on_started(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_state next)
{
	struct qmi_wds_end end;

	qmi_wds_handle(m, &c->handle);
	if (!res->status || res->error == NO_EFFECT) {
		session_changed(c->session);
		return res->status ? CALL_STATUS : next;
	}
	c->dialled = false;
	qmi_wds_end(m, &end);
	if (end.reason || end.verbose_type)
		take_end(c, &end);
	return fail(c, res->error);
}

static void build_status(const struct call *c, struct qmi_request *r)
{
	(void)c;
	qmi_wds_get_packet_status(r);
}

static bool is_connected(const struct qmi_message *m, const struct qmi_result *res)
{
	struct qmi_wds_packet_status st;

	qmi_wds_packet_status(m, &st);
	return !res->status && (st.status == QMI_WDS_CONNECTED || st.status == QMI_WDS_SUSPENDED);
}

static enum call_state on_status(struct call *c, const struct qmi_message *m,
				 const struct qmi_result *res, enum call_state next)
{
	return is_connected(m, res) ? next : fail(c, res->error);
}

/*
 * Adoption: a client id that the modem does not know means that it has restarted meanwhile, unless
 * the dead process was giving ids back and did not live to hear that this one had been taken.
 */
static enum call_state on_checked(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_state next)
{
	if (res->status && res->error == INVALID_CLIENT_ID && !c->session->was_giving_back)
		session_lost(c->session, true,
			     "modem has restarted meanwhile: its calls and client ids are gone");
	if (is_connected(m, res)) {
		c->dialled = true;
		return next;
	}
	c->dialled = false;
	return CALL_DISCONNECTED;
}

static void build_settings(const struct call *c, struct qmi_request *r)
{
	(void)c;
	qmi_wds_get_current_settings(r);
}

/* An MTU no link can have is as good as none. */
static unsigned int sane_mtu(int family, uint32_t mtu)
{
	return mtu < (family == 4 ? 68u : 1280u) || mtu > 65535 ? 0 : mtu;
}

static void take_settings(struct call *c, const struct qmi_wds_settings *w)
{
	struct ip_settings *ip = &c->settings;

	memset(ip, 0, sizeof(*ip));
	ip->family = c->family;
	memcpy(ip->address, w->address, sizeof(ip->address));
	ip->prefix = w->prefix;
	ip->has_gateway = w->has & QMI_WDS_HAS_GATEWAY;
	memcpy(ip->gateway, w->gateway, sizeof(ip->gateway));
	ip->ndns = w->ndns;
	memcpy(ip->dns, w->dns, sizeof(ip->dns));
	ip->mtu = sane_mtu(c->family, w->mtu);
}

/* A call that was up stays up when its settings cannot be read again. */
static enum call_state on_settings(struct call *c, const struct qmi_message *m,
				   const struct qmi_result *res, enum call_state next)
{
	struct qmi_wds_settings w;

	if (res->status && res->error == OUT_OF_CALL)
		return c->told ? CALL_DISCONNECTED : fail(c, res->error);
	qmi_wds_settings(m, c->family, &w);
	if (!res->status && w.has & QMI_WDS_HAS_ADDRESS) {
		take_settings(c, &w);
		c->renewed = true;
		return next;
	}
	if (c->told)
		return next;
	c->error = -ENODATA;
	return fail(c, res->error);
}

static void enter_connected(struct call *c)
{
	memset(&c->end, 0, sizeof(c->end));
	c->told = true;
	if (!c->renewed)
		return;
	c->renewed = false;
	c->session->ops->up(c->session->arg, c->pdn->number, &c->settings);
}

static void tell_down(struct call *c)
{
	if (!c->told)
		return;
	c->told = false;
	c->session->ops->down(c->session->arg, c->pdn->number, c->family, &c->end);
}

static void enter_disconnected(struct call *c)
{
	c->dialled = false;
	c->suspended = false;
	c->handle = QMI_WDS_ANY_HANDLE;
	session_changed(c->session);
	tell_down(c);
}

static void build_stop(const struct call *c, struct qmi_request *r)
{
	qmi_wds_stop_network(r, c->handle);
}

/* Whatever it says: releasing the client ends what is left of the call. */
static enum call_state on_stopped(struct call *c, const struct qmi_message *m,
				  const struct qmi_result *res, enum call_state next)
{
	(void)c;
	(void)m;
	(void)res;
	return next;
}

static void on_released(void *arg, const struct id_reply *r)
{
	struct call *c = arg;

	(void)r;
	qmi_client_free(&c->client);
	call_enter(c, CALL_GONE);
}

static void enter_release(struct call *c)
{
	session_id_release(c->session, QMI_WDS, qmi_client_id(c->client), on_released, c);
}

static const struct call_step steps[CALL_STATES] = {
	[CALL_IDLE] = {.name = "idle"},
	[CALL_ALLOCATE] = {.name = "connecting",
			   .doing = "allocating a WDS client id",
			   .enter = enter_allocate},
	[CALL_BIND] = {.name = "connecting",
		       .doing = "binding the mux id",
		       .build = build_bind,
		       .answer = on_bound,
		       .next = CALL_FAMILY,
		       .otherwise = CALL_FAILED},
	[CALL_FAMILY] = {.name = "connecting",
			 .doing = "setting the IP family",
			 .build = build_family,
			 .answer = on_family,
			 .next = CALL_START,
			 .otherwise = CALL_FAILED},
	[CALL_START] = {.name = "connecting",
			.doing = "starting the call",
			.build = build_start,
			.answer = on_started,
			.next = CALL_SETTINGS,
			.otherwise = CALL_FAILED,
			.timeout_ms = START_MS},
	[CALL_STATUS] = {.name = "connecting",
			 .doing = "asking for the call's status",
			 .build = build_status,
			 .answer = on_status,
			 .next = CALL_SETTINGS,
			 .otherwise = CALL_FAILED},
	[CALL_CHECK] = {.name = "adopting",
			.doing = "asking for the call's status",
			.build = build_status,
			.answer = on_checked,
			.next = CALL_SETTINGS,
			.otherwise = CALL_FAILED},
	[CALL_SETTINGS] = {.name = "configuring",
			   .doing = "reading addresses",
			   .build = build_settings,
			   .answer = on_settings,
			   .next = CALL_CONNECTED,
			   .otherwise = CALL_FAILED},
	[CALL_CONNECTED] = {.name = "connected", .enter = enter_connected},
	[CALL_DISCONNECTED] = {.name = "disconnected", .enter = enter_disconnected},
	[CALL_FAILED] = {.name = "failed"},
	[CALL_STOP] = {.name = "stopping",
		       .build = build_stop,
		       .answer = on_stopped,
		       .next = CALL_RELEASE,
		       .otherwise = CALL_RELEASE},
	[CALL_RELEASE] = {.name = "stopping", .enter = enter_release},
	[CALL_GONE] = {.name = "stopped"},
};

const char *call_state_name(const struct call *c)
{
	return c->state == CALL_CONNECTED && c->suspended ? "suspended" : steps[c->state].name;
}

const char *call_doing(enum call_state state)
{
	return steps[state].doing;
}

static void on_reply(void *arg, int err, const struct qmi_message *m)
{
	struct call *c = arg;
	const struct call_step *step = &steps[c->state];
	struct qmi_result res;

	if (session_reply_lost(err))
		return;
	if (!err)
		err = qmi_message_result(m, &res);
	if (!err) {
		c->session->answered = true;
		call_enter(c, step->answer(c, m, &res, step->next));
		return;
	}
	if (c->told && step->otherwise == CALL_FAILED) {
		call_enter(c, CALL_CONNECTED);
		return;
	}
	if (c->state == CALL_CHECK)
		session_adopt_failed(c->session);
	c->error = err;
	c->failed_in = c->state;
	call_enter(c, step->otherwise);
}

void call_enter(struct call *c, enum call_state state)
{
	const struct call_step *step = &steps[state];
	struct qmi_request r;

	c->state = state;
	if (step->enter) {
		step->enter(c);
	} else if (step->build) {
		if (state == CALL_START)
			c->dialled = true;
		step->build(c, &r);
		qmi_client_send(c->client, &r,
				step->timeout_ms ? step->timeout_ms
						 : session_timeout_ms(c->session),
				on_reply, c);
	}
	session_kick(c->session);
}

static void call_ended(struct call *c, const struct qmi_wds_packet_status *st)
{
	take_end(c, &st->end);
	qmi_client_cancel(c->client);
	if (c->told) {
		call_enter(c, CALL_DISCONNECTED);
		return;
	}
	c->dialled = false;
	call_enter(c, fail(c, 0));
}

void call_indication(void *arg, const struct qmi_message *m)
{
	struct call *c = arg;
	struct qmi_wds_packet_status st;

	if (m->id != QMI_WDS_PACKET_STATUS || session_giving_back(c->session))
		return;
	qmi_wds_packet_status(m, &st);
	switch (st.status) {
	case QMI_WDS_DISCONNECTED:
		if (c->state == CALL_CONNECTED || c->state == CALL_SETTINGS)
			call_ended(c, &st);
		else if (c->state == CALL_START)
			take_end(c, &st.end); /* the refusal itself need not say why */
		break;
	case QMI_WDS_SUSPENDED:
		c->suspended = true;
		break;
	case QMI_WDS_CONNECTED:
		c->suspended = false;
		/* A modem may bring a call back by itself; it is not redialled from here. */
		if (c->state == CALL_DISCONNECTED ||
		    (c->state == CALL_CONNECTED && st.reconfigure)) {
			c->dialled = true;
			call_enter(c, CALL_SETTINGS);
		}
		break;
	}
}

void call_give_back(struct call *c)
{
	if (c->client)
		qmi_client_cancel(c->client);
	if (c->session->phase == PHASE_FAILING)
		tell_down(c);
	c->told = false;
	if (c->client)
		call_enter(c, c->dialled ? CALL_STOP : CALL_RELEASE);
	else if (c->state != CALL_ALLOCATE || session_id_forget(c->session, c))
		call_enter(c, CALL_GONE);
}

void call_lost(struct call *c)
{
	qmi_client_free(&c->client);
	c->dialled = false;
	c->handle = QMI_WDS_ANY_HANDLE;
	memset(&c->end, 0, sizeof(c->end));
	if (session_giving_back(c->session))
		c->told = false;
	c->state = session_giving_back(c->session) ? CALL_GONE : CALL_DISCONNECTED;
	tell_down(c);
}

static void call_init(struct call *c, struct session *s, const struct config_pdn *pdn, int family)
{
	c->session = s;
	c->pdn = pdn;
	c->family = family;
	c->handle = QMI_WDS_ANY_HANDLE;
}

int session_calls_new(struct session *s)
{
	s->calls = calloc(2 * CONFIG_MAX_PDNS, sizeof(*s->calls));
	if (!s->calls)
		return -ENOMEM;
	for (unsigned int i = 0; i < s->config.npdns; i++) {
		const struct config_pdn *pdn = &s->config.pdns[i];

		if (pdn->ip & CONFIG_IPV4)
			call_init(&s->calls[s->ncalls++], s, pdn, 4);
		if (pdn->ip & CONFIG_IPV6)
			call_init(&s->calls[s->ncalls++], s, pdn, 6);
	}
	return 0;
}
