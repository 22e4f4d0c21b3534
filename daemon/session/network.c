// SPDX-License-Identifier: GPL-2.0-or-later
/* Registration: NAS. */
#include "internal.h"

#include <event2/event.h>
#include <stdio.h>

#include "util/clock.h"
#include "util/log.h"

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
	return n->known && !is_registered(n) && n->serving.packet_attach == QMI_NAS_ATTACHED;
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
	session_facts_changed(arg);
}

int session_network_new(struct session *s)
{
	s->network.patience = event_new(s->base, -1, 0, on_patience, s);
	return s->network.patience ? 0 : -ENOMEM;
}

void session_network_free(struct session *s)
{
	if (s->network.patience)
		event_free(s->network.patience);
}

static void take_serving(struct session *s, const struct qmi_message *m)
{
	struct network *n = &s->network;

	if (!qmi_nas_serving_system(m, &n->serving))
		return;
	n->known = true;
	be_patient(n);
	log_debug("network: %s, %s%s", qmi_nas_registration_name(n->serving.registration),
		  qmi_nas_radio_name(n->serving.radio), n->serving.roaming ? ", roaming" : "");
}

static void on_serving(void *arg, int err, const struct qmi_message *m)
{
	struct session *s = arg;
	struct qmi_result res;

	if (!clients_answer(s->clients, &err, m, &res))
		return;
	s->network.asking = false;
	if (!err && !res.status)
		take_serving(s, m);
	session_facts_changed(s);
}

static void ask_serving(struct session *s)
{
	struct qmi_request r;

	qmi_nas_get_serving_system(&r);
	clients_send(s->clients, ID_NAS, &r, on_serving, s);
}

void session_network_start(struct session *s)
{
	struct qmi_request r;

	if (!clients_id(s->clients, ID_NAS)) {
		s->network.asking = false;
		session_facts_changed(s);
		return;
	}
	ask_serving(s);
	qmi_nas_register_indications(&r);
	clients_send_only(s->clients, ID_NAS, &r);
	session_signal_start(s);
}

void session_network_poll(struct session *s)
{
	if (!clients_id(s->clients, ID_NAS))
		return;
	if (!is_registered(&s->network))
		ask_serving(s);
	session_signal_poll(s);
}

void session_network_indication(void *arg, const struct qmi_message *m)
{
	struct session *s = arg;
	uint8_t radio = s->network.serving.radio;

	if (m->id == QMI_NAS_SIGNAL_INFO)
		session_signal_indication(s, m);
	if (m->id != QMI_NAS_SERVING_SYSTEM)
		return;
	take_serving(s, m);
	if (s->network.serving.radio != radio)
		session_signal_poll(s);
	session_facts_changed(s);
}

bool session_network_missing(const struct session *s, char *why, size_t size)
{
	static const char *const reasons[QMI_NAS_UNKNOWN] = {
		[QMI_NAS_NOT_REGISTERED] = "the modem is not registered with a network",
		[QMI_NAS_SEARCHING] = "the modem is searching for a network",
		[QMI_NAS_DENIED] = "the network denies registration",
	};
	const struct network *n = &s->network;

	/*
	 * A registered modem need not be attached to packet service: in 2G and 3G the call itself
	 * attaches it.
	 */
	if (!n->known || is_registered(n))
		return false;
	if (is_attached_only(n) && !patience_left_ms(n))
		return false;
	snprintf(why, size, "%s%s", reasons[n->serving.registration],
		 is_attached_only(n) ? ", though it is attached to packet service" : "");
	return true;
}

const char *session_network_hint(const struct session *s)
{
	static const char *const hints[QMI_NAS_UNKNOWN] = {
		[QMI_NAS_NOT_REGISTERED] = "check the modem's selection of network and bands",
		[QMI_NAS_SEARCHING] = "check antenna and coverage",
		[QMI_NAS_DENIED] =
			"the operator may have barred this SIM or this modem, or have no "
			"agreement for roaming here: ask the operator",
	};
	unsigned int registration = s->network.serving.registration;

	return s->network.known && registration < sizeof(hints) / sizeof(hints[0])
		       ? hints[registration]
		       : NULL;
}

void session_network_until(const struct session *s, char *text, size_t size)
{
	snprintf(text, size, "when the modem is registered");
	if (is_attached_only(&s->network))
		snprintf(text, size, "when the modem is registered, or in %u s",
			 (unsigned int)(patience_left_ms(&s->network) + 999) / 1000);
}
