/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cell of the table: the modem, a data path on it, and the destination of a case's packets. */
#ifndef VM_CELL_H
#define VM_CELL_H

#include <net/if.h>

#include "vm_bench.h"
#include "tests/vm/world.h"

struct observer;
struct vm_user;
struct vm_xdp;
struct bpf_link;

struct cell {
	const struct bench_case *c;
	enum path path;
	struct world w;
	struct vm_xdp *xdp;
	struct observer *observe; /* of the paths with an observer */
	struct vm_user *user;
	struct bpf_link *veth;
	unsigned int ports;
	struct {
		unsigned long long skbs, bytes;
	} forwarded;			      /* counters of the destination at cell_start() */
	char port[WORLD_PORTS + 1][IFNAMSIZ]; /* names, from 1 on; BASE of uplink: one, dummy0 */
};

/* Exits if the cell cannot be set up. */
void cell_up(struct cell *cell, const struct bench_case *c, enum path path);
void cell_down(struct cell *cell);

/* Reads one transfer to the modem, as world_recv(). */
size_t cell_recv(const struct cell *cell, void *buf, size_t size, int ms);

/*
 * The packet of the next frame of a transfer to the modem: header, in v4 and v5 a checksum header,
 * packet, pad. Moves @at behind the frame. NULL: there is no further one.
 */
const uint8_t *cell_frame(const uint8_t **at, const uint8_t *end);
/* Sends one packet from the modem, in an aggregate of its own. */
void cell_send(const struct cell *cell, const struct packet_spec *s);

/* A counter of a netdev, by its name in sysfs. */
unsigned long long cell_statistic(const char *dev, const char *name);
/* Writes a netdev's IPv6 sysctl. */
void cell_sysctl6(const char *dev, const char *name, const char *value);
/* Number of packets received by the ports. */
unsigned long long cell_received(const struct cell *cell);

/* From here on packets that are forwarded count. */
void cell_start(struct cell *cell);
/*
 * Sum that their destination was given since cell_start(), of forwarded packets: bytes of payload,
 * or packets if they have none.
 */
unsigned long long cell_forwarded(const struct cell *cell);

/* Packets dropped since cell_up(), by reason, without zeroes. New reference. */
struct json_object *cell_drops(struct cell *cell);

/* ns, or instructions under -icount. */
uint64_t cell_clock(void);
/* ns of the clock that BPF programs read: for stamps in packets. */
uint64_t cell_time(void);

/*
 * Names what the plugins of bench/plugin have counted since the last pair of marks (vm_mark.h), for
 * @packets; for bench/vm-profile.sh, with the symbols of the BPF programs, which must still be loaded.
 */
void cell_profiled(unsigned int packets);

#endif
