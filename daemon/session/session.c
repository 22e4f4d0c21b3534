// SPDX-License-Identifier: GPL-2.0-or-later
#include "internal.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_add.h"
#include "util/json_get.h"
#include "util/log.h"

void session_kick(struct session *s)
{
	event_active(s->kick, EV_TIMEOUT, 0);
}

void session_changed(struct session *s)
{
	s->ops->changed(s->arg);
}

static void set_phase(struct session *s, enum session_phase phase)
{
	s->phase = phase;
	if (session_giving_back(s))
		clients_give_back(s->clients);
	setup_stop(s->set_up);
	if (phase == PHASE_STOPPING || phase == PHASE_OVER)
		calls_be_quiet(s->calls);
}

static void finish(struct session *s)
{
	void (*done)(void *, const struct error *) = s->stop_done;
	bool starting = s->phase == PHASE_FAILING;

	event_del(s->deadline);
	clients_close(s->clients);
	watch_stop(s->watch);
	calls_drop_clients(s->calls);
	set_phase(s, PHASE_OVER);
	s->stop_done = NULL;
	if (s->give_back_error.err)
		log_warning("%s", s->give_back_error.text);
	if (done)
		done(s->stop_arg, s->give_back_error.err ? &s->give_back_error : NULL);
	else if (starting)
		s->ops->started(s->arg, &s->error);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	error_set(&s->give_back_error, -ETIMEDOUT,
		  "modem did not confirm that calls and clients were given back");
	finish(s);
}

/*
 * Every call first; the last acknowledgement ends it. The requests have deadlines of their own;
 * this one is for a modem that answers each of them just in time.
 */
static void give_back(struct session *s, enum session_phase phase)
{
	struct timeval tv = {.tv_sec = 4 * GIVE_BACK_MS / 1000};

	set_phase(s, phase);
	session_changed(s);
	calls_stop(s->calls);
	event_add(s->deadline, &tv);
	session_kick(s);
}

void session_set_up(struct session *s)
{
	int ret;

	session_changed(s);
	ret = s->ops->format(s->arg, format_agreed(s->format), &s->error);
	if (ret < 0) {
		error_set(&s->error, ret, "data path could not be built");
		session_fail(s);
		return;
	}
	s->phase = PHASE_CALLS;
	calls_start(s->calls);
	facts_start(s->facts);
	session_watch_start(s);
	session_kick(s);
}

void session_fail(struct session *s)
{
	if (!session_giving_back(s))
		give_back(s, PHASE_FAILING);
}

void session_gave_up(struct session *s, int err)
{
	error_set(&s->give_back_error, err, "modem does not answer, so %s",
		  "its calls and client ids could not be given back");
	s->gave_up = true;
	session_kick(s);
}

/* Without a proxy the channel is the modem's, or ours alone and the next session begins by SYNC. */
static void leave(struct session *s)
{
	if (!clients_proxy(s->clients) || s->left)
		return;
	s->left = session_state(s);
	json_add_int(s->left, "hung_up_by", s->hung_up_by);
}

struct json_object *session_left(const struct session *s)
{
	return s->left;
}

void session_adopt_failed(struct session *s)
{
	if (s->phase != PHASE_ADOPT)
		return;
	leave(s);
	setup_error_silent(s->set_up, &s->error);
	set_phase(s, PHASE_FAILING);
	s->gave_up = true;
	session_kick(s);
}

/* Returns true if there is any. */
static bool release_clients(struct session *s)
{
	bool any = false;

	for (int i = ID_WDA; i < ID_SERVICES; i++) {
		uint8_t id = clients_id(s->clients, i);

		if (!id)
			continue;
		any = true;
		ids_release(s->ids, clients_service(i), id, NULL, NULL);
	}
	return any;
}

/* Calls are gone; next the modem's own clients. */
static void check_given_back(struct session *s)
{
	if (s->gave_up) {
		finish(s);
		return;
	}
	if (!calls_are_gone(s->calls) || ids_busy(s->ids) || !guests_gone(s->guests) ||
	    facts_radio_is_due(s->facts))
		return;
	if (!session_reset(s) && !release_clients(s))
		finish(s);
}

