/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test environment for the programs of bpf/qmap_xdp.bpf.c: a network namespace of its own, one CPU,
 * and maps filled for the ports of the fixtures.
 */
#ifndef TESTS_ENV_H
#define TESTS_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "qmap/abi.h"
#include "qmap_xdp.skel.h"

/* Initial flow_off_until of every port: in the past, and not zero. */
#define ENV_FLOW_BEFORE 1

struct env {
	struct qmap_xdp *skel;
	struct ring_buffer *events;
	struct qmap_event *event; /* events since env_reset() */
	unsigned int nevents;
	int version;
	int tun;  /* carries aggregates to qmap_split by generic XDP; -1 */
	int link; /* of that XDP program; -1 */
	uint32_t trunk;
};

/*
 * Moves the process to a network namespace of its own and to one CPU. Returns NULL, or the reason
 * why the machine cannot do that.
 */
const char *env_start(void);

/*
 * Loads the programs for @version, both ways, with a TUN trunk and the ports of fixture_port().
 * Returns 0 or a negative errno.
 */
int env_new(struct env **out, int version, unsigned int ul_max_packet);
void env_free(struct env **env);

/* Resets the ports, sets counters to zero, drops events. */
void env_reset(struct env *env);

/* Resets the ports and counters of another object's maps. */
void env_reset_maps(int ports, int port_stats, int trunk_stats);

/* Sums up one entry of a per-CPU map over all CPUs; its value is 64-bit counters. */
void env_sum(int map, uint32_t key, void *sum, size_t size);

/* Sum over all CPUs. */
void env_trunk_stats(const struct env *env, struct qmap_trunk_stats *sum);
void env_port_stats(const struct env *env, uint32_t mux, struct qmap_port_stats *sum);

/* Reads the events in the ring buffer. */
void env_read_events(struct env *env);

/* MAC address of a port, found in delivered frames. */
void env_mac(uint32_t mux, uint8_t mac[6]);

/*
 * Opens a TAP without packet information and sets it up. Returns a descriptor, whose close removes
 * the TAP, or a negative errno.
 */
int env_open_tap(const char *name, uint32_t *ifindex);

/* Opens a TUN or a TAP, by the IFF_* of TUNSETIFF @flags, in the same way. */
int env_open_tun(const char *name, short flags, uint32_t *ifindex);

/*
 * Runs a program on one packet by BPF_PROG_RUN. Returns the verdict or a negative errno. @out_size:
 * room in @out, then the number of bytes written; @out may be NULL.
 */
int env_run(const struct bpf_program *prog, const void *data, uint32_t size, void *out,
	    uint32_t *out_size);

#endif
