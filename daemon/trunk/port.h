/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port as its users see it: addresses, routes, MTU, DNS, in whichever namespace it is. */
#ifndef QMAP_TRUNK_PORT_H
#define QMAP_TRUNK_PORT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "datapath/datapath.h"
#include "session/session.h"
#include "fight.h"

struct rtnl_snapshot;

/* What is repaired, and not more often than a few times in a row. */
enum trunk_fight_about {
	TRUNK_FIGHT_NETDEV,
	TRUNK_FIGHT_VRF,
	TRUNK_FIGHT_MTU,
	TRUNK_FIGHT_ADDRESS,
	TRUNK_FIGHT_ROUTE,
	TRUNK_FIGHT_ROUTER,
	TRUNK_FIGHTS
};

/* A port as the kernel has it, and what differs from how it should be. */
struct trunk_port_state {
	unsigned int wrong;  /* bits 1 << enum trunk_fight_about */
	bool gone;	     /* there is no such netdev; nothing else is known */
	bool homeless;	     /* ... nor a namespace of the configured name */
	char name[IFNAMSIZ]; /* may be another than that of struct datapath_port */
	bool up;
	bool bare[2]; /* v4, v6: the address is not there */
	unsigned int mtu;
};

struct trunk_port {
	const struct config_trunk *config; /* the trunk's; of the PDN see trunk_port_pdn() */
	struct datapath_port port;
	char key[IFNAMSIZ + 8];		/* "wwan0.1": trunk and PDN, whatever the port's name */
	unsigned int max_packet;	/* bytes: no larger one fits into an uplink frame */
	bool keeps_mtu;			/* the netdev's MTU is its receive buffer (qmap=off) */
	struct ip_settings settings[2]; /* v4, v6; family 0: not up */
	char fault[2][512];		/* why the family cannot be used, though it is up */
	bool refused[2];		/* ... and that is for as long as these settings are */
	char complaint[512];		/* what else could not be set: MTU, route, DNS file */
	char resolv_conf[PATH_MAX];	/* empty: none written */
	unsigned int vrf,
		vrf_table;    /* ifindex and routing table of its PDN's VRF; 0: not known yet */
	unsigned int ifindex; /* where it is; 0: not looked up yet */
	bool away;	      /* somebody has moved it to another namespace */
	bool lost;	      /* somebody deletes it again and again: it is left so */
	int64_t missed;	  /* since then it has not been there (ms); 0: it was when last looked at */
	int64_t tried_ms; /* to set up again what had failed */
	bool loud;	  /* the kernel could not be kept from configuring it by itself */
	bool shut;	  /* somebody has set it down */
	/* What datapath_ops.running() was called with, unless flow() has been called since. */
	bool running_set, running;
	struct trunk_fight fights[TRUNK_FIGHTS];
	struct trunk_port_state seen; /* when last looked at */
};

/* Its PDN as configured: valid until the configuration changes. */
static inline const struct config_pdn *trunk_port_pdn(const struct trunk_port *p)
{
	return config_find_pdn(p->config, p->port.number);
}

/* Moves a fresh port to its namespace, and keeps the kernel from configuring it by itself. */
int trunk_port_place(struct trunk_port *p, struct error *err);

/*
 * Link, MTU, address, default route and resolv.conf in @run_dir follow @s. What fails is noted in
 * fault[] and complaint, and the rest is done; with addresses=none the link and the file alone.
 */
int trunk_port_up(struct trunk_port *p, const struct ip_settings *s, const char *run_dir,
		  struct error *err);

/* The same again for the families that are up. */
int trunk_port_up_again(struct trunk_port *p, const char *run_dir, struct error *err);

/* Finds out p->ifindex: 0 where it is not to be found. */
void trunk_port_locate(struct trunk_port *p);

/* Fills in p->seen by @kernel, a snapshot of the port's namespace. */
void trunk_port_compare(struct trunk_port *p, const struct rtnl_snapshot *kernel);
/* The same by a snapshot of this port alone; all zero where the kernel cannot be asked. */
void trunk_port_look(struct trunk_port *p);

/* With slaac: the routes that come with router advertisements go, the addresses stay. */
void trunk_port_drop_routes(const struct trunk_port *p);

/* Changes default routes from those of @old to those of its PDN. */
int trunk_port_reroute(struct trunk_port *p, const struct config_pdn *old, struct error *err);

/* Undoes what trunk_port_up() did for @family (4 or 6); the link goes down with the last one. */
void trunk_port_down(struct trunk_port *p, int family);

/* Sets the link up without any address: for PDNs that somebody else configures. */
int trunk_port_enable(struct trunk_port *p, struct error *err);

/* Is any family up? */
bool trunk_port_is_up(const struct trunk_port *p);

/* Does qmapd itself give the port addresses, MTU and routes? */
bool trunk_port_is_ours(const struct trunk_port *p);

/* Takes the port out of the VRF that trunk_port_place() or trunk_port_up() has put it into. */
void trunk_port_leave_vrf(const struct trunk_port *p);

/* Lets the kernel configure netdev @name by itself again, as it does any other. */
void trunk_port_unquiet(const char *name);

#endif
