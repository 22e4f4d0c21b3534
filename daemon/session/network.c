// SPDX-License-Identifier: GPL-2.0-or-later
#include "network.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "util/clock.h"
#include "util/array.h"
#include "util/json_add.h"
#include "util/log.h"
#include "signals.h"

struct network {
	struct clients *clients;
	const struct config_trunk *config;
	const struct network_owner *owner;
	void *arg;
	bool asking;
	unsigned int repeats; /* of requests whose answer was lost */
	bool reported;	      /* the modem has reported it */
	/* ms: packet service is attached without registration since then; 0: not so */
	uint64_t attached_since;
	struct event *patience; /* timer for that state */
	struct qmi_nas_serving serving;
	struct signals signals;
};

static bool is_registered(const struct network *n)
{
	return n->serving.registration == QMI_NAS_REGISTERED ||
	       n->serving.registration >= QMI_NAS_UNKNOWN;
}

/*
 * Some modems (EP06 and RG500Q with SIMs for LTE alone) report the registration of circuit switched
 * service, which is denied or searching while packet service is attached. That is worth an attempt;
 * not at once, because the two do not change at the same moment.
 */
#define PATIENCE_MS 3000

static bool is_attached_only(const struct network *n)
{
	return n->reported && !is_registered(n) && n->serving.packet_attach == QMI_NAS_ATTACHED;
}

static int64_t patience_left_ms(const struct network *n)
{
	int64_t left = (int64_t)n->attached_since + PATIENCE_MS - clock_ms();

	return left > 0 ? left : 0;
}

static void be_patient(struct network *n)
{
	static const struct timeval tv = {.tv_sec = PATIENCE_MS / 1000};

	if (!is_attached_only(n)) {
		n->attached_since = 0;
		event_del(n->patience);
	} else if (!n->attached_since) {
		n->attached_since = clock_ms();
		event_add(n->patience, &tv);
	}
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	const struct network *n = arg;

	n->owner->changed(n->arg);
}

static void take_serving(struct network *n, const struct qmi_message *m)
{
	struct qmi_nas_serving before = n->serving;
	bool reported = n->reported;

	if (!qmi_nas_serving_system(m, &n->serving))
		return;
	n->reported = true;
	be_patient(n);
	if (reported && before.registration == n->serving.registration &&
	    before.radio == n->serving.radio && before.roaming == n->serving.roaming)
		return;
	log_debug("network: %s, %s%s", qmi_nas_registration_name(n->serving.registration),
		  qmi_nas_radio_name(n->serving.radio), n->serving.roaming ? ", roaming" : "");
}

static void ask_serving(struct network *n);

static void on_serving(void *arg, int err, const struct qmi_message *m)
{
	struct network *n = arg;
	struct qmi_result res;

	if (!clients_answer(n->clients, &err, m, &res))
		return;
	n->asking = false;
	if (!err && !res.status)
		take_serving(n, m);
	/* with poll=0 no other request follows; calls do not wait for it */
	if (err == -ETIMEDOUT && !n->reported && n->repeats++ < NAS_REPEATS)
		ask_serving(n);
	n->owner->changed(n->arg);
}

static void ask_serving(struct network *n)
{
	struct qmi_request r;

	qmi_request_init(&r, QMI_NAS_SERVING_SYSTEM);
	clients_send(n->clients, ID_NAS, &r, on_serving, n);
}

void network_expect(struct network *n)
{
	n->asking = true;
}

bool network_is_pending(const struct network *n)
{
	return n->asking;
}

void network_start(struct network *n)
{
	struct qmi_request r;

	if (!clients_id(n->clients, ID_NAS)) {
		n->asking = false;
		n->owner->changed(n->arg);
		return;
	}
	n->repeats = 0;
	ask_serving(n);
	qmi_nas_register_indications(&r);
	clients_send_only(n->clients, ID_NAS, &r);
	signals_start(&n->signals);
}

void network_poll(struct network *n)
{
	if (!clients_id(n->clients, ID_NAS))
		return;
	ask_serving(n); /* an indication may have been lost, or the modem sends none */
	signals_poll(&n->signals);
}

void network_indication(void *arg, const struct qmi_message *m)
{
	struct network *n = arg;
	uint8_t radio = n->serving.radio;

	if (m->id == QMI_NAS_SIGNAL_INFO)
		signals_indication(&n->signals, m);
	if (m->id != QMI_NAS_SERVING_SYSTEM)
		return;
	take_serving(n, m);
	if (n->serving.radio != radio)
		signals_poll(&n->signals);
	n->owner->changed(n->arg);
}

