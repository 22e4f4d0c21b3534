// SPDX-License-Identifier: GPL-2.0-or-later
#include "port_name.h"

#include <stdio.h>

#include "datapath/datapath.h"

void config_trunk_port(const struct config_trunk *c, unsigned int number, char name[IFNAMSIZ])
{
	char base[IFNAMSIZ];

	if (c->port[0]) {
		config_port_name(c->port, number, name);
		return;
	}
	datapath_port_base(c->dev, base);
	snprintf(name, IFNAMSIZ, "%.10s.%u", base, number % 1000);
}
