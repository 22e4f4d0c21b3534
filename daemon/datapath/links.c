// SPDX-License-Identifier: GPL-2.0-or-later
#include "links.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/json_get.h"
#include "hold.h"
#include "renew.h"

/* The trunk's counters when it was attached: a netdev's never start anew. */
struct baseline {
	__u64 aggregates, bytes, errors;
};

static const struct pins_entry pin_table[OBSERVE_PINS] = {
	[OBSERVE_BASELINE] = {.name = "baseline", .value_size = sizeof(struct baseline)},
	[OBSERVE_PORTS] = {.name = "ports", .value_size = sizeof(struct qmap_port)},
	[OBSERVE_PORT_STATS] = {.name = "port_stats", .value_size = sizeof(struct qmap_port_stats)},
	[OBSERVE_TRUNK_STATS] = {.name = "trunk_stats",
				 .value_size = sizeof(struct qmap_trunk_stats)},
	[OBSERVE_EVENTS] = {.name = "events"},
	[OBSERVE_AGAIN] = {.name = "again", .follows = true},
};

/* Transfers that are too short for usbnet are errors, too, and no aggregates (rx_process()). */
static __u64 errors_of(const struct rtnl_link *link)
{
	return link->rx_errors - link->rx_length_errors;
}

static int make_baseline(struct datapath *dp, struct error *err)
{
	int ret, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "qmap_baseline", sizeof(__u32),
				     sizeof(struct baseline), 1, NULL);
	struct rtnl_link link = {0};
	struct baseline b;
	__u32 zero = 0;

	if (fd < 0)
		return error_set(err, -errno, "cannot make a BPF map: %s", strerror(errno));
	ret = rtnl_link_get_index(dp->nl, dp->pins->ifindex, &link, err);
	b = (struct baseline){link.rx_packets, link.rx_bytes, errors_of(&link)};
	if (!ret && bpf_map_update_elem(fd, &zero, &b, BPF_ANY))
		ret = error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	if (!ret)
		ret = datapath_keep(dp, OBSERVE_BASELINE, fd, err);
	close(fd);
	return ret;
}

int links_attach(struct datapath **out, struct pins *pins, const char *trunk, const char *name,
		 const struct data_format *format, struct error *err)
{
	struct datapath *dp = NULL;
	int ret = datapath_new(&dp, pins, trunk, pin_table, OBSERVE_PINS, err);

	if (ret)
		return ret;
	dp->format = *format;
	ret = make_baseline(dp, err) ?: pins_set_datapath(pins, name, err)
		?: observe_attach(dp, format, err);
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

/* Removes what an older version, or one that died in the middle of observe(), has pinned. */
static void remove_pins(const struct pins *pins)
{
	char path[PINS_PATH];

	for (unsigned int i = 0; i < OBSERVE_PINS; i++)
		unlink(pins_path(pins, pin_table[i].name, path));
	renew_remove_config(pins);
}

static int saved_format(const struct pins *pins, struct data_format *format, struct error *err)
{
	struct json_object *state = NULL;
	int ret = pins_get_meta(pins, NULL, &state, err);

	*format = data_format_from_json(json_get_object(state, "format"));
	json_object_put(state);
	if (!ret && !format->version)
		ret = error_set(err, -EPROTO, "the data format of %s is not saved", pins->trunk);
	return ret;
}

/*
 * Adds the observer to a data path that a version without one has built. The counters of the trunk
 * begin anew; calls, ports and traffic stay.
 */
static int observe(struct datapath **out, struct pins *pins, struct error *err)
{
	struct data_format format;
	int ret = saved_format(pins, &format, err);

	if (ret)
		return ret;
	remove_pins(pins);
	ret = links_attach(out, pins, pins->trunk, pins->datapath, &format, err);
	if (!ret)
		(*out)->observed_anew = true;
	return ret;
}

int links_adopt(struct datapath **out, struct pins *pins, struct error *err)
{
	struct error why = {0};
	int ret = datapath_open(out, pins, pin_table, OBSERVE_PINS, &why);

	if ((ret == -ENOENT || ret == -EPROTO) && pins->lock >= 0)
		return observe(out, pins, err);
	if (ret)
		return error_pass(err, &why);
	saved_format(pins, &(*out)->format, NULL); /* only a port that is added needs it */
	return 0;
}

/* Enters a port that the observer does not know yet. */
static int enter_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret = links_open_port(&dp->places[mux % QMAP_MAX_MUX], &nl, &link, err)
			  ?: observe_add_port(dp, mux, link.ifindex, err);

	rtnl_close(&nl);
	if (!ret && link.flags & IFF_UP)
		ret = observe_flow(dp, mux, true, err);
	return ret;
}

int links_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err)
{
	int ret = datapath_adopt_port(dp, port, err);

	if (ret)
		return ret;
	hold_adopt(dp, port->mux);
	return dp->observed_anew ? enter_port(dp, port->mux, err) : 0;
}

int links_open_port(const struct datapath_place *place, struct rtnl **nl, struct rtnl_link *link,
		    struct error *err)
{
	int ret = rtnl_open(nl, place->netns, err) ?: rtnl_link_get(*nl, place->name, link, err);

	if (ret)
		rtnl_close(nl);
	return ret;
}

int links_flow(struct datapath *dp, unsigned int mux, bool on, struct error *err)
{
	const struct datapath_place *place = &dp->places[mux % QMAP_MAX_MUX];
	struct rtnl *nl = NULL;
	struct rtnl_link link;
	int ret;

	if (!place->name[0])
		return error_set(err, -ENODEV, "no PDN has mux id %u", mux);
	ret = links_open_port(place, &nl, &link, err)
		      ?: observe_flow(dp, mux, on, err)
		      ?: rtnl_link_set_up(nl, link.ifindex, on, err);
	rtnl_close(&nl);
	return ret;
}

