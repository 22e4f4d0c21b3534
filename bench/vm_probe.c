// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "vm_bench.h"
#include "vm_probe.skel.h"

static struct vm_probe *skel;
static struct bpf_link *memory;

/* Without the kernel's BTF the truesize of an skb is unknown. */
void probe_open(void)
{
	skel = vm_probe__open();
	if (skel && !vm_probe__load(skel))
		return;
	vm_probe__destroy(skel);
	skel = vm_probe__open();
	if (skel)
		bpf_program__set_autoload(skel->progs.probe_memory, false);
	if (!skel || vm_probe__load(skel))
		DIE("probe programs");
	printf("SKIP vm_bench memory: no BTF of this kernel\n");
}

static void look_at(const char *name)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(name),
			    .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts,
			    .prog_fd = bpf_program__fd(skel->progs.probe_packets), .priority = 1);
	int err = bpf_tc_hook_create(&hook);

	if ((err && err != -EEXIST) || bpf_tc_attach(&hook, &opts))
		DIE("probe of %s", name);
}

void probe_start(char (*names)[16], unsigned int n, unsigned int mac, unsigned int headers)
{
	struct probe_shared *shared = &skel->bss->shared;
	unsigned int i, ifindex;

	*shared = (struct probe_shared){.mac = mac, .headers = headers, .first = UINT32_MAX};
	for (i = 0; i < n; i++) {
		ifindex = if_nametoindex(names[i]);
		shared->first = ifindex < shared->first ? ifindex : shared->first;
		shared->last = ifindex > shared->last ? ifindex : shared->last;
		look_at(names[i]);
	}
	if (bpf_program__fd(skel->progs.probe_memory) >= 0)
		memory = bpf_program__attach(skel->progs.probe_memory);
}

void probe_stop(struct seen *seen)
{
	const struct probe_shared *shared = &skel->bss->shared;
	int map = bpf_map__fd(skel->maps.latencies);
	uint32_t i;

	bpf_link__destroy(memory);
	memory = NULL;
	seen->units += shared->skbs;
	seen->packets += shared->packets;
	seen->truesize += shared->truesize;
	seen->n = shared->stamps;
	seen->latency = calloc(seen->n + 1, sizeof(*seen->latency));
	for (i = 0; seen->latency && i < seen->n; i++)
		bpf_map_lookup_elem(map, &i, &seen->latency[i]);
}
