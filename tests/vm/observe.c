// SPDX-License-Identifier: GPL-2.0-or-later
#include "observe.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/datapath/common.h"
#include "daemon/datapath/trunk_filter.h"
#include "daemon/rtnl/rtnl.h"
#include "qmap_observe.skel.h"

struct observer {
	struct qmap_observe *skel;
	unsigned int trunk;
};

static int enter(const struct bpf_map *map, uint32_t key, const void *value)
{
	return bpf_map_update_elem(bpf_map__fd(map), &key, value, 0);
}

static int load(struct observer *o, unsigned int ports, int version, bool is_split)
{
	const struct qmap_port port = {.ifindex = o->trunk, .flags = QMAP_PORT_UP};
	int fd;

	o->skel = qmap_observe__open();
	if (!o->skel)
		return -1;
	o->skel->rodata->config.dl_version = version;
	o->skel->rodata->is_split = is_split;
	if (qmap_observe__load(o->skel))
		return -1;
	fd = bpf_program__fd(o->skel->progs.qmap_observe);
	if (enter(o->skel->maps.again, 0, &fd))
		return -1;
	for (unsigned int mux = 1; mux <= ports; mux++)
		if (enter(o->skel->maps.ports, mux, &port))
			return -1;
	return 0;
}

struct observer *observer_up(const char *trunk, unsigned int ports, int version, bool is_split)
{
	struct observer *o = calloc(1, sizeof(*o));
	struct error err = {.text = "its program does not load"};

	if (!o)
		return NULL;
	o->trunk = if_nametoindex(trunk);
	if (!load(o, ports, version, is_split) &&
	    !trunk_filter_attach(o->trunk, bpf_program__fd(o->skel->progs.qmap_observe), &err))
		return o;
	fprintf(stderr, "observer on %s: %s\n", trunk, err.text);
	qmap_observe__destroy(o->skel);
	free(o);
	return NULL;
}

void observer_down(struct observer **o)
{
	struct rtnl *nl = NULL;

	if (!*o)
		return;
	if (!rtnl_open(&nl, NULL, NULL))
		trunk_filter_remove(nl, (*o)->trunk, "qmap_observe");
	rtnl_close(&nl);
	qmap_observe__destroy((*o)->skel);
	free(*o);
	*o = NULL;
}

static struct qmap_trunk_stats stats_of(const struct observer *o)
{
	struct qmap_trunk_stats ts = {0};

	if (datapath_sum_percpu(bpf_map__fd(o->skel->maps.trunk_stats), 1,
				sizeof(ts) / sizeof(__u64), (__u64 *)&ts, NULL))
		fprintf(stderr, "the counters of the observer cannot be read\n");
	return ts;
}

unsigned long long observer_good(const struct observer *o)
{
	return stats_of(o).frames;
}

unsigned long long observer_frames(const struct observer *o)
{
	struct qmap_trunk_stats ts = stats_of(o);

	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		ts.frames += ts.drops[i];
	return ts.frames;
}
