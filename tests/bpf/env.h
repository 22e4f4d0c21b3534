/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the programs of bpf/qmap_xdp.bpf.c are tested: a network namespace of its own, one CPU,
 * and maps filled for the ports of the fixtures.
 */
#ifndef TESTS_ENV_H
#define TESTS_ENV_H

#include <stdint.h>

#include "qmap/abi.h"
#include "qmap_xdp.skel.h"

/* In flow_off_until of every port at the start: long over, and not zero. */
#define ENV_FLOW_BEFORE 1

struct env {
	struct qmap_xdp *skel;
	struct ring_buffer *events;
	struct qmap_event *event; /* what has come since env_reset() */
	unsigned int nevents;
	int version;
	int tun;  /* carries aggregates to qmap_split by generic XDP; -1 */
	int link; /* of that XDP program; -1 */
	uint32_t trunk;
};

/*
 * Takes the process to a network namespace of its own and to one CPU. NULL, or why the machine
 * cannot do that.
 */
const char *env_start(void);

/*
 * Loads the programs for @version, both ways, with a TUN trunk and ports as fixture_port() has
 * them. Returns 0 or a negative errno.
 */
int env_new(struct env **out, int version, unsigned int ul_max_packet);
void env_free(struct env **env);

/* Ports as at the start, counters zero, no events. */
void env_reset(struct env *env);

/* Sums over all CPUs. */
void env_trunk_stats(const struct env *env, struct qmap_trunk_stats *sum);
void env_port_stats(const struct env *env, uint32_t mux, struct qmap_port_stats *sum);

/* Takes what the ring buffer holds. */
void env_read_events(struct env *env);

/* MAC address of a port: what delivered frames carry. */
void env_mac(uint32_t mux, uint8_t mac[6]);

/* Fd of a TAP without packet information, up; or a negative errno. It goes when the fd is closed.
 */
int env_open_tap(const char *name, uint32_t *ifindex);

/*
 * One packet through a program by BPF_PROG_RUN: the verdict, or a negative errno. @out_size: room
 * in @out, then bytes that came out; @out may be NULL.
 */
int env_run(const struct bpf_program *prog, const void *data, uint32_t size, void *out,
	    uint32_t *out_size);

#endif
