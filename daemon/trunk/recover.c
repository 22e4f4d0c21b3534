// SPDX-License-Identifier: GPL-2.0-or-later
#include "recover.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "events/events.h"
#include "netdev/device_stats.h"
#include "netdev/usb_power.h"
#include "recover/ladder.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/json_add.h"
#include "util/json_get.h"
#include "util/sysfs.h"
#include "internal.h"
#include "pins.h"

/*
 * Evidence must last so long: a modem may be silent while it changes the radio or the SIM, and a
 * search of networks takes minutes. With 40 s, a dead modem passes packets again within a minute.
 */
#define DEAD_MS		40000
#define UNREGISTERED_MS 600000
/* Between two looks, while there is evidence. */
#define LOOK_MS 5000
/* A hub needs a moment to see that the device is gone. */
#define USB_OFF_MS 2000
/* Packets that the modem has not taken: a single one may have been dropped by the queue below. */
#define MANY 3

struct trunk_recover {
	struct trunk *trunk;
	struct ladder ladder;
	struct event *look;
	struct usb_power *power; /* enumerates the modem again; NULL: nothing does */
	int64_t heard_ms;	 /* when any PDN received something; 0: never */
	int64_t dead_ms;	 /* since when the modem is silent; 0: it is not */
	int64_t unregistered_ms; /* since when it has no network; 0: it has, or no call waits for it */
	uint64_t sent[QMAP_MAX_MUX]; /* packets, when a PDN's silence began */
	int64_t stalled_ms;	     /* since when the modem takes nothing; 0: it does */
	uint64_t taken, offered;     /* packets, when it last took some */
	bool many_wait;		     /* more than a full queue below may have dropped */
	char usb[PATH_MAX];	     /* device that is enumerated again; "": none */
};

/* --- measures --- */

