// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_observe.h"

#include <bpf/bpf.h>
#include <net/if.h>

#include "daemon/datapath/common.h"
#include "daemon/datapath/trunk_filter.h"
#include "daemon/rtnl/rtnl.h"
#include "qmap_observe.skel.h"
#include "vm_bench.h"

struct vm_observe {
	struct qmap_observe *skel;
	unsigned int trunk;
};

static void set_map(const struct bpf_map *map, uint32_t key, const void *value)
{
	if (bpf_map_update_elem(bpf_map__fd(map), &key, value, 0))
		DIE("map of the observer");
}

struct vm_observe *vm_observe_up(const char *trunk, unsigned int ports, int version, bool is_split)
{
	struct vm_observe *o = calloc(1, sizeof(*o));
	struct error err = {0};
	int fd;

	if (!o)
		DIE("memory");
	o->trunk = if_nametoindex(trunk);
	o->skel = qmap_observe__open();
	if (!o->skel)
		DIE("observer");
	o->skel->rodata->config.dl_version = version;
	o->skel->rodata->is_split = is_split;
	if (qmap_observe__load(o->skel))
		DIE("observer");
	fd = bpf_program__fd(o->skel->progs.qmap_observe);
	set_map(o->skel->maps.again, 0, &fd);
	for (unsigned int mux = 1; mux <= ports; mux++) {
		const struct qmap_port port = {.ifindex = o->trunk, .flags = QMAP_PORT_UP};

		set_map(o->skel->maps.ports, mux, &port);
	}
	if (trunk_filter_attach(o->trunk, fd, &err))
		DIE("%s", err.text);
	return o;
}

void vm_observe_down(struct vm_observe **o)
{
	struct rtnl *nl = NULL;

	if (!*o)
		return;
	if (rtnl_open(&nl, NULL, NULL))
		DIE("netlink");
	trunk_filter_remove(nl, (*o)->trunk, "qmap_observe");
	rtnl_close(&nl);
	qmap_observe__destroy((*o)->skel);
	free(*o);
	*o = NULL;
}

unsigned long long vm_observe_frames(const struct vm_observe *o)
{
	struct qmap_trunk_stats ts;
	struct error err = {0};

	if (datapath_sum_percpu(bpf_map__fd(o->skel->maps.trunk_stats), 1,
				sizeof(ts) / sizeof(__u64), (__u64 *)&ts, &err))
		DIE("%s", err.text);
	for (unsigned int i = 0; i < QMAP_DROP_MAX; i++)
		ts.frames += ts.drops[i];
	return ts.frames;
}
