// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data paths `shim` and `usb`: the kernel module qmap_shim, with the programs of
 * bpf/qmap_shim.bpf.c. They differ in the module's front end.
 *
 * Netdevs of trunk wwan0: the trunk device, which carries the receive program, and the ports
 * wwan0.1 ... on top of that, each with the transmit program. Ports are numbered by mux id. The
 * trunk device is wwan0.sh, on top of wwan0, with `shim`, and with `usb` wwan0 itself, which
 * belongs to the USB driver qmap_usb. The caller gives the modem's interface to that driver, and
 * takes it back.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "netdev/device_stats.h"
#include "netdev/usb_driver.h"
#include "rtnl/shim.h"
#include "rtnl/snapshot.h"
#include "qmap_commands.h"
#include "counters.h"
#include "common.h"
#include "qmap/shim.h"
#include "qmap/wire.h"
#include "qmap_shim.skel.h"
#include "port_map.h"
#include "renew.h"
#include "xdp_link.h"

/*
 * Longest wait of an uplink frame for others. Long enough for the ACKs of one received aggregate,
 * short compared with a radio's latency.
 */
#define TX_USECS 200

enum pin {
	PORTS,
	EVENTS,
	PROG_TX,
	LINK_RX,
	PINS,
};

static const struct pins_entry pin_table[PINS] = {
	[PORTS] = {.name = "ports", .value_size = sizeof(struct qmap_port)},
	[EVENTS] = {.name = "events"},
	[PROG_TX] = {.name = "prog_tx"},
	[LINK_RX] = {.name = "link_rx"},
};

#define SHIM_NAME "%.10s.sh" /* of the trunk device, by dp->base */

/* Name of the trunk device. With `usb` another process may have renamed it. */
static void trunk_name(const struct datapath *dp, char name[IFNAMSIZ])
{
	if (!dp->usb)
		snprintf(name, IFNAMSIZ, SHIM_NAME, dp->base);
	else if (!if_indextoname(dp->trunk, name))
		snprintf(name, IFNAMSIZ, "%s", dp->pins->trunk);
}

static int probe(const char *trunk, struct error *why)
{
	struct rtnl *nl = NULL;
	int ret = rtnl_open(&nl, NULL, why);

	if (ret)
		return ret;
	ret = rtnl_shim_probe(nl, why);
	rtnl_close(&nl);
	return ret;
}

static bool fits_usb(const char *trunk)
{
	return trunk && usb_driver_fits(trunk);
}

static int probe_usb(const char *trunk, struct error *why)
{
	if (!trunk) {
		error_set(why, -EOPNOTSUPP, "it depends on the modem's driver");
		error_hint(why, "`qmapctl probe DEV` looks at it");
		return -EOPNOTSUPP;
	}
	return usb_driver_probe(trunk, why) ?: probe(trunk, why);
}

/* Uses the maps that are pinned already, if any. */
static int load(struct qmap_shim **out, const struct datapath *dp, const struct qmap_config *config,
		struct error *err)
{
	struct qmap_shim *skel = qmap_shim__open();
	int ret = 0;

	if (!skel)
		return error_set(err, -errno, "cannot open the BPF programs: %s", strerror(errno));
	memcpy((void *)&skel->rodata->config, config, sizeof(*config));
	ret = datapath_reuse_maps(dp, skel->obj) ?: qmap_shim__load(skel);
	if (ret) {
		qmap_shim__destroy(skel);
		return bpf_load_error(ret, "5.15", err);
	}
	*out = skel;
	return 0;
}

static int add_trunk(struct datapath *dp, const struct data_format *format, struct rtnl_link *link,
		     struct error *err)
{
	struct rtnl_shim_limits limits = {.tx_bytes = format->ul_max_bytes,
					  .tx_frames = format->ul_max_datagrams,
					  .tx_usecs = format->ul_max_bytes ? TX_USECS : 0};
	char name[IFNAMSIZ];
	int ret;

