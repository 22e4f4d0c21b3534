// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The objects of a session, which know neither the session nor each other: what they ask of their
 * owner, and what they report to it.
 */
#include "internal.h"

#include "qmi/ctl.h"

static void save(void *arg)
{
	session_changed(arg);
}

static void kick(void *arg)
{
	session_kick(arg);
}

/* --- clients --- */

static void on_lost(void *arg, bool rebooted, const char *why)
{
	struct session *s = arg;

	if (!rebooted)
		s->hung_up_by = clients_proxy(s->clients);
	session_lost(s, rebooted, why);
}

static void on_synced(void *arg)
{
	struct session *s = arg;

	/* Some modems answer SYNC with an indication as well as a response. */
	if (s->reset || setup_is_at_sync(s->set_up))
		return;
	session_lost(s, true, "modem has restarted: its calls and client ids are gone");
}

static void on_late(void *arg, const struct qmi_message *m)
{
	struct session *s = arg;

	if (s->phase == PHASE_OVER)
		return;
	if (m->id == QMI_CTL_ALLOCATE_CID)
		ids_late(s->ids, m);
	else
		setup_late(s->set_up, m);
}

static void on_message(void *arg, bool from_modem, const struct qmi_message *m)
{
	const struct session *s = arg;

	if (s->ops->message)
		s->ops->message(s->arg, from_modem, m);
}

static const struct clients_owner clients_owner = {
	.lost = on_lost,
	.synced = on_synced,
	.late = on_late,
	.message = on_message,
};

/* --- ids, guests --- */

static bool in_use(void *arg, uint8_t service, uint8_t id)
{
	const struct session *s = arg;

	return (service == QMI_WDS && calls_have_id(s->calls, id)) ||
	       guests_have(s->guests, service, id);
}

static bool guest_allocates(void *arg, uint8_t service)
{
	const struct session *s = arg;

	return guests_allocate(s->guests, service);
}

static void on_gave_up(void *arg, int err)
{
	session_gave_up(arg, err);
}

static const struct ids_owner ids_owner = {
	.changed = save,
	.kick = kick,
	.in_use = in_use,
	.guest_allocates = guest_allocates,
	.gave_up = on_gave_up,
};

static void on_guests_changed(void *arg)
{
	session_changed(arg);
	session_kick(arg);
}

static bool owns_mux(void *arg, uint8_t mux)
{
	const struct session *s = arg;

	return calls_have_mux(s->calls, mux);
}

static const struct proxy_owner guests_owner = {
	.changed = on_guests_changed,
	.owns_mux = owns_mux,
};

/* --- facts --- */

static void on_facts(void *arg, bool opened)
{
	const struct session *s = arg;

	calls_facts_changed(s->calls, opened);
}

static const char *run_dir(void *arg)
{
	const struct session *s = arg;

	return s->ops->run_dir ? s->ops->run_dir(s->arg) : NULL;
}

static void on_signal(void *arg, const char *from, const char *to, int dbm)
{
	const struct session *s = arg;

	if (s->ops->signal)
		s->ops->signal(s->arg, from, to, dbm);
}

static const struct facts_owner facts_owner = {
	.changed = on_facts,
	.kick = kick,
	.save = save,
	.signal = on_signal,
	.run_dir = run_dir,
};

/* --- set-up --- */

static void on_set_up(void *arg)
{
	session_set_up(arg);
}

static void on_set_up_failed(void *arg, const struct error *err)
{
	struct session *s = arg;

	s->error = *err;
	session_fail(s);
}

static const struct setup_owner setup_owner = {.done = on_set_up, .failed = on_set_up_failed};

/* --- calls --- */

static void on_up(void *arg, unsigned int pdn, const struct ip_settings *settings)
{
	const struct session *s = arg;

	s->ops->up(s->arg, pdn, settings);
}

static void on_down(void *arg, unsigned int pdn, int family, const struct call_end *why)
{
	const struct session *s = arg;

	s->ops->down(s->arg, pdn, family, why);
}

static void on_transition(void *arg, const struct session_transition *t)
{
	const struct session *s = arg;

	if (s->ops->transition)
		s->ops->transition(s->arg, t);
}

