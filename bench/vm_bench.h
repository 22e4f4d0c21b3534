/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of vm_bench: a case is measured on a path. */
#ifndef VM_BENCH_H
#define VM_BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/vm/nl.h"

/* Case and path being measured. */
extern char vm_bench_at[96];

/* A guest that cannot be set up cannot go on. */
#define DIE(...)                                                                                   \
	do {                                                                                       \
		printf("FAIL vm_bench %s: ", vm_bench_at);                                         \
		printf(__VA_ARGS__);                                                               \
		printf(" (%s) %s\n", strerror(errno), nl_error());                                 \
		exit(1);                                                                           \
	} while (0)

enum path {
	BASE, /* no data path: generator and transport alone, on USB without usbnet */
	SHIM,
	XDP,
	RMNET,
	QMIMUX,
	RMNET_OBSERVED,
	QMIMUX_OBSERVED,
	USB,  /* the shim on its own USB driver */
	USER, /* a prototype in user space (vm_user.h) */
	PATHS
};

extern const char *const path_names[PATHS];

enum sink {
	SINK_TC,      /* dropped at tc on the port */
	SINK_SOCKET,  /* a TCP socket */
	SINK_FORWARD, /* routed to dummy0 */
	SINK_VETH,    /* redirected by XDP to a veth, dropped at its other end */
	SINK_LAN,     /* routed to a host of the LAN, behind a veth (vm_lan.h) */
	/* uplink: from send() to the modem's read() */
	SINK_SEND,
	SINK_SEND_GSO
};

/* Rules of the router between port and LAN. */
enum rules {
	RULES_NONE,
	RULES_NAT,	 /* nftables: masquerade, and a firewall that asks conntrack */
	RULES_FLOWTABLE, /* the same, and connections in nft's flow table */
};

struct bench_case {
	const char *name;
	int version;
	bool udp, v6;
	unsigned int frames, packet; /* bytes of a packet; 0: IMIX */
	unsigned int ports;
	enum sink sink;
	unsigned int flows;  /* 0: one */
	const char *against; /* rmnet's figure of another case */
	const char *feature; /* switched on for the ports of all paths */
	bool usb; /* of a modem on USB, with its drivers; qmimux is a peer, which only supports v1 */
	unsigned int rx_bytes; /* of qmi_wwan's transfers; 0: 31744 */
	unsigned int tx_bytes; /* of an uplink aggregate; 0: 16384, rmnet's compiled-in size */
	unsigned int pause;    /* uplink: microseconds of silence before each send() */
	unsigned int burst;    /* aggregates that wait when the CPU turns to them; 0: one */
	bool steered;	       /* by RPS to the one CPU there is, for its cost */
	/* of SINK_LAN, IPv4 alone */
	enum rules rules;
	const char *qdisc;		       /* on the LAN's netdev and the ports */
	bool vlan;			       /* the LAN is a VLAN of its netdev */
	unsigned int host_packets, host_bytes; /* that the host sends for each aggregate */
	/* For the grids, which vary one factor at a time. */
	const char *direction, *factor;
	unsigned int x; /* the factor's value */
};

extern const struct bench_case cases[];
extern const size_t n_cases;

/* Do both cases put the same load on generator and transport? Then one base serves both. */
bool case_same_load(const struct bench_case *a, const struct bench_case *b);
/* Is @c possible on @p? */
bool case_has_path(const struct bench_case *c, enum path p);
static inline bool case_is_uplink(const struct bench_case *c)
{
	return c->sink >= SINK_SEND;
}
static inline unsigned int case_ip_header(const struct bench_case *c)
{
	return c->v6 ? 40 : 20;
}
/* The address of the modem's packets: the host's, 0, or the router's own in front of its NAT. */
static inline uint32_t case_destination(const struct bench_case *c)
{
	return c->rules ? 0x0a000002 : 0;
}
/* Bytes of IP and transport headers. */
static inline unsigned int case_headers(const struct bench_case *c)
{
	return case_ip_header(c) + (c->udp ? 8 : 20);
}
/* A segment without payload, which only acknowledges. */
static inline bool case_is_ack(const struct bench_case *c)
{
	return !c->udp && c->packet == case_headers(c);
}
/*
 * Offset of a packet's departure time: 8 bytes of the payload or, without payload, the sequence and
 * acknowledgement numbers, which a forwarding machine does not read.
 */
static inline unsigned int case_stamp(const struct bench_case *c)
{
	return case_is_ack(c) ? case_ip_header(c) + 4 : case_headers(c);
}

/* Amount of work per measurement. */
struct effort {
	unsigned int warm, measured, probed; /* aggregates */
	unsigned int packets;		     /* least number measured, if an aggregate holds few */
	unsigned int sends;		     /* uplink packets */
};

/* Properties of one measurement's packets where they came out. */
struct seen {
	unsigned long long units;    /* skbs; uplink: transfers */
	unsigned long long packets;  /* in them */
	unsigned long long truesize; /* memory charged for them; 0 if unknown */
	uint64_t *latency;	     /* of each packet, from the write of its aggregate */
	unsigned int n;
};

struct sample {
	double cost; /* of one packet, in units of the guest's clock */
	unsigned long long sent, lost;
	struct json_object *drops; /* by reason, those that are not 0 */
	struct seen seen;
};

/* Measure one case on one path. */
struct sample vm_downlink(const struct bench_case *c, enum path path, const struct effort *e);
struct sample vm_uplink(const struct bench_case *c, enum path path, const struct effort *e);

#endif
