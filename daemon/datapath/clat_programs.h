/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of 464XLAT on a port (bpf/qmap_clat.bpf.c) at tc ingress and egress of any data path's
 * netdev: by TCX, or before Linux 6.6 as filters of clsact. The kernel keeps them and their constants
 * without a daemon; nothing is pinned.
 */
#ifndef QMAP_DATAPATH_CLAT_PROGRAMS_H
#define QMAP_DATAPATH_CLAT_PROGRAMS_H

#include <stdbool.h>

#include "qmap/clat.h"
#include "util/error.h"

/* A port: the netdev's ifindex in its namespace ("": ours). */
struct clat_port {
	const char *netns;
	unsigned int ifindex;
};

/*
 * Attaches both programs with @config, or replaces those that are there; their counters go on. Sets
 * l2_len and fast of @config by the netdev. Without TCX -EEXIST: filters of another owner stand in their
 * place; -EBUSY: the qdisc ingress does.
 */
int datapath_clat_attach(const struct clat_port *port, struct qmap_clat_config *config,
			 struct error *err);

/*
 * Reads constants and counters of the programs that are attached. @stats may be NULL. -ENOENT: there are
 * none; -ENOTCONN: one of the two is missing. @code: are they those of this process?
 */
int datapath_clat_look(const struct clat_port *port, struct qmap_clat_config *config,
		       struct qmap_clat_stats *stats, bool *same_code);

/* Removes the programs, and clsact if their filters were the last on it. */
void datapath_clat_remove(const struct clat_port *port);

#endif