	trunk_name(dp, name);
	if (dp->usb) {
		limits.rx_bytes = format->dl_max_bytes;
		ret = rtnl_shim_trunk_set(dp->nl, dp->trunk, &limits, err)
			      ?: rtnl_link_get_index(dp->nl, dp->trunk, link, err);
	} else {
		ret = rtnl_shim_trunk_add(dp->nl, name, dp->trunk, &limits, err);
		if (ret == -EEXIST)
			error_hint(err, "it is left over from something else: ip link del %s",
				   name);
		ret = ret ?: rtnl_link_get(dp->nl, name, link, err);
	}
	/* the trunk device sends nothing by itself, and neither may the kernel on it */
	return ret ?: rtnl_link_set_addrgenmode(dp->nl, link->ifindex, IN6_ADDR_GEN_MODE_NONE, err);
}

static int attach_rx(struct datapath *dp, struct qmap_shim *skel, unsigned int ifindex,
		     struct error *err)
{
	int link = xdp_link_attach(bpf_program__fd(skel->progs.qmap_shim_rx), ifindex,
				   XDP_FLAGS_DRV_MODE, err),
	    ret;

	if (link < 0)
		return link;
	ret = datapath_keep(dp, LINK_RX, link, err);
	close(link);
	return ret;
}

static int build(struct datapath **out, struct pins *pins, const char *trunk, bool usb,
		 const struct data_format *format, struct error *err)
{
	struct qmap_shim *skel = NULL;
	struct datapath *dp = NULL;
	struct rtnl_link link = {0};
	struct qmap_config config;
	int ret;

	ret = datapath_new(&dp, pins, trunk, pin_table, PINS, err);
	if (ret)
		return ret;
	dp->usb = usb;
	config = bpf_config(dp->trunk, format);
	ret = load(&skel, dp, &config, err);
	if (ret)
		goto free;
	ret = renew_put_config(pins, &config, err)
		?: datapath_keep_maps(dp, skel->obj, err)
		?: datapath_keep(dp, PROG_TX, bpf_program__fd(skel->progs.qmap_shim_tx), err)
		?: add_trunk(dp, format, &link, err);
	if (ret)
		goto destroy;
	ret = attach_rx(dp, skel, link.ifindex, err)
		?: rtnl_link_set_up(dp->nl, link.ifindex, true, err)
		?: pins_set_datapath(pins, usb ? datapath_usb.name : datapath_shim.name, err);
	if (ret && !usb)
		rtnl_link_del(dp->nl, link.ifindex, NULL);
destroy:
	qmap_shim__destroy(skel);
free:
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

static int attach(struct datapath **out, struct pins *pins, const char *trunk,
		  const struct data_format *format, struct error *err)
{
	return build(out, pins, trunk, false, format, err);
}

static int attach_usb(struct datapath **out, struct pins *pins, const char *trunk,
		      const struct data_format *format, struct error *err)
{
	return build(out, pins, trunk, true, format, err);
}

static int adopt(struct datapath **out, struct pins *pins, struct error *err)
{
	return datapath_open(out, pins, pin_table, PINS, err);
}

static int adopt_usb(struct datapath **out, struct pins *pins, struct error *err)
{
	int ret = adopt(out, pins, err);

	if (!ret)
		(*out)->usb = true;
	return ret;
}

static void tx_pin(const struct datapath *dp, unsigned int mux, char path[PINS_PATH])
{
	char name[32];

	snprintf(name, sizeof(name), "link_tx_%u", mux);
	pins_path(dp->pins, name, path);
}

static int attach_tx(struct datapath *dp, unsigned int mux, unsigned int ifindex, struct error *err)
{
	int link = xdp_link_attach(dp->fd[PROG_TX], ifindex, XDP_FLAGS_DRV_MODE, err), ret = 0;
	char path[PINS_PATH];

	if (link < 0)
		return link;
	tx_pin(dp, mux, path);
	if (bpf_obj_pin(link, path))
		ret = error_set(err, -errno, "cannot pin %s: %s", path, strerror(errno));
	close(link);
	return ret;
}

static int renew_tx(struct datapath *dp, unsigned int mux, int prog, struct error *err)
{
	char path[PINS_PATH];
	int link, ret;

	tx_pin(dp, mux, path);
	link = bpf_obj_get(path);
	if (link < 0)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	ret = renew_link(link, prog, err);
	close(link);
	return ret;
}

static int make_port(struct datapath *dp, const struct datapath_port *port, struct rtnl_link *link,
		     struct error *err)
{
	struct qmap_port entry = {0};

	entry.ifindex = link->ifindex;
	return attach_tx(dp, port->mux, link->ifindex, err)
		       ?: port_map_write(dp->fd[PORTS], port->mux, &entry, err);
}

static int add_port(struct datapath *dp, struct datapath_port *port, struct error *err)
{
	struct rtnl_link trunk, link = {0};
	char name[IFNAMSIZ];
	int ret;

	trunk_name(dp, name);
	ret = rtnl_link_get(dp->nl, name, &trunk, err)
		      ?: rtnl_shim_port_add(dp->nl, port->name, trunk.ifindex, port->mux, err);
	if (ret == -EEXIST)
		error_hint(err, "if nothing uses it: ip link del %s", port->name);
	if (ret)
		return ret;
	ret = rtnl_link_get(dp->nl, port->name, &link, err) ?: make_port(dp, port, &link, err);
	port->ifindex = link.ifindex;
	datapath_adopt_port(dp, port, NULL);
	if (ret && link.ifindex)
		rtnl_link_del(dp->nl, link.ifindex, NULL);
	return ret;
}

static int del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	const struct datapath_place *place = &dp->places[mux % QMAP_MAX_MUX];
	struct qmap_port none = {0};
	struct rtnl_link link;
	struct rtnl *nl = NULL;
	char path[PINS_PATH];
	int ret = port_map_write(dp->fd[PORTS], mux, &none, err);

	tx_pin(dp, mux, path);
	unlink(path);
	if (!ret)
		ret = rtnl_open(&nl, place->netns, err)
			?: rtnl_link_get(nl, place->name, &link, err)
			?: rtnl_link_del(nl, link.ifindex, err);
	rtnl_close(&nl);
	if (!ret)
		dp->places[mux % QMAP_MAX_MUX] = (struct datapath_place){0};
	return ret;
}

