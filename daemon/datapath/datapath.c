// SPDX-License-Identifier: GPL-2.0-or-later
#include "datapath.h"

#include <stdio.h>
#include <string.h>

static const struct datapath_ops *const datapaths[] = {&datapath_shim, &datapath_xdp,
						       &datapath_raw};

const struct datapath_ops *datapath_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(datapaths) / sizeof(datapaths[0]); i++)
		if (!strcmp(datapaths[i]->name, name))
			return datapaths[i];
	return NULL;
}

void datapath_port_base(const char *trunk, unsigned int ifindex, char base[IFNAMSIZ])
{
	if (strlen(trunk) + strlen(".254q") < IFNAMSIZ)
		snprintf(base, IFNAMSIZ, "%s", trunk);
	else
		snprintf(base, IFNAMSIZ, "qmap%u", ifindex);
}
