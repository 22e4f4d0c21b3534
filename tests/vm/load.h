/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traffic in both directions, on threads of its own, while a test removes devices. */
#ifndef VM_LOAD_H
#define VM_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "packets.h"

struct world;

/* SCALE of the kernel's command line: a slow machine divides numbers of rounds by it. */
unsigned int load_scale(void);

struct load {
	const struct world *w;
	atomic_bool stop;
	atomic_ulong down, up; /* aggregates sent down, transfers received up */
	pthread_t threads[3];
};

/* Fills @a with TCP and UDP packets and commands for @ports ports, sometimes for others. */
void load_fill(struct aggregate *a, unsigned int ports);
/* Changes bytes and length of a good aggregate, or makes one of random bytes. */
void load_mutate(struct aggregate *a);

/* Source address of the load, for port 1; host order, prefix 24. */
#define LOAD_ADDR 0x0a640101

void load_start(struct load *l, const struct world *w);
void load_stop(struct load *l);

#endif
