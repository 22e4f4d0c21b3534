// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data path `xdp`: loads, wires and pins the programs of bpf/qmap_xdp.bpf.c.
 *
 * Netdevs of trunk wwan0: the entry device wwan0.se, on which aggregates are split; the split veth
 * wwan0.sa == wwan0.sb, over which trimmed copies reach the deliver program on wwan0.sb; and per
 * PDN the veth wwan0.1q == wwan0.1p, the inner end and the lower device, with the port wwan0.1, a
 * macvlan, on top of the latter.
 *
 * The port is not an end of a veth because a veth receives no packet larger than its own MTU
 * (drivers/net/veth.c, veth_xdp_xmit()), which must be the limit for packets that the port sends. A
 * macvlan's MTU limits sending only.
 */
#include "xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/array.h"
#include "rtnl/rtnl.h"
#include "qmap_commands.h"
#include "port_map.h"
#include "qmap/wire.h"
#include "qmap_xdp.skel.h"
#include "renew.h"
#include "trunk_filter.h"
#include "xdp_link.h"

const struct pins_entry xdp_pins[XDP_PINS] = {
	[XDP_PORTS] = {.name = "ports", .value_size = sizeof(struct qmap_port)},
	[XDP_PORT_DEVS] = {.name = "port_devs"},
	[XDP_UPLINKS] = {.name = "uplinks"},
	[XDP_PORT_STATS] = {.name = "port_stats", .value_size = sizeof(struct qmap_port_stats)},
	[XDP_TRUNK_STATS] = {.name = "trunk_stats", .value_size = sizeof(struct qmap_trunk_stats)},
	[XDP_EVENTS] = {.name = "events"},
	[XDP_PROG_TRIM] = {.name = "prog_trim"},
	[XDP_PROG_UPLINK] = {.name = "prog_uplink"},
	[XDP_LINK_DELIVER] = {.name = "link_deliver"},
	[XDP_LINK_SPLIT] = {.name = "link_split"},
};

#define PORT_MTU 1500

/*
 * Frames per aggregate to request: a veth's ring holds 256 packets, of which one aggregate must not
 * take too many (drivers/net/veth.c, VETH_RING_SIZE).
 */
#define WISH_DATAGRAMS 32
/*
 * The kernel copies the whole buffer of an aggregate once a frame (kernel/bpf/devmap.c,
 * dev_map_generic_redirect(): skb_copy()), and with init_on_alloc clears each copy first. A copy of a
 * transfer of this size, with the skb's overhead, takes 32 KB, one of 16 KB takes 64. Of 3.5, 7.5, 15,
 * 16 and 31 KB this costs least on amd64 with its transfers counted in, and on arm64 least but for 31
 * (bench/README.md).
 */
#define WISH_BYTES 15360

void xdp_inner_name(const char *base, char which, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%.10s.s%c", base, which);
}

/*
 * Attaches @prog and pins the link as @pin. @flags: XDP_FLAGS_SKB_MODE on the entry device, whose
 * own XDP only sees packets written by its reader.
 */
static int attach_xdp(struct datapath *dp, struct bpf_program *prog, unsigned int ifindex,
		      __u32 flags, enum xdp_pin pin, struct error *err)
{
	int link = xdp_link_attach(bpf_program__fd(prog), ifindex, flags, err), ret;

	if (link < 0)
		return link;
	ret = datapath_keep(dp, pin, link, err);
	close(link);
	return ret;
}

static int add_split_veth(struct datapath *dp, struct rtnl_link *a, struct rtnl_link *b,
			  struct error *err)
{
	char name_a[IFNAMSIZ], name_b[IFNAMSIZ];
	int ret;

	xdp_inner_name(dp->base, 'a', name_a);
	xdp_inner_name(dp->base, 'b', name_b);
	ret = rtnl_veth_add(dp->nl, name_a, name_b, XDP_INNER_MTU, err);
	if (ret == -EEXIST)
		error_hint(err, "it is left over from something else: ip link del %s", name_a);
	if (ret)
		return ret;
	ret = rtnl_link_get(dp->nl, name_a, a, err) ?: rtnl_link_get(dp->nl, name_b, b, err);
	if (!ret)
		ret = rtnl_link_set_up(dp->nl, a->ifindex, true, err)
			      ?: rtnl_link_set_up(dp->nl, b->ifindex, true, err);
	if (ret)
		rtnl_link_del(dp->nl, if_nametoindex(name_a), NULL);
	return ret;
}

