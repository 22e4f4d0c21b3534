/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The observer of the data paths that are drivers of the kernel's: bpf/qmap_observe.bpf.c at tc ingress
 * of the trunk. It counts frames and drops; for rmnet it also guards.
 */
#ifndef QMAP_OBSERVE_H
#define QMAP_OBSERVE_H

#include "common.h"

/* Pins of these data paths. The names are those of the BPF object's maps, but for the first. */
enum observe_pin {
	OBSERVE_BASELINE, /* see links.c */
	OBSERVE_PORTS,
	OBSERVE_PORT_STATS,
	OBSERVE_TRUNK_STATS,
	OBSERVE_EVENTS,
	OBSERVE_AGAIN, /* keeps the program in its own program array */
	OBSERVE_PINS,
};
_Static_assert(OBSERVE_PINS <= DATAPATH_PINS, "a data path has room for its pins");

/* Tells whether this kernel takes the program: 0, or a negative errno and why not. */
int observe_probe(struct error *why);

/* Loads and pins the program for @format and attaches it to the trunk. */
int observe_attach(struct datapath *dp, const struct data_format *format, struct error *err);
/* As datapath_ops.renew, .rows. */
int observe_renew(struct datapath *dp, bool *changed, struct error *err);
extern const struct keep_row observe_rows[];
/* Tells whether the driver is qmi_wwan, which splits aggregates before the observer sees them. */
bool observe_is_split(const struct datapath *dp);
/* Removes the filter. */
void observe_detach(struct datapath *dp);

/* Enters netdev @ifindex as the port of @mux, not connected, with its counters at zero. */
int observe_add_port(struct datapath *dp, unsigned int mux, unsigned int ifindex,
		     struct error *err);
int observe_del_port(struct datapath *dp, unsigned int mux, struct error *err);
/* As datapath_ops.flow, .running, for the observer's part. */
int observe_flow(struct datapath *dp, unsigned int mux, bool on, struct error *err);
int observe_running(struct datapath *dp, unsigned int mux, bool up, struct error *err);

/* The observer's counters, one snapshot. */
struct observe_stats {
	struct qmap_trunk_stats trunk;
	struct qmap_port port[QMAP_MAX_MUX];
	struct qmap_port_stats count[QMAP_MAX_MUX];
};
int observe_stats(struct datapath *dp, struct observe_stats *out, struct error *err);

/*
 * As datapath_ops.event_fd, .events, .wait_ms. Flow control is applied before it is answered; where
 * the kernel cannot hold packets, the answer is "unsupported".
 */
int observe_event_fd(struct datapath *dp);
int observe_events(struct datapath *dp, struct error *err);
int observe_wait_ms(const struct datapath *dp);

#endif
