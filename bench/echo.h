/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generator and sink for what is sent back: UDP datagrams out of ports of a trunk whose modem loops
 * them. Closed loop: no more than a window of packets is on its way, so that what is measured is
 * what the path carries, not what a queue drops.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define ECHO_PORTS 64
#define ECHO_PORT  7010 /* UDP, both ends: a modem may or may not swap them */

struct echo_port {
	char name[16];
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
};

struct echo_options {
	struct echo_port ports[ECHO_PORTS]; /* taken in turn */
	unsigned int nports;
	unsigned int size;   /* bytes of an IP packet */
	unsigned int factor; /* how often each comes back */
	unsigned int window; /* packets on their way at once, those to come back counted */
	bool check;	     /* every byte of the payload, by tests/modem/pattern.h */
	double seconds;
	const volatile sig_atomic_t *stop; /* ends it early */
};

struct echo_counts {
	double seconds;
	uint64_t sent;	  /* packets, once each */
	uint64_t arrived; /* good ones */
	uint64_t bad;	  /* with @check: payload changed */
	uint64_t unread;  /* came, but the sink had no room: no loss of the path's */
	uint64_t stalls;  /* times that nothing came for long, and the window was opened anew */
};

/* 0; negative errno with a word on stderr. */
int echo_run(const struct echo_options *o, struct echo_counts *out);

#endif