static void report(const struct trunk *t, enum ladder_evidence evidence, const char *to,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void report(const struct trunk *t, enum ladder_evidence evidence, const char *to,
		   const char *fmt, ...)
{
	struct events_entry e = {.kind = EVENTS_RECOVER};
	va_list ap;

	snprintf(e.dev, sizeof(e.dev), "%s", t->config.dev);
	snprintf(e.from, sizeof(e.from), "%s", ladder_evidence_name(evidence));
	snprintf(e.to, sizeof(e.to), "%s", to);
	va_start(ap, fmt);
	vsnprintf(e.reason, sizeof(e.reason), fmt, ap);
	va_end(ap);
	events_add(t->env.events, &e, true);
}

/* The caller of silent() redials. */
static int redial(struct trunk_recover *r)
{
	return 0;
}

static int cycle_radio(struct trunk_recover *r)
{
	return r->trunk->session ? session_cycle_radio(r->trunk->session) : -ENODEV;
}

static int restart_modem(struct trunk_recover *r)
{
	return r->trunk->session ? session_restart_modem(r->trunk->session) : -ENODEV;
}

static void on_enumerated(void *arg, int err)
{
	struct trunk_recover *r = arg;

	usb_power_close(&r->power);
	r->usb[0] = 0;
	trunk_save(r->trunk);
	if (!err)
		return;
	report(r->trunk, r->ladder.evidence, "impossible", "%s: %s", ladder_rung_name(LADDER_USB),
	       strerror(-err));
	r->ladder.until_ms = 0;
}

/* Saved before: if both processes die in between, the next qmapd switches it on. */
static int enumerate_again(struct trunk_recover *r)
{
	int ret;

	if (!usb_power_of(r->trunk->dev.device, r->usb, sizeof(r->usb)))
		return -ENODEV;
	trunk_save(r->trunk);
	ret = usb_power_cycle(&r->power, r->trunk->env.base, r->usb, USB_OFF_MS, on_enumerated, r);
	if (ret) {
		r->usb[0] = 0;
		trunk_save(r->trunk);
	}
	return ret;
}

/* Those who listen to events run it. */
static int run_hook(struct trunk_recover *r)
{
	return 0;
}

static int (*const measures[])(struct trunk_recover *r) = {
	[LADDER_REDIAL] = redial,	[LADDER_RADIO] = cycle_radio,
	[LADDER_RESET] = restart_modem, [LADDER_USB] = enumerate_again,
	[LADDER_HOOK] = run_hook,
};
TABLE_COMPLETE(measures, LADDER_RUNGS);

/* Those that the administrator allows, and that exist here. */
static unsigned int possible(const struct trunk *t)
{
	unsigned int rungs = 0;
	char usb[PATH_MAX];

	ladder_parse(t->config.recover, &rungs);
	if (!t->session || modem_state(t->modem) != TRUNK_READY)
		rungs &= ~(1U << LADDER_REDIAL | 1U << LADDER_RADIO | 1U << LADDER_RESET);
	if (t->recover->power || !usb_power_of(t->dev.device, usb, sizeof(usb)))
		rungs &= ~(1U << LADDER_USB);
	if (!t->config.hook[0])
		rungs &= ~(1U << LADDER_HOOK);
	return rungs;
}

/* Takes measures until one can be taken. LADDER_RUNGS: none. */
static enum ladder_rung climb(struct trunk_recover *r, enum ladder_evidence evidence,
			      const char *why)
{
	struct trunk *t = r->trunk;
	unsigned int rungs = possible(t);
	enum ladder_rung rung;

	while ((rung = ladder_climb(&r->ladder, evidence, rungs, clock_ms())) != LADDER_RUNGS) {
		int ret;

		trunk_save(t);
		report(t, evidence, ladder_rung_name(rung), "%s", why);
		ret = measures[rung](r);
		if (!ret)
			return rung;
		report(t, evidence, "impossible", "%s: %s", ladder_rung_name(rung), strerror(-ret));
		r->ladder.until_ms = 0;
		rungs &= ~(1U << rung);
	}
	if (ladder_is_spent(&r->ladder, evidence, rungs, clock_ms()) &&
	    strcmp(t->config.recover, "off"))
		report(t, evidence, "spent", "%s; no measure is left for now", why);
	return LADDER_RUNGS;
}

static void works(struct trunk_recover *r)
{
	if (!ladder_works(&r->ladder))
		return;
	report(r->trunk, r->ladder.evidence, "repaired", "the link works after %s",
	       ladder_rung_name(r->ladder.at));
	trunk_save_later(r->trunk);
}

/* --- evidence: the modem takes nothing --- */

/* @p NULL: by all ports. */
static uint64_t sent_by(struct trunk *t, const struct trunk_port *p)
{
	struct datapath_stats *stats = calloc(1, sizeof(*stats));
	uint64_t n = 0;

	if (stats && t->dp && !t->ops->stats(t->dp, stats, NULL))
		for (unsigned int i = 0; i < stats->nports; i++)
			if (!p || !stats->ports[i].mux || stats->ports[i].mux == p->port.mux)
				n += stats->ports[i].count.tx_packets;
	free(stats);
	return n;
}

static void add_in_flight(void *arg, const char *name, uint64_t value)
{
	if (!strcmp(name, "usb_tx_urbs"))
		*(uint64_t *)arg = value;
}

/* Bytes that have left a port and not the netdev below, by its byte queue limits. */
static bool bytes_wait(const struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++)
		if (sysfs_number(10, "/sys/class/net/%s/queues/tx-0/byte_queue_limits/inflight",
				 t->ports[i].port.name) > 0)
			return true;
	return false;
}

/*
 * Drivers count a packet as sent when the bus has it (usbnet.c, tx_complete(); mhi_net.c,
 * mhi_net_ul_callback()), but for qmap_usb, which says how many transfers wait for that.
 */
static void look_at_uplink(struct trunk_recover *r)
{
	struct trunk *t = r->trunk;
	long sent = sysfs_number(10, "/sys/class/net/%s/statistics/tx_packets", t->dev.name);
	uint64_t in_flight = 0, taken, offered;
	bool goes_on, waits;

	if (sent < 0)
		return;
	if (t->ops == &datapath_usb)
		device_stats(t->dev.name, "", add_in_flight, &in_flight, NULL);
	taken = sent - in_flight;
	goes_on = taken > r->taken; /* less: the netdev is another one */
	offered = sent_by(t, NULL);
	if (taken != r->taken) {
		r->taken = taken;
		r->offered = offered;
		r->stalled_ms = 0;
	}
	waits = in_flight || bytes_wait(t);
	r->many_wait = waits || offered >= r->offered + MANY;
	if (!r->stalled_ms && (waits || offered != r->offered))
		r->stalled_ms = clock_ms();
	if (goes_on && r->ladder.evidence == LADDER_STALLED)
		works(r);
}

