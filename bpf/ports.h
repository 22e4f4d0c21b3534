/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all programs: the maps of ports and events, and the verdict on a frame that the walker has
 * found.
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

/* QMAP commands for the daemon: struct qmap_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

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

/* Returns why a frame of @mux is not delivered, or QMAP_DROP_NONE. */
static __always_inline __u32 judge_port(__u32 mux)
{
	const struct qmap_port *port = bpf_map_lookup_elem(&ports, &mux);

	if (!port || !port->ifindex)
		return QMAP_DROP_UNKNOWN_MUX;
	if ((port->flags & (QMAP_PORT_UP | QMAP_PORT_SHUT)) != QMAP_PORT_UP)
		return QMAP_DROP_PORT_DOWN;
	return QMAP_DROP_NONE;
}

/* The same of a frame, by its bytes first. */
static __always_inline __u32 judge(const struct qmap_frame *f)
{
	return f->drop != QMAP_DROP_NONE ? f->drop : judge_port(f->mux_id);
}

#endif
