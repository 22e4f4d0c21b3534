/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vm_probe.c and its BPF programs share. */
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

/* Programs that sit at tc on ports; loaded once, for all cases. */
void probe_open(void);
/*
 * Looks at what arrives at each of @names, @n of them, in front of what else is at tc there.
 * Packets have @mac bytes of MAC header, and their stamp behind @headers bytes of others.
 */
void probe_start(char (*names)[16], unsigned int n, unsigned int mac, unsigned int headers);
/* Goes on looking at nothing, and adds what was seen to @seen. */
void probe_stop(struct seen *seen);
#endif

#endif
