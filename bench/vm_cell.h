/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cell of the table: the modem, a data path on it, and the destination of a case's packets. */
#ifndef VM_CELL_H
#define VM_CELL_H

#include <net/if.h>

#include "vm_bench.h"
#include "tests/vm/world.h"

struct vm_observe;
struct vm_user;
struct vm_xdp;
struct bpf_link;

struct cell {
	const struct bench_case *c;
	enum path path;
	struct world w;
	struct vm_xdp *xdp;
	struct vm_observe *observe; /* of the paths with an observer */
	struct vm_user *user;
	struct bpf_link *veth;
	unsigned int ports;
	struct {
		unsigned long long skbs, bytes;
	} forwarded;			      /* dummy0's counters at the start */
	char port[WORLD_PORTS + 1][IFNAMSIZ]; /* names, from 1 on; BASE of uplink: one, dummy0 */
};

/* Exits if the cell cannot be set up. */
void cell_up(struct cell *cell, const struct bench_case *c, enum path path);
void cell_down(struct cell *cell);

/* Reads one transfer to the modem, as world_recv(). */
size_t cell_recv(const struct cell *cell, void *buf, size_t size, int ms);

/* Number of packets received by the ports. */
unsigned long long cell_received(const struct cell *cell);

/*
 * Sum that dummy0 was given since cell_up(), of forwarded packets: bytes of payload, or packets if
 * they have none.
 */
unsigned long long cell_forwarded(const struct cell *cell);

/* Packets dropped since cell_up(), by reason, without zeroes. New reference. */
struct json_object *cell_drops(struct cell *cell);

/* ns, or instructions under -icount. */
uint64_t cell_clock(void);
/* ns of the clock that BPF programs read: for stamps in packets. */
uint64_t cell_time(void);

#endif
