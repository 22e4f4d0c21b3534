// SPDX-License-Identifier: GPL-2.0-or-later
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rtnl/rtnl.h"
#include "rtnl/snapshot.h"
#include "util/log.h"
#include "qmap_commands.h"
#include "xdp_link.h"

void datapath_close(struct datapath **p)
{
	struct datapath *dp = *p;

	if (!dp)
		return;
	commands_close(&dp->commands);
	bpf_fds_close(dp->fd, dp->npins);
	rtnl_close(&dp->nl);
	free(dp);
	*p = NULL;
}

int datapath_new(struct datapath **out, struct pins *pins, const char *trunk,
		 const struct pins_entry *pin, unsigned int npins, struct error *err)
{
	struct datapath *dp = calloc(1, sizeof(*dp));
	int ret;

	if (!dp)
		return error_set(err, -ENOMEM, "out of memory");
	bpf_log_to_ours();
	dp->pins = pins;
	dp->trunk = pins->ifindex;
	dp->pin = pin;
	dp->npins = npins;
	bpf_fds_init(dp->fd, npins);
	datapath_port_base(trunk, dp->base);
	ret = rtnl_open(&dp->nl, NULL, err);
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

int datapath_open(struct datapath **out, struct pins *pins, const struct pins_entry *pin,
		  unsigned int npins, struct error *err)
{
	struct datapath *dp = NULL;
	int ret = datapath_new(&dp, pins, pins->trunk, pin, npins, err);

	if (!ret)
		ret = bpf_fds_get(pins, pin, dp->fd, npins, err);
	if (ret)
		datapath_close(&dp);
	*out = dp;
	return ret;
}

int datapath_keep(struct datapath *dp, unsigned int pin, int fd, struct error *err)
{
	return bpf_keep(dp->pins, dp->pin[pin].name, fd, &dp->fd[pin], err);
}

int datapath_keep_maps(struct datapath *dp, const struct bpf_object *obj, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < dp->npins && !ret; i++) {
		const struct bpf_map *map = bpf_object__find_map_by_name(obj, dp->pin[i].name);

		ret = map ? datapath_keep(dp, i, bpf_map__fd(map), err) : 0;
	}
	return ret;
}

int datapath_reuse_maps(const struct datapath *dp, const struct bpf_object *obj)
{
	int ret = 0;

	for (unsigned int i = 0; i < dp->npins && !ret; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, dp->pin[i].name);

		if (map && dp->fd[i] >= 0 && !dp->pin[i].follows)
			ret = bpf_map__reuse_fd(map, dp->fd[i]);
	}
	return ret;
}

int datapath_adopt_port(struct datapath *dp, const struct datapath_port *port, struct error *err)
{
	struct datapath_place *place = &dp->places[port->mux % QMAP_MAX_MUX];

	memcpy(place->name, port->name, sizeof(place->name));
	memcpy(place->netns, port->netns, sizeof(place->netns));
	return 0;
}

static uint64_t less(uint64_t n, uint64_t part)
{
	return n > part ? n - part : 0;
}

void datapath_count_lost(struct datapath_stats *out, struct datapath_port_stats *p,
			 enum qmap_drop why, uint64_t n)
{
	out->trunk.frames = less(out->trunk.frames, n);
	out->trunk.drops[why] += n;
	if (p)
		p->count.rx_dropped += n;
}

void datapath_count_backlog(struct datapath_stats *out, struct datapath_port_stats *p, uint64_t n)
{
	p->count.rx_packets = less(p->count.rx_packets, n);
	datapath_count_lost(out, p, QMAP_DROP_QUEUE_FULL, n);
}

/* The sums of all CPUs are of unsigned numbers, so one CPU's may be "negative". */
int datapath_start_lost(const struct datapath *dp, int fd, struct error *err)
{
	int cpus = libbpf_num_possible_cpus(), ret;
	struct qmap_trunk_stats *of_cpu = calloc(cpus > 0 ? cpus : 1, sizeof(*of_cpu));
	struct rtnl_link trunk;
	__u32 zero = 0;

	if (!of_cpu)
		return error_set(err, -ENOMEM, "out of memory");
	ret = rtnl_link_get_index(dp->nl, dp->trunk, &trunk, err);
	if (!ret) {
		of_cpu->drops[QMAP_DROP_QUEUE_FULL] = -trunk.rx_dropped;
		if (bpf_map_update_elem(fd, &zero, of_cpu, BPF_ANY))
			ret = error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	}
	free(of_cpu);
	return ret;
}

void datapath_add_lost(struct datapath_stats *out, const struct rtnl_link *link)
{
	__u64 *sum = &out->trunk.drops[QMAP_DROP_QUEUE_FULL];

	*sum += link ? link->rx_dropped : 0;
	if ((int64_t)*sum < 0) /* a driver has begun to count anew */
		*sum = 0;
}

int datapath_event_fd(struct datapath *dp, unsigned int pin, bool acknowledge)
{
	struct error err = {0};

	if (!dp->commands &&
	    commands_open(&dp->commands, dp->fd[pin], dp->trunk, acknowledge, &err)) {
		log_warning("%s", err.text);
		return -1;
	}
	return commands_fd(dp->commands);
}