static void check_lost(struct session *s)
{
	bool running = s->phase == PHASE_RUNNING;
	char why[sizeof(s->lost)];

	memcpy(why, s->lost, sizeof(why));
	if (!s->rebooted && !session_giving_back(s))
		leave(s);
	clients_cancel_ctl(s->clients);
	ids_clear(s->ids);
	guests_clear(s->guests);
	watch_stop(s->watch);
	calls_lose(s->calls, s->lost);
	clients_remove_all(s->clients);
	s->lost[0] = '\0';
	session_changed(s);
	if (running) {
		log_warning("%s", why);
		set_phase(s, PHASE_OVER);
		watch_stop(s->watch);
		clients_close(s->clients);
		s->ops->lost(s->arg, why);
		return;
	}
	if (!session_giving_back(s)) {
		error_set(&s->error, -ENODEV, "%s", why);
		set_phase(s, PHASE_FAILING);
	} else if (!s->rebooted) {
		error_set(&s->give_back_error, -ENODEV, "%s", why);
	}
	finish(s);
}

static void check_calls(struct session *s)
{
	/* for a persistent trunk no caller waits: a refused PDN must not take the others down */
	if (s->phase == PHASE_CALLS && !s->setup.persist && calls_refused(s->calls, &s->error)) {
		session_fail(s);
		return;
	}
	if (!calls_are_settled(s->calls, 0, false) || ids_busy(s->ids))
		return;
	s->phase = PHASE_RUNNING;
	s->ops->started(s->arg, NULL);
}

/*
 * Every end of a phase is detected here, with no function of the session on the stack: callbacks of
 * the owner may stop or free it.
 */
static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	if (s->phase == PHASE_OVER) {
		if (s->stop_done)
			finish(s);
		return;
	}
	if (*s->lost) {
		check_lost(s);
		return;
	}
	ids_run(s->ids);
	if (s->phase != PHASE_SETUP && !session_giving_back(s))
		guests_open(s->guests); /* not before SYNC, which would release their ids */
	calls_clean_up(s->calls);
	if (session_giving_back(s)) {
		check_given_back(s);
		return;
	}
	calls_remove_gone(s->calls);
	if (s->phase == PHASE_CALLS || s->phase == PHASE_ADOPT)
		check_calls(s);
}

void session_lost(struct session *s, bool rebooted, const char *why)
{
	if (*s->lost)
		return;
	s->rebooted = rebooted;
	snprintf(s->lost, sizeof(s->lost), "%s", why);
	session_kick(s);
}

static int session_new(struct session **out, struct event_base *base,
		       const struct session_setup *setup, const struct session_ops *ops, void *arg,
		       struct error *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->base = base;
	s->setup = *setup;
	s->config = setup->config;
	s->ops = ops;
	s->arg = arg;
	s->kick = event_new(s->base, -1, 0, on_kick, s);
	s->deadline = event_new(s->base, -1, 0, on_deadline, s);
	r = s->kick && s->deadline ? session_rooms_new(s, err)
				   : error_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		session_free(&s);
	else
		*out = s;
	return r;
}

static void begin(struct session *s)
{
	s->phase = PHASE_SETUP;
	setup_start(s->set_up);
}

int session_start(struct session **out, struct event_base *base, const struct session_setup *setup,
		  const struct session_ops *ops, void *arg, struct error *err)
{
	int r = session_new(out, base, setup, ops, arg, err);

	if (r < 0)
		return r;
	begin(*out);
	return 0;
}

static int adopt(struct session **out, struct json_object *state, struct error *err)
{
	struct session *s = *out;
	int r;

	s->phase = PHASE_ADOPT;
	r = session_state_load(s, state, err);
	if (r < 0) {
		session_free(out);
		return r;
	}
	ids_recover(s->ids);
	calls_adopt(s->calls);
	/*
	 * At the end, because a fact that the modem does not support is known at once, and starts
	 * calls.
	 */
	if (format_agreed(s->format) && !s->was_giving_back) {
		facts_start(s->facts);
		session_watch_start(s);
	}
	session_kick(s);
	return 0;
}

int session_adopt(struct session **out, struct event_base *base, const struct session_setup *setup,
		  struct json_object *state, const struct session_ops *ops, void *arg,
		  struct error *err)
{
	int r = session_new(out, base, setup, ops, arg, err);

	return r ?: adopt(out, state, err);
}

int session_resume(struct session **out, struct event_base *base, const struct session_setup *setup,
		   struct json_object *left, const struct session_ops *ops, void *arg,
		   struct error *err)
{
	int r = session_new(out, base, setup, ops, arg, err);
	bool restarted = !r && json_get_int(left, "hung_up_by") == clients_proxy((*out)->clients);