/* A link knows its netdev until that is deleted. */
static bool has_port(struct datapath *dp, unsigned int mux)
{
	char path[PINS_PATH];
	bool has;
	int link;

	tx_pin(dp, mux, path);
	link = bpf_obj_get(path);
	has = link >= 0 && renew_look(link) == KEEP_FINE;
	if (link >= 0)
		close(link);
	return has;
}

/* Without carrier a port sends and receives nothing. It must be changed where the port is. */
static int set_carrier(const struct datapath_place *place, bool on, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = rtnl_open(&nl, place->netns, err)
			  ?: rtnl_link_get(nl, place->name, &link, err)
			  ?: rtnl_link_set_carrier(nl, link.ifindex, on, err);

	rtnl_close(&nl);
	return ret;
}

static int flow(struct datapath *dp, unsigned int mux, bool on, struct error *err)
{
	return port_map_flow(dp->fd[PORTS], mux, on, err) ?: set_carrier(&dp->places[mux], on, err);
}

/* --- programs of another qmapd --- */

/* Replaces the pin last: a process that finds the old one repeats all of this. */
static int renew_programs(struct datapath *dp, struct qmap_shim *skel, struct error *err)
{
	int tx = bpf_program__fd(skel->progs.qmap_shim_tx);
	int ret = renew_link(dp->fd[LINK_RX], bpf_program__fd(skel->progs.qmap_shim_rx), err);
	struct qmap_port port;

	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		if (!port_map_read(dp->fd[PORTS], mux, &port, NULL))
			ret = renew_tx(dp, mux, tx, err);
	return ret ?: renew_pin(dp->pins, pin_table[PROG_TX].name, tx, &dp->fd[PROG_TX], err);
}

