/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vm_scale.c and its BPF programs share. */
#ifndef VM_SCALE_H
#define VM_SCALE_H

#include <linux/types.h>

#define SCALE_CPUS 64

struct scale_shared {
	__u32 cpus;    /* in: flows are spread over so many */
	__u64 awaited; /* in: who waits is told when so many have arrived */
	__u64 arrived; /* packets, on any CPU */
	__u64 by_cpu[SCALE_CPUS];
};

#ifndef __bpf__
struct effort;

/* Cost of steering flows to CPUs, over as many CPUs as there are: "DATA {json}" lines. */
void vm_scale(const struct effort *e, unsigned int rounds, const char *unit);
#endif

#endif