static void rx_packets(void *arg, uint64_t rx[QMAP_MAX_MUX])
{
	const struct session *s = arg;

	if (s->ops->rx_packets)
		s->ops->rx_packets(s->arg, rx);
}

static void on_quiet(void *arg, unsigned int pdn)
{
	const struct session *s = arg;

	if (s->ops->quiet)
		s->ops->quiet(s->arg, pdn);
}

static bool on_silent_pdn(void *arg, unsigned int pdn, unsigned int times)
{
	const struct session *s = arg;

	return !s->ops->silent || s->ops->silent(s->arg, pdn, times);
}

static void on_heard(void *arg, unsigned int pdn)
{
	const struct session *s = arg;

	if (s->ops->heard)
		s->ops->heard(s->arg, pdn);
}

static void on_forgotten(void *arg)
{
	session_lost(arg, true, "modem has restarted meanwhile: its calls and client ids are gone");
}

static void on_adopt_failed(void *arg)
{
	session_adopt_failed(arg);
}

static void on_unanswered(void *arg)
{
	const struct session *s = arg;

	if (s->phase == PHASE_RUNNING)
		watch_unanswered(s->watch);
}

static const struct calls_owner calls_owner = {
	.up = on_up,
	.down = on_down,
	.transition = on_transition,
	.rx_packets = rx_packets,
	.quiet = on_quiet,
	.silent = on_silent_pdn,
	.heard = on_heard,
	.changed = save,
	.kick = kick,
	.forgotten = on_forgotten,
	.adopt_failed = on_adopt_failed,
	.unanswered = on_unanswered,
};

/* --- watch --- */

static void poll(void *arg)
{
	const struct session *s = arg;

	facts_poll(s->facts, calls_any_up(s->calls));
	calls_poll(s->calls);
}

static bool is_waiting(void *arg)
{
	const struct session *s = arg;

	return calls_poll_waits(s->calls);
}

static uint64_t heard(void *arg)
{
	const struct session *s = arg;
	const struct qmi_counters *n = qmi_channel_counters(clients_channel(s->clients));

	return n->responses + n->indications + n->late + calls_rx_packets(s->calls);
}

static void on_silent(void *arg)
{
	session_lost(arg, false, "modem does not answer any more, and nothing comes in");
}

static void check_traffic(void *arg)
{
	const struct session *s = arg;

	calls_check_traffic(s->calls);
}

static const struct watch_owner watch_owner = {
	.poll = poll,
	.is_waiting = is_waiting,
	.heard = heard,
	.silent = on_silent,
	.check_traffic = check_traffic,
};

int session_rooms_new(struct session *s, struct error *err)
{
	struct calls_env env = {.base = s->base, .config = s->config};
	struct setup_env setup_env = {.config = s->config, .control = s->setup.control};
	int ret;

	proxy_stand_aside(s->setup.control);
	ret = clients_open(&s->clients, s->base, s->setup.control, s->config, &clients_owner, s,
			   err);
	if (ret)
		return ret;
	env.clients = s->clients;
	env.ids = s->ids = ids_new(s->clients, &ids_owner, s);
	env.format = s->format = format_new(s->clients, &s->setup);
	env.facts = s->facts = facts_new(s->base, s->clients, s->ids, s->config, &facts_owner, s);
	s->guests = guests_new(s->setup.control, s->clients, s->ids, &guests_owner, s);
	setup_env.clients = s->clients;
	setup_env.ids = s->ids;
	setup_env.facts = s->facts;
	setup_env.format = s->format;
	s->set_up = setup_new(&setup_env, &setup_owner, s);
	s->calls = calls_new(&env, &calls_owner, s);
	s->watch = watch_new(s->base, s->config, &watch_owner, s);
	if (s->ids && s->format && s->facts && s->set_up && s->guests && s->calls && s->watch)
		return 0;
	return error_set(err, -ENOMEM, "out of memory");
}

void session_rooms_free(struct session *s)
{
	if (s->clients)
		clients_close(s->clients);
	watch_free(&s->watch);
	calls_free(&s->calls);
	setup_free(&s->set_up);
	facts_free(&s->facts);
	format_free(&s->format);
	guests_free(&s->guests);
	ids_free(&s->ids);
	clients_free(&s->clients);
}