int datapath_events(struct datapath *dp, struct error *err)
{
	return dp->commands ? commands_read(dp->commands, err) : 0;
}

/* --- counters --- */

static int read_one_by_one(int fd, char *values, size_t size, unsigned int n)
{
	for (__u32 key = 0; key < n; key++)
		if (bpf_map_lookup_elem(fd, &key, values + key * size))
			return -errno;
	return 0;
}

/* Kernel bpf_map_do_batch(): the map has no batches. An older kernel does not know the command. */
#define KERNEL_ENOTSUPP 524

int datapath_read_array(int fd, void *values, size_t size, unsigned int n, struct error *err)
{
	__u32 *keys = calloc(n, sizeof(*keys)), next, count = n;
	int ret = keys ? 0 : -ENOMEM;

	/* ENOENT: there are no further entries */
	if (keys && bpf_map_lookup_batch(fd, NULL, &next, keys, values, &count, NULL) &&
	    errno != ENOENT)
		ret = -errno;
	free(keys);
	if (ret == -EINVAL || ret == -KERNEL_ENOTSUPP)
		ret = read_one_by_one(fd, values, size, n);
	if (!ret && count != n)
		ret = -EIO;
	return ret ? error_set(err, ret, "cannot read a BPF map: %s", strerror(-ret)) : 0;
}

int datapath_sum_percpu(int fd, unsigned int n, size_t words, __u64 *sums, struct error *err)
{
	int cpus = libbpf_num_possible_cpus(), ret;
	__u64 *all;

	if (cpus < 0)
		return error_set(err, cpus, "cannot count the CPUs");
	all = calloc(n, cpus * words * sizeof(*all));
	if (!all)
		return error_set(err, -ENOMEM, "out of memory");
	ret = datapath_read_array(fd, all, cpus * words * sizeof(*all), n, err);
	memset(sums, 0, n * words * sizeof(*sums));
	for (size_t i = 0; !ret && i < n * cpus * words; i++)
		sums[i / (cpus * words) * words + i % words] += all[i];
	free(all);
	return ret;
}

int datapath_zero_stats(int fd, __u32 mux, struct error *err)
{
	int cpus = libbpf_num_possible_cpus(), ret = 0;
	struct qmap_port_stats *zero = calloc(cpus > 0 ? cpus : 1, sizeof(*zero));

	if (!zero)
		return error_set(err, -ENOMEM, "out of memory");
	if (bpf_map_update_elem(fd, &mux, zero, BPF_ANY))
		ret = error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	free(zero);
	return ret;
}

bool datapath_flow_is_off(const struct qmap_port *port)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return port->flow_off_until > now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Is the port of @place the first in its namespace? That namespace has not been read yet. */
static bool is_first(const struct datapath *dp, unsigned int mux)
{
	for (unsigned int i = 0; i < mux; i++)
		if (dp->places[i].name[0] && !strcmp(dp->places[i].netns, dp->places[mux].netns))
			return false;
	return true;
}

static int read_links(struct datapath *dp, const char *netns, struct rtnl_snapshot **links,
		      struct error *err)
{
	struct rtnl *nl = NULL;
	int ret = *netns ? rtnl_open(&nl, netns, err) : 0;

	ret = ret ?: rtnl_snapshot_read_links(links, nl ? nl : dp->nl, err);
	rtnl_close(&nl);
	return ret;
}

static int each_of(struct datapath *dp, const char *netns, datapath_link_fn fn, void *arg,
		   struct error *err)
{
	struct rtnl_snapshot *links = NULL;
	struct error why = {0};
	int ret = read_links(dp, netns, &links, &why);

	/* ports have gone with their namespace */
	if (ret && ret != -ENOENT)
		return error_pass(err, &why);
	ret = 0;
	for (unsigned int mux = 0; mux < QMAP_MAX_MUX && !ret; mux++) {
		const struct datapath_place *place = &dp->places[mux];

		if (place->name[0] && !strcmp(place->netns, netns))
			ret = fn(arg, mux, links ? rtnl_snapshot_find(links, place->name) : NULL,
				 err);
	}
	rtnl_snapshot_free(&links);
	return ret;
}

int datapath_each_link(struct datapath *dp, datapath_link_fn fn, void *arg, struct error *err)
{
	int ret = 0;

	for (unsigned int mux = 0; mux < QMAP_MAX_MUX && !ret; mux++)
		if (dp->places[mux].name[0] && is_first(dp, mux))
			ret = each_of(dp, dp->places[mux].netns, fn, arg, err);
	return ret;
}

static int take_rx(void *arg, unsigned int mux, const struct rtnl_link *link, struct error *err)
{
	((uint64_t *)arg)[mux] = link ? link->rx_packets : 0;
	return 0;
}

int datapath_rx_packets(struct datapath *dp, uint64_t rx[QMAP_MAX_MUX], struct error *err)
{
	return datapath_each_link(dp, take_rx, rx, err);
}
