// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_xdp.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/datapath.h"
#include "daemon/datapath/pins.h"
#include "vm_bench.h"

struct vm_xdp {
	struct pins pins;
	struct datapath *dp;
	unsigned int ports;
	char names[256][IFNAMSIZ];
};

static void add_port(struct vm_xdp *x, const char *trunk, unsigned int number)
{
	struct datapath_port port = {.number = number, .mux = number};
	struct error err = {0};

	snprintf(port.name, sizeof(port.name), "%s.%u", trunk, number);
	if (datapath_xdp.add_port(x->dp, &port, &err) ||
	    datapath_xdp.flow(x->dp, number, true, &err))
		DIE("%s", err.text);
	snprintf(x->names[number], IFNAMSIZ, "%s", port.name);
	if (nl_up(port.name, true))
		DIE("%s", port.name);
}

struct vm_xdp *vm_xdp_up(const char *trunk, unsigned int ports, int version)
{
	const struct data_format format = {.version = version, .dl_max_bytes = 31744};
	struct vm_xdp *x = calloc(1, sizeof(*x));
	struct error err = {0};

	if (!x)
		DIE("memory");
	x->pins = PINS_INIT;
	x->ports = ports;
	if (pins_create(&x->pins, if_nametoindex(trunk), trunk, &err) ||
	    datapath_xdp.attach(&x->dp, &x->pins, trunk, &format, &err))
		DIE("%s", err.text);
	for (unsigned int i = 1; i <= ports; i++)
		add_port(x, trunk, i);
	return x;
}

void vm_xdp_down(struct vm_xdp **x)
{
	struct error err = {0};

	if (!*x)
		return;
	if (datapath_xdp.detach((*x)->dp, &err))
		DIE("%s", err.text);
	datapath_xdp.close(&(*x)->dp);
	pins_remove(&(*x)->pins);
	free(*x);
	*x = NULL;
}

void vm_xdp_port(const struct vm_xdp *x, unsigned int number, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%s", x->names[number]);
}

void vm_xdp_lower(const struct vm_xdp *x, unsigned int number, char name[IFNAMSIZ])
{
	char path[64];
	unsigned int ifindex;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/iflink", x->names[number]);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%u", &ifindex) != 1 || !if_indextoname(ifindex, name))
		DIE("%s", path);
	fclose(f);
}

void vm_xdp_drops(struct vm_xdp *x, uint64_t drops[QMAP_DROP_MAX])
{
	struct datapath_stats *stats = malloc(sizeof(*stats));
	struct error err = {0};

	if (!stats || datapath_xdp.stats(x->dp, stats, &err))
		DIE("%s", err.text);
	memcpy(drops, stats->trunk.drops, sizeof(stats->trunk.drops));
	free(stats);
}
