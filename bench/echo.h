/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generator and sink for looped traffic: UDP datagrams out of ports of a trunk whose modem loops
 * them. Closed loop: only a window of packets is on its way, so that the test measures the capacity
 * of the path, not the drops of a queue.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define ECHO_PORTS 64
#define ECHO_PORT  7010 /* UDP port of both ends: a modem may or may not swap them */

struct echo_port {
	char name[16];
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
};

struct echo_options {
	struct echo_port ports[ECHO_PORTS]; /* used in turn */
	unsigned int nports;
	unsigned int size;   /* bytes of an IP packet */
	unsigned int factor; /* number of times that each packet comes back */
	unsigned int window; /* most packets on their way, including those to come back */
	bool check;	     /* compare every byte of the payload, by tests/modem/pattern.h */
	double seconds;
	const volatile sig_atomic_t *stop; /* ends the test early */
};

struct echo_counts {
	double seconds;
	uint64_t sent;	  /* packets, once each */
	uint64_t arrived; /* good packets received */
	uint64_t bad;	  /* with @check: payload changed */
	uint64_t unread;  /* received without room in the sink: not a loss of the path */
	/* number of times that no packet arrived for long and the window was opened again */
	uint64_t stalls;
};

/* 0, or a negative errno after a message on stderr. */
int echo_run(const struct echo_options *o, struct echo_counts *out);

#endif
