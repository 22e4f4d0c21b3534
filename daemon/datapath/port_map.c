// SPDX-License-Identifier: GPL-2.0-or-later
#include "port_map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "common.h"

int port_map_write(int fd, __u32 mux, const struct qmap_port *port, struct error *err)
{
	if (bpf_map_update_elem(fd, &mux, port, BPF_ANY))
		return error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	return 0;
}

int port_map_read(int fd, __u32 mux, struct qmap_port *port, struct error *err)
{
	if (bpf_map_lookup_elem(fd, &mux, port))
		return error_set(err, -errno, "cannot read a BPF map: %s", strerror(errno));
	if (!port->ifindex)
		return error_set(err, -ENODEV, "no PDN has mux id %u", mux);
	return 0;
}

int port_map_read_all(int fd, struct qmap_port ports[QMAP_MAX_MUX], struct error *err)
{
	return datapath_read_array(fd, ports, sizeof(*ports), QMAP_MAX_MUX, err);
}

int port_map_flow(int fd, __u32 mux, bool on, struct error *err)
{
	struct qmap_port port;
	int ret = port_map_read(fd, mux, &port, err);

	if (ret)
		return ret;
	port.flags = on ? QMAP_PORT_UP : 0;
	port.flow_off_until = 0;
	return port_map_write(fd, mux, &port, err);
}

int port_map_running(int fd, __u32 mux, bool up, struct error *err)
{
	struct qmap_port port;
	int ret = port_map_read(fd, mux, &port, err);

	if (ret || up == !(port.flags & QMAP_PORT_SHUT))
		return ret;
	port.flags ^= QMAP_PORT_SHUT;
	return port_map_write(fd, mux, &port, err);
}
