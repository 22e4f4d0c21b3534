/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the programs that count by themselves and hold up a port: counters and QMAP commands. */
#ifndef QMAP_PORT_STATS_H
#define QMAP_PORT_STATS_H

#include "ports.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, QMAP_MAX_MUX);
	__type(key, __u32);
	__type(value, struct qmap_port_stats);
} port_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct qmap_trunk_stats);
} trunk_stats SEC(".maps");

static __always_inline struct qmap_port_stats *port_stats_of(__u32 mux)
{
	return bpf_map_lookup_elem(&port_stats, &mux);
}

static __always_inline struct qmap_trunk_stats *trunk_stats_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trunk_stats, &zero);
}

static __always_inline void count_drop(struct qmap_trunk_stats *ts, __u32 reason)
{
	if (reason < QMAP_DROP_MAX)
		ts->drops[reason]++;
}

/*
 * Counts a dropped downlink frame of @mux. A header that was cut off has no mux id, which is 0 here as
 * in the walker.
 */
static __always_inline void count_drop_rx(struct qmap_trunk_stats *ts, __u32 mux, __u32 reason)
{
	struct qmap_port_stats *ps = port_stats_of(mux & 0xff);

	count_drop(ts, reason);
	if (ps && (mux || reason == QMAP_DROP_UNKNOWN_MUX))
		ps->rx_dropped++;
}

/*
 * Flow control in BPF also works without a daemon. Returns false for a command that the program
 * does not understand.
 */
static __always_inline int apply_command(struct qmap_port *port, const struct qmap_cmd *cmd)
{
	if ((cmd->type & QMAP_CMD_TYPE_MASK) != QMAP_CMD_TYPE_REQUEST)
		return 1;
	switch (cmd->name) {
	case QMAP_CMD_FLOW_DISABLE:
		port->flow_off_until = bpf_ktime_get_ns() + QMAP_FLOW_OFF_MAX_NS;
		return 1;
	case QMAP_CMD_FLOW_ENABLE:
		port->flow_off_until = 0;
		return 1;
	}
	return 0;
}

/* Counts and applies a QMAP command for @mux. Returns 0 where no PDN has that mux id. */
static __always_inline int take_command(struct qmap_trunk_stats *ts, __u32 mux,
					const struct qmap_cmd *cmd)
{
	struct qmap_port_stats *ps;
	struct qmap_port *port;

	mux &= 0xff;
	port = bpf_map_lookup_elem(&ports, &mux);
	if (!port || !port->ifindex) {
		count_drop_rx(ts, mux, QMAP_DROP_UNKNOWN_MUX);
		return 0;
	}
	ts->commands++;
	ps = port_stats_of(mux);
	if (ps)
		ps->commands++;
	if (!apply_command(port, cmd))
		count_drop_rx(ts, mux, QMAP_DROP_COMMAND_REFUSED);
	return 1;
}

#endif