static bool is_stalled(const struct trunk_recover *r)
{
	return r->stalled_ms && clock_ms() - r->stalled_ms >= r->trunk->config.watchdog * 1000ll;
}

/* --- evidence: packets are sent, and none is received --- */

/*
 * An idle PDN is dialled again as often as it is silent. Stronger measures need a PDN that has sent
 * something since it was dialled last, while no other has received anything.
 */
static bool is_dead_silence(struct trunk_recover *r, const struct trunk_port *p, unsigned int times)
{
	struct trunk *t = r->trunk;
	uint64_t sent = sent_by(t, p), *before = &r->sent[p->port.mux % QMAP_MAX_MUX];
	bool has_sent = sent != *before || is_stalled(r);

	*before = sent;
	return times > 1 && has_sent && clock_ms() - r->heard_ms >= t->config.watchdog * 1000ll;
}

bool trunk_recover_silent(struct trunk *t, unsigned int pdn, unsigned int times)
{
	const struct trunk_port *p = trunk_find_port(t, pdn);
	struct trunk_recover *r = t->recover;
	unsigned int rungs = 0;
	char why[128];

	ladder_parse(t->config.recover, &rungs);
	look_at_uplink(r);
	if (!p || !is_dead_silence(r, p, times))
		return rungs & 1U << LADDER_REDIAL;
	/* the first silence has been answered by dialling again */
	if (!r->ladder.climbing && rungs & 1U << LADDER_REDIAL)
		ladder_climb(&r->ladder, LADDER_SILENT, 1U << LADDER_REDIAL,
			     clock_ms() - t->config.watchdog * 1000ll);
	snprintf(why, sizeof(why), "%s sends, and nothing was received for %u s", p->port.name,
		 t->config.watchdog);
	return climb(r, LADDER_SILENT, why) == LADDER_RUNGS && rungs & 1U << LADDER_REDIAL &&
	       clock_ms() >= r->ladder.until_ms;
}

void trunk_recover_heard(struct trunk *t, unsigned int pdn)
{
	struct trunk_recover *r = t->recover;
	char why[128];

	r->heard_ms = clock_ms();
	if (r->ladder.evidence == LADDER_SILENT)
		works(r);
	look_at_uplink(r);
	if (!is_stalled(r) || !r->many_wait)
		return;
	snprintf(why, sizeof(why), "the modem has taken no packet for %u s, though some wait",
		 t->config.watchdog);
	climb(r, LADDER_STALLED, why);
}

/* --- evidence: no answer, no network --- */

static void look_soon(struct trunk_recover *r)
{
	static const struct timeval tv = {.tv_sec = LOOK_MS / 1000};

	if (!event_pending(r->look, EV_TIMEOUT, NULL))
		event_add(r->look, &tv);
}

/* A modem that does not answer; not one whose channel is missing, in use by others, or refused. */
static bool is_silence(int err)
{
	switch (-err) {
	case ETIMEDOUT:
	case ENODEV:
	case EAGAIN:
	case EIO:
	case EPIPE:
		return true;
	}
	return false;
}

void trunk_recover_failed(struct trunk *t, const struct error *err)
{
	struct trunk_recover *r = t->recover;

	if (!err || !is_silence(err->err) || !t->dev.ifindex || !trunk_has_control(t)) {
		r->dead_ms = 0;
		return;
	}
	if (!r->dead_ms)
		r->dead_ms = clock_ms();
	look_soon(r);
}

void trunk_recover_ready(struct trunk *t)
{
	t->recover->dead_ms = 0;
	if (t->recover->ladder.evidence == LADDER_DEAD)
		works(t->recover);
}

