// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rtnl/rtnl.h"
#include "counters.h"
#include "xdp.h"

/* Sums one entry of a per-CPU map whose value is @words 64-bit counters into @sum. */
static int sum_percpu(int fd, __u32 key, __u64 *sum, size_t words, struct error *err)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *all;
	int ret = 0;

	memset(sum, 0, words * sizeof(*sum));
	if (cpus < 0)
		return error_set(err, cpus, "cannot count the CPUs");
	all = calloc(cpus, words * sizeof(*all));
	if (!all)
		return error_set(err, -ENOMEM, "out of memory");
	if (bpf_map_lookup_elem(fd, &key, all))
		ret = error_set(err, -errno, "cannot read a BPF map: %s", strerror(errno));
	for (size_t i = 0; !ret && i < (size_t)cpus * words; i++)
		sum[i % words] += all[i];
	free(all);
	return ret;
}

static bool flow_is_off(const struct qmap_port *port)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return port->flow_off_until > now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/*
 * Packets that the kernel took for @ifindex and dropped because the ring of the veth's other end
 * was full (drivers/net/veth.c: peer_tq_xdp_xmit_err, and what veth_xmit drops).
 */
static __u64 queue_full(struct datapath *dp, unsigned int ifindex)
{
	struct rtnl_link link;

	return rtnl_link_get_index(dp->nl, ifindex, &link, NULL) ? 0 : link.tx_dropped;
}

/*
 * What has come out of the ring of the port's lower device, where the program only knows what it
 * has sent there. A veth counts it before GRO, with its Ethernet header. Returns what was lost.
 */
static __u64 received(struct datapath *dp, unsigned int inner, struct qmap_port_stats *s)
{
	struct rtnl_link link, lower;

	if (rtnl_link_get_index(dp->nl, inner, &link, NULL))
		return 0;
	if (link.lower && !rtnl_link_get_index(dp->nl, link.lower, &lower, NULL)) {
		s->rx_packets = lower.rx_packets;
		s->rx_bytes = lower.rx_bytes - lower.rx_packets * ETH_HLEN;
	}
	return link.tx_dropped;
}

static int port_stats(struct datapath *dp, __u32 mux, const struct qmap_port *port,
		      struct json_object *ports, __u64 *full, struct error *err)
{
	struct qmap_port_stats s;
	__u64 lost;
	int ret;

	if (!port->ifindex)
		return 0;
	ret = sum_percpu(dp->fd[XDP_PORT_STATS], mux, (__u64 *)&s, sizeof(s) / sizeof(__u64), err);
	if (ret)
		return ret;
	lost = received(dp, port->ifindex, &s);
	s.rx_dropped += lost;
	*full += lost;
	json_object_array_add(
		ports, counters_port_json(mux, &s, port->flags & QMAP_PORT_UP, flow_is_off(port)));
	return 0;
}

int xdp_stats(struct datapath *dp, struct json_object **out, struct error *err)
{
	struct json_object *ports = json_object_new_array();
	struct qmap_port port[QMAP_MAX_MUX];
	struct qmap_trunk_stats ts;
	char split[IFNAMSIZ];
	__u64 full;
	int ret;

	ret = xdp_read_ports(dp, port, err)
		      ?: sum_percpu(dp->fd[XDP_TRUNK_STATS], 0, (__u64 *)&ts,
				    sizeof(ts) / sizeof(__u64), err);
	xdp_inner_name(dp->base, 'a', split);
	full = queue_full(dp, if_nametoindex(split));
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		ret = port_stats(dp, mux, &port[mux], ports, &full, err);
	if (ret) {
		json_object_put(ports);
		return ret;
	}
	ts.drops[QMAP_DROP_QUEUE_FULL] += full;
	*out = counters_trunk_json(&ts, ports);
	return 0;
}
