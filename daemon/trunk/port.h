/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port as its users see it: addresses, routes, MTU, DNS, in any namespace. */
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

/* Kinds of damage to repair, each a few times in a row at most. */
enum trunk_fight_about {
	TRUNK_FIGHT_NETDEV,
	TRUNK_FIGHT_VRF,
	TRUNK_FIGHT_MTU,
	TRUNK_FIGHT_ADDRESS,
	TRUNK_FIGHT_ROUTE,
	TRUNK_FIGHT_ROUTER,
	TRUNK_FIGHTS
};

/* The port's state in the kernel, compared with its configuration. */
struct trunk_port_state {
	unsigned int wrong;  /* bits 1 << enum trunk_fight_about */
	bool gone;	     /* there is no such netdev; the other members are unknown */
	bool homeless;	     /* ... nor a namespace of the configured name */
	char name[IFNAMSIZ]; /* may differ from that in struct datapath_port */
	bool up;
	bool bare[2]; /* v4, v6: the address is missing */
	unsigned int mtu;
};

struct trunk_port {
	const struct config_trunk *config; /* the trunk's; of the PDN see trunk_port_pdn() */
	struct datapath_port port;
	char key[IFNAMSIZ + 8];	 /* "wwan0.1": trunk and PDN, independent of the port's name */
	unsigned int max_packet; /* bytes of the largest packet that fits into an uplink frame */
	bool keeps_mtu;		 /* the netdev's MTU is its receive buffer (qmap=off) */
	struct ip_settings settings[2]; /* v4, v6; family 0: not up */
	char fault[2][512];	    /* reason why the family is unusable, though its call is up */
	bool refused[2];	    /* the reason holds as long as these settings do */
	char complaint[512];	    /* other settings that failed: MTU, route, DNS file */
	char resolv_conf[PATH_MAX]; /* empty: no file */
	unsigned int vrf,
		vrf_table;    /* ifindex and routing table of its PDN's VRF; 0: not known yet */
	unsigned int ifindex; /* in its namespace; 0: not looked up yet */
	bool away;	      /* another process has moved it to another namespace */
	bool lost;	      /* another process deletes it again and again: it stays deleted */
	int64_t missed; /* time since which it is missing (ms); 0: it was there at the last look */
	int64_t tried_ms; /* last attempt to apply settings that had failed */
	bool loud;	  /* the kernel could not be kept from configuring it by itself */
	bool shut;	  /* another process has set it down */
	/* Last argument of datapath_ops.running(), unless flow() has been called since. */
	bool running_set, running;
	struct trunk_fight fights[TRUNK_FIGHTS];
	struct trunk_port_state seen; /* at the last look */
};

/* Its PDN as configured: valid until the configuration changes. */
static inline const struct config_pdn *trunk_port_pdn(const struct trunk_port *p)
{
	return config_find_pdn(p->config, p->port.number);
}

/* Moves a new port to its namespace, and keeps the kernel from configuring it by itself. */
int trunk_port_place(struct trunk_port *p, struct error *err);

/*
 * Sets link, MTU, address, default route and resolv.conf in @run_dir by @s. Records failures in
 * fault[] and complaint, and continues; with addresses=none sets only the link and the file.
 */
int trunk_port_up(struct trunk_port *p, const struct ip_settings *s, const char *run_dir,
		  struct error *err);

/* Applies the settings of the families that are up again. */
int trunk_port_up_again(struct trunk_port *p, const char *run_dir, struct error *err);

/* Sets p->ifindex: 0 if the port cannot be found. */
void trunk_port_locate(struct trunk_port *p);

/* Sets p->seen by @kernel, a snapshot of the port's namespace. */
void trunk_port_compare(struct trunk_port *p, const struct rtnl_snapshot *kernel);
/* The same by a snapshot of this port alone; all zero if the kernel cannot be asked. */
void trunk_port_look(struct trunk_port *p);

/* With slaac: deletes routes from router advertisements, keeps the addresses. */
void trunk_port_drop_routes(const struct trunk_port *p);

/* Changes default routes from those of @old to those of its PDN. */
int trunk_port_reroute(struct trunk_port *p, const struct config_pdn *old, struct error *err);

/* Undoes trunk_port_up() for @family (4 or 6); with the last family the link goes down. */
void trunk_port_down(struct trunk_port *p, int family);

/* Sets the link up without an address: for PDNs that another program configures. */
int trunk_port_enable(struct trunk_port *p, struct error *err);

/* Is any family up? */
bool trunk_port_is_up(const struct trunk_port *p);

/* Does qmapd set the port's addresses, MTU and routes? */
bool trunk_port_is_ours(const struct trunk_port *p);

/* Takes the port out of the VRF that trunk_port_place() or trunk_port_up() has put it into. */
void trunk_port_leave_vrf(const struct trunk_port *p);

/* Lets the kernel configure netdev @name by itself again, as any other. */
void trunk_port_unquiet(const char *name);

#endif
