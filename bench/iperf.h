/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_IPERF_H
#define BENCH_IPERF_H

#include <stdbool.h>

struct iperf_options {
	const char *server;
	const char *source; /* address to bind to */
	double seconds;
	bool download;
};

struct iperf_result {
	double seconds;
	double bits;   /* as measured by the receiver */
	char why[160]; /* the reason why it failed; empty: it has not */
};

/* Runs iperf3 with TCP in a process. 0, or a negative errno after a message on stderr. */
int iperf_run(const struct iperf_options *o, struct iperf_result *out);

#endif
