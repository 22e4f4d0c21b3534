/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by vm_scale.c and its BPF programs. */
#ifndef VM_SCALE_H
#define VM_SCALE_H

#include <linux/types.h>

#define SCALE_CPUS 64

struct scale_shared {
	__u32 cpus;    /* in: number of CPUs for the flows */
	__u64 awaited; /* in: number of packets after which to wake the reader */
	__u64 arrived; /* packets, on any CPU */
	__u64 by_cpu[SCALE_CPUS];
};

#ifndef __bpf__
struct effort;

/* Prints the cost of steering flows to CPUs, with all CPUs of the guest: "DATA {json}" lines. */
void vm_scale(const struct effort *e, unsigned int rounds, const char *unit);
#endif

#endif
