/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port as its users see it: addresses, routes, MTU, DNS, in any namespace. */
#ifndef QMAP_TRUNK_PORT_H
#define QMAP_TRUNK_PORT_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "datapath/datapath.h"
#include "keep/keep.h"
#include "session/session.h"

struct rtnl_link;
struct rtnl_route;
struct trunk_failover;

struct trunk_port {
	const struct config_trunk *config; /* the trunk's; of the PDN see trunk_port_pdn() */
	struct datapath_port port;
	/* "wwan0.1": trunk and PDN by the configuration, which no other program can change */
	char key[IFNAMSIZ + 8];
	unsigned int max_packet; /* bytes of the largest packet that fits into an uplink frame */
	bool keeps_mtu;		 /* the netdev's MTU is its receive buffer (qmap=off) */
	unsigned int mtu_set;	 /* the MTU that we have required last; 0: not of this netdev */
	struct ip_settings settings[2];	 /* v4, v6; family 0: not up */
	bool dead;			 /* its link, by trunk/failover.c */
	struct trunk_failover *failover; /* NULL: it has not been quiet */
	bool clat;			 /* those of IPv4 are ours for 464XLAT, not the network's */
	char fault[2][512];  /* reason why the family is unusable, though its call is up */
	bool refused[2];     /* the reason holds as long as these settings do */
	char complaint[512]; /* other settings that failed: MTU, route, DNS file */
	char resolv_conf
		[160]; /* in the run directory, whose path fits a socket's; empty: no file */
	unsigned int vrf,
		vrf_table;    /* ifindex and routing table of its PDN's VRF; 0: not known yet */
	unsigned int ifindex; /* in its namespace; 0: not looked up yet */
	bool away;	      /* another process has moved it to another namespace */
	bool back;	      /* it has returned, and is not set up yet */
	int64_t tried_ms;     /* last attempt to apply settings that had failed */
	bool loud;	      /* the kernel could not be kept from configuring it by itself */
	/* Last argument of datapath_ops.running(), unless flow() has been called since. */
	bool running_set, running;
	/* CPUs that we have steered its packets to; those of the kernel */
	cpu_set_t steered, cpus;
	struct keep_state keep; /* of trunk/port_rows.c */
	/* at the last look: */
	bool down;	  /* it was down although a call is up */
	bool bare[2];	  /* v4, v6: the address was missing */
	unsigned int mtu; /* 0: not known */
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

/* As trunk_port_up() sets them: the MTU of its netdev @link; the default route of @family (4 or 6). */
unsigned int trunk_port_mtu(const struct trunk_port *p, const struct rtnl_link *link);
struct rtnl_route trunk_port_route(const struct trunk_port *p, int family);
/* Is the kernel kept from configuring it by itself? */
bool trunk_port_is_quiet(const struct trunk_port *p, const struct rtnl_link *link);

/* Changes default routes from those of @old to those of its PDN. */
int trunk_port_reroute(struct trunk_port *p, const struct config_pdn *old, struct error *err);

/* The metric of its default routes by @pdn, its PDN: a higher one while the link is dead, with failover. */
unsigned int trunk_port_metric(const struct trunk_port *p, const struct config_pdn *pdn);
/* Sets p->dead, and changes the metric. */
int trunk_port_set_dead(struct trunk_port *p, bool dead, struct error *err);

/* Undoes trunk_port_up() for @family (4 or 6); with the last family the link goes down. */
void trunk_port_down(struct trunk_port *p, int family);

/* Sets the link up without an address: for PDNs that another program configures. */
int trunk_port_enable(struct trunk_port *p, struct error *err);

/* Is any family up? */
bool trunk_port_is_up(const struct trunk_port *p);

/* Does qmapd set the port's addresses, MTU and routes? */
bool trunk_port_is_ours(const struct trunk_port *p);
/* Has a host on the LAN the address of @family, and the port none? */
bool trunk_port_passes(const struct trunk_port *p, int family);

/* Takes the port out of the VRF that trunk_port_place() or trunk_port_up() has put it into. */
void trunk_port_leave_vrf(const struct trunk_port *p);

/* Lets the kernel configure netdev @name by itself again, as any other. */
void trunk_port_unquiet(const char *name);

#endif