static int renew(struct datapath *dp, bool *changed, struct error *err)
{
	struct qmap_shim *skel = NULL;
	struct qmap_config config;
	int ret = rtnl_shim_probe(dp->nl, err)
			  ?: renew_get_config(dp->pins, &config, err)
			  ?: load(&skel, dp, &config, err);

	if (ret)
		return ret;
	*changed = !renew_same_link(dp->fd[LINK_RX], bpf_program__fd(skel->progs.qmap_shim_rx)) ||
		   !renew_same_program(dp->fd[PROG_TX], bpf_program__fd(skel->progs.qmap_shim_tx));
	if (*changed)
		ret = renew_programs(dp, skel, err);
	qmap_shim__destroy(skel);
	return ret;
}

/* --- rows: programs that another process may detach --- */

static enum keep_look look_rx(void *arg, char *detail)
{
	const struct datapath *dp = arg;

	trunk_name(dp, detail);
	return if_nametoindex(detail) ? renew_look(dp->fd[LINK_RX]) : KEEP_UNKNOWN;
}

static int attach_rx_again(void *arg, struct error *err)
{
	struct datapath *dp = arg;
	struct renew_place place = {.pin = pin_table[LINK_RX].name, .flags = XDP_FLAGS_DRV_MODE};
	char name[IFNAMSIZ];

	trunk_name(dp, name);
	place.ifindex = if_nametoindex(name);
	return renew_attach(dp->pins, &place, &dp->fd[LINK_RX], err);
}

struct tx {
	struct datapath *dp;
	unsigned int mux, ifindex;
	int link;
};

static int attach_tx_again(void *arg, struct error *err)
{
	struct tx *tx = arg;
	struct renew_place place = {.ifindex = tx->ifindex, .flags = XDP_FLAGS_DRV_MODE};
	char path[PINS_PATH];

	tx_pin(tx->dp, tx->mux, path);
	place.pin = strrchr(path, '/') + 1;
	return renew_attach(tx->dp->pins, &place, &tx->link, err);
}

/* Fixes, or adds to @detail, each port whose program is detached. */
static int each_detached(struct datapath *dp, char *detail, struct error *err)
{
	struct qmap_port port[QMAP_MAX_MUX];
	int ret = port_map_read_all(dp->fd[PORTS], port, err);
	char path[PINS_PATH];

	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++) {
		struct tx tx = {.dp = dp, .mux = mux, .ifindex = port[mux].ifindex, .link = -1};

		if (!tx.ifindex)
			continue;
		tx_pin(dp, mux, path);
		tx.link = bpf_obj_get(path);
		if (tx.link >= 0 && renew_look(tx.link) == KEEP_WRONG) {
			if (detail)
				renew_add_name(detail, dp->places[mux].name);
			else
				ret = rtnl_netns_do(dp->places[mux].netns, attach_tx_again, &tx,
						    err);
		}
		if (tx.link >= 0)
			close(tx.link);
	}
	return ret;
}

static enum keep_look look_tx(void *arg, char *detail)
{
	if (each_detached(arg, detail, NULL))
		return KEEP_UNKNOWN;
	return detail[0] ? KEEP_WRONG : KEEP_FINE;
}

static int attach_all_tx(void *arg, struct error *err)
{
	return each_detached(arg, NULL, err);
}

/* The modem's own netdev, with `usb`, has rows of its own: trunk_dev_rows. */
static enum keep_look look_up(void *arg, char *detail)
{
	const struct datapath *dp = arg;
	struct rtnl_link link;

