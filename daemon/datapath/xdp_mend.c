// SPDX-License-Identifier: GPL-2.0-or-later
/* Restores programs that another process has detached, and filters that it has deleted. */
#include "xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <net/if.h>

#include "port_map.h"
#include "qmap_xdp.skel.h"
#include "renew.h"
#include "rtnl/rtnl.h"
#include "trunk_filter.h"

static unsigned int inner(const struct datapath *dp, char which)
{
	char name[IFNAMSIZ];

	xdp_inner_name(dp->base, which, name);
	return if_nametoindex(name);
}

static int mend_link(struct datapath *dp, enum xdp_pin pin, char which, unsigned int flags,
		     char *where, size_t size, struct error *err)
{
	const struct renew_place place = {xdp_pins[pin].name, inner(dp, which), flags};

	/* the netdev is gone; its program does not matter */
	if (!place.ifindex)
		return 0;
	return renew_detached_link(dp->pins, &place, &dp->fd[pin], where, size, err);
}

/* Only the filter refers to the entry program, so it has to be loaded again. */
static int mend_entry(struct datapath *dp, char *where, size_t size, struct error *err)
{
	struct qmap_xdp *skel = NULL;
	struct qmap_config config;
	int ret;

	if (trunk_filter_is(dp->trunk, XDP_ENTRY_PROGRAM))
		return 0;
	renew_add_where(where, size, dp->trunk);
	ret = renew_get_config(dp->pins, &config, err)
		      ?: xdp_load(&skel, dp, &config, inner(dp, 'e'), err);
	if (ret)
		return ret;
	ret = trunk_filter_attach(dp->trunk, bpf_program__fd(skel->progs.qmap_enter), err);
	qmap_xdp__destroy(skel);
	return ret;
}

static int mend_uplinks(struct datapath *dp, char *where, size_t size, struct error *err)
{
	struct qmap_port port[QMAP_MAX_MUX];
	int ret = port_map_read_all(dp->fd[XDP_PORTS], port, err);
	char name[IFNAMSIZ];

	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++) {
		/* the netdev is gone; its filter does not matter */
		if (!port[mux].ifindex ||
		    rtnl_filter_has(dp->nl, port[mux].ifindex, TC_H_MIN_INGRESS, 1, 1) ||
		    !if_indextoname(port[mux].ifindex, name))
			continue;
		renew_add_where(where, size, port[mux].ifindex);
		ret = xdp_attach_uplink(port[mux].ifindex, dp->fd[XDP_PROG_UPLINK], 0, err);
	}
	return ret;
}

int xdp_mend(struct datapath *dp, char *where, size_t size, struct error *err)
{
	return mend_link(dp, XDP_LINK_DELIVER, 'b', XDP_FLAGS_DRV_MODE, where, size, err)
		?: mend_link(dp, XDP_LINK_SPLIT, 'e', XDP_FLAGS_SKB_MODE, where, size, err)
		?: mend_uplinks(dp, where, size, err)
		?: mend_entry(dp, where, size, err);
}
