/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by vm_probe.c and its BPF programs. */
#ifndef VM_PROBE_H
#define VM_PROBE_H

#include <linux/types.h>

#define PROBE_LATENCIES 65536 /* packets at most */
#define PROBE_SEGMENTS	64    /* of one skb, no more than frames in an aggregate */

struct probe_shared {
	__u32 mac;	   /* in: bytes of MAC header */
	__u32 headers;	   /* in: bytes between a packet's start and its stamp */
	__u32 first, last; /* in: ifindexes of ports */
	__u64 skbs, packets, stamps, truesize;
};

#ifndef __bpf__
struct seen;

/* Loads the programs for tc on ports, once for all cases. */
void probe_open(void);
/*
 * Examines packets that arrive at the @n netdevs in @names, before other tc programs there. Packets
 * have @mac bytes of MAC header, and their stamp behind @headers bytes of others.
 */
void probe_start(char (*names)[16], unsigned int n, unsigned int mac, unsigned int headers);
/* Stops examining, and adds the results to @seen. */
void probe_stop(struct seen *seen);
#endif

#endif
