/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of UDP sockets at the end of a path. They record a packet's properties and refuse it, so
 * that no receiver takes CPU time and no buffer overflows.
 */
#ifndef BENCH_FILTERS_H
#define BENCH_FILTERS_H

#ifdef __bpf__
#include <linux/types.h>
typedef __u64 filters_u64;
#else
#include <stdint.h>
typedef uint64_t filters_u64;
#endif

#define FILTERS_PACKETS 16384 /* number of distinguishable packets */
#define FILTERS_CPUS	256

/* Start of a packet's UDP payload, in host byte order: only the filter reads it. */
struct filters_stamp {
	filters_u64 magic;
	filters_u64 sequence; /* below FILTERS_PACKETS */
	filters_u64 time;     /* CLOCK_MONOTONIC in ns when the packet was sent */
};

#define FILTERS_MAGIC 0x716d61702d736e6bULL

/* Number of packets on one CPU, on a cache line of its own. */
struct filters_count {
	filters_u64 packets;
	filters_u64 unused[7];
};

#ifndef __bpf__
struct socket_filters;

struct filters {
	struct socket_filters *skel;
	const volatile struct filters_count *counts; /* of FILTERS_CPUS */
	volatile uint64_t *latencies;		     /* of FILTERS_PACKETS, ns; 0: not received */
};

/* Both kinds of filter, used by any number of sockets. 0 or a negative errno. */
int filters_load(struct filters *f);
void filters_unload(struct filters *f);

/*
 * Makes the filter on @fd count packets, or record the latency of packets with a stamp. 0 or
 * -errno.
 */
int filters_count(const struct filters *f, int fd);
int filters_stamp(const struct filters *f, int fd);

/* Packets counted on all CPUs. */
uint64_t filters_counted(const struct filters *f);
#endif

#endif
