// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
		return error_set(err, cpus, "Cannot count the CPUs");
	all = calloc(cpus, words * sizeof(*all));
	if (!all)
		return error_set(err, -ENOMEM, "Out of memory");
	if (bpf_map_lookup_elem(fd, &key, all))
		ret = error_set(err, -errno, "Cannot read a BPF map: %s", strerror(errno));
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

static int port_stats(struct datapath *dp, __u32 mux, struct json_object *ports, __u64 *delivered,
		      struct error *err)
{
	struct qmap_port_stats s;
	struct qmap_port port;
	int ret;

	if (bpf_map_lookup_elem(dp->fd[XDP_PORTS], &mux, &port))
		return error_set(err, -errno, "Cannot read a BPF map: %s", strerror(errno));
	if (!port.ifindex)
		return 0;
	ret = sum_percpu(dp->fd[XDP_PORT_STATS], mux, (__u64 *)&s, sizeof(s) / sizeof(__u64), err);
	if (ret)
		return ret;
	*delivered += s.rx_packets;
	json_object_array_add(
		ports, counters_port_json(mux, &s, port.flags & QMAP_PORT_UP, flow_is_off(&port)));
	return 0;
}

int xdp_stats(struct datapath *dp, struct json_object **out, struct error *err)
{
	struct json_object *ports = json_object_new_array();
	struct qmap_trunk_stats ts;
	__u64 delivered = 0, lost;
	int ret;

	/* trunk first: what arrives between the two reads must not look lost */
	ret = sum_percpu(dp->fd[XDP_TRUNK_STATS], 0, (__u64 *)&ts, sizeof(ts) / sizeof(__u64), err);
	for (__u32 mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		ret = port_stats(dp, mux, ports, &delivered, err);
	if (ret) {
		json_object_put(ports);
		return ret;
	}
	/* Frames split but neither delivered nor dropped by name found the split veth's ring full.
	 */
	lost = delivered + ts.drops[QMAP_DROP_REDIRECT];
	if (ts.frames > lost)
		ts.drops[QMAP_DROP_QUEUE_FULL] += ts.frames - lost;
	*out = counters_trunk_json(&ts, ports);
	return 0;
}