	trunk_name(dp, detail);
	if (dp->usb || rtnl_link_get(dp->nl, detail, &link, NULL))
		return KEEP_UNKNOWN;
	return link.flags & IFF_UP ? KEEP_FINE : KEEP_WRONG;
}

static int set_up(void *arg, struct error *err)
{
	const struct datapath *dp = arg;
	char name[IFNAMSIZ];

	trunk_name(dp, name);
	return rtnl_link_set_up(dp->nl, if_nametoindex(name), true, err);
}

static const struct keep_row rows[] = {
	{.what = "somebody has set %s down",
	 .budget = RENEW_BUDGET,
	 .look = look_up,
	 .fix = set_up},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_rx, .fix = attach_rx_again},
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_tx, .fix = attach_all_tx},
	{0},
};

/* --- counters: the module's, by their names in ethtool --- */

static void trunk_counter(void *arg, const char *name, uint64_t value)
{
	struct qmap_trunk_stats *ts = arg;

	if (!strcmp(name, "aggregates"))
		ts->aggregates = value;
	else if (!strcmp(name, "bytes"))
		ts->bytes = value;
	else if (!strcmp(name, "frames"))
		ts->frames = value;
	else if (!strcmp(name, "replies"))
		ts->commands = value;
	else if (!strncmp(name, "drop_", 5))
		for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
			if (!strcmp(name + 5, qmap_drop_name(i)))
				ts->drops[i] = value;
}

struct port_counters {
	struct datapath_port_stats *port;
	uint64_t backlog_dropped;
};

static void port_counter(void *arg, const char *name, uint64_t value)
{
	struct port_counters *seen = arg;
	struct qmap_port_stats *s = &seen->port->count;
	const struct {
		const char *name;
		__u64 *to;
	} map[] = {
		{"rx_packets", &s->rx_packets},	    {"rx_bytes", &s->rx_bytes},
		{"rx_dropped", &s->rx_dropped},	    {"rx_csum_ok", &s->rx_csum_ok},
		{"rx_csum_none", &s->rx_csum_none}, {"tx_packets", &s->tx_packets},
		{"tx_bytes", &s->tx_bytes},	    {"tx_dropped", &s->tx_dropped},
		{"replies", &s->commands},
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(name, map[i].name))
			*map[i].to = value;
	if (!strcmp(name, "flow_off"))
		seen->port->flow_off = value;
	else if (!strcmp(name, "rx_backlog_dropped"))
		seen->backlog_dropped = value;
}

/* A port that was deleted, or moved away, or has gone with its namespace, is left out. */
static int port_stats(struct datapath *dp, __u32 mux, const struct qmap_port *port,
		      struct datapath_stats *out, struct error *err)
{
	struct datapath_port_stats *p = &out->ports[out->nports];
	struct port_counters seen = {.port = p};
	struct error why = {0};
	int ret;

	*p = (struct datapath_port_stats){.mux = mux, .up = port->flags & QMAP_PORT_UP};
	ret = device_stats(dp->places[mux].name, dp->places[mux].netns, port_counter, &seen, &why);
	if (ret && ret != -ENODEV && ret != -ENOENT)
		return error_pass(err, &why);
	datapath_count_backlog(out, p, seen.backlog_dropped);
	out->nports += !ret;
	return 0;
}

static int stats(struct datapath *dp, struct datapath_stats *out, struct error *err)
{
	struct qmap_port port[QMAP_MAX_MUX];
	char name[IFNAMSIZ];
	int ret;

	trunk_name(dp, name);
	out->by_frame = true;
	out->nports = 0;
	out->trunk = (struct qmap_trunk_stats){0};
	ret = device_stats(name, "", trunk_counter, &out->trunk, err)
		      ?: port_map_read_all(dp->fd[PORTS], port, err);
	ret = ret ?: rtnl_shim_unknown(dp->nl, if_nametoindex(name), out->unknown, err);
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		if (port[mux].ifindex) {
			out->unknown[mux] = 0;
			ret = port_stats(dp, mux, &port[mux], out, err);
		}
	return ret;
}

