/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the programs that know ports: the maps of ports, counters and events, and the verdict on a
 * frame or a command that the walker has found.
 */
#ifndef QMAP_PORTS_H
#define QMAP_PORTS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "qmap/abi.h"
#include "qmap/wire.h"
#include "walk.h"

/* PDNs by mux id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, QMAP_MAX_MUX);
	__type(key, __u32);
	__type(value, struct qmap_port);
} ports SEC(".maps");

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

/* QMAP commands for the daemon: struct qmap_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

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

/* Counts a dropped downlink frame of @mux. */
static __always_inline void count_drop_rx(struct qmap_trunk_stats *ts, __u32 mux, __u32 reason)
{
	struct qmap_port_stats *ps = port_stats_of(mux & 0xff);

	count_drop(ts, reason);
	if (ps)
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

/* Returns the event of a command of @len bytes; the caller fills in the bytes and submits it. */
static __always_inline struct qmap_event *new_event(__u32 mux, __u32 len)
{
	struct qmap_event *ev = bpf_ringbuf_reserve(&events, sizeof(*ev), 0);

	if (!ev)
		return ev;
	ev->time = bpf_ktime_get_ns();
	ev->mux_id = mux;
	ev->reserved = 0;
	ev->len = len;
	ev->reserved2 = 0;
	__builtin_memset(ev->data, 0, sizeof(ev->data));
	return ev;
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

/* Returns why the frame is not delivered, or QMAP_DROP_NONE. */
static __always_inline __u32 judge(const struct qmap_frame *f)
{
	__u32 mux = f->mux_id;
	struct qmap_port *port;

	if (f->drop != QMAP_DROP_NONE)
		return f->drop;
	port = bpf_map_lookup_elem(&ports, &mux);
	if (!port || !port->ifindex)
		return QMAP_DROP_UNKNOWN_MUX;
	if ((port->flags & (QMAP_PORT_UP | QMAP_PORT_SHUT)) != QMAP_PORT_UP)
		return QMAP_DROP_PORT_DOWN;
	return QMAP_DROP_NONE;
}

#endif