int links_forget_ports(struct datapath *dp,
		       int (*del)(struct datapath *dp, unsigned int mux, struct error *err),
		       struct error *err)
{
	int ret = 0;

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++) {
		struct error why = {0};
		int one = dp->places[mux].name[0] ? del(dp, mux, &why) : 0;

		if (one && one != -ENODEV && one != -ENOENT && !ret)
			ret = error_pass(err, &why);
	}
	return ret;
}

/* --- counters --- */

struct stats {
	struct datapath *dp;
	int (*look)(struct datapath *dp, unsigned int mux, struct links_port *port,
		    struct error *err);
	const struct observe_stats *seen;
	struct datapath_stats *out;
	uint64_t rx_errors; /* of the ports */
	uint64_t unseen;    /* packets of the ports that the observer has not counted */
};

/*
 * The netdev counts packets; the observer counts the trunk's frames, drops, commands and flow
 * control. Good frames that did not become packets are lost for want of memory: the observer was
 * read first.
 */
static void add_port(struct stats *s, unsigned int mux, const struct rtnl_link *link,
		     const struct links_port *port)
{
	uint64_t headers = link->tx_packets * port->tx_header, ok = port->csum_ok;
	const struct qmap_port_stats *seen = &s->seen->count[mux];
	struct datapath_stats *out = s->out;
	struct datapath_port_stats *p = &out->ports[out->nports++];
	uint64_t held = hold_dropped(s->dp, mux);
	uint64_t lost =
		seen->rx_packets > link->rx_packets ? seen->rx_packets - link->rx_packets : 0;

	s->rx_errors += link->rx_errors;
	s->unseen += link->rx_packets > seen->rx_packets ? link->rx_packets - seen->rx_packets : 0;
	out->trunk.drops[QMAP_DROP_FLOW_DISABLED] += held;
	*p = (struct datapath_port_stats){
		.mux = mux,
		.up = link->flags & IFF_UP,
		.flow_off = datapath_flow_is_off(&s->seen->port[mux]),
		.count = {.rx_dropped = seen->rx_dropped,
			  .commands = seen->commands,
			  .rx_packets = link->rx_packets,
			  .rx_bytes = link->rx_bytes,
			  .tx_packets = link->tx_packets,
			  .tx_bytes = link->tx_bytes > headers ? link->tx_bytes - headers : 0,
			  .rx_csum_ok = ok,
			  .rx_csum_none = link->rx_packets > ok ? link->rx_packets - ok : 0,
			  .tx_dropped = link->tx_dropped + held},
	};
	datapath_count_lost(out, p, QMAP_DROP_NO_MEMORY, lost);
	if (!observe_is_split(s->dp))
		datapath_count_backlog(out, p, link->rx_dropped);
}

/* A port that was deleted or moved away is left out: the counters of the others are there. */
static int port_stats(void *arg, unsigned int mux, const struct rtnl_link *link, struct error *err)
{
	struct stats *s = arg;
	struct links_port port = {0};
	int ret = link && s->look ? s->look(s->dp, mux, &port, err) : 0;

	if (!ret && link)
		add_port(s, mux, link, &port);
	return ret;
}

static int by_mux(const void *a, const void *b)
{
	const struct datapath_port_stats *x = a, *y = b;

	return (int)x->mux - (int)y->mux;
}

/*
 * qmi_wwan gives up an aggregate at a frame that is longer than the rest, which counts as an error
 * of the trunk, or where a queue of the kernel's is full, which counts as one of the port as well.
 * The observer sees neither, nor the frames in front of them.
 */
static void add_given_up(struct stats *s, uint64_t trunk)
{
	struct datapath_stats *out = s->out;
	uint64_t ports = s->rx_errors;

	out->trunk.aggregates += trunk;
	if (trunk)
		out->trunk.frames += s->unseen;
	out->trunk.drops[QMAP_DROP_QUEUE_FULL] += ports;
	out->trunk.drops[QMAP_DROP_LENGTH_BEYOND] += trunk > ports ? trunk - ports : 0;
}

int links_stats(struct datapath *dp,
		int (*look)(struct datapath *dp, unsigned int mux, struct links_port *port,
			    struct error *err),
		struct datapath_stats *out, struct error *err)
{
	struct observe_stats seen;
	struct stats s = {.dp = dp, .look = look, .seen = &seen, .out = out};
	struct rtnl_link trunk;
	struct baseline b;
	__u32 zero = 0;
	__u64 errors;
	int ret = observe_stats(dp, &seen, err)
			  ?: rtnl_link_get_index(dp->nl, dp->pins->ifindex, &trunk, err);

	if (!ret && bpf_map_lookup_elem(dp->fd[OBSERVE_BASELINE], &zero, &b))
		ret = error_set(err, -errno, "cannot read a BPF map: %s", strerror(errno));
	if (ret)
		return ret;
	out->by_frame = true;
	out->nports = 0;
	out->trunk = seen.trunk;
	out->trunk.aggregates = trunk.rx_packets - b.aggregates;
	out->trunk.bytes = trunk.rx_bytes - b.bytes;
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX; mux++)
		out->unknown[mux] = seen.port[mux].ifindex ? 0 : seen.count[mux].rx_dropped;
	ret = datapath_each_link(dp, port_stats, &s, err);
	errors = errors_of(&trunk); /* of an older version they were more */
	if (observe_is_split(dp))
		add_given_up(&s, errors > b.errors ? errors - b.errors : 0);
	else
		datapath_add_lost(out, &trunk);
	qsort(out->ports, out->nports, sizeof(out->ports[0]),
	      by_mux); /* they were found namespace by namespace */
	return ret;
}
