// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold.h"

#include <stdio.h>
#include <time.h>

#include "rtnl/ifb.h"
#include "util/log.h"
#include "links.h"
#include "observe.h"
#include "port_map.h"

/*
 * Released packets leave in one burst, for which the trunk's queue of 1000 packets must have room:
 * 350 of full size.
 */
#define LIMIT 500000

#define EMPTYING_MS 100

/* The netdev that has what the port of @mux sends. */
static void ifb_name(const struct datapath *dp, unsigned int mux, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%.10s.%uh", dp->base, mux % QMAP_MAX_MUX);
}

static int begin(struct datapath *dp, struct rtnl *nl, const char *ifb, unsigned int ifindex,
		 struct datapath_hold *h)
{
	struct error err = {0};

	dp->cannot_hold = rtnl_hold_begin(nl, ifb, ifindex, LIMIT, &err);
	if (!dp->cannot_hold)
		h->state = HOLD_ON;
	else if (!dp->warned_hold)
		log_warning("The modem's flow control is not obeyed: %s", err.text);
	dp->warned_hold |= dp->cannot_hold;
	return -1;
}

/* Packets that are sent meanwhile queue behind the held ones until there are none. */
static int empty(struct rtnl *nl, const char *ifb, unsigned int ifindex, struct datapath_hold *h)
{
	struct rtnl_hold held;

	if (!rtnl_hold_look(nl, ifb, &held, NULL) && held.packets)
		return EMPTYING_MS;
	h->dropped += held.dropped;
	rtnl_hold_end(nl, ifb, ifindex, NULL);
	h->state = HOLD_NONE;
	return -1;
}

static int step(struct datapath *dp, struct rtnl *nl, const char *ifb, unsigned int ifindex,
		struct datapath_hold *h, bool off)
{
	struct error err = {0};

	if (h->state == HOLD_NONE)
		return off ? begin(dp, nl, ifb, ifindex, h) : -1;
	if (off == (h->state == HOLD_ON))
		return off ? -1 : empty(nl, ifb, ifindex, h);
	if (rtnl_hold_set(nl, ifb, off, &err))
		log_debug("%s", err.text);
	h->state = off ? HOLD_ON : HOLD_EMPTYING;
	return off ? -1 : EMPTYING_MS;
}

static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Milliseconds until a stop that the modem does not repeat ends by itself. */
static int until(const struct qmap_port *port)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return port->flow_off_until > ns ? (int)((port->flow_off_until - ns) / 1000000) + 1 : 0;
}

static int look_at(struct datapath *dp, unsigned int mux, const struct qmap_port *port)
{
	bool off = datapath_flow_is_off(port);
	struct datapath_hold *h = &dp->hold[mux];
	char ifb[IFNAMSIZ];
	struct rtnl_link link;
	struct rtnl *nl = NULL;
	int wait;

	if (!dp->places[mux].name[0] || (!off && h->state == HOLD_NONE))
		return -1;
	if (links_open_port(&dp->places[mux], &nl, &link, NULL))
		return -1;
	ifb_name(dp, mux, ifb);
	wait = step(dp, nl, ifb, link.ifindex, h, off);
	rtnl_close(&nl);
	return sooner(wait, off ? until(port) : -1);
}

int hold_look(struct datapath *dp)
{
	struct qmap_port ports[QMAP_MAX_MUX];
	struct error err = {0};
	int wait = -1;

	if (port_map_read_all(dp->fd[OBSERVE_PORTS], ports, &err)) {
		log_warning("%s", err.text);
		return -1;
	}
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++)
		wait = sooner(wait, look_at(dp, mux, &ports[mux]));
	return wait;
}

void hold_adopt(struct datapath *dp, unsigned int mux)
{
	char ifb[IFNAMSIZ];
	struct rtnl_link link;
	struct rtnl *nl = NULL;

	ifb_name(dp, mux, ifb);
	if (!rtnl_open(&nl, dp->places[mux % QMAP_MAX_MUX].netns, NULL) &&
	    !rtnl_link_get(nl, ifb, &link, NULL))
		dp->hold[mux % QMAP_MAX_MUX].state = HOLD_ON;
	rtnl_close(&nl);
}

void hold_end(struct datapath *dp, unsigned int mux)
{
	const struct datapath_place *place = &dp->places[mux % QMAP_MAX_MUX];
	struct datapath_hold *h = &dp->hold[mux % QMAP_MAX_MUX];
	char ifb[IFNAMSIZ];
	struct rtnl_link link = {0};
	struct rtnl *nl = NULL;

	ifb_name(dp, mux, ifb);
	if (h->state != HOLD_NONE && !rtnl_open(&nl, place->netns, NULL)) {
		rtnl_link_get(nl, place->name, &link, NULL);
		rtnl_hold_end(nl, ifb, link.ifindex, NULL);
	}
	rtnl_close(&nl);
	*h = (struct datapath_hold){0};
}

uint64_t hold_dropped(struct datapath *dp, unsigned int mux)
{
	const struct datapath_hold *h = &dp->hold[mux % QMAP_MAX_MUX];
	struct rtnl_hold held = {0};
	struct rtnl *nl = NULL;
	char ifb[IFNAMSIZ];

	ifb_name(dp, mux, ifb);
	if (h->state != HOLD_NONE && !rtnl_open(&nl, dp->places[mux % QMAP_MAX_MUX].netns, NULL))
		rtnl_hold_look(nl, ifb, &held, NULL);
	rtnl_close(&nl);
	return h->dropped + held.dropped;
}