/* --- QMAP commands: the program has answered them in place, here they are only logged --- */

static int event_fd(struct datapath *dp)
{
	return datapath_event_fd(dp, EVENTS, false);
}

/* Deleting the trunk device deletes its ports in any namespace. */
static int detach(struct datapath *dp, struct error *err)
{
	struct rtnl_link link;
	char name[IFNAMSIZ];
	int ret;

	commands_close(&dp->commands);
	trunk_name(dp, name);
	ret = rtnl_link_get(dp->nl, name, &link, NULL);
	if (ret)
		return ret == -ENODEV ? 0 : error_set(err, ret, "cannot look up %s", name);
	return rtnl_link_del(dp->nl, link.ifindex, err);
}

/* It is made before the pins say which data path they are of. */
void datapath_shim_sweep(const char *trunk)
{
	char base[IFNAMSIZ], name[IFNAMSIZ];
	struct rtnl *nl = NULL;
	struct rtnl_link link;

	datapath_port_base(trunk, base);
	snprintf(name, sizeof(name), SHIM_NAME, base);
	if (!rtnl_open(&nl, NULL, NULL) && !rtnl_link_get(nl, name, &link, NULL) &&
	    !strcmp(link.kind, QMAP_SHIM_TRUNK_KIND))
		rtnl_link_del(nl, link.ifindex, NULL);
	rtnl_close(&nl);
}

static int del_known_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	const struct datapath_place *place = &dp->places[mux];
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret;

	if (!place->name[0])
		return 0;
	ret = rtnl_open(&nl, place->netns, err);
	if (!ret && !rtnl_link_get(nl, place->name, &link, NULL))
		ret = rtnl_link_del(nl, link.ifindex, err);
	rtnl_close(&nl);
	return ret;
}

/* A port of a process that died before it saved it. */
static int del_port_of(const struct rtnl_link *link, void *arg)
{
	struct datapath *dp = arg;

	if (link->lower == dp->trunk && !strcmp(link->kind, QMAP_SHIM_PORT_KIND))
		rtnl_link_del(dp->nl, link->ifindex, NULL);
	return 0;
}

/* The trunk device belongs to its driver: only the ports are deleted. */
static int detach_usb(struct datapath *dp, struct error *err)
{
	struct rtnl_snapshot *links = NULL;
	int ret = 0, one;

	commands_close(&dp->commands);
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++) {
		one = del_known_port(dp, mux, err);
		ret = ret ? ret : one;
	}
	if (!rtnl_snapshot_read_links(&links, dp->nl, NULL))
		rtnl_snapshot_each_link(links, del_port_of, dp);
	rtnl_snapshot_free(&links);
	return ret;
}

static const char *const inner_netdevs[] = {"sh", NULL}; /* the trunk device */

/* Of both front ends. */
/* clang-format off */
#define SHARED_OPS \
	.limits = {0}, \
	.renew = renew, \
	.rows = rows, \
	.add_port = add_port, \
	.adopt_port = datapath_adopt_port, \
	.del_port = del_port, \
	.has_port = has_port, \
	.flow = flow, \
	.stats = stats, \
	.rx_packets = datapath_rx_packets, \
	.event_fd = event_fd, \
	.events = datapath_events, \
	.close = datapath_close
/* clang-format on */

const struct datapath_ops datapath_shim = {
	.name = "shim",
	.inner = inner_netdevs,
	.probe = probe,
	.attach = attach,
	.adopt = adopt,
	.detach = detach,
	SHARED_OPS,
};

const struct datapath_ops datapath_usb = {
	.name = "usb",
	.fits = fits_usb,
	.probe = probe_usb,
	.attach = attach_usb,
	.adopt = adopt_usb,
	.detach = detach_usb,
	SHARED_OPS,
};