	if (r < 0)
		return r;
	if (!restarted && json_get_object(left, "format"))
		return adopt(out, left, err);
	if (!restarted)
		session_state_release(*out, left);
	begin(*out);
	return 0;
}

void session_setup_init(struct session_setup *setup, const struct config_trunk *config)
{
	static const int versions[SESSION_WISHES] = {QMAP_V5, QMAP_V4, QMAP_V1};
	bool any = config->qmap == CONFIG_QMAP_AUTO;

	*setup = (struct session_setup){
		.config = config,
		.qmap = config->qmap,
		.nwishes = any ? SESSION_WISHES : 1,
		.persist = config->persist,
	};
	for (unsigned int i = 0; i < setup->nwishes; i++)
		setup->wish[i] = (struct session_wish){
			.version = any ? versions[i] : (int)config->qmap,
			.dl_max_bytes = config->dl_max_bytes,
			.dl_max_datagrams = config->dl_max_datagrams,
		};
	memcpy(setup->control, config->control, sizeof(setup->control));
}

void session_set(struct session *s, const struct config_trunk *old)
{
	bool pin = strcmp(s->config->pin, old->pin), radio = s->config->radio != old->radio;

	if (pin)
		facts_pin_changed(s->facts);
	if (s->phase == PHASE_SETUP || session_giving_back(s))
		return;
	session_watch_start(s);
	if (pin)
		calls_expect(s->calls, CALL_WAIT_SIM);
	if (radio)
		calls_expect(s->calls, CALL_WAIT_RADIO);
	if (radio)
		facts_retry_radio(s->facts);
	if (pin)
		facts_ask_sim(s->facts);
	if (s->config->roaming != old->roaming)
		facts_check(s->facts);
}

void session_stop(struct session *s, void (*done)(void *arg, const struct error *err), void *arg)
{
	s->stop_done = done;
	s->stop_arg = arg;
	if (s->phase == PHASE_FAILING)
		set_phase(s, PHASE_STOPPING);
	else if (s->phase != PHASE_OVER && s->phase != PHASE_STOPPING)
		give_back(s, PHASE_STOPPING);
	session_kick(s);
}

void session_free(struct session **sp)
{
	struct session *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	session_rooms_free(s);
	if (s->kick)
		event_free(s->kick);
	if (s->deadline)
		event_free(s->deadline);
	json_object_put(s->left);
	free(s);
}

/* --- PDNs --- */

bool session_is_ending(const struct session *s)
{
	return s->phase >= PHASE_FAILING;
}

static int check_alive(const struct session *s, struct error *err)
{
	if (!session_is_ending(s))
		return 0;
	return error_set(err, -ESHUTDOWN, "the session with the modem is being ended");
}

static bool may_dial(const struct session *s)
{
	return s->phase != PHASE_SETUP && !session_giving_back(s);
}

int session_add_pdn(struct session *s, unsigned int number, struct error *err)
{
	int ret = check_alive(s, err) ?: calls_add_pdn(s->calls, number, err);

	if (!ret)
		session_retry(s, number);
	return ret;
}

int session_remove_pdn(struct session *s, unsigned int number,
		       void (*done)(void *arg, const struct error *err), void *arg,
		       struct error *err)
{
	return check_alive(s, err) ?: calls_remove_pdn(s->calls, number, done, arg, err);
}

void session_retry(struct session *s, unsigned int number)
{
	if (!may_dial(s))
		return;
	calls_retry(s->calls, number);
	if (!number)
		watch_look(s->watch);
}

void session_redial(struct session *s, unsigned int number)
{
	if (!may_dial(s))
		return;
	facts_retry_radio(s->facts);
	calls_redial(s->calls, number);
}

int session_cycle_radio(struct session *s)
{
	return may_dial(s) ? facts_cycle_radio(s->facts) : -ENODEV;
}

int session_restart_modem(struct session *s)
{
	return may_dial(s) ? facts_restart_modem(s->facts) : -ENODEV;
}

enum call_state session_call_state(const struct session *s, unsigned int pdn, int family)
{
	return calls_state(s->calls, pdn, family);
}

bool session_is_settled(const struct session *s, unsigned int number)
{
	if (s->phase != PHASE_RUNNING)
		return s->phase == PHASE_OVER;
	return calls_are_settled(s->calls, number, true);
}

int session_verdict(const struct session *s, unsigned int number, struct error *err)
{
	return calls_verdict(s->calls, number, err);
}

void session_watch_start(struct session *s)
{
	calls_reset_traffic(s->calls);
	watch_start(s->watch, s->ops->rx_packets);
}