static int detach(struct datapath *dp, struct error *err);

static int attach(struct datapath **out, struct pins *pins, const char *trunk,
		  const struct data_format *format, struct error *err)
{
	struct qmap_xdp *skel = NULL;
	struct datapath *dp = NULL;
	struct rtnl_link a, b;
	struct qmap_config config;
	unsigned int entry;
	int ret;

	ret = datapath_new(&dp, pins, trunk, xdp_pins, XDP_PINS, err);
	if (ret)
		return ret;
	ret = add_split_veth(dp, &a, &b, err);
	if (ret)
		goto free;
	ret = xdp_entry_add(dp, &entry, err);
	if (ret) {
		rtnl_link_del(dp->nl, a.ifindex, NULL);
		goto free;
	}
	config = bpf_config(dp->trunk, format);
	ret = xdp_load(&skel, dp, &config, entry, err)
		?: renew_put_config(pins, &config, err)
		?: datapath_keep_maps(dp, skel->obj, err)
		?: datapath_start_lost(dp, bpf_map__fd(skel->maps.trunk_stats), err)
		?: datapath_keep(dp, XDP_PROG_TRIM, bpf_program__fd(skel->progs.qmap_trim), err)
		?: datapath_keep(dp, XDP_PROG_UPLINK, bpf_program__fd(skel->progs.qmap_uplink), err)
		?: xdp_fill_copies(skel, a.ifindex, err)
		?: attach_xdp(dp, skel->progs.qmap_deliver, b.ifindex, XDP_FLAGS_DRV_MODE,
			      XDP_LINK_DELIVER, err)
		?: attach_xdp(dp, skel->progs.qmap_split, entry, XDP_FLAGS_SKB_MODE,
			      XDP_LINK_SPLIT, err)
		?: pins_set_datapath(pins, datapath_xdp.name, err)
		?: trunk_filter_attach(dp->trunk, bpf_program__fd(skel->progs.qmap_enter), err);
	if (ret)
		detach(dp, NULL);
	qmap_xdp__destroy(skel);
free:
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

static int adopt(struct datapath **out, struct pins *pins, struct error *err)
{
	return datapath_open(out, pins, xdp_pins, XDP_PINS, err);
}

/*
 * Without these a port would pass super-packets and incomplete checksums to the uplink program, and
 * (GRO) would not take packets by ndo_xdp_xmit (drivers/net/veth.c, veth_gro_requested).
 */
static const struct rtnl_feature features[] = {
	{"rx-gro", true},
	{"tx-checksum-ip-generic", false},
	{"tx-scatter-gather", false},
	{"tx-generic-segmentation", false},
};

int xdp_set_features(const char *lower, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features) && !ret; i++)
		ret = rtnl_feature_set(lower, features[i].name, features[i].on, err);
	return ret;
}

bool xdp_has_features(const char *lower)
{
	return rtnl_features_look(lower, features, ARRAY_SIZE(features)) <= 0;
}

/*
 * @flags: BPF_TC_F_REPLACE if an earlier program is running, which continues until the new one
 * does.
 */
int xdp_attach_uplink(unsigned int inner, int prog, __u32 flags, struct error *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = inner, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .flags = flags,
			    .prog_fd = prog);
	int ret = flags & BPF_TC_F_REPLACE ? 0 : bpf_tc_hook_create(&hook);

	if (!ret || ret == -EEXIST)
		ret = bpf_tc_attach(&hook, &opts);
	if (!ret)
		return 0;
	error_set(err, ret, "cannot attach the uplink program: %s", strerror(-ret));
	error_hint(err, "the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF");
	return ret;
}

static int update(int fd, const void *key, const void *value, struct error *err)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		return error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	return 0;
}

