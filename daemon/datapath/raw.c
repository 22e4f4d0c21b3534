// SPDX-License-Identifier: GPL-2.0-or-later
/* No QMAP: the modem sends bare IP packets, and the trunk is the port of the one PDN. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rtnl/rtnl.h"
#include "datapath.h"
#include "pins.h"

struct datapath {
	unsigned int trunk;
	bool up;
};

static int new_datapath(struct datapath **out, struct pins *pins, struct error *err)
{
	struct datapath *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return error_set(err, -ENOMEM, "out of memory");
	dp->trunk = pins->ifindex;
	*out = dp;
	return 0;
}

static int attach(struct datapath **out, struct pins *pins, const char *trunk,
		  const struct data_format *format, struct error *err)
{
	return new_datapath(out, pins, err) ?: pins_set_datapath(pins, datapath_raw.name, err);
}

static int add_port(struct datapath *dp, struct datapath_port *port, struct error *err)
{
	port->ifindex = dp->trunk;
	if (!if_indextoname(dp->trunk, port->name))
		return error_set(err, -ENODEV, "the trunk is gone");
	return 0;
}

/* The trunk is the port. */
static int adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err)
{
	return 0;
}

static int del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	return 0;
}

/* The modem itself holds packets back until the call is connected; there is no gate in between. */
static int flow(struct datapath *dp, unsigned int mux, bool on, struct error *err)
{
	dp->up = on;
	return 0;
}

static int get_link(const struct datapath *dp, struct rtnl_link *link, struct error *err)
{
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, NULL, err) ?: rtnl_link_get_index(nl, dp->trunk, link, err);

	rtnl_close(&nl);
	return ret;
}

static int stats(struct datapath *dp, struct datapath_stats *out, struct error *err)
{
	struct qmap_port_stats *s = &out->ports[0].count;
	struct rtnl_link link;
	int ret = get_link(dp, &link, err);

	if (ret)
		return ret;
	*out = (struct datapath_stats){.by_frame = true, .nports = 1};
	out->ports[0].up = dp->up;
	s->rx_packets = s->rx_csum_none = link.rx_packets;
	s->rx_bytes = link.rx_bytes;
	s->rx_dropped = link.rx_dropped;
	s->tx_packets = link.tx_packets;
	s->tx_bytes = link.tx_bytes;
	s->tx_dropped = link.tx_dropped;
	return 0;
}

/* All packets belong to the one PDN, with any mux id. */
static int rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err)
{
	struct rtnl_link link;
	int ret = get_link(dp, &link, err);

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		rx[mux] = link.rx_packets;
	return ret;
}

static int detach(struct datapath *dp, struct error *err)
{
	return 0;
}

static int probe(const char *trunk, struct error *why)
{
	return 0;
}

static void close_datapath(struct datapath **dp)
{
	free(*dp);
	*dp = NULL;
}

const struct datapath_ops datapath_raw = {
	.name = "raw",
	.probe = probe,
	.attach = attach,
	.adopt = new_datapath,
	.add_port = add_port,
	.adopt_port = adopt_port,
	.del_port = del_port,
	.flow = flow,
	.stats = stats,
	.rx_packets = rx_packets,
	.detach = detach,
	.close = close_datapath,
};
