/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF map `ports`, one struct qmap_port by mux id, which the programs of all data paths read.
 * @fd: the map. All functions return 0 or a negative errno with @err filled in.
 */
#ifndef QMAP_DATAPATH_PORT_MAP_H
#define QMAP_DATAPATH_PORT_MAP_H

#include <stdbool.h>

#include "qmap/abi.h"
#include "util/error.h"

int port_map_write(int fd, __u32 mux, const struct qmap_port *port, struct error *err);

/* -ENODEV: no PDN has mux id @mux. */
int port_map_read(int fd, __u32 mux, struct qmap_port *port, struct error *err);
int port_map_read_all(int fd, struct qmap_port ports[QMAP_MAX_MUX], struct error *err);

/* As flow() and running() of struct datapath_ops. -ENODEV as above. */
int port_map_flow(int fd, __u32 mux, bool on, struct error *err);
int port_map_running(int fd, __u32 mux, bool up, struct error *err);

#endif