/* Adds the port to `ports` last: from then on frames of its mux id pass. */
static int enter_port(struct datapath *dp, __u32 mux, const struct rtnl_link *inner,
		      const struct rtnl_link *lower, struct error *err)
{
	struct bpf_devmap_val dev = {.ifindex = inner->ifindex};
	struct qmap_port port = {.ifindex = inner->ifindex};
	int ret;

	memcpy(port.mac, lower->mac, sizeof(port.mac));
	ret = datapath_zero_stats(dp->fd[XDP_PORT_STATS], mux, err);
	return ret ?: update(dp->fd[XDP_PORT_DEVS], &mux, &dev, err)
		?: update(dp->fd[XDP_UPLINKS], &inner->ifindex, &mux, err)
		?: port_map_write(dp->fd[XDP_PORTS], mux, &port, err);
}

static int add_port_veth(struct datapath *dp, unsigned int number, struct rtnl_link *inner,
			 struct rtnl_link *lower, struct error *err)
{
	char inner_name[IFNAMSIZ], lower_name[IFNAMSIZ];
	int ret;

	snprintf(inner_name, IFNAMSIZ, "%.10s.%uq", dp->base, number % 1000);
	snprintf(lower_name, IFNAMSIZ, "%.10s.%up", dp->base, number % 1000);
	ret = rtnl_veth_add(dp->nl, inner_name, lower_name, XDP_INNER_MTU, err);
	if (ret == -EEXIST)
		error_hint(err, "if nothing uses it: ip link del %s", inner_name);
	return ret ?: rtnl_link_get(dp->nl, inner_name, inner, err)
		?: rtnl_link_get(dp->nl, lower_name, lower, err)
		?: xdp_set_features(lower_name, err)
		?: xdp_attach_uplink(inner->ifindex, dp->fd[XDP_PROG_UPLINK], 0, err)
		?: rtnl_link_set_up(dp->nl, inner->ifindex, true, err)
		?: rtnl_link_set_up(dp->nl, lower->ifindex, true, err);
}

static int add_port(struct datapath *dp, struct datapath_port *port, struct error *err)
{
	struct rtnl_link inner = {0}, lower = {0}, outer = {0};
	int ret;

	ret = add_port_veth(dp, port->number, &inner, &lower, err);
	if (!ret) {
		ret = rtnl_macvlan_add(dp->nl, port->name, lower.ifindex, PORT_MTU, err);
		if (ret == -EEXIST)
			error_hint(err, "if nothing uses it: ip link del %s", port->name);
	}
	ret = ret ?: rtnl_link_get(dp->nl, port->name, &outer, err)
			?: enter_port(dp, port->mux, &inner, &lower, err);
	port->ifindex = outer.ifindex;
	if (ret && inner.ifindex)
		rtnl_link_del(dp->nl, inner.ifindex, NULL);
	return ret;
}

static int del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	struct qmap_port port, none = {0};
	int ret = port_map_read(dp->fd[XDP_PORTS], mux, &port, err);

	if (ret)
		return ret;
	ret = port_map_write(dp->fd[XDP_PORTS], mux, &none, err);
	bpf_map_delete_elem(dp->fd[XDP_PORT_DEVS], &mux);
	bpf_map_delete_elem(dp->fd[XDP_UPLINKS], &port.ifindex);
	/* from here on it counts frames of a mux id that no PDN has */
	datapath_zero_stats(dp->fd[XDP_PORT_STATS], mux, NULL);
	/* the port itself may be in another namespace: it disappears with its lower device */
	return rtnl_link_del(dp->nl, port.ifindex, ret ? NULL : err) ?: ret;
}

static bool has_port(struct datapath *dp, unsigned int mux)
{
	struct qmap_port port;
	struct rtnl_link inner;

	return !port_map_read(dp->fd[XDP_PORTS], mux, &port, NULL) &&
	       !rtnl_link_get_index(dp->nl, port.ifindex, &inner, NULL) &&
	       rtnl_macvlan_exists(dp->nl, inner.lower);
}

static int flow(struct datapath *dp, unsigned int mux, bool on, struct error *err)
{
	return port_map_flow(dp->fd[XDP_PORTS], mux, on, err);
}

static int running(struct datapath *dp, unsigned int mux, bool up, struct error *err)
{
	return port_map_running(dp->fd[XDP_PORTS], mux, up, err);
}