/* Does a call wait for a network, and is none up? */
static bool is_unregistered(const struct trunk *t)
{
	bool waits = false;

	for (unsigned int i = 0; i < t->config.npdns && t->session; i++)
		for (int family = 4; family <= 6; family += 2) {
			enum call_state s =
				session_call_state(t->session, t->config.pdns[i].number, family);

			if (s == CALL_UP)
				return false;
			waits |= s == CALL_WAIT_NETWORK;
		}
	return waits;
}

void trunk_recover_call(struct trunk *t)
{
	struct trunk_recover *r = t->recover;

	if (!is_unregistered(t)) {
		r->unregistered_ms = 0;
		return;
	}
	if (!r->unregistered_ms)
		r->unregistered_ms = clock_ms();
	look_soon(r);
}

static bool any_is_up(const struct trunk *t)
{
	for (unsigned int i = 0; i < t->nports; i++)
		if (trunk_port_is_up(&t->ports[i]))
			return true;
	return false;
}

/* The device of the last process, which may have died before it was on again. */
static int switch_on(struct trunk_recover *r)
{
	int ret = usb_power_cycle(&r->power, r->trunk->env.base, r->usb, 0, on_enumerated, r);

	if (ret)
		look_soon(r);
	return ret;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct trunk_recover *r = arg;
	struct trunk *t = r->trunk;
	int64_t now = clock_ms();

	if (r->usb[0] && !r->power)
		switch_on(r);
	if (t->closing || modem_state(t->modem) == TRUNK_DETACHING)
		return;
	if (!t->dev.ifindex)
		r->dead_ms = 0; /* it restarts, gets new firmware, or is unplugged */
	if (r->dead_ms && now - r->dead_ms >= DEAD_MS)
		climb(r, LADDER_DEAD, "the modem does not answer");
	if (r->unregistered_ms && now - r->unregistered_ms >= UNREGISTERED_MS)
		climb(r, LADDER_UNREGISTERED, "the modem has had no network for long");
	if (r->ladder.climbing && r->ladder.evidence == LADDER_UNREGISTERED && any_is_up(t))
		works(r);
	if (r->dead_ms || r->unregistered_ms ||
	    (r->ladder.climbing && r->ladder.evidence == LADDER_UNREGISTERED))
		look_soon(r);
}

/* --- the object --- */

struct json_object *trunk_recover_show(const struct trunk *t)
{
	const struct ladder *l = &t->recover->ladder;
	struct json_object *o = json_object_new_object(), *taken = json_object_new_object();

	json_add_string(o, "evidence", l->climbing ? ladder_evidence_name(l->evidence) : NULL);
	json_add_string(o, "rung", l->climbing ? ladder_rung_name(l->at) : NULL);
	json_add_bool(o, "spent", l->spent);
	for (unsigned int r = 0; r < LADDER_RUNGS; r++)
		json_add_int(taken, ladder_rung_name(r), (int64_t)l->count[r].total);
	json_object_object_add(o, "taken", taken);
	return o;
}

struct json_object *trunk_recover_save(const struct trunk *t)
{
	struct json_object *o = ladder_save(&t->recover->ladder);

	json_add_text(o, "usb", t->recover->usb);
	return o;
}

void trunk_recover_load(struct trunk *t, struct json_object *o)
{
	struct trunk_recover *r = t->recover;
	const char *usb = json_get_string(o, "usb");
	int ret;

	ladder_load(&r->ladder, o);
	if (!usb)
		return;
	snprintf(r->usb, sizeof(r->usb), "%s", usb);
	ret = switch_on(r);
	if (ret)
		report(t, r->ladder.evidence, "impossible",
		       "%s cannot be switched on again: %s; it is tried every %u s", usb,
		       strerror(-ret), LOOK_MS / 1000);
}

struct trunk_recover *trunk_recover_new(struct trunk *t)
{
	struct trunk_recover *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->trunk = t;
	r->look = event_new(t->env.base, -1, 0, on_look, r);
	if (!r->look)
		trunk_recover_free(&r);
	return r;
}

void trunk_recover_free(struct trunk_recover **r)
{
	if (!*r)
		return;
	usb_power_close(&(*r)->power);
	if ((*r)->look)
		event_free((*r)->look);
	free(*r);
	*r = NULL;
}