bool network_missing(const struct network *n, char *why, size_t size)
{
	static const char *const reasons[QMI_NAS_UNKNOWN] = {
		[QMI_NAS_NOT_REGISTERED] = "the modem is not registered with a network",
		[QMI_NAS_SEARCHING] = "the modem is searching for a network",
		[QMI_NAS_DENIED] = "the network denies registration",
	};
	/*
	 * A registered modem need not be attached to packet service: in 2G and 3G the call itself
	 * attaches it.
	 */
	if (!n->reported || is_registered(n))
		return false;
	if (is_attached_only(n) && !patience_left_ms(n))
		return false;
	snprintf(why, size, "%s%s", reasons[n->serving.registration],
		 is_attached_only(n) ? ", though it is attached to packet service" : "");
	return true;
}

/* A modem that does not report roaming counts as at home. */
bool network_is_barred(const struct network *n, char *why, size_t size)
{
	const struct qmi_nas_serving *v = &n->serving;

	if (n->config->roaming == CONFIG_ROAMING_ON || !is_registered(n) || !v->roaming)
		return false;
	snprintf(why, size, "the modem roams in %03u-%02u%s%s, and roaming=off", v->mcc, v->mnc,
		 *v->network ? " " : "", v->network);
	return true;
}

const char *network_hint(const struct network *n)
{
	static const char *const hints[QMI_NAS_UNKNOWN] = {
		[QMI_NAS_NOT_REGISTERED] = "check the modem's selection of network and bands",
		[QMI_NAS_SEARCHING] = "check antenna and coverage",
		[QMI_NAS_DENIED] =
			"the operator may have barred this SIM or this modem, or have no "
			"agreement for roaming here: ask the operator",
	};
	unsigned int registration = n->serving.registration;

	return n->reported && registration < ARRAY_SIZE(hints) ? hints[registration] : NULL;
}

void network_until(const struct network *n, char *text, size_t size)
{
	snprintf(text, size, "when the modem is registered");
	if (is_attached_only(n))
		snprintf(text, size, "when the modem is registered, or in %u s",
			 (unsigned int)(patience_left_ms(n) + 999) / 1000);
}

bool network_plmn(const struct network *n, uint16_t *mcc, uint16_t *mnc)
{
	*mcc = n->serving.mcc;
	*mnc = n->serving.mnc;
	return *mcc && n->serving.registration == QMI_NAS_REGISTERED;
}

/* Without a network the modem leaves these values out; those of the last one are kept. */
static void show_identity(const struct network *n, struct json_object *o)
{
	bool served = is_registered(n) || is_attached_only(n);
	const struct qmi_nas_serving *v = &n->serving;
	char plmn[16] = "";

	json_object_object_add(o, "roaming",
			       served && v->roaming_reported ? json_object_new_boolean(v->roaming)
							     : NULL);
	if (served && v->mcc)
		snprintf(plmn, sizeof(plmn), "%03u-%02u", v->mcc, v->mnc);
	json_add_text(o, "plmn", plmn);
	json_add_text(o, "operator", served ? v->network : NULL);
}

struct json_object *network_show(const struct network *n)
{
	static const char *const attach[] = {"unknown", "attached", "detached"};
	const struct qmi_nas_serving *v = &n->serving;
	struct json_object *o;

	if (!n->reported)
		return NULL;
	o = json_object_new_object();
	json_add_text(o, "registration", qmi_nas_registration_name(v->registration));
	json_add_text(o, "packet_service",
		      attach[v->packet_attach <= QMI_NAS_DETACHED ? v->packet_attach : 0]);
	json_add_text(o, "radio", qmi_nas_radio_name(v->radio));
	show_identity(n, o);
	json_object_object_add(o, "signal", signals_show(&n->signals));
	json_object_object_add(o, "signal_history", signals_history(&n->signals));
	return o;
}

/* --- the object --- */

static void on_signals(void *arg)
{
	const struct network *n = arg;

	n->owner->changed(n->arg);
}

static void on_report(void *arg, const char *from, const char *to, int dbm)
{
	const struct network *n = arg;

	n->owner->signal(n->arg, from, to, dbm);
}

struct network *network_new(struct event_base *base, struct clients *clients,
			    const struct config_trunk *config, const struct network_owner *owner,
			    void *arg)
{
	struct network *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->clients = clients;
	n->config = config;
	n->owner = owner;
	n->arg = arg;
	n->signals.clients = clients;
	n->signals.changed = on_signals;
	n->signals.report = on_report;
	n->signals.arg = n;
	n->patience = event_new(base, -1, 0, on_patience, n);
	if (!n->patience)
		network_free(&n);
	return n;
}

void network_free(struct network **n)
{
	if (*n && (*n)->patience)
		event_free((*n)->patience);
	free(*n);
	*n = NULL;
}