/* Ifindex of the link's netdev, or 0 if that has gone and left the link behind. */
static unsigned int link_ifindex(int fd)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.xdp.ifindex;
}

static void first(int *ret, int now)
{
	if (now && now != -ENODEV && !*ret)
		*ret = now;
}

static int detach(struct datapath *dp, struct error *err)
{
	char path[PINS_PATH];
	struct qmap_port port;
	unsigned int split;
	int ret = 0;

	commands_close(&dp->commands);
	first(&ret, xdp_entry_remove(dp->nl, dp->base, dp->trunk, err));
	if (dp->fd[XDP_LINK_SPLIT] >= 0) {
		unlink(pins_path(dp->pins, xdp_pins[XDP_LINK_SPLIT].name, path));
		close(dp->fd[XDP_LINK_SPLIT]);
		dp->fd[XDP_LINK_SPLIT] = -1;
	}
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && dp->fd[XDP_PORTS] >= 0; mux++)
		if (!port_map_read(dp->fd[XDP_PORTS], mux, &port, NULL))
			first(&ret, del_port(dp, mux, ret ? NULL : err));
	split = dp->fd[XDP_LINK_DELIVER] >= 0 ? link_ifindex(dp->fd[XDP_LINK_DELIVER]) : 0;
	if (!split) {
		char name[IFNAMSIZ];

		xdp_inner_name(dp->base, 'b', name);
		split = if_nametoindex(name);
	}
	if (split)
		first(&ret, rtnl_link_del(dp->nl, split, ret ? NULL : err));
	return ret;
}

static int event_fd(struct datapath *dp)
{
	return datapath_event_fd(dp, XDP_EVENTS, true);
}

void datapath_xdp_sweep(const char *trunk, unsigned int ifindex)
{
	char base[IFNAMSIZ], name[IFNAMSIZ];
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	if (rtnl_open(&nl, NULL, NULL))
		return;
	datapath_port_base(trunk, base);
	xdp_entry_remove(nl, base, ifindex, NULL);
	for (unsigned int i = 0; i < QMAP_MAX_MUX; i++) {
		if (i)
			snprintf(name, sizeof(name), "%.10s.%uq", base, i);
		else
			xdp_inner_name(base, 'b', name);
		if (if_nametoindex(name) && !rtnl_link_get(nl, name, &link, NULL) &&
		    !strcmp(link.kind, "veth"))
			rtnl_link_del(nl, link.ifindex, NULL);
	}
	rtnl_close(&nl);
}

static int probe(const char *trunk, struct error *why)
{
	struct utsname u;
	unsigned int major = 0, minor = 0;
	struct rtnl *nl = NULL;
	int ret;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return error_set(why, -EOPNOTSUPP, "cannot tell the kernel's version");
	if (major < 5 || (major == 5 && minor < 18))
		return error_set(why, -EOPNOTSUPP, "Linux %u.%u is too old: 5.18 is needed", major,
				 minor);
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) == 1) {
		ret = rtnl_open(&nl, NULL, why) ?: rtnl_macvlan_probe(nl, why);
		rtnl_close(&nl);
		return ret ?: xdp_load_probe(why);
	}
	if (geteuid())
		return error_set(why, -EPERM, "BPF programs need root");
	return error_set(why, -EOPNOTSUPP, "this kernel takes no XDP programs");
}

/* The split veth and the entry: see xdp_inner_name(). */
static const char *const inner_netdevs[] = {"sa", "sb", "se", NULL};

const struct datapath_ops datapath_xdp = {
	.name = "xdp",
	.receiver = 'p',
	.inner = inner_netdevs,
	.limits = {.dl_max_bytes = WISH_BYTES, .dl_max_datagrams = WISH_DATAGRAMS},
	.probe = probe,
	.attach = attach,
	.adopt = adopt,
	.renew = xdp_renew,
	.rows = xdp_rows,
	.add_port = add_port,
	.adopt_port = datapath_adopt_port,
	.del_port = del_port,
	.has_port = has_port,
	.flow = flow,
	.running = running,
	.stats = xdp_stats,
	.rx_packets = xdp_rx_packets,
	.event_fd = event_fd,
	.events = datapath_events,
	.detach = detach,
	.close = datapath_close,
};
